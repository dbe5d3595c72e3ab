// The container: a ZIP file in one form. Whatever it says about itself is rebuilt from names, lengths
// and sums, and compared; so there is no byte in it that nobody looked at.

import { areEqual, BadForm, concat, refuse, viewOf, type Bytes } from "../base/bytes";
import type { Source } from "../base/digest";

export interface Entry {
  readonly name: string;
  readonly crc: number;
  /** Where its content is in the file. */
  readonly start: number;
  readonly end: number;
}

export const BUNDLE_BYTES_MAX = 0xffff_ffff;
const ENTRIES_MAX = 1_000;
const NAME_MAX = 255;
const END_LENGTH = 22;
const LOCAL_LENGTH = 30;
const CENTRAL_LENGTH = 46;
const DATE = 0x0021;
const VERSION = 10;

function isName(name: string): boolean {
  return name.length <= NAME_MAX && /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/.test(name);
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** What both kinds of header share: from the version needed up to the length of the extra field. */
function common(entry: Entry): Bytes {
  const bytes = new Uint8Array(26);
  const view = viewOf(bytes);
  const length = entry.end - entry.start;
  view.setUint16(0, VERSION, true);
  view.setUint16(8, DATE, true);
  view.setUint32(10, entry.crc, true);
  view.setUint32(14, length, true);
  view.setUint32(18, length, true);
  view.setUint16(22, entry.name.length, true);
  return bytes;
}

function nameBytes(entry: Entry): Bytes {
  return Uint8Array.from(entry.name, (letter) => letter.charCodeAt(0));
}

function localHeader(entry: Entry): Bytes {
  return concat(new Uint8Array([0x50, 0x4b, 3, 4]), common(entry), nameBytes(entry));
}

function directory(entries: readonly Entry[]): Bytes {
  const rows = entries.flatMap((entry) => {
    const tail = new Uint8Array(14);
    viewOf(tail).setUint32(10, entry.start - LOCAL_LENGTH - entry.name.length, true);
    return [new Uint8Array([0x50, 0x4b, 1, 2, VERSION, 0]), common(entry), tail, nameBytes(entry)];
  });
  const all = concat(...rows);
  const end = new Uint8Array(END_LENGTH);
  const view = viewOf(end);
  end.set([0x50, 0x4b, 5, 6]);
  view.setUint16(8, entries.length, true);
  view.setUint16(10, entries.length, true);
  view.setUint32(12, all.length, true);
  view.setUint32(16, entries.at(-1)?.end ?? 0, true);
  return concat(all, end);
}

/** Names, lengths and sums as the directory has them, contents one after the other. */
function readDirectory(bytes: Uint8Array, size: number): Entry[] {
  const view = viewOf(bytes);
  const entries: Entry[] = [];
  const names = new Set<string>();
  let at = 0;
  let offset = 0;
  while (at < bytes.length) {
    if (at + CENTRAL_LENGTH > bytes.length || view.getUint32(at, true) !== 0x0201_4b50) refuse("the directory is damaged");
    if (entries.length === ENTRIES_MAX) refuse("more than 1,000 entries");
    const nameLength = view.getUint16(at + 28, true);
    const nameEnd = at + CENTRAL_LENGTH + nameLength;
    if (nameEnd > bytes.length) refuse("the directory is damaged");
    const name = ascii(bytes.subarray(at + CENTRAL_LENGTH, nameEnd));
    if (!isName(name) || names.has(name)) refuse("a name that is not allowed, or occurs twice");
    names.add(name);
    const start = offset + LOCAL_LENGTH + nameLength;
    const end = start + view.getUint32(at + 24, true);
    if (end > size) refuse("an entry is longer than the file");
    entries.push({ name, crc: view.getUint32(at + 16, true), start, end });
    offset = end;
    at = nameEnd;
  }
  return entries;
}

/**
 * The entries of a ZIP in the form, sums of contents not yet checked; `BadForm` for any other file,
 * or one that is too large.
 */
export async function readContainer(source: Source): Promise<Entry[]> {
  if (source.size < END_LENGTH) refuse("too short");
  if (source.size > BUNDLE_BYTES_MAX) refuse("too large");
  const end = await source.read(source.size - END_LENGTH, source.size);
  const view = viewOf(end);
  if (view.getUint32(0, true) !== 0x0605_4b50) refuse("no end record");
  const length = view.getUint32(12, true);
  const from = source.size - END_LENGTH - length;
  if (from < 0 || length > ENTRIES_MAX * (CENTRAL_LENGTH + NAME_MAX)) refuse("the directory is damaged");
  const found = await source.read(from, source.size);
  const entries = readDirectory(found.subarray(0, length), from);
  if ((entries.at(-1)?.end ?? 0) !== from) refuse("the contents do not adjoin");
  if (!areEqual(found, directory(entries))) refuse("the directory is not in its form");
  for (const entry of entries) {
    const wanted = localHeader(entry);
    const header = await source.read(entry.start - wanted.length, entry.start);
    if (!areEqual(header, wanted)) throw new BadForm(`the header of an entry is not in its form`);
  }
  return entries;
}
