// The sound of a copy of a part: the packets that are shown, in their places, and silence or a tone where something was left out.

import { edgeText } from "../base/clock";
import type { PartStream } from "../part/check";
import { momentOf, type Entry } from "../part/place";
import { united } from "../part/times";
import type { Passage, Redaction, Scope } from "../part/scope";
import { addSpan, type Span } from "./spans";
import { decodedRate, Decoders, floorShare, formOf, type OpusSamples, type StreamForm } from "./stream";

const TONE = [0, 2_896, 4_096, 2_896, 0, -2_896, -4_096, -2_896];

/** All packets of a stream that are heard, in their order. */
export function heardOf(stream: PartStream): Entry["packets"] {
  return stream.entries.flatMap(({ packets }) => packets);
}

export function partForm(stream: PartStream, lengthUs: number): StreamForm {
  return formOf(stream.line.stream.number, heardOf(stream), stream.file.bytes, lengthUs);
}

/** Frames side by side: those of a packet, or none, where what stands for the rest is heard. */
interface Piece {
  readonly count: number;
  readonly frames: Int16Array | null;
}

const nothing = (count: number): Piece[] => (count > 0 ? [{ count, frames: null }] : []);

/** The frames of the entries of one interval, by its own clock. */
function* entryPieces(form: StreamForm, entries: readonly Entry[], first: number, decodersFor: (entry: Entry) => Decoders): Generator<Piece> {
  const { rate } = entries[0].packets[0].codec;
  let place = first;
  let at = 0;
  for (const entry of entries) {
    const decoders = decodersFor(entry);
    const start = floorShare(entry.tick, form.rate, rate);
    yield* nothing(start - at);
    at = start;
    let ticks = entry.tick;
    for (const packet of entry.packets) {
      ticks += packet.ticks;
      const end = floorShare(ticks, form.rate, rate);
      yield { count: end - at, frames: decoders.frames(place, end - at) };
      at = end;
      place += 1;
    }
  }
}

/** ⌈a × b ÷ c⌉ of numbers that are not negative. */
const ceilShare = (a: number, b: number, c: number): number => floorShare(a, b, c) + (BigInt(a) * BigInt(b) % BigInt(c) === 0n ? 0 : 1);

/** Lays S frames over L places: place i takes frame ⌊i·S ÷ L⌋ where there is one, and stays as it is where there is none. */
function* laidOut(pieces: Iterable<Piece>, channels: number, s: number, l: number): Generator<Piece> {
  let done = 0;
  let from = 0;
  for (const { count, frames } of pieces) {
    const to = Math.min(s, from + count);
    const next = s === 0 ? 0 : s === l ? to : Math.min(l, ceilShare(to, l, s));
    const places = next - done;
    if (places > 0 && (frames === null || s === l)) yield { count: places, frames: frames && frames.subarray(0, places * channels) };
    else if (places > 0 && frames) {
      const out = new Int16Array(places * channels);
      for (let i = 0; i < places; i += 1) {
        const frame = floorShare(done + i, s, l) - from;
        for (let c = 0; c < channels; c += 1) out[i * channels + c] = frames[frame * channels + c];
      }
      yield { count: places, frames: out };
    }
    done = Math.max(done, next);
    from += count;
    if (from >= s) break;
  }
  yield* nothing(l - done);
}

/** What the shown packets give, over the whole call. */
function* shownPieces(stream: PartStream, form: StreamForm, opus: OpusSamples): Generator<Piece> {
  const packets = heardOf(stream);
  const made = (): Decoders => new Decoders(form, packets, stream.file.bytes, opus);
  let decoders = made();
  let lastRun = stream.runs[0]?.isShown ? 0 : -1;
  const decodersFor = (entry: Entry): Decoders => {
    if (entry.run !== lastRun) decoders = made();
    lastRun = entry.run;
    return decoders;
  };
  let next = 0;
  let place = 0;
  for (const [i, interval] of stream.line.intervals.entries()) {
    const from = next;
    while (next < stream.entries.length && stream.entries[next].interval === i) next += 1;
    const entries = stream.entries.slice(from, next);
    const start = floorShare(interval.start_us, form.rate, 1_000_000);
    const places = floorShare(interval.end_us, form.rate, 1_000_000) - start;
    if (entries.length === 0) {
      yield* nothing(places);
      continue;
    }
    const frames = floorShare(interval.samples, form.rate, entries[0].packets[0].codec.rate);
    yield* laidOut(entryPieces(form, entries, place, decodersFor), form.channels, frames, places);
    place += entries.reduce((sum, entry) => sum + entry.packets.length, 0);
  }
}

