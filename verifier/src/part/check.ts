// Whether a scope can be true: of this call, of these trees, of the packets that are shown.

import { refuse } from "../base/bytes";
import { readTime } from "../base/words";
import type { Event } from "../journal/events";
import type { OriginalFile } from "../journal/original";
import { lengthOf } from "../timeline/read";
import type { StreamLine, Timeline } from "../timeline/model";
import { checkHeard } from "./heard";
import { Placing, Steps, type Call, type Entry } from "./place";
import type { LeftOut, Passage, Scope, ScopeStream } from "./scope";
import type { Run } from "./tree";

const REDACTIONS_MAX = 1_000;
const TEXT_MAX = 500;

/** A stream of a copy of a part, in so far as it was shown to be true. */
export interface PartStream {
  readonly line: StreamLine;
  readonly file: OriginalFile;
  readonly runs: readonly Run[];
  readonly leftOut: readonly LeftOut[];
  readonly entries: readonly Entry[];
  /** How far from its arrival a packet is heard, at most. */
  readonly farthestUs: number;
}

function checkText(text: string): void {
  const length = [...text].length;
  // eslint-disable-next-line no-control-regex
  if (length < 1 || length > TEXT_MAX || text.trim() === "" || /\p{Cc}/u.test(text)) refuse("a text that is empty, too long or has a control character");
}

function checkPassage({ start_us, end_us }: Passage, lengthUs: number): void {
  if (start_us >= end_us || end_us > lengthUs) refuse("a passage that is empty or outside the call");
}

const grows = (numbers: readonly number[]): boolean => numbers.every((number, i) => i === 0 || number > numbers[i - 1]);

function checkAsked(scope: Scope, timeline: Timeline, lengthUs: number): void {
  const { excerpt, redactions } = scope;
  if (excerpt === null && redactions.length === 0) refuse("neither an excerpt nor a redaction");
  if (redactions.length > REDACTIONS_MAX) refuse("too many redactions");
  if (excerpt) checkPassage(excerpt, lengthUs);
  const known = new Set(timeline.streams.map(({ stream }) => stream.number));
  for (const redaction of redactions) {
    checkPassage(redaction, lengthUs);
    const { streams } = redaction;
    if (streams.length === 0 || !grows(streams) || !streams.every((stream) => known.has(stream))) refuse("a redaction of no such streams");
    for (const text of [redaction.reason, redaction.legal_ground, redaction.decided_by]) checkText(text);
  }
}

const isForTheSame = (a: LeftOut, b: LeftOut): boolean =>
  a.is_outside === b.is_outside && a.redactions.join() === b.redactions.join();

function checkLeftOut(found: readonly LeftOut[], number: number, scope: Scope, runs: readonly Run[], lengthUs: number): void {
  const merged: { firstLeaf: number; leaves: number }[] = [];
  let end = 0;
  for (const [i, entry] of found.entries()) {
    const { first_leaf, leaf_count, start_us, end_us, is_outside, redactions } = entry;
    if (start_us > end_us || end_us > lengthUs) refuse("what is left out ends before it starts, or after the call");
    if (i > 0 && first_leaf === end && isForTheSame(entry, found[i - 1])) refuse("what is left out is told in two pieces");
    if (leaf_count === 0 || first_leaf < end) refuse("what is left out is not in order");
    if (is_outside ? scope.excerpt === null : redactions.length === 0) refuse("something is left out for no reason");
    if (!grows(redactions)) refuse("redactions that do not grow");
    for (const place of redactions) {
      const redaction = scope.redactions[place] ?? refuse("no such redaction");
      if (!redaction.streams.includes(number)) refuse("a redaction of another stream");
    }
    const last = merged.at(-1);
    if (last && last.firstLeaf + last.leaves === first_leaf) last.leaves += leaf_count;
    else merged.push({ firstLeaf: first_leaf, leaves: leaf_count });
    end = first_leaf + leaf_count;
  }
  const hidden = runs.filter(({ isShown }) => !isShown);
  const isSame = hidden.length === merged.length && hidden.every((run, i) => run.firstLeaf === merged[i].firstLeaf && run.leaves === merged[i].leaves);
  if (!isSame) refuse("what is left out is not what the tree leaves out");
}

function partStream(told: ScopeStream, line: StreamLine, file: OriginalFile, runs: readonly Run[], scope: Scope, call: Call): PartStream {
  const { left_out: leftOut, number } = told;
  const { timeline, lengthUs } = call;
  checkLeftOut(leftOut, number, scope, runs, lengthUs);
  const placing = new Placing(line, file, runs, scope.redactions.filter(({ streams }) => streams.includes(number)), call);
  const entries = told.placed.map((placed) => placing.place(placed));
  placing.checkArrivals();
  const window = scope.excerpt ?? { start_us: 0, end_us: lengthUs };
  checkHeard({ line, file, entries, leftOut, timeline, window, redactions: scope.redactions });
  return { line, file, runs, leftOut, entries, farthestUs: placing.farthestUs };
}

export interface Shown {
  readonly scope: Scope;
  readonly timeline: Timeline;
  readonly events: readonly Event[];
  /** The file of events, then those of the streams, in the order of the manifest. */
  readonly files: readonly OriginalFile[];
  readonly runs: readonly (readonly Run[])[];
}

/** The streams of a copy of a part. `BadForm` where the scope cannot be true. */
export function checkScope({ scope, timeline, events, files, runs }: Shown): PartStream[] {
  const lengthUs = lengthOf(timeline);
  checkAsked(scope, timeline, lengthUs);
  const numbers = timeline.streams.map(({ stream }) => stream.number);
  if (scope.streams.length !== numbers.length) refuse("not every stream is told of");
  const call = { timeline, lengthUs, steps: new Steps(files[0], events), startUs: readTime(timeline.call_started) };
  return scope.streams.map((told, i) => {
    if (told.number !== numbers[i]) refuse("a stream that is not in its place");
    const at = files.findIndex(({ stream }) => stream === told.number);
    if (at < 1) refuse("a stream without a file");
    return partStream(told, timeline.streams[i], files[at], runs[at - 1], scope, call);
  });
}
