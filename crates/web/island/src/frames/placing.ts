// Puts packets into a track at the moment at which they were captured, also where our clock is in doubt.

import type { Reason } from "./chunk";
import type { TimeAnswer, TrackClock } from "./clock";
import type { Track } from "./track";

/** How long packets wait in memory for the server's time, in ms. Then the old clock must do: it is late, never ahead. */
export const DOUBT_MAX = 120_000;

type Waiting = { packet: Uint8Array; ms: number } | { reason: Reason };

export class Placing {
  private doubt: { from: number; until: number; reason: Reason } | null = null;
  private waiting: Waiting[] = [];

  constructor(
    readonly track: Track,
    private readonly clock: TrackClock,
  ) {}

  /** Whether the server's time is waited for. */
  get isInDoubt(): boolean {
    return this.doubt !== null;
  }

  /** The device may have slept: what was captured after `from` (ms of our clock) waits until the server said its time. */
  mayHaveSlept(from: number, now: number, reason: Reason): void {
    this.doubt ??= { from, until: now + DOUBT_MAX, reason };
  }

  /** A packet that was captured at so many ms of our clock. */
  packet(packet: Uint8Array, ms: number): void {
    if (this.doubt && ms > this.doubt.until) this.release();
    if (this.doubt && ms > this.doubt.from) this.waiting.push({ packet, ms });
    else this.track.packet(packet, this.clock.at(ms));
  }

  /** Nothing is captured from here on. */
  interrupt(reason: Reason): void {
    if (this.waiting.length > 0) this.waiting.push({ reason });
    else this.track.interrupt(reason);
  }

  /** The server said its time. Returns by how many µs the clock was set at once. */
  compare(answer: TimeAnswer): number {
    const moved = this.clock.compare(answer);
    // What comes is no continuation: the pair of marks says so, and the time between them is missing.
    if (moved !== 0) this.track.interrupt(this.doubt?.reason ?? "other");
    this.release();
    return moved;
  }

  /** Waits no longer: by the clock as it is. */
  release(): void {
    this.doubt = null;
    const waiting = this.waiting;
    this.waiting = [];
    for (const one of waiting) {
      if ("reason" in one) this.track.interrupt(one.reason);
      else this.track.packet(one.packet, this.clock.at(one.ms));
    }
  }
}
