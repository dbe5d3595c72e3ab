// This browser as a recording client: microphone, encoder, track and sender, as the state of the talk wants it.

import type { Reason } from "./frames/chunk";
import { SoundClock, TrackClock } from "./frames/clock";
import { NO_CHAIN } from "./frames/bytes";
import { RtpStream } from "./frames/rtp";
import { Track } from "./frames/track";
import type { TrackPlace } from "./frames/track";
import { resume } from "./send/resume";
import type { Resumed } from "./send/resume";
import { Sender } from "./send/sender";
import { Refused } from "./send/server";
import type { Server, TrackAnswer } from "./send/server";
import type { Want } from "./send/want";
import { encoderOf, hasOpus } from "./sound/encoder";
import type { Encoder } from "./sound/encoder";
import { SilenceAlarm, meterOf, peakOf } from "./sound/level";
import { Microphone, RATE } from "./sound/microphone";
import type { Block } from "./sound/microphone";
import type { PatientSpool } from "./store/spool";

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
  | { is: "sending" }
  | { is: "done" };

export interface DeviceEvents {
  onStatus(status: Status): void;
  onLevel(level: number): void;
  onSilence(isSilent: boolean): void;
  onWaiting(chunks: number): void;
  onUnreachable(): void;
  onReachable(): void;
}

/** ms without a block of sound after which the microphone counts as taken away. */
const STILL = 1_000;
/** ms that sound needs from the microphone to us: what was captured before a pause comes a little after it. */
const ON_ITS_WAY = 300;
/** How often our clock is held against the server's, in ms. */
const COMPARE = 10 * 60_000;

export class Device {
  private want: Want = "nothing";
  private work: Promise<void> = Promise.resolve();
  private unlock: (() => void) | null = null;
  private isLockAsked = false;
  private track: Track | null = null;
  private clock: TrackClock | null = null;
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

  constructor(
    private readonly server: Server,
    private readonly spool: PatientSpool,
    private readonly capture: string,
    private readonly events: DeviceEvents,
  ) {
    setInterval(() => this.everySecond(), 1_000);
    setInterval(() => void this.compareClocks(), COMPARE);
  }

  /** The state of the talk wants this now. */
  follow(want: Want): void {
    const isNew = want !== this.want;
    this.want = want;
    if (isNew || this.status.is === "off") this.apply();
  }

  /** Somebody tapped: try the microphone again. */
  tapped(): void {
    void this.microphone?.wake();
    this.apply();
  }

  /** The network is back. */
  wake(): void {
    this.sender?.wake();
  }

  /** The page goes away: keeps what is in no chunk yet. */
  leavePage(): void {
    const tail = this.track?.tail();
    if (this.track && tail) void this.spool.keepTail({ track: this.track.track, ...tail }).catch(() => {});
  }

  private tell(status: Status): void {
    this.status = status;
    this.events.onStatus(status);
  }

  /** One change after the other; each looks at what is wanted when its turn comes. */
  private apply(): void {
    this.work = this.work.then(() => this.step()).catch((error: unknown) => this.failed(error));
  }

  private failed(error: unknown): void {
    if (error instanceof Refused) {
      this.tell({ is: "off" });
      return;
    }
    this.closeMicrophone();
    this.track?.interrupt("other");
    this.tell({ is: "needs_tap", reason: error instanceof Error ? error.name : "Error" });
  }

  private async step(): Promise<void> {
    const { want } = this;
    // The server keeps nothing of what was captured after the moment that ended it.
    if (want !== "record" && this.isKeeping) await new Promise((resolve) => setTimeout(resolve, ON_ITS_WAY));
    if (want === "record" || want === "hold") {
      this.isKeeping = false;
      if (!(await this.lock())) return;
      if (!this.track && want === "record") await this.takeTrack();
      if (!this.microphone) await this.openMicrophone();
      await this.microphone?.wake();
      this.silence.reset(performance.now());
      this.keptAt = null;
      this.isKeeping = want === "record" && this.track !== null;
      this.tell({ is: want === "record" ? "recording" : "held" });
    } else if (want === "off") {
      await this.quiet();
      this.tell({ is: "off" });
    } else if (want === "stop") {
      await this.finish();
    }
  }

