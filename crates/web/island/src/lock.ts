// Only one tab of a browser records a talk; another waits until it is gone.

export class TabLock {
  private unlock: (() => void) | null = null;
  private isAsked = false;

  constructor(private readonly name: string) {}

  private hold(): Promise<void> {
    return new Promise<void>((resolve) => (this.unlock = resolve));
  }

  /** Whether this tab is the one. Where it is not, `onFree` tells once when it has become so. */
  async take(onFree: () => void): Promise<boolean> {
    if (this.unlock || !("locks" in navigator)) return true;
    const got = await new Promise<boolean>((resolve) => {
      void navigator.locks.request(this.name, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : this.hold();
      });
    });
    if (!got && !this.isAsked) {
      this.isAsked = true;
      void navigator.locks.request(this.name, () => {
        const held = this.hold();
        onFree();
        return held;
      });
    }
    return got;
  }

  release(): void {
    this.unlock?.();
    this.unlock = null;
  }
}
