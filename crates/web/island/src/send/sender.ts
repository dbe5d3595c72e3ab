// Brings the chunks of a track to the server, in order, until each is on its disk.

import { Alarm, Backoff } from "./backoff";
import { Refused, Unreachable } from "./server";
import type { Server } from "./server";
import type { Spool } from "../store/spool";

/** How often one chunk is sent again because it did not arrive as it is. */
const DAMAGED_MAX = 5;

/** How a sender ended. */
export type Outcome =
  /** All chunks are there and the track is ended. */
  | "ended"
  /** The server has closed this track, or the talk: what is left is of no use to it. */
  | "closed"
  /** The chunks here do not go on where the server stands: only another track can. */
  | "broken";

/** What the sender says on its way. */
export interface SenderEvents {
  onSent(waiting: number): void;
  onUnreachable(): void;
  onReachable(): void;
}

/** One track on its way. */
export class Sender {
  private readonly alarm = new Alarm();
  private readonly backoff: Backoff;
  private end: { chunks: number; chain: string } | null = null;
  private isStopped = false;
  private isReachable = true;
  private damaged = 0;

  constructor(
    private readonly track: number,
    private next: number,
    private readonly server: Server,
    private readonly spool: Spool,
    private readonly events: SenderEvents,
    random: () => number = Math.random,
  ) {
    this.backoff = new Backoff(random);
  }

  /** A chunk was made, or the network is back. */
  wake(): void {
    this.alarm.ring();
  }

  /** No more chunks are made. */
  finish(end: { chunks: number; chain: string }): void {
    this.end = end;
    this.alarm.ring();
  }

  /** Gives up at once; what waits stays. */
  stop(): void {
    this.isStopped = true;
    this.alarm.ring();
  }

  /** Runs until the track is ended, or cannot go on. */
  async run(): Promise<Outcome> {
    while (!this.isStopped) {
      try {
        const outcome = await this.step();
        if (outcome) return outcome;
        this.backoff.succeeded();
        this.damaged = 0;
        this.reached(true);
      } catch (error) {
        if (error instanceof Refused) {
          const outcome = await this.refused(error);
          if (outcome) return outcome;
        } else if (error instanceof Unreachable) {
          this.reached(false);
          await this.alarm.wait(this.backoff.next(error.wait));
        } else {
          // The storage did not answer; it may again.
          await this.alarm.wait(this.backoff.next(null));
        }
      }
    }
    return "closed";
  }

  private reached(isReachable: boolean): void {
    if (isReachable === this.isReachable) return;
    this.isReachable = isReachable;
    if (isReachable) this.events.onReachable();
    else this.events.onUnreachable();
  }

  /** Sends what is next, or waits for it. */
  private async step(): Promise<Outcome | null> {
    const chunk = await this.spool.get(this.track, this.next);
    if (chunk) {
      const answer = await this.server.putChunk(this.track, chunk.number, chunk.bytes, chunk.digest);
      await this.acknowledged(answer.next);
      return null;
    }
    if (this.end && this.next >= this.end.chunks) {
      await this.server.endTrack(this.track, this.end.chunks, this.end.chain);
      return "ended";
    }
    // Before the end nothing is missing that is not being made; after it, something is gone.
    if (this.end) return "broken";
    await this.alarm.wait(null);
    return null;
  }

  private async acknowledged(next: number): Promise<void> {
    this.next = next;
    await this.spool.release(this.track, next);
    this.events.onSent(await this.spool.count());
  }

  private async refused(error: Refused): Promise<Outcome | null> {
    this.reached(true);
    // The body was not what its digest says: damaged on its way, and whole here.
    if (error.status === 400 && this.damaged < DAMAGED_MAX) {
      this.damaged += 1;
      await this.alarm.wait(this.backoff.next(null));
      return null;
    }
    const { next } = error.problem;
    const isOutOfTurn = error.status === 409 && next !== undefined && next !== this.next;
    if (isOutOfTurn) {
      // The server stands elsewhere: further on (it has more than we heard of) or before (we have it still).
      const isHere = next > this.next || (await this.spool.get(this.track, next)) !== undefined;
      if (!isHere) return "broken";
      await this.acknowledged(next);
      return null;
    }
    return error.status === 409 || error.status === 413 || error.status === 422 || error.status === 400 ? "broken" : "closed";
  }
}