interface Frames {
  readonly from: number;
  readonly to: number;
}

/** Where a tone stands for what was left out. */
function tonesOf({ leftOut }: PartStream, rate: number, asked: readonly Redaction[]): Frames[] {
  const toned = leftOut.filter(({ redactions }) => redactions.some((redaction) => asked[redaction]?.sound === "tone"));
  return united(toned.map(({ start_us, end_us }) => ({ from: floorShare(start_us, rate, 1_000_000), to: floorShare(end_us, rate, 1_000_000) })));
}

const BLANK_FRAMES = 65_536;

/** What stands for the rest: silence, and the tone where one was asked for. It is asked for from the start of the call to its end. */
class Blank {
  private next = 0;

  constructor(private readonly form: StreamForm, private readonly tones: readonly Frames[]) {}

  *blocks(at: number, count: number): Generator<Int16Array> {
    for (let from = at; from < at + count; from += BLANK_FRAMES) yield this.block(from, Math.min(at + count, from + BLANK_FRAMES));
  }

  private block(from: number, to: number): Int16Array {
    const { rate, channels } = this.form;
    const out = new Int16Array((to - from) * channels);
    while (this.next < this.tones.length && this.tones[this.next].to <= from) this.next += 1;
    for (let i = this.next; i < this.tones.length && this.tones[i].from < to; i += 1) {
      const tone = this.tones[i];
      for (let n = Math.max(from, tone.from); n < Math.min(to, tone.to); n += 1) {
        out.fill(TONE[Math.floor((((n * 1_000) % rate) * 8) / rate)], (n - from) * channels, (n - from + 1) * channels);
      }
    }
    return out;
  }
}

/** The stream's sound: the packets that are shown, over what stands for the rest. */
export function* partSound(stream: PartStream, form: StreamForm, asked: readonly Redaction[], opus: OpusSamples = () => null): Generator<Int16Array> {
  const rest = new Blank(form, tonesOf(stream, form.rate, asked));
  let at = 0;
  for (const { count, frames } of shownPieces(stream, form, opus)) {
    if (frames) yield frames;
    else yield* rest.blocks(at, count);
    at += count;
  }
}

/** Of blocks over the whole call, the frames that an excerpt keeps. */
export function* kept(blocks: Iterable<Int16Array>, channels: number, from: number, to: number): Generator<Int16Array> {
  let at = 0;
  for (const block of blocks) {
    const end = at + block.length / channels;
    if (end > from && at < to) yield block.subarray(Math.max(0, from - at) * channels, (Math.min(end, to) - at) * channels);
    if (end >= to) return;
    at = end;
  }
}

/** First and last frame of an excerpt at a rate. */
export function bounds(excerpt: Passage, rate: number): { readonly from: number; readonly to: number } {
  return { from: floorShare(excerpt.start_us, rate, 1_000_000), to: floorShare(excerpt.end_us, rate, 1_000_000) };
}

export function partSpans(stream: PartStream): Span[] {
  const spans: Span[] = [];
  // Where the call ends within a packet, it reaches beyond the samples of its interval, and its span must not.
  const ends = new Map(stream.entries.map(({ interval, endTick }) => [interval, endTick]));
  for (const entry of stream.entries) {
    const interval = stream.line.intervals[entry.interval];
    const total = Math.max(interval.samples, ends.get(entry.interval) ?? 0);
    let tick = entry.tick;
    for (const { codec, ticks } of entry.packets) {
      const start_us = momentOf(interval, tick, total);
      tick += ticks;
      if (decodedRate(codec) === null) addSpan(spans, { start_us, end_us: momentOf(interval, tick, total), codec: codec.text, lack: "codec" });
    }
  }
  return spans;
}

/** What the sound files of a copy of a part say of themselves. */
export function commentOf({ excerpt, redactions }: Scope, lengthUs: number): string {
  const said = (point: string, range: (from: string, to: string, of: string) => string, one: string, many: string): string => {
    const parts: string[] = [];
    if (excerpt) parts.push(range(edgeText(excerpt.start_us, "start", point), edgeText(excerpt.end_us, "end", point), edgeText(lengthUs, "end", point)));
    if (redactions.length > 0) parts.push(redactions.length === 1 ? `1 ${one}` : `${redactions.length} ${many}`);
    return parts.join(", ");
  };
  const nl = said(",", (from, to, of) => `uittreksel ${from} tot ${to} van ${of}`, "passage weggelaten", "passages weggelaten");
  const en = said(".", (from, to, of) => `excerpt ${from} to ${to} of ${of}`, "passage left out", "passages left out");
  return `${nl} / ${en}`;
}
