// How loud it is, and whether anything is heard at all.

/** Quieter than this (−60 dB of the loudest) counts as nothing. */
const NOTHING = 0.001;
/** ms of nothing after which it is told. */
export const SILENCE_MAX = 10_000;

/** The loudest sample, 0 to 1. */
export function peakOf(samples: Float32Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return peak;
}

/** A peak as a part of the meter, 0 to 1: −60 dB is empty, 0 dB is full. */
export function meterOf(peak: number): number {
  return peak <= NOTHING ? 0 : Math.min(1, 1 + Math.log10(peak) / 3);
}

/** Tells when nothing was heard for ten seconds: no sound from the microphone, or only silence. */
export class SilenceAlarm {
  private heardAt: number;
  private isSilent = false;

  constructor(now: number) {
    this.heardAt = now;
  }

  /** Something came from the microphone. */
  heard(peak: number, now: number): void {
    if (peak > NOTHING) this.heardAt = now;
  }

  /** Begins anew: a pause is no silence. */
  reset(now: number): void {
    this.heardAt = now;
    this.isSilent = false;
  }

  /** To be asked about each second: true when it begins, false when it is over, null when nothing changed. */
  changed(now: number): boolean | null {
    const isSilent = now - this.heardAt >= SILENCE_MAX;
    if (isSilent === this.isSilent) return null;
    this.isSilent = isSilent;
    return isSilent;
  }
}
