// How long to wait after a failure, and waiting that can be cut short.

const FIRST = 500;
const MOST = 10_000;

/** Doubles from half a second to ten seconds; each wait is somewhere in its upper half, so that devices do not all come at once. */
export class Backoff {
  private failures = 0;

  constructor(private readonly random: () => number) {}

  succeeded(): void {
    this.failures = 0;
  }

  /** ms to wait now. */
  next(asked: number | null): number {
    const most = Math.min(MOST, FIRST * 2 ** Math.min(this.failures, 10));
    this.failures += 1;
    return Math.max(asked ?? 0, most * (0.5 + this.random() / 2));
  }
}

/** A pause that somebody can end: the network is back, a chunk was made. */
export class Alarm {
  private wake: (() => void) | null = null;
  private isRung = false;

  ring(): void {
    this.isRung = true;
    this.wake?.();
  }

  /** Returns after so many ms, or at once when it rings or has rung since the last time. */
  async wait(ms: number | null): Promise<void> {
    if (!this.isRung) {
      await new Promise<void>((resolve) => {
        const timer = ms === null ? undefined : setTimeout(resolve, ms);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.wake = null;
    this.isRung = false;
  }
}
