// DER (X.690), as far as certificates and timestamps need it: one spelling of each value, and nothing looser.

import { refuse } from "../base/bytes";

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const NULL = 0x05;
export const OID = 0x06;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;
/** [n], with more values in it. */
export const tagged = (n: number): number => 0xa0 | n;
/** [n], with a plain value in it. */
export const taggedPlain = (n: number): number => 0x80 | n;

/** One value: its tag, what is in it, and all its bytes. */
export interface Der {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Values side by side. */
export class DerReader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  next(): Der {
    const { bytes, at: start } = this;
    if (start + 2 > bytes.length) refuse("DER that ends too early");
    const tag = bytes[start];
    if ((tag & 0x1f) === 0x1f) refuse("a tag of several bytes");
    let at = start + 2;
    let length = bytes[start + 1];
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 4 || at + count > bytes.length) refuse("a length that DER does not have");
      length = 0;
      for (let i = 0; i < count; i += 1, at += 1) length = length * 256 + bytes[at];
      if (length < 0x80 || length < 256 ** (count - 1)) refuse("a length that is not in its shortest form");
    }
    if (at + length > bytes.length) refuse("DER that ends too early");
    this.at = at + length;
    return { tag, content: bytes.subarray(at, this.at), bytes: bytes.subarray(start, this.at) };
  }

  take(tag: number): Der {
    const found = this.next();
    return found.tag === tag ? found : refuse("DER of another type than it should be");
  }

  /** The next value if it is of this type; null, and nothing taken, otherwise. */
  optional(tag: number): Der | null {
    return !this.isAtEnd && this.bytes[this.at] === tag ? this.next() : null;
  }

  /** All that is left. */
  rest(): Der[] {
    const all: Der[] = [];
    while (!this.isAtEnd) all.push(this.next());
    return all;
  }

  /** Refuses anything more. */
  end(): void {
    if (!this.isAtEnd) refuse("DER with more than it should have");
  }

  inside(tag: number): DerReader {
    return new DerReader(this.take(tag).content);
  }
}

/** The only value of some bytes. */
export function only(bytes: Uint8Array, tag: number): Der {
  const reader = new DerReader(bytes);
  const found = reader.take(tag);
  reader.end();
  return found;
}

export function readOid({ content }: Der): string {
  if (content.length === 0 || (content[content.length - 1] & 0x80) !== 0) refuse("no object identifier");
  const parts: bigint[] = [];
  let part = 0n;
  let isNew = true;
  for (const byte of content) {
    if (isNew && byte === 0x80) refuse("no object identifier");
    part = (part << 7n) | BigInt(byte & 0x7f);
    isNew = (byte & 0x80) === 0;
    if (!isNew) continue;
    parts.push(part);
    part = 0n;
  }
  const first = parts[0] < 80n ? parts[0] / 40n : 2n;
  return [first, parts[0] - first * 40n, ...parts.slice(1)].join(".");
}

/** The bytes of a whole number in its shortest form. */
export function integerBytes({ content }: Der): Uint8Array {
  const isLong = content.length > 1 && (content[0] === 0 ? content[1] < 0x80 : content[0] === 0xff && content[1] >= 0x80);
  return content.length === 0 || isLong ? refuse("no whole number in its shortest form") : content;
}

/** The bytes of a whole number that is not negative, without zeros in front. */
export function positiveBytes(der: Der): Uint8Array {
  const bytes = integerBytes(der);
  if (bytes[0] >= 0x80) refuse("a number below 0");
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

/** A whole number from 0 to 2^31 − 1. */
export function smallNumber(der: Der): number {
  const bytes = positiveBytes(der);
  return bytes.length <= 4 && !(bytes.length === 4 && bytes[0] >= 0x80) ? bytes.reduce((sum, byte) => sum * 256 + byte, 0) : refuse("a number that is too large");
}

export function readBoolean({ content }: Der): boolean {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) refuse("neither true nor false");
  return content[0] !== 0;
}

/** The bytes of a string of bits that is made of whole bytes. */
export function wholeBits({ content }: Der): Uint8Array {
  return content.length > 0 && content[0] === 0 ? content.subarray(1) : refuse("bits that are no whole bytes");
}

/** Refuses a string of bits that is not in its form; how many bits it has. */
export function countBits({ content }: Der): number {
  const unused = content[0];
  const last = content[content.length - 1];
  const isRight = content.length === 1 ? unused === 0 : content.length > 1 && unused < 8 && (last & ((1 << unused) - 1)) === 0;
  return isRight ? (content.length - 1) * 8 - unused : refuse("no string of bits");
}

/** Whether a bit of a string of bits is set; the first one is 0. */
export function hasBit(der: Der, bit: number): boolean {
  const { content } = der;
  return bit < countBits(der) && (content[1 + (bit >> 3)] & (0x80 >> (bit & 7))) !== 0;
}

const UTC = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
const GENERALIZED = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d*[1-9]))?Z$/;

/** Microseconds since 1970 of a moment; what is finer is cut off. */
export function readMoment({ tag, content }: Der): bigint {
  if (tag !== UTC_TIME && tag !== GENERALIZED_TIME) refuse("no moment");
  const text = String.fromCharCode(...content.subarray(0, 64));
  const parts = content.length > 64 ? null : (tag === UTC_TIME ? UTC : GENERALIZED).exec(text);
  if (!parts) return refuse("no moment in its form");
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
  const full = tag === UTC_TIME ? (year < 50 ? 2000 : 1900) + year : year;
  const date = new Date(0);
  date.setUTCFullYear(full, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const isSame = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour && date.getUTCMinutes() === minute;
  if (!isSame || second > 59) refuse("a moment that does not exist");
  return BigInt(date.getTime()) * 1000n + BigInt((parts[7] ?? "").slice(0, 6).padEnd(6, "0"));
}

/** Two whole numbers in a SEQUENCE, as in a signature of ECDSA, put side by side in `size` bytes each. */
export function pairOf(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const reader = new DerReader(only(bytes, SEQUENCE).content);
  const pair = new Uint8Array(2 * size);
  for (let i = 0; i < 2; i += 1) {
    const number = positiveBytes(reader.take(INTEGER));
    if (number.length > size) refuse("a number that is too large for its curve");
    pair.set(number, (i + 1) * size - number.length);
  }
  reader.end();
  return pair;
}

