// Whether somebody is still with this device: nobody records a talk they take no part in (Sr art. 139a).

/** How long a device is left alone before it asks, and how long it waits for an answer, in ms. */
export const ATTENDANCE = {
  /** Nothing was said so loud that it can be a talk. */
  silent: 10 * 60_000,
  /** Nobody touched the page or a key. */
  untouched: 30 * 60_000,
  /** For an answer. */
  answer: 3 * 60_000,
};

/** What to do: ask whether anybody is there, or stop since nobody said so. */
export type Due = "ask" | "stop" | null;

export class Attendance {
  private heardAt: number;
  private touchedAt: number;
  private askedAt: number | null = null;
  private isStopped = false;

  constructor(
    now: number,
    private readonly limits = ATTENDANCE,
  ) {
    this.heardAt = now;
    this.touchedAt = now;
  }

  /** Something was said. It is no answer: that can be the question itself. */
  heard(now: number): void {
    this.heardAt = now;
  }

  /** Somebody touched the device. */
  touched(now: number): void {
    this.heardAt = now;
    this.touchedAt = now;
    this.askedAt = null;
    this.isStopped = false;
  }

  /** To be asked about while the device records: each answer is given once. */
  due(now: number): Due {
    if (this.isStopped) return null;
    if (this.askedAt !== null) {
      this.isStopped = now - this.askedAt >= this.limits.answer;
      return this.isStopped ? "stop" : null;
    }
    const isAlone = now - this.heardAt >= this.limits.silent || now - this.touchedAt >= this.limits.untouched;
    if (!isAlone) return null;
    this.askedAt = now;
    return "ask";
  }

  /** While nothing is recorded nobody is asked, and silence says nothing. */
  rests(now: number): void {
    this.heardAt = now;
    if (!this.isStopped) this.askedAt = null;
  }
}
