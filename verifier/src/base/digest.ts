// SHA-256 and CRC-32 of parts of a file that may be large.

import type { Bytes } from "./bytes";
import { Sha256 } from "./sha256";

/** Where a bundle is read from: a file that somebody chose, or one on disk. */
export interface Source {
  readonly size: number;
  /** The bytes from `from` up to `to`; fewer is a failure of the reader. */
  read(from: number, to: number): Promise<Bytes>;
}

const SLICE = 8 * 1024 * 1024;
/** What is held in memory at once for the browser's own hash; more is hashed here, slice by slice. */
const WHOLE = 160 * 1024 * 1024;
/** The same where SHA-512 is asked for, which there is no own one of for so much. */
const WHOLE_SHA512 = 1024 * 1024 * 1024;

/** For each of the 16 places that a byte can have in what is summed at once: 256 sums. */
const SUMS_AT = 16;
const TABLE = new Int32Array(SUMS_AT * 256);
for (let n = 0; n < 256; n += 1) {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  TABLE[n] = c;
}
for (let n = 256; n < TABLE.length; n += 1) {
  const before = TABLE[n - 256];
  TABLE[n] = (before >>> 8) ^ TABLE[before & 0xff];
}

/** The words of bytes, if they lie where words can: little-endian, as every machine is that has a browser. */
function wordsOf(bytes: Uint8Array): Int32Array {
  return bytes.byteOffset % 4 === 0
    ? new Int32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / SUMS_AT) * 4)
    : new Int32Array(0);
}

/** The CRC-32 of ZIP, sixteen bytes at a time. `from` is the sum so far, at first 0. */
export function crc32(bytes: Uint8Array, from = 0): number {
  const t = TABLE;
  const words = wordsOf(bytes);
  let c = ~from;
  for (let i = 0; i < words.length; i += 4) {
    const v = words[i] ^ c;
    const w = words[i + 1];
    const x = words[i + 2];
    const y = words[i + 3];
    c =
      t[3840 | (v & 0xff)] ^ t[3584 | ((v >>> 8) & 0xff)] ^ t[3328 | ((v >>> 16) & 0xff)] ^ t[3072 | (v >>> 24)] ^
      t[2816 | (w & 0xff)] ^ t[2560 | ((w >>> 8) & 0xff)] ^ t[2304 | ((w >>> 16) & 0xff)] ^ t[2048 | (w >>> 24)] ^
      t[1792 | (x & 0xff)] ^ t[1536 | ((x >>> 8) & 0xff)] ^ t[1280 | ((x >>> 16) & 0xff)] ^ t[1024 | (x >>> 24)] ^
      t[768 | (y & 0xff)] ^ t[512 | ((y >>> 8) & 0xff)] ^ t[256 | ((y >>> 16) & 0xff)] ^ t[y >>> 24];
  }
  for (let i = words.length * 4; i < bytes.length; i += 1) c = (c >>> 8) ^ t[(c ^ bytes[i]) & 0xff];
  return ~c >>> 0;
}

export interface Sums {
  readonly crc: number;
  readonly sha256: Uint8Array;
  /** Where it was asked for, and the browser can give it. */
  readonly sha512: Uint8Array | null;
  /** What was read, where it was asked for. */
  readonly bytes: Bytes | null;
}

/** What of a source is summed, and what is wanted of it beside CRC-32 and SHA-256. */
export interface SumsTask {
  readonly from: number;
  readonly to: number;
  readonly withSha512: boolean;
  readonly withBytes: boolean;
}

/** The sums of a part of a source. */
export async function sumsOf(source: Source, { from, to, withSha512, withBytes }: SumsTask): Promise<Sums> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (to - from > (withSha512 ? WHOLE_SHA512 : WHOLE) || subtle === undefined) return slicedSums(source, from, to);
  const whole = await source.read(from, to);
  // The browser hashes in a thread of its own meanwhile.
  const sha256 = subtle.digest("SHA-256", whole);
  const sha512 = withSha512 ? subtle.digest("SHA-512", whole) : null;
  const crc = crc32(whole);
  return { crc, sha256: new Uint8Array(await sha256), sha512: sha512 && new Uint8Array(await sha512), bytes: withBytes ? whole : null };
}

async function slicedSums(source: Source, from: number, to: number): Promise<Sums> {
  const hash = new Sha256();
  let crc = 0;
  for (let at = from; at < to; at += SLICE) {
    const slice = await source.read(at, Math.min(at + SLICE, to));
    crc = crc32(slice, crc);
    hash.update(slice);
  }
  return { crc, sha256: hash.finish(), sha512: null, bytes: null };
}
