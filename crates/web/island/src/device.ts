// This browser as a recording client: microphone, encoder, track and sender, as the state of the talk wants it.

import type { Reason } from "./frames/chunk";
import { SleepWatch, SoundClock, TrackClock } from "./frames/clock";
import { NO_CHAIN } from "./frames/bytes";
import { Placing } from "./frames/placing";
import { RtpStream } from "./frames/rtp";
import { Track } from "./frames/track";
import { Backoff } from "./send/backoff";
import { resume, timed } from "./send/resume";
import type { Resumed } from "./send/resume";
import { Sender, UNKNOWN_WAIT } from "./send/sender";
import type { Outcome } from "./send/sender";
import { Refused, Unreachable } from "./send/server";
import type { Server } from "./send/server";
import type { Want } from "./send/want";
import { encoderOf, hasOpus } from "./sound/encoder";
import type { Encoder } from "./sound/encoder";
import { SilenceAlarm, meterOf, peakOf } from "./sound/level";
import { TabLock } from "./lock";
import { Microphone, RATE } from "./sound/microphone";
import type { Block } from "./sound/microphone";
import { leaveTrack } from "./store/spool";
import type { Left, PatientSpool } from "./store/spool";

/** How it stands with this device. */
export type Status =
  | { is: "off" }
  | { is: "other_tab" }
  | { is: "opening" }
  | { is: "recording" }
  | { is: "held" }
  /** The microphone was taken away. */
  | { is: "taken"; reason: Reason }
  /** Somebody has to tap: the browser refused the microphone, or lost it. */
  | { is: "needs_tap"; reason: string }
  /** The server cannot be reached, and is tried again: nothing is recorded until then. */
  | { is: "connecting" }
  /** The server says no to this device, and why. */
  | { is: "refused"; reason: string }
  | { is: "sending" }
  /** The server has all of it. */
  | { is: "done" }
  /** It is over, and the server did not take all of it. */
  | { is: "left" };

export interface DeviceEvents {
  onStatus(status: Status): void;
  onLevel(level: number): void;
  onSilence(isSilent: boolean): void;
  onWaiting(chunks: number): void;
  /** What the server did not take, and what stays here therefore. */
  onLeft(left: readonly Left[]): void;
  /** So many ms passed in which the device slept; it is missing. */
  onSlept(ms: number): void;
  onUnreachable(): void;
  onReachable(): void;
}

