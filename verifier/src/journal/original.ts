// The files of the original, and the journal that they are together.

import { refuse, textOf, viewOf } from "../base/bytes";
import { readEvent, type Event } from "./events";

const HEADER = 12;
const FRAME = 21;
export const EVENTS_BYTES_MAX = 67_108_864;
const PACKET_BYTES_MAX = 2_048;
export const KIND_RTP = 1;
export const KIND_RTCP = 2;

/** One file of the original: where its records begin, and how many there are. */
export class OriginalFile {
  readonly stream: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where each record begins; behind the last one, the end of the file. */
  readonly starts: Uint32Array;

  constructor(bytes: Uint8Array, stream: number) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.stream = stream;
    if (bytes.length < HEADER || textOf(bytes.subarray(0, 8)) !== "VLOG-ORG") refuse("no file of an original");
    const version = this.view.getUint16(8);
    if (version !== 1) refuse(`version ${version} is not known`);
    if (this.view.getUint16(10) !== stream) refuse("the file is of another stream");
    if (stream === 0 && bytes.length > EVENTS_BYTES_MAX) refuse("too many events");
    this.starts = this.readStarts();
  }

  get count(): number {
    return this.starts.length - 1;
  }

  private readStarts(): Uint32Array {
    let starts = new Uint32Array(1024);
    let found = 0;
    let high = -1;
    let low = -1;
    let at = HEADER;
    for (; at < this.bytes.length; found += 1) {
      if (at + FRAME > this.bytes.length) refuse("ends within a record");
      const indexHigh = this.view.getUint32(at);
      const indexLow = this.view.getUint32(at + 4);
      if (indexHigh < high || (indexHigh === high && indexLow <= low)) refuse("the indices do not grow");
      high = indexHigh;
      low = indexLow;
      const kind = this.bytes[at + 16];
      if (this.stream === 0 ? kind !== 0 : kind !== KIND_RTP && kind !== KIND_RTCP) refuse("a record of another kind");
      const length = this.view.getUint32(at + 17);
      if (this.stream !== 0 && length > PACKET_BYTES_MAX) refuse("a packet that is too long");
      if (found + 2 > starts.length) {
        const more = new Uint32Array(starts.length * 2);
        more.set(starts);
        starts = more;
      }
      starts[found] = at;
      at += FRAME + length;
    }
    if (at !== this.bytes.length) refuse("ends within a record");
    starts[found] = at;
    return starts.slice(0, found + 1);
  }

  /** The index of a record; above 2^53 it is not exact, which no count of records reaches. */
  index(record: number): number {
    const at = this.starts[record];
    return this.view.getUint32(at) * 0x1_0000_0000 + this.view.getUint32(at + 4);
  }

  time(record: number): bigint {
    return this.view.getBigInt64(this.starts[record] + 8);
  }

  /** How much later a record is than a moment given in halves; exact wherever it is below 2^53. */
  timeSince(record: number, high: number, low: number): number {
    const at = this.starts[record] + 8;
    return (this.view.getInt32(at) - high) * 0x1_0000_0000 + (this.view.getUint32(at + 4) - low);
  }

  kind(record: number): number {
    return this.bytes[this.starts[record] + 16];
  }

  contentStart(record: number): number {
    return this.starts[record] + FRAME;
  }

  content(record: number): Uint8Array {
    return this.bytes.subarray(this.contentStart(record), this.starts[record + 1]);
  }
}

/** A record of the journal: which one of which file, and what is read of an event. */
export interface Journal {
  readonly files: readonly OriginalFile[];
  readonly events: readonly Event[];
  readonly count: number;
}

/** Reads every event; the file it is of must be the first. */
export function readEvents(file: OriginalFile): Event[] {
  const events: Event[] = [];
  for (let record = 0; record < file.count; record += 1) events.push(readEvent(file.content(record)));
  return events;
}

/**
 * Walks the records of all files in the order of their indices. Each index must occur once, from 0;
 * otherwise it ends there and says so.
 */
export function walk(files: readonly OriginalFile[], visit: (file: number, record: number) => void): boolean {
  const next = files.map(() => 0);
  const heads = files.map((file) => (file.count > 0 ? file.index(0) : Number.POSITIVE_INFINITY));
  const total = files.reduce((sum, file) => sum + file.count, 0);
  for (let index = 0; index < total; index += 1) {
    const at = heads.indexOf(index);
    if (at < 0) return false;
    const file = files[at];
    visit(at, next[at]);
    next[at] += 1;
    heads[at] = next[at] < file.count ? file.index(next[at]) : Number.POSITIVE_INFINITY;
  }
  return true;
}
