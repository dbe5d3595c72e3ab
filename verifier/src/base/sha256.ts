// SHA-256 (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869), at once and without waiting.
//
// A browser has them too, but answers later: for the tens of thousands of short leaves of a call
// that costs more than the hashing. Whole files go through the browser's own (see digest.ts).

import { concat, viewOf, type Bytes } from "./bytes";
import { compress } from "./sha256rounds";

/** The first 32 bits of the fractional parts of the square roots of the first eight primes. */
const START = Int32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
const BLOCK = 64;

function putDigest(state: Int32Array, out: Uint8Array, at: number): void {
  for (let i = 0; i < 8; i += 1) {
    const word = state[i];
    out[at + 4 * i] = word >> 24;
    out[at + 4 * i + 1] = word >> 16;
    out[at + 4 * i + 2] = word >> 8;
    out[at + 4 * i + 3] = word;
  }
}

/** A digest in the making. */
export class Sha256 {
  private readonly state: Int32Array;
  private readonly rest: Uint8Array;
  private readonly restView: DataView;
  private length: number;

  constructor(from?: Sha256) {
    this.state = from ? from.state.slice() : START.slice();
    this.rest = from ? from.rest.slice() : new Uint8Array(BLOCK);
    this.restView = viewOf(this.rest);
    this.length = from ? from.length : 0;
  }

  update(bytes: Uint8Array): this {
    let at = 0;
    const held = this.length % BLOCK;
    this.length += bytes.length;
    if (held > 0) {
      at = Math.min(BLOCK - held, bytes.length);
      this.rest.set(bytes.subarray(0, at), held);
      if (held + at < BLOCK) return this;
      compress(this.state, this.restView, 0);
    }
    if (at + BLOCK <= bytes.length) {
      const view = viewOf(bytes);
      for (; at + BLOCK <= bytes.length; at += BLOCK) compress(this.state, view, at);
    }
    this.rest.set(bytes.subarray(at));
    return this;
  }

  /** The digest of what came; nothing can be added after it. */
  finish(): Bytes {
    const held = this.length % BLOCK;
    this.rest[held] = 0x80;
    this.rest.fill(0, held + 1);
    if (held >= 56) {
      compress(this.state, this.restView, 0);
      this.rest.fill(0);
    }
    this.restView.setUint32(56, Math.floor(this.length / 0x2000_0000));
    this.restView.setUint32(60, (this.length * 8) % 0x1_0000_0000);
    compress(this.state, this.restView, 0);
    const digest = new Uint8Array(32);
    putDigest(this.state, digest, 0);
    return digest;
  }

  /** The state after whole blocks: where messages that begin alike go on from. */
  get afterBlocks(): Int32Array {
    return this.state.slice();
  }
}

/** Hashes short messages, one after the other, and makes nothing new for any of them. */
export class ShortSha256 {
  private readonly state = new Int32Array(8);
  private view: DataView;
  /** Where the message is put, from 0 on. */
  bytes: Uint8Array;

  constructor(most: number) {
    this.bytes = new Uint8Array(roomFor(most));
    this.view = viewOf(this.bytes);
  }

  /** Makes room for a message of that length; what is there stays. */
  reserve(length: number): void {
    if (roomFor(length) <= this.bytes.length) return;
    const larger = new Uint8Array(roomFor(2 * length));
    larger.set(this.bytes);
    this.bytes = larger;
    this.view = viewOf(larger);
  }

  /** Puts the digest of the first `length` bytes at `at` of `out`. `from`, and the bytes before that lead there, where there are any. */
  into(out: Uint8Array, at: number, length: number, from: Int32Array = START, before = 0): void {
    const { bytes, view, state } = this;
    const end = roomFor(length);
    bytes[length] = 0x80;
    bytes.fill(0, length + 1, end);
    const all = before + length;
    view.setUint32(end - 8, Math.floor(all / 0x2000_0000));
    view.setUint32(end - 4, (all * 8) % 0x1_0000_0000);
    state.set(from);
    for (let block = 0; block < end; block += BLOCK) compress(state, view, block);
    putDigest(state, out, at);
  }
}

/** The length of a message with its padding. */
const roomFor = (length: number): number => (Math.floor((length + 8) / BLOCK) + 1) * BLOCK;

export function sha256(...parts: Uint8Array[]): Bytes {
  const hash = new Sha256();
  for (const part of parts) hash.update(part);
  return hash.finish();
}

/** HMAC-SHA-256 under one key: both halves of the key are hashed once. */
export class Hmac {
  private readonly inner = new Sha256();
  private readonly outer = new Sha256();

  constructor(key: Uint8Array) {
    const block = new Uint8Array(BLOCK);
    block.set(key.length > BLOCK ? sha256(key) : key);
    this.inner.update(block.map((byte) => byte ^ 0x36));
    this.outer.update(block.map((byte) => byte ^ 0x5c));
  }

  of(...parts: Uint8Array[]): Bytes {
    const inner = new Sha256(this.inner);
    for (const part of parts) inner.update(part);
    return new Sha256(this.outer).update(inner.finish()).finish();
  }

  /** The states after both halves of the key. */
  get halves(): { readonly inner: Int32Array; readonly outer: Int32Array } {
    return { inner: this.inner.afterBlocks, outer: this.outer.afterBlocks };
  }
}

/** HKDF(key, info) of the document: an empty salt, 32 bytes of output. */
export class Hkdf {
  readonly key: Hmac;

  constructor(key: Uint8Array) {
    this.key = new Hmac(new Hmac(new Uint8Array(0)).of(key));
  }

  of(info: Uint8Array): Bytes {
    return this.key.of(concat(info, new Uint8Array([1])));
  }
}