/** ms without a block of sound after which the microphone counts as taken away. */
const STILL = 1_000;
/** ms that sound needs from the microphone to us: what was captured before a pause comes a little after it. */
const ON_ITS_WAY = 300;
/** How often our clock is held against the server's, in ms. */
const COMPARE = 60_000;
/** ms that a browser may take to run the sound thread, before somebody has to tap. */
const AWAKE_MAX = 2_000;
/** ms that the beginning and the end of a track wait for the server's time. */
const SETTLE_MAX = 3_000;

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Device {
  private want: Want = "nothing";
  private work: Promise<void> = Promise.resolve();
  private readonly tab: TabLock;
  private placing: Placing | null = null;
  private sender: Sender | null = null;
  private microphone: Microphone | null = null;
  private encoder: Encoder | null = null;
  private sound: SoundClock | null = null;
  private readonly silence = new SilenceAlarm(0);
  private status: Status = { is: "off" };
  private isKeeping = false;
  private isTooFull = false;
  private blockAt = 0;
  private keptAt: number | null = null;
  /** Nobody is with this device: it records nothing, whatever the talk wants. */
  private isAlone = false;
  private wasHidden = false;
  private isComparing = false;
  private readonly sleep = new SleepWatch(performance.now(), Date.now());
  private readonly backoff = new Backoff(Math.random);
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly server: Server,
    private readonly spool: PatientSpool,
    private readonly capture: string,
    private readonly events: DeviceEvents,
  ) {
    this.tab = new TabLock(`voicelog-room-${server.room}`);
    setInterval(() => this.everySecond(), 1_000);
    setInterval(() => void this.compareClocks(), COMPARE);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.wasHidden = true;
      else void this.compareClocks();
    });
    void this.spool.left().then((left) => left.length > 0 && this.events.onLeft(left)).catch(() => {});
  }

  /** The state of the talk wants this now. */
  follow(want: Want): void {
    const now = this.isAlone && (want === "record" || want === "hold") ? "off" : want;
    const isNew = now !== this.want;
    this.want = now;
    if (isNew || this.status.is === "off" || this.status.is === "refused") this.apply();
  }

  /** The server does not know us: nothing more is captured, and what there is stays. */
  unknown(): void {
    if (this.want !== "stop") this.follow("off");
  }

  /** Nobody is with this device any more, or somebody is again. What the talk wants has to be said anew then. */
  alone(isAlone: boolean): void {
    this.isAlone = isAlone;
    this.follow(this.want);
  }

  /** Somebody tapped: try the microphone again. One that is there and gives nothing is opened anew. */
  tapped(): void {
    if (this.status.is === "taken") this.closeMicrophone();
    void this.microphone?.wake();
    this.apply();
  }

  /** The network is back. */
  wake(): void {
    this.sender?.wake();
    if (this.retry !== undefined) this.apply();
    if (this.placing?.isInDoubt) void this.compareClocks();
  }

  /** The page goes away: keeps what is in no chunk yet. */
  leavePage(): void {
    this.placing?.release();
    const tail = this.track?.tail();
    if (this.track && tail) void this.spool.keepTail({ track: this.track.track, ...tail }).catch(() => {});
  }

  private get track(): Track | null {
    return this.placing?.track ?? null;
  }

  private tell(status: Status): void {
    this.status = status;
    this.events.onStatus(status);
  }

  /** One change after the other; each looks at what is wanted when its turn comes. */
  private apply(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    this.work = this.work.then(() => this.step()).catch((error: unknown) => this.failed(error));
  }

  private applyIn(ms: number): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.apply(), ms);
  }

  private failed(error: unknown): void {
    const isStopping = this.want === "stop";
    if (error instanceof Unreachable) {
      this.events.onUnreachable();
      this.tell({ is: isStopping ? "sending" : "connecting" });
      this.applyIn(this.backoff.next(error.wait));
      return;
    }
    if (error instanceof Refused) {
      // Where the server does not know us, the state of the talk says so, and what to do.
      const isUnknown = error.status === 401 || error.status === 403 || error.status === 404;
      this.tell(isStopping ? { is: "sending" } : isUnknown ? { is: "off" } : { is: "refused", reason: error.message });
      if (isStopping) this.applyIn(UNKNOWN_WAIT);
      return;
    }
    this.closeMicrophone();
    this.placing?.interrupt("other");
    this.tell({ is: "needs_tap", reason: error instanceof Error ? error.name : "Error" });
  }

  private async step(): Promise<void> {
    const { want } = this;
    // The server keeps nothing of what was captured after the moment that ended it.
    if (want !== "record" && this.isKeeping) await after(ON_ITS_WAY);
    if (want === "record" || want === "hold") {
      this.isKeeping = false;
      if (!(await this.lock())) return;
      if (!this.track && want === "record") await this.takeTrack();
      if (!this.microphone) await this.openMicrophone();
      await this.awaken();
      this.silence.reset(performance.now());
      this.keptAt = null;
      this.isKeeping = want === "record" && this.track !== null;
      if (this.isTooFull) this.tell({ is: "taken", reason: "storage_full" });
      else this.tell({ is: want === "record" ? "recording" : "held" });
    } else if (want === "off") {
      await this.quiet();
      this.tell({ is: "off" });
    } else if (want === "stop") {
      await this.finish();
    }
  }

  /** Runs the sound thread. Some browsers wait for a tap, without saying so. */
  private async awaken(): Promise<void> {
    const { microphone } = this;
    if (!microphone) return;
    await Promise.race([microphone.wake(), after(AWAKE_MAX)]);
    if (!microphone.runs) throw new Error("the sound thread does not run");
  }

  private async lock(): Promise<boolean> {
    const got = await this.tab.take(() => this.apply());
    if (!got) this.tell({ is: "other_tab" });
    return got;
  }

  /** Goes on with the track of before the page was loaded again, or begins one. */
  private async takeTrack(): Promise<void> {
    this.tell({ is: "opening" });
    const before = await resume(this.server, this.spool);
    await this.tellLeft();
    if (before) {
      this.useTrack(before);
      this.placing?.interrupt("reloaded");
      return;
    }
    const isOpus = await hasOpus();
    const told = await timed(this.server.openTrack(isOpus ? "opus/48000/2" : "L16/48000", isOpus ? 111 : 112));
    const { track, next, chain } = told.answer;
    await this.spool.keep({ track, next: 0, chain: NO_CHAIN, captured: null });
    this.useTrack({ ...told, place: { track, next, chain, captured: null }, tail: null, wanted: next });
    // Opening may have taken its time; what a second answer says of the server's time is nearer.
    await Promise.race([this.compareClocks(), after(SETTLE_MAX)]);
  }

  /** Records into a track, behind what was in no chunk when the page went away. */
  private useTrack({ answer, time, place, wanted, tail }: Resumed): void {
    const sender = new Sender(answer.track, wanted, this.server, this.spool, {
      onSent: (waiting) => {
        this.backoff.succeeded();
        this.events.onWaiting(waiting);
        void this.minded();
      },
      onUnreachable: () => this.events.onUnreachable(),
      onReachable: () => this.events.onReachable(),
    });
    this.sender = sender;
    const track = new Track(place, this.spool, () => void this.sealed(), (error) => this.failed(error));
    if (tail) track.takeTail(tail);
    this.placing = new Placing(track, new TrackClock(time));
    void sender.run().then((outcome) => this.sent(sender, outcome)).catch((error: unknown) => this.failed(error));
  }

  private async sealed(): Promise<void> {
    this.sender?.wake();
    if (this.track) this.events.onWaiting(await this.spool.count(this.track.track));
    await this.minded();
  }

  /** Whether there is room for what is captured. Where there is none it is said, loudly, until there is. */
  private async minded(): Promise<void> {
    const isTooFull = await this.spool.isTooFull();
    const isNew = isTooFull !== this.isTooFull;
    this.isTooFull = isTooFull;
    if (!isNew || this.status.is === "off" || this.status.is === "sending") return;
    if (isTooFull) {
      this.placing?.interrupt("storage_full");
      this.keptAt = null;
      this.tell({ is: "taken", reason: "storage_full" });
    }
  }

  /** A track is done: all of it is there, or the server takes no more of it and the rest stays here. */
  private async sent(sender: Sender, outcome: Outcome): Promise<void> {
    const { placing } = this;
    if (this.sender !== sender || !placing || outcome === "stopped") return;
    this.placing = null;
    this.sender = null;
    this.isKeeping = false;
    const { track } = placing;
    if (outcome === "all_there") {
      await this.spool.finished(track.track).catch(() => {});
    } else {
      placing.release();
      const { chunks } = await track.finish();
      await leaveTrack(this.spool, track.track, [sender.next, chunks], outcome).catch(() => {});
      await this.tellLeft();
    }
    this.events.onWaiting(0);
    if (this.want !== "stop") {
      // Not at once: a server that refuses must not be asked without end.
      this.tell({ is: "opening" });
      this.applyIn(this.backoff.next(2_000));
      return;
    }
    this.closeMicrophone();
    this.tab.release();
    await this.over(outcome === "all_there");
  }

  /** Says how it ended: that all was sent only where the server said so. */
  private async over(isAllThere: boolean): Promise<void> {
    const left = await this.spool.left().catch(() => []);
    this.tell({ is: isAllThere && left.length === 0 ? "done" : "left" });
  }

  private async tellLeft(): Promise<void> {
    const left = await this.spool.left().catch(() => []);
    if (left.length > 0) this.events.onLeft(left);
  }

  private async openMicrophone(): Promise<void> {
    if (this.status.is !== "opening") this.tell({ is: "opening" });
    const microphone = await Microphone.open(this.capture, {
      onBlock: (block) => this.block(block),
      onTaken: (reason) => this.taken(reason),
      onGone: (reason) => this.gone(reason),
      onBack: () => void this.compareClocks(),
      onDevicesChanged: () => {
        if (this.status.is === "needs_tap") this.apply();
      },
    });
    this.microphone = microphone;
    this.sound = new SoundClock(RATE);
    this.blockAt = performance.now();
    const isOpus = await hasOpus();
    const stream = new RtpStream(isOpus ? 111 : 112, () => crypto.getRandomValues(new Uint32Array(1))[0] as number);
    const { sound } = this;
    this.encoder = encoderOf(
      isOpus,
      (payload, sample, samples) => {
        if (this.placing && this.mayKeep) this.placing.packet(stream.packet(payload, sample), sound.timeOf(sample + samples));
      },
      (error) => this.failed(error),
    );
  }

  private get mayKeep(): boolean {
    return this.isKeeping && !this.isTooFull;
  }

  /** 20 ms of sound came. */
  private block(block: Block): void {
    const now = performance.now();
    this.lookAtClock(now);
    const captured = this.sound?.capturedAt(block.start + block.samples.length, now, block.wall) ?? now;
    if (this.microphone?.isOpen !== true) return;
    const peak = peakOf(block.samples);
    this.blockAt = now;
    this.silence.heard(peak, now);
    this.events.onLevel(meterOf(peak));
    if (this.status.is === "taken" && !this.isTooFull) this.tell({ is: this.isKeeping ? "recording" : "held" });
    if (!this.mayKeep) return;
    if (this.keptAt !== null && captured - this.keptAt > STILL / 2) this.placing?.interrupt("other");
    this.keptAt = captured;
    this.encoder?.take(block.samples, block.start);
  }

  private taken(reason: Reason): void {
    if (this.status.is !== "recording" && this.status.is !== "held") return;
    this.placing?.interrupt(reason);
    this.keptAt = null;
    this.tell({ is: "taken", reason });
  }

  private gone(reason: Reason): void {
    this.placing?.interrupt(reason);
    this.closeMicrophone();
    this.apply();
  }

  private everySecond(): void {
    const now = performance.now();
    this.lookAtClock(now);
    if (this.placing?.isInDoubt) void this.compareClocks();
    if (this.status.is === "recording" && now - this.blockAt > STILL) this.taken(document.visibilityState === "hidden" ? "hidden" : "other");
    const isListening = this.status.is === "recording" || this.status.is === "taken";
    if (!isListening) this.silence.reset(now);
    const changed = this.silence.changed(now);
    if (changed !== null) this.events.onSilence(changed);
  }

  /** Our clock may have stood still while the device slept: then the server says what time it is. */
  private lookAtClock(now: number): void {
    const from = this.sleep.lastMs;
    if (!this.sleep.maySleep(now, Date.now()) || !this.placing) return;
    this.placing.mayHaveSlept(from, now, this.wasHidden ? "hidden" : "other");
    void this.compareClocks();
  }

  private async compareClocks(): Promise<void> {
    const { placing } = this;
    if (!placing || this.isComparing) return;
    this.isComparing = true;
    try {
      const { time } = await timed(this.server.track(placing.track.track));
      // Asleep between question and answer: it says nothing, and the next one will.
      if (this.sleep.maySleep(performance.now(), Date.now())) {
        placing.mayHaveSlept(time.asked, performance.now(), this.wasHidden ? "hidden" : "other");
        return;
      }
      const moved = placing.compare(time);
      this.wasHidden = document.visibilityState === "hidden";
      if (moved > 0) this.events.onSlept(moved / 1_000);
    } catch {
      // The next time, or when the network is back.
    } finally {
      this.isComparing = false;
    }
  }

  private closeMicrophone(): void {
    this.encoder?.close();
    this.microphone?.close();
    this.encoder = null;
    this.microphone = null;
    this.events.onLevel(0);
  }

  /** Captures no more; what was captured becomes a chunk. */
  private async quiet(): Promise<void> {
    await this.encoder?.finish().catch(() => {});
    this.isKeeping = false;
    this.closeMicrophone();
    if (this.placing?.isInDoubt) await Promise.race([this.compareClocks(), after(SETTLE_MAX)]);
    this.placing?.release();
    // What it says of its silence: it may record again.
    if (this.want === "off") this.placing?.interrupt("other");
    this.track?.seal();
  }

  private async finish(): Promise<void> {
    await this.quiet();
    // The track and what waits of it are of the tab that records; this one goes on with it once that is gone.
    if (!(await this.lock())) return;
    if (!this.track) {
      const before = await resume(this.server, this.spool);
      await this.tellLeft();
      if (before) this.useTrack(before);
    }
    const { track, sender } = this;
    if (!track || !sender) {
      await this.over(true);
      return;
    }
    this.tell({ is: "sending" });
    const end = await track.finish();
    sender.finish(end);
  }
}
