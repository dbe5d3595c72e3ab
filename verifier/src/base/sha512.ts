// SHA-512 (FIPS 180-4), for Ed25519 alone: of some hundred bytes, a few times a bundle.

import type { Bytes } from "./bytes";

const MASK = (1n << 64n) - 1n;

function root(prime: bigint, power: bigint): bigint {
  let low = 0n;
  let high = 1n << 72n;
  const wanted = prime << (64n * power);
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** power <= wanted) low = middle;
    else high = middle;
  }
  return low & MASK;
}

const PRIMES: bigint[] = [];
for (let n = 2n; PRIMES.length < 80; n += 1n) if (PRIMES.every((prime) => n % prime !== 0n)) PRIMES.push(n);
const ROUNDS_512 = PRIMES.map((prime) => root(prime, 3n));
const START_512 = PRIMES.slice(0, 8).map((prime) => root(prime, 2n));

const turn = (x: bigint, by: bigint): bigint => ((x >> by) | (x << (64n - by))) & MASK;

export function sha512(message: Uint8Array): Bytes {
  const padded = new Uint8Array(Math.ceil((message.length + 17) / 128) * 128);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n);
  let state = START_512;
  for (let block = 0; block < padded.length; block += 128) {
    const w: bigint[] = [];
    for (let i = 0; i < 16; i += 1) w.push(view.getBigUint64(block + 8 * i));
    for (let i = 16; i < 80; i += 1) {
      const x = w[i - 15] as bigint;
      const y = w[i - 2] as bigint;
      const s0 = turn(x, 1n) ^ turn(x, 8n) ^ (x >> 7n);
      const s1 = turn(y, 19n) ^ turn(y, 61n) ^ (y >> 6n);
      w.push(((w[i - 16] as bigint) + s0 + (w[i - 7] as bigint) + s1) & MASK);
    }
    let [a, b, c, d, e, f, g, h] = state as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
    for (let i = 0; i < 80; i += 1) {
      const s1 = turn(e, 14n) ^ turn(e, 18n) ^ turn(e, 41n);
      const t1 = h + s1 + ((e & f) ^ (~e & MASK & g)) + (ROUNDS_512[i] as bigint) + (w[i] as bigint);
      const s0 = turn(a, 28n) ^ turn(a, 34n) ^ turn(a, 39n);
      const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) & MASK, c, b, a, (t1 + t2) & MASK];
    }
    const after = [a, b, c, d, e, f, g, h];
    state = state.map((word, i) => (word + (after[i] as bigint)) & MASK);
  }
  const digest = new Uint8Array(64);
  const out = new DataView(digest.buffer);
  state.forEach((word, i) => out.setBigUint64(8 * i, word));
  return digest;
}
