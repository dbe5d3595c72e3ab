// G.722 at 64 kbit/s (ITU-T G.722, 09/2012): two bands of ADPCM and a filter that joins them.
// The names of the steps are those of the recommendation's blocks.

const QM2 = [-7408, -1616, 7408, 1616];
const QM4 = [
  0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
];
const QM6 = [
  -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576,
  -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040,
  -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
  4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];
const WL = [-60, -30, 58, 172, 334, 538, 1198, 3042];
const RL42 = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0];
const WH = [0, -214, 798];
const RH2 = [2, 1, 2, 1];
const ILB = [
  2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025,
  3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];
const QMF = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

const limit = (x: number, most: number): number => (x > most ? most : x < -most - 1 ? -most - 1 : x);
const saturate = (x: number): number => limit(x, 32_767);

/** One band: what its predictor remembers. */
class Band {
  s = 0;
  private sz = 0;
  private readonly r = [0, 0, 0];
  private readonly p = [0, 0, 0];
  private readonly a = [0, 0, 0];
  private readonly b = [0, 0, 0, 0, 0, 0, 0];
  private readonly d = [0, 0, 0, 0, 0, 0, 0];
  nb = 0;

  constructor(public det: number) {}

  /** LOGSCL and SCALEL, or LOGSCH and SCALEH: the size of the next steps. */
  scale(step: number, most: number, exponent: number): void {
    this.nb = Math.min(most, Math.max(0, ((this.nb * 127) >> 7) + step));
    const mantissa = ILB[(this.nb >> 6) & 31] as number;
    const shift = exponent - (this.nb >> 11);
    this.det = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
  }

  /** Block 4: RECONS to PREDIC. */
  adapt(difference: number): void {
    const { a, b, d, p, r } = this;
    d[0] = difference;
    r[0] = saturate(this.s + difference);
    p[0] = saturate(this.sz + difference);
    const [p0, p1, p2] = [p[0] >> 15, p[1] >> 15, p[2] >> 15];
    const wide = saturate(a[1] << 2);
    let second = Math.min(32_767, p0 === p1 ? -wide : wide) >> 7;
    second = limit12288(second + (p0 === p2 ? 128 : -128) + ((a[2] * 32_512) >> 15));
    const bound = saturate(15_360 - second);
    const first = saturate((p0 === p1 ? 192 : -192) + ((a[1] * 32_640) >> 15));
    const step = difference === 0 ? 0 : 128;
    const sign = difference >> 15;
    for (let i = 1; i <= 6; i += 1) {
      b[i] = saturate((d[i] >> 15 === sign ? step : -step) + ((b[i] * 32_640) >> 15));
    }
    for (let i = 6; i > 0; i -= 1) d[i] = d[i - 1];
    r[2] = r[1];
    r[1] = r[0];
    p[2] = p[1];
    p[1] = p[0];
    a[2] = second;
    a[1] = Math.max(-bound, Math.min(bound, first));
    const poles = saturate(((a[1] * saturate(2 * r[1])) >> 15) + ((a[2] * saturate(2 * r[2])) >> 15));
    let zeros = 0;
    for (let i = 6; i > 0; i -= 1) zeros += (b[i] * saturate(2 * d[i])) >> 15;
    this.sz = saturate(zeros);
    this.s = saturate(poles + this.sz);
  }
}

function limit12288(x: number): number {
  return Math.max(-12_288, Math.min(12_288, x));
}

export class G722Decoder {
  private readonly low = new Band(0);
  private readonly high = new Band(0);
  private readonly x = new Int32Array(24);

  /** Two samples at 16,000 Hz for each byte. */
  decode(payload: Uint8Array): Int16Array {
    const samples = new Int16Array(payload.length * 2);
    payload.forEach((byte, i) => this.byte(byte, samples, 2 * i));
    return samples;
  }

  private byte(byte: number, samples: Int16Array, at: number): void {
    const { low, high, x } = this;
    const six = byte & 0x3f;
    const two = byte >> 6;
    const rlow = limit(low.s + ((low.det * (QM6[six] as number)) >> 15), 16_383);
    const dlow = (low.det * (QM4[six >> 2] as number)) >> 15;
    low.scale(WL[RL42[six >> 2] as number] as number, 18_432, 8);
    low.adapt(dlow);
    const dhigh = (high.det * (QM2[two] as number)) >> 15;
    const rhigh = limit(dhigh + high.s, 16_383);
    high.scale(WH[RH2[two] as number] as number, 22_528, 10);
    high.adapt(dhigh);
    x.copyWithin(0, 2);
    x[22] = rlow + rhigh;
    x[23] = rlow - rhigh;
    let first = 0;
    let second = 0;
    for (let i = 0; i < 12; i += 1) {
      first += x[2 * i + 1] * (QMF[11 - i] as number);
      second += x[2 * i] * (QMF[i] as number);
    }
    samples[at] = saturate(first >> 11);
    samples[at + 1] = saturate(second >> 11);
  }
}