  /** Only one tab of a browser records a talk; another waits until it is gone. */
  private async lock(): Promise<boolean> {
    if (this.unlock || !("locks" in navigator)) return true;
    const name = `voicelog-room-${this.server.room}`;
    const hold = () => new Promise<void>((resolve) => (this.unlock = resolve));
    const got = await new Promise<boolean>((resolve) => {
      void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : hold();
      });
    });
    if (got) return true;
    this.tell({ is: "other_tab" });
    if (!this.isLockAsked) {
      this.isLockAsked = true;
      void navigator.locks.request(name, () => {
        const held = hold();
        this.apply();
        return held;
      });
    }
    return false;
  }

  /** Goes on with the track of before the page was loaded again, or begins one. */
  private async takeTrack(): Promise<void> {
    this.tell({ is: "opening" });
    const before = await resume(this.server, this.spool);
    if (before && !before.isEnding) {
      this.takeUp(before).interrupt("reloaded");
      return;
    }
    const isOpus = await hasOpus();
    const answer = await this.server.openTrack(isOpus ? "opus/48000/2" : "L16/48000", isOpus ? 111 : 112);
    await this.spool.keep({ track: answer.track, next: 0, chain: NO_CHAIN, captured: null, isEnding: false });
    this.useTrack(answer, { track: answer.track, next: answer.next, chain: answer.chain, captured: null }, answer.next);
  }

  /** The track of before, with what was in no chunk when the page went away. */
  private takeUp(before: Resumed): Track {
    const track = this.useTrack(before.answer, before.place, before.wanted);
    if (before.tail) track.takeTail(before.tail.bytes, before.tail.captured);
    return track;
  }

  private useTrack(answer: TrackAnswer, place: TrackPlace, wanted: number): Track {
    this.clock = new TrackClock(answer.now_us, performance.now());
    const sender = new Sender(answer.track, wanted, this.server, this.spool, {
      onSent: (waiting) => {
        this.events.onWaiting(waiting);
        void this.minded();
      },
      onUnreachable: () => this.events.onUnreachable(),
      onReachable: () => this.events.onReachable(),
    });
    this.sender = sender;
    const track = new Track(place, this.spool, () => void this.sealed(), (error) => this.failed(error));
    this.track = track;
    void sender.run().then((outcome) => this.sent(sender, outcome !== "ended"));
    return track;
  }

  private async sealed(): Promise<void> {
    this.sender?.wake();
    this.events.onWaiting(await this.spool.count());
    await this.minded();
  }

  /** Whether there is room for what is captured. Where there is none it is said, loudly, until there is. */
  private async minded(): Promise<void> {
    const isTooFull = await this.spool.isTooFull();
    const isNew = isTooFull !== this.isTooFull;
    this.isTooFull = isTooFull;
    if (!isNew || this.status.is === "off" || this.status.is === "sending") return;
    if (isTooFull) {
      this.track?.interrupt("storage_full");
      this.keptAt = null;
      this.tell({ is: "taken", reason: "storage_full" });
    }
  }

  /** A track is done: all of it is there, or the server takes no more of it. */
  private async sent(sender: Sender, isCutShort: boolean): Promise<void> {
    if (this.sender !== sender) return;
    await this.spool.clear().catch(() => {});
    this.events.onWaiting(0);
    this.track = null;
    this.sender = null;
    this.isKeeping = false;
    if (this.want === "stop") {
      this.closeMicrophone();
      this.unlock?.();
      this.unlock = null;
      this.tell({ is: "done" });
    } else if (isCutShort) {
      // Not at once: a server that refuses must not be asked without end.
      setTimeout(() => this.apply(), 2_000);
    }
  }

  private async openMicrophone(): Promise<void> {
    if (this.status.is !== "opening") this.tell({ is: "opening" });
    const microphone = await Microphone.open(this.capture, {
      onBlock: (block) => this.block(block),
      onTaken: (reason) => this.taken(reason),
      onGone: (reason) => this.gone(reason),
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
        if (!this.track || !this.clock || !this.mayKeep) return;
        this.track.packet(stream.packet(payload, sample), this.clock.at(sound.timeOf(sample + samples)));
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
    const captured = this.sound?.capturedAt(block.start + block.samples.length, now, block.wall) ?? now;
    if (this.microphone?.isOpen !== true) return;
    const peak = peakOf(block.samples);
    this.blockAt = now;
    this.silence.heard(peak, now);
    this.events.onLevel(meterOf(peak));
    if (this.status.is === "taken" && !this.isTooFull) this.tell({ is: this.isKeeping ? "recording" : "held" });
    if (!this.mayKeep) return;
    if (this.keptAt !== null && captured - this.keptAt > STILL / 2) this.track?.interrupt("other");
    this.keptAt = captured;
    this.encoder?.take(block.samples, block.start);
  }

  private taken(reason: Reason): void {
    if (this.status.is !== "recording" && this.status.is !== "held") return;
    this.track?.interrupt(reason);
    this.keptAt = null;
    this.tell({ is: "taken", reason });
  }

  private gone(reason: Reason): void {
    this.track?.interrupt(reason);
    this.closeMicrophone();
    this.apply();
  }

  private everySecond(): void {
    const now = performance.now();
    if (this.status.is === "recording" && now - this.blockAt > STILL) this.taken(document.visibilityState === "hidden" ? "hidden" : "other");
    const isListening = this.status.is === "recording" || this.status.is === "taken";
    if (!isListening) this.silence.reset(now);
    const changed = this.silence.changed(now);
    if (changed !== null) this.events.onSilence(changed);
  }

  private async compareClocks(): Promise<void> {
    if (!this.track || !this.clock) return;
    const answer = await this.server.track(this.track.track).catch(() => null);
    if (answer) this.clock?.compare(answer.now_us, performance.now());
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
    this.track?.seal();
  }

  private async finish(): Promise<void> {
    await this.quiet();
    // The track and what waits of it are of the tab that records; this one goes on with it once that is gone.
    if (!(await this.lock())) return;
    if (!this.track) {
      const before = await resume(this.server, this.spool).catch(() => null);
      if (before) this.takeUp(before);
    }
    const { track, sender } = this;
    if (!track || !sender) {
      this.tell({ is: "done" });
      return;
    }
    this.tell({ is: "sending" });
    const end = await track.finish();
    const kept = await this.spool.kept();
    if (kept) await this.spool.keep({ ...kept, isEnding: true });
    sender.finish(end);
  }
}
