// What is told of the sound: where it is not simply what was sent.

import { BadForm } from "../base/bytes";
import { count, flag, list, notEmpty, object, oneOf, readJson, text, writeJson, type Json, type Reader } from "../base/json";
import { u16Number, version1 } from "../base/words";
import type { Interval } from "../timeline/model";
import type { SoundPacket } from "../timeline/stream";
import { decodedRate, floorShare } from "./stream";

const SPANS_MAX = 10_000;

export interface Span {
  readonly start_us: number;
  end_us: number;
  readonly codec: string;
  readonly lack: string;
}

export interface StreamSpans {
  readonly number: number;
  readonly has_sound: boolean;
  readonly spans: readonly Span[];
}

/** The spans of a stream that follow without decoding: packets in a codec that nobody decodes. */
export function undecodedSpans(packets: readonly SoundPacket[], intervals: readonly Interval[]): Span[] {
  const spans: Span[] = [];
  let next = 0;
  for (const interval of intervals) {
    const own = interval.kind === "media" ? packets.slice(next, next + interval.packets) : [];
    next += interval.packets;
    const total = own.reduce((sum, packet) => sum + packet.ticks, 0);
    const length = interval.end_us - interval.start_us;
    let ticks = 0;
    for (const packet of own) {
      const start_us = interval.start_us + floorShare(ticks, length, total);
      ticks += packet.ticks;
      if (decodedRate(packet.codec) !== null) continue;
      addSpan(spans, { start_us, end_us: interval.start_us + floorShare(ticks, length, total), codec: packet.codec.text, lack: "codec" });
    }
  }
  return spans;
}

export function addSpan(spans: Span[], span: Span): void {
  const last = spans.at(-1);
  const adjoins = last && last.end_us === span.start_us && last.codec === span.codec && last.lack === span.lack;
  if (last && (adjoins || spans.length === SPANS_MAX)) last.end_us = span.end_us;
  else spans.push(span);
}

export function writeSpans(streams: readonly StreamSpans[]): string {
  return writeJson({ version: 1, streams } as unknown as Json);
}

const spansDocument: Reader<{ streams: StreamSpans[] }> = object({
  version: version1,
  streams: notEmpty(list(object({
    number: u16Number,
    has_sound: flag,
    spans: notEmpty(list(object({
      start_us: count, end_us: count, codec: text, lack: oneOf("codec", "damaged", "length", "recovered"),
    }), SPANS_MAX)),
  }))),
});

/**
 * What a bundle tells of its sound, held against what follows from the original without decoding
 * opus: a span of opus may be there, anything else must be as computed. Gives null if it is not.
 */
export function holdAgainst(
  bytes: Uint8Array | null,
  computed: readonly StreamSpans[],
  withOpus: ReadonlySet<number>,
): boolean {
  try {
    const told = bytes === null ? [] : spansDocument(readJson(bytes)).streams;
    const plain = told
      .map((stream) => ({ ...stream, spans: withOpus.has(stream.number) ? stream.spans.filter((span) => span.lack === "codec") : stream.spans }))
      .filter((stream) => stream.spans.length > 0);
    return writeSpans(plain) === writeSpans(computed);
  } catch (error) {
    if (error instanceof BadForm) return false;
    throw error;
  }
}
