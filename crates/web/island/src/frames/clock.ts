// Two clocks: the one that says when something was captured, and the one of the sound card.

/** µs since a track began, by a clock of this device that only goes forward, never ahead of the server's. */
export class TrackClock {
  private zero = 0;

  /** `serverNow`: µs since the track began, as the server said it; `heardAt`: ms of our clock when we heard it. */
  constructor(serverNow: number, heardAt: number) {
    this.zero = heardAt * 1_000 - serverNow;
  }

  /** Holds our clock against the server's again. Where ours ran ahead it is put back; `captured` never is. */
  compare(serverNow: number, heardAt: number): void {
    const ours = heardAt * 1_000 - this.zero;
    if (ours - serverNow > 200_000) this.zero = heardAt * 1_000 - serverNow;
  }

  /** µs since the track began. */
  at(ms: number): number {
    return Math.round(ms * 1_000 - this.zero);
  }
}

/** How much later than expected a block must come to say that the sound stood still, in ms. */
const STOOD_STILL = 500;
/** How far the two clocks may drift apart in a second, in ms. */
const DRIFT = 0.5;

/**
 * When a sample was captured. Blocks of sound arrive when the page has time for them, so never too
 * early and often late: the earliest arrivals tell how the sound card's clock lies in ours.
 */
export class SoundClock {
  private offset: number | null = null;
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
    // The allowance for drift lets the offset grow slowly where the sound card is the slower of the two.
    const allowed = this.offset === null || stood ? candidate : this.offset + (passed * DRIFT) / 1_000;
    this.offset = Math.min(candidate, allowed);
    this.lastFrame = frame;
    this.lastWall = wall;
    return sound + this.offset;
  }

  /** ms of our clock at which frame number `frame` was complete, by what the newest block told. */
  timeOf(frame: number): number {
    return (frame * 1_000) / this.rate + (this.offset ?? 0);
  }
}
