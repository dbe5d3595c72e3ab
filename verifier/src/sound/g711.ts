// G.711: one byte, one sample.

const A_LAW = new Int16Array(256);
const MU_LAW = new Int16Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  const a = byte ^ 0x55;
  const exponent = (a >> 4) & 7;
  const mantissa = a & 15;
  const magnitude = exponent === 0 ? 16 * mantissa + 8 : (16 * mantissa + 264) * 2 ** (exponent - 1);
  A_LAW[byte] = a & 0x80 ? magnitude : -magnitude;
  const m = ~byte & 0xff;
  const level = (8 * (m & 15) + 132) * 2 ** ((m >> 4) & 7) - 132;
  MU_LAW[byte] = m & 0x80 ? -level : level;
}

/** Puts the samples of a payload at `at` of `out`. */
export function decodeG711(bytes: Uint8Array, start: number, end: number, isALaw: boolean, out: Int16Array, at: number): void {
  const table = isALaw ? A_LAW : MU_LAW;
  const to = at - start;
  for (let i = start; i < end; i += 1) out[to + i] = table[bytes[i]];
}

/** L16 (RFC 3551 §4.5.11): samples as they are, the higher byte first. */
export function decodeL16(payload: Uint8Array): Int16Array {
  const samples = new Int16Array(payload.length >> 1);
  for (let i = 0; i < samples.length; i += 1) samples[i] = (payload[2 * i] << 8) | payload[2 * i + 1];
  return samples;
}
