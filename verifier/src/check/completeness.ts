// The statement of completeness: it says nothing that other documents do not, so all of it is computed again.

import { hex, utf8, type Bytes } from "../base/bytes";
import { writeJson, type Json } from "../base/json";
import { sha256 } from "../base/sha256";
import type { Event } from "../journal/events";
import { readNote } from "../log/note";
import { readUnverified, type Proof } from "../log/proof";
import { lengthOf } from "../timeline/read";
import type { Interval, StreamLine, Timeline } from "../timeline/model";
import type { Manifest } from "./manifest";
import type { Scope } from "../part/scope";

/** All that the statement follows from. */
export interface Grounds {
  readonly manifest: Manifest;
  readonly manifestSha256: string;
  readonly timeline: Timeline;
  readonly events: readonly Event[];
  readonly scope: Scope | null;
  readonly proof: Proof;
}

function sum(intervals: readonly Interval[], isOne: (interval: Interval) => boolean): number {
  return intervals.reduce((total, one) => total + (isOne(one) ? one.end_us - one.start_us : 0), 0);
}

function streamStatement(line: StreamLine): Json {
  const { stream, intervals, late, duplicates, reordered, outside } = line;
  const received = Math.max(0, line.packets - duplicates - late - outside);
  const lost = Math.max(0, line.lost - late);
  return {
    number: stream.number,
    label: stream.label,
    party: stream.party,
    codecs: [...(line.heard ?? [stream.codec])],
    expected: received + late + lost,
    received, late, lost, duplicates, reordered, outside,
    media_us: sum(intervals, ({ kind }) => kind === "media"),
    declared_us: sum(intervals, ({ kind }) => kind !== "media" && kind !== "undeclared_gap"),
    undeclared_us: sum(intervals, ({ kind }) => kind === "undeclared_gap"),
    gaps: intervals.filter(({ kind }) => kind !== "media").map(({ kind, start_us, end_us, cause, lost: missing, pause, grounds }) => ({
      kind, start_us, end_us, cause, lost: missing, pause: (pause ?? null) as Json, rules: grounds.map(({ rule }) => rule),
    })),
  };
}

/** `completeness.json`, as it has to be. `BadForm` where what it follows from cannot be read. */
export function completenessBytes({ manifest, manifestSha256, timeline, events, scope, proof }: Grounds): Bytes {
  const times = events.findLast((event) => event.type === "client_times");
  const clock = events.findLast((event) => event.type === "clock_checked");
  const { index, checkpoint } = proof;
  const { origin, size } = readUnverified(readNote(checkpoint).text);
  return utf8(writeJson({
    version: 1,
    recording: manifest.recording,
    provenance: manifest.provenance,
    verdict: timeline.verdict,
    part: scope && { excerpt: scope.excerpt as Json, redactions: scope.redactions.length },
    ours: { started: timeline.call_started, ended: timeline.call_ended, length_us: lengthOf(timeline), end: timeline.end },
    client: times ? { started: times.started ?? null, ended: times.ended ?? null } : null,
    clock: clock
      ? { source: clock.source, checked_at: clock.checked_at, offset_us: clock.offset_us, uncertainty_us: clock.uncertainty_us }
      : null,
    clock_steps: (timeline["clock_steps"] ?? []) as Json,
    streams: timeline.streams.map(streamStatement),
    log: { manifest_sha256: `sha256:${manifestSha256}`, origin, size: Number(size), index: Number(index) },
  }));
}

/** Whether a file with this SHA-256 is the statement. */
export function isCompleteness(grounds: Grounds, fileSha256: string | null): boolean {
  return fileSha256 === hex(sha256(completenessBytes(grounds)));
}
