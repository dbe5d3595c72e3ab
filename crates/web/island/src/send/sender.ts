// Brings the chunks of a track to the server, in order, until each is on its disk.

import { Alarm, Backoff } from "./backoff";
import { Refused, Unreachable } from "./server";
import type { Server } from "./server";
import type { Spool, WhyLeft } from "../store/spool";

/** How often one chunk is sent again that did not arrive as it is, or that our clock put too late. */
const AGAIN_MAX = 5;
/** ms between two tries where the server does not know us: somebody may sign in again. */
export const UNKNOWN_WAIT = 10_000;

/** How a sender ended. */
export type Outcome =
  /** All chunks are there and the server confirmed the end of the track. */
  | "all_there"
  /** It was told to give up; what waits stays. */
  | "stopped"
  /** The server takes no more of this track, and why. */
  | WhyLeft;

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
  private again = 0;

  constructor(
    private readonly track: number,
    /** The next chunk that the server wants. */
    public next: number,
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
        this.again = 0;
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
    return "stopped";
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
      return "all_there";
    }
    // Before the end nothing is missing that is not being made; after it, something is gone.
    if (this.end) return "torn";
    await this.alarm.wait(null);
    return null;
  }

  private async acknowledged(next: number): Promise<void> {
    this.next = next;
    await this.spool.release(this.track, next);
    this.events.onSent(await this.spool.count(this.track));
  }

  private async refused({ status, problem: { next } }: Refused): Promise<Outcome | null> {
    this.reached(true);
    if (status === 401 || status === 403 || status === 404) return this.unknown();
    // The body was not what its digest says: damaged on its way, and whole here. Or it claims to be of later than now, and soon is not.
    if ((status === 400 || status === 422) && this.again < AGAIN_MAX) {
      this.again += 1;
      await this.alarm.wait(this.backoff.next(null));
      return null;
    }
    if (status === 409 && next !== undefined && next !== this.next) {
      // The server stands elsewhere: further on (it has more than we heard of) or before (we have it still).
      const isHere = next > this.next || (await this.spool.get(this.track, next)) !== undefined;
      if (!isHere) return "torn";
      await this.acknowledged(next);
      return null;
    }
    return status === 410 ? "too_late" : "refused";
  }

  /** The server knows us no more, perhaps only until somebody signs in again; or it knows us, and the track is not ours. */
  private async unknown(): Promise<Outcome | null> {
    const isKnown = await this.server.state(0).then(() => true, () => false);
    if (isKnown) return "not_yours";
    await this.alarm.wait(UNKNOWN_WAIT);
    return null;
  }
}
