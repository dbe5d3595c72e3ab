// Where the shown packets of a stream are heard, and how far from their arrival.

import { refuse } from "../base/bytes";
import type { Event } from "../journal/events";
import { KIND_RTP, type OriginalFile } from "../journal/original";
import { readRtp } from "../journal/rtp";
import { floorShare } from "../sound/stream";
import { codecOf, ticksOf, type Codec } from "../timeline/codec";
import type { Interval, StreamLine, Timeline } from "../timeline/model";
import type { SoundPacket } from "../timeline/stream";
import type { Placed, Redaction } from "./scope";
import type { Run } from "./tree";

/** How far from its arrival a packet may be heard. */
const ARRIVAL_US = 15_000_000;

/** Packets side by side that are heard side by side. */
export interface Entry {
  readonly interval: number;
  readonly tick: number;
  readonly endTick: number;
  /** Which run of shown leaves they are in: its place among all runs of the tree. */
  readonly run: number;
  readonly packets: readonly SoundPacket[];
}

/** Clock steps so far, for the time of a record by its index. */
export class Steps {
  private readonly steps: { readonly index: number; readonly sum: number }[] = [];

  constructor(file: OriginalFile, events: readonly Event[]) {
    let sum = 0;
    events.forEach((event, record) => {
      if (event.type !== "clock_stepped") return;
      sum += event.by_us;
      this.steps.push({ index: file.index(record), sum });
    });
  }

  before(index: number): number {
    return this.steps.findLast((step) => step.index < index)?.sum ?? 0;
  }
}

/** What a format's place in a scope stands for. */
function formatsOf(line: StreamLine): { readonly payloadType: number; readonly codec: Codec }[] {
  const { stream } = line;
  return [
    { codec: "PCMA", payload_type: 8 }, { codec: "PCMU", payload_type: 0 }, { codec: "CN", payload_type: 13 }, stream, ...(stream.also ?? []),
  ].map((format) => ({ payloadType: format.payload_type, codec: codecOf(format) }));
}

/** A moment of an interval's own clock, from the start of the call. */
export function momentOf(interval: Interval, tick: number, ticks = interval.samples): number {
  return interval.start_us + floorShare(interval.end_us - interval.start_us, tick, ticks);
}

export interface Call {
  readonly timeline: Timeline;
  readonly lengthUs: number;
  readonly steps: Steps;
  readonly startUs: bigint;
}

/** Of each interval, how long the media intervals up to it are which directly follow a media interval. */
function lengthsAfterMedia(intervals: readonly Interval[]): number[] {
  let sum = 0;
  return intervals.map(({ kind, start_us, end_us }, i) => {
    if (kind === "media" && intervals[i - 1]?.kind === "media") sum += end_us - start_us;
    return sum;
  });
}

export class Placing {
  private readonly isHeard: Uint8Array;
  private readonly formats: { readonly payloadType: number; readonly codec: Codec }[];
  private readonly afterMedia: readonly number[];
  private lastInterval = 0;
  private free = 0;
  private inInterval = 0;
  /** How many packets are heard too far from their arrival; and how far the farthest is. */
  private far = 0;
  farthestUs = 0;

  constructor(
    private readonly line: StreamLine,
    private readonly file: OriginalFile,
    private readonly runs: readonly Run[],
    private readonly asked: readonly Redaction[],
    private readonly call: Call,
  ) {
    this.isHeard = new Uint8Array(file.count);
    this.formats = formatsOf(line);
    this.afterMedia = lengthsAfterMedia(line.intervals);
  }

  place(placed: Placed): Entry {
    const { first, count, tick, ticks } = placed;
    const interval = this.line.intervals[placed.interval] ?? refuse("no such interval");
    if (interval.kind !== "media" || interval.samples === 0) refuse("packets where no media is");
    if (placed.interval < this.lastInterval) refuse("the placings are not in order");
    if (placed.interval > this.lastInterval) this.free = this.inInterval = 0;
    if (tick < this.free || count === 0 || ticks === 0) refuse("a placing that is not in order");
    const end = tick + ticks * count;
    if (!Number.isSafeInteger(end)) refuse("a placing that is too long");
    if (end > interval.samples && interval.end_us !== this.call.lengthUs) refuse("a placing behind the end of its interval");
    this.lastInterval = placed.interval;
    this.free = end;
    this.inInterval += count;
    if (this.inInterval > interval.packets) refuse("more packets in an interval than it has");
    const run = this.runOf(first, count);
    const packets = this.packets(placed);
    const from = momentOf(interval, tick);
    const to = momentOf(interval, end);
    for (const { start_us, end_us } of this.asked) {
      if (to > start_us + 1 && from < end_us) refuse("something is heard that was to be left out");
    }
    for (let i = 0; i < count; i += 1) this.holdAgainstArrival(first + i, momentOf(interval, tick + ticks * (i + 1)), placed.interval);
    return { interval: placed.interval, tick, endTick: end, run, packets };
  }

  /** The run of shown leaves that packets are all in. */
  private runOf(first: number, count: number): number {
    let low = 0;
    let high = this.runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.runs[middle].firstPacket + this.runs[middle].packets <= first) low = middle + 1;
      else high = middle;
    }
    const run = this.runs[low];
    const isIn = run?.isShown && first >= run.firstPacket && first + count <= run.firstPacket + run.packets;
    return isIn ? low : refuse("packets that are not shown side by side");
  }

  /** Refuses where more packets are heard far from their arrival than came out of order. */
  checkArrivals(): void {
    if (this.far > this.line.reordered) refuse("packets are heard far from their arrival");
  }

  private packets({ first, count, format, ticks }: Placed): SoundPacket[] {
    const { payloadType, codec } = this.formats[format] ?? refuse("no such format");
    if (codec.kind !== "sound") refuse("a format without sound");
    const { file } = this;
    // Where a packet does not tell how long it is.
    const most = Math.max(1, Math.floor(codec.rate / 5));
    return Array.from({ length: count }, (_, i) => {
      const record = first + i;
      if (this.isHeard[record]) refuse("a packet that is heard twice");
      this.isHeard[record] = 1;
      const at = file.contentStart(record);
      const header = file.kind(record) === KIND_RTP ? readRtp(file.view, at, file.starts[record + 1] - at) : null;
      if (header === null || header.payloadType !== payloadType) return refuse("a packet of another format");
      const start = at + header.payloadStart;
      const end = at + header.payloadEnd;
      if (start === end) refuse("a packet without sound");
      const told = ticksOf(codec, file.bytes.subarray(start, end));
      if (told === 0 ? ticks > most : told !== ticks) refuse("a packet of another length");
      return { start, end, ticks, codec };
    });
  }

  private holdAgainstArrival(record: number, endUs: number, interval: number): void {
    if (this.call.timeline.verdict === "undeclared_gap") return;
    const arrival = Number(this.file.time(record) - this.call.startUs) - this.call.steps.before(this.file.index(record));
    const late = endUs - arrival;
    if (late > ARRIVAL_US + this.afterMedia[interval] || late < -ARRIVAL_US) this.far += 1;
    this.farthestUs = Math.max(this.farthestUs, Math.abs(late));
  }
}
