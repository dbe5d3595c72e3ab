// Keeping the screen on: with the screen off, telephones take the microphone away.

/** Keeps the screen on while it is wanted. */
export class ScreenLock {
  private lock: WakeLockSentinel | null = null;
  private isWanted = false;

  constructor() {
    document.addEventListener("visibilitychange", () => void this.renew());
  }

  keep(isWanted: boolean): void {
    this.isWanted = isWanted;
    if (isWanted) void this.renew();
    else {
      void this.lock?.release();
      this.lock = null;
    }
  }

  private async renew(): Promise<void> {
    if (!this.isWanted || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    if (this.lock && !this.lock.released) return;
    // Refused with an almost empty battery: the page says itself that the screen must stay on.
    this.lock = await navigator.wakeLock.request("screen").catch(() => null);
  }
}

/** Two short tones: something needs looking at. */
export function beep(): void {
  const context = new AudioContext();
  for (const start of [0, 0.3]) {
    const [tone, volume] = [context.createOscillator(), context.createGain()];
    tone.frequency.value = 880;
    volume.gain.value = 0.2;
    tone.connect(volume).connect(context.destination);
    tone.start(context.currentTime + start);
    tone.stop(context.currentTime + start + 0.15);
  }
  setTimeout(() => void context.close(), 1_000);
}
