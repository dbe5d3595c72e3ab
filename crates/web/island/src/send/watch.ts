// Follows the state of the talk: asks, and is answered when it changes.

import { Alarm, Backoff } from "./backoff";
import { UNKNOWN_WAIT } from "./sender";
import { Refused, Unreachable } from "./server";
import type { Server, State } from "./server";

export interface WatchEvents {
  onState(state: State): void;
  onUnreachable(): void;
  /** The server does not know us in this talk any more, or not the talk. */
  onUnknown(): void;
}

export class Watch {
  private version = 0;
  private readonly alarm = new Alarm();
  private readonly backoff = new Backoff(Math.random);
  private isStopped = false;

  constructor(
    private readonly server: Server,
    private readonly events: WatchEvents,
  ) {}

  /** A state that came as the answer to something else. */
  take(state: State): void {
    if (state.version < this.version) return;
    this.version = state.version;
    this.events.onState(state);
  }

  /** The network is back. */
  wake(): void {
    this.alarm.ring();
  }

  stop(): void {
    this.isStopped = true;
    this.alarm.ring();
  }

  async run(): Promise<void> {
    while (!this.isStopped) {
      try {
        const state = await this.server.state(this.version);
        this.backoff.succeeded();
        this.take(state);
        if (state.phase === "ended" && (state.fingerprint || state.started_at === null)) return;
        // A server that answers at once with nothing new must not be asked without end.
        if (state.version <= this.version && state.phase === "ended") await this.alarm.wait(1_000);
      } catch (error) {
        if (error instanceof Refused) {
          // Not for ever: somebody may sign in again.
          this.events.onUnknown();
          await this.alarm.wait(UNKNOWN_WAIT);
          continue;
        }
        this.events.onUnreachable();
        await this.alarm.wait(this.backoff.next(error instanceof Unreachable ? error.wait : null));
      }
    }
  }
}
