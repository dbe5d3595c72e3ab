// The clocks: when something was captured in the time of the server, when by the sound card, and whether the device slept.

/** What the server said of its time: asked and answered in ms of our clock, `serverNow` in µs since the track began. */
export interface TimeAnswer {
  asked: number;
  serverNow: number;
  answered: number;
}

/** From this difference on a clock is not nudged but set, in µs. */
const JUMP = 1_000_000;
/** How fast a smaller difference is made up for, in µs a ms: the timeline bears twice as much. */
const NUDGE = 0.5;

/**
 * µs since a track began. The server said its time somewhere between our question and its answer: each answer says between
 * which two moments the track began in our clock. Of these we take the latest, so that we are never ahead; an answer that contradicts it moves it as far as it must.
 */
export class TrackClock {
  private zero: number;
  private target: number;
  private since: number;
  private isUsed = false;

  constructor(first: TimeAnswer) {
    this.zero = first.answered * 1_000 - first.serverNow;
    this.target = this.zero;
    this.since = first.answered;
  }

  /**
   * Holds our clock against the server's. Small differences are made up for little by little. Returns by how
   * many µs it was set at once, forwards if more than 0, and 0 where it was not: then what comes is no continuation of what was.
   */
  compare({ asked, serverNow, answered }: TimeAnswer): number {
    const [earliest, latest] = [asked * 1_000 - serverNow, answered * 1_000 - serverNow];
    const before = this.zeroAt(answered);
    this.target = Math.min(latest, Math.max(earliest, this.target));
    const isJump = this.isUsed && Math.abs(before - this.target) > JUMP;
    this.zero = isJump || !this.isUsed ? this.target : before;
    this.since = answered;
    return isJump ? before - this.target : 0;
  }

  /** µs since the track began, at so many ms of our clock. */
  at(ms: number): number {
    this.isUsed = true;
    return Math.round(ms * 1_000 - this.zeroAt(ms));
  }

  private zeroAt(ms: number): number {
    const most = Math.max(0, ms - this.since) * NUDGE;
    return this.zero + Math.max(-most, Math.min(most, this.target - this.zero));
  }
}

/** How much further the clock of the wall goes than ours before it counts as sleep, in ms. */
const SLEPT = 1_000;

/**
 * Our clock may stand still while a device sleeps; that of the wall does not, but people and networks set it. So a difference
 * only says that the server must be asked.
 */
export class SleepWatch {
  private lead: number;

  constructor(
    /** ms of our clock when nothing was wrong last. */
    public lastMs: number,
    wall: number,
  ) {
    this.lead = wall - lastMs;
  }

  /** Whether the device may have slept since the last time: `ms` of our clock, `wall` of that of the wall. */
  maySleep(ms: number, wall: number): boolean {
    const lead = wall - ms;
    const isLate = lead - this.lead > SLEPT;
    this.lead = lead;
    if (!isLate) this.lastMs = ms;
    return isLate;
  }
}

/** How much later than expected a block must come to say that the sound stood still, in ms. */
const STOOD_STILL = 500;
/** For how long the earliest arrival counts, in ms of sound, and at most twice that: a sound card that lost some is slower by so much from then on. */
const WINDOW = 5_000;

/**
 * When a sample was captured. Blocks of sound arrive when the page has time for them, so never too
 * early and often late: the earliest arrivals tell how the sound card's clock lies in ours.
 */
export class SoundClock {
  private offset: number | null = null;
  private before = Infinity;
  private earliest = Infinity;
  private windowFrom = 0;
  private lastFrame = 0;
  private lastWall = 0;

  constructor(private readonly rate: number) {}

  /**
   * ms of our clock at which frame number `frame` was complete. `arrived`: ms of our clock now. `wall`: ms of
   * the sound thread's own clock at that frame, which shows that the thread stood still and not the page.
   */
  capturedAt(frame: number, arrived: number, wall: number): number {
    const sound = (frame * 1_000) / this.rate;
    const passed = ((frame - this.lastFrame) * 1_000) / this.rate;
    const stood = this.offset !== null && Math.abs(wall - this.lastWall - passed) > STOOD_STILL;
    const candidate = arrived - sound;
    if (stood || sound - this.windowFrom >= WINDOW) {
      this.before = stood ? Infinity : this.earliest;
      this.earliest = Infinity;
      this.windowFrom = sound;
    }
    this.earliest = Math.min(this.earliest, candidate);
    this.offset = Math.min(this.before, this.earliest);
    this.lastFrame = frame;
    this.lastWall = wall;
    return sound + this.offset;
  }

  /** ms of our clock at which frame number `frame` was complete, by what the newest block told. */
  timeOf(frame: number): number {
    return (frame * 1_000) / this.rate + (this.offset ?? 0);
  }
}
