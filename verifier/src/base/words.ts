// Ids, digests and moments as text.

import { fromHex, hex, refuse, type Bytes } from "./bytes";
import { text, whole, type Reader } from "./json";

export const id: Reader<string> = (value) => {
  const found = text(value);
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(found) ? found : refuse("no id");
};

export const digest: Reader<Bytes> = (value) => {
  const found = text(value);
  return found.startsWith("sha256:") ? fromHex(found.slice(7), 32) : refuse("no digest");
};

export function digestText(bytes: Uint8Array): string {
  return `sha256:${hex(bytes)}`;
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{6})Z$/;

/** Microseconds since 1970 of a time as text, in its one spelling. */
export function readTime(found: string): bigint {
  const parts = TIME.exec(found);
  if (!parts) return refuse("no time");
  const milliseconds = Date.parse(`${found.slice(0, 19)}.000Z`);
  if (Number.isNaN(milliseconds)) return refuse("no time");
  const moment = BigInt(milliseconds) * 1000n + BigInt(parts[7] as string);
  return timeText(moment) === found ? moment : refuse("no time");
}

export function timeText(moment: bigint): string {
  let rest = moment % 1_000_000n;
  if (rest < 0n) rest += 1_000_000n;
  const milliseconds = Number((moment - rest) / 1000n);
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return refuse("a time out of bounds");
  const day = date.toISOString();
  return /^\d{4}-/.test(day) ? `${day.slice(0, 19)}.${String(rest).padStart(6, "0")}Z` : refuse("a time out of bounds");
}

/** A time as text, checked and left as it is: of one spelling, text compares as well as numbers. */
export const time: Reader<string> = (value) => {
  const found = text(value);
  readTime(found);
  return found;
};

/** The version of a document: any but 1 is refused, and named. */
export const version1: Reader<number> = (value) =>
  value === 1 ? 1 : refuse(`version ${JSON.stringify(value)} is not known`);

export const u8 = whole(0, 0xff);
export const u16Number = whole(0, 0xffff);
export const u32Number = whole(0, 0xffff_ffff);
