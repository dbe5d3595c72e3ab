// A timeline as a document: what a copy of a part goes by, since nobody can compute it from a part.

import { refuse } from "../base/bytes";
import { count, flag, list, MOST, notEmpty, object, oneOf, orNull, readJson, text, whole, type Reader } from "../base/json";
import { readTime, time, u16Number, version1 } from "../base/words";
import { reasonsReader, streamReader } from "../journal/events";
import { CAUSES } from "../journal/cause";
import { KINDS, VERDICTS, type Interval, type StreamLine, type Timeline } from "./model";

const signed = whole(-MOST, MOST);
const causeWord = oneOf(...CAUSES);

const interval: Reader<Interval> = object({
  kind: oneOf(...KINDS), start_us: count, end_us: count, cause: orNull(causeWord), packets: count, samples: count, lost: count,
  grounds: reasonsReader, "pause?": object({ reason: text, by: text, "party?": text }),
});

const line: Reader<StreamLine> = object({
  stream: streamReader, packets: count, rtcp_packets: count, lost: count, duplicates: count, reordered: count, late: count,
  outside: count, "left_out?": count, malformed: count, payload_bytes: count, first_sequence: orNull(u16Number),
  last_sequence: orNull(u16Number), drift_us: signed, "heard?": notEmpty(list(text)),
  "keys?": notEmpty(list(object({ start_us: count, length_us: count }))), intervals: list(interval),
});

const timeline: Reader<Timeline> = object({
  version: version1, call_started: time, call_ended: time, end: orNull(causeWord), verdict: oneOf(...VERDICTS), stray_packets: count,
  "presence?": notEmpty(list(object({ party: text, is_there: flag, at_us: count }))),
  "voices?": notEmpty(list(object({
    stream: u16Number, at_us: count, "label?": text, parties: list(text), "rule?": oneOf("label", "send", "order"),
  }))),
  "clock_steps?": notEmpty(list(object({ at_us: count, by_us: signed }))),
  "notices?": notEmpty(list(object({
    at_us: count, "heard?": object({ stream: u16Number, length_us: count, similarity_permille: u16Number }),
  }))),
  "refusals?": notEmpty(list(object({ party: text, by: text, at_us: count }))),
  "keeps?": notEmpty(list(object({
    kind: oneOf("requested", "cut"), at_us: count, "reason?": text, "by?": text, "party?": text, "by_us?": count,
  }))),
  "sources?": notEmpty(list(object({ stream: u16Number, at_us: count }))),
  streams: list(line),
});

export function readTimeline(bytes: Uint8Array): Timeline {
  return timeline(readJson(bytes));
}

/** How long a call was, by its timeline. */
export function lengthOf({ call_started, call_ended }: Timeline): number {
  const length = Number(readTime(call_ended) - readTime(call_started));
  return length >= 0 && length <= MOST ? length : refuse("the call ends before it starts");
}

/** Refuses a timeline whose streams do not cover the call exactly. */
export function checkCover({ streams }: Timeline, lengthUs: number): void {
  for (const { intervals } of streams) {
    let at = 0;
    for (const { start_us, end_us } of intervals) {
      if (start_us !== at || end_us <= start_us) refuse("the intervals of a stream do not adjoin");
      at = end_us;
    }
    if (at !== lengthUs) refuse("the intervals of a stream do not cover the call");
  }
}
