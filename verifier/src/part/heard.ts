// Nothing that is shown may be made silent, or moved: what of a stream is heard is held against what is left out of it.

import { refuse } from "../base/bytes";
import { KIND_RTP, type OriginalFile } from "../journal/original";
import { readRtp } from "../journal/rtp";
import type { StreamLine, Timeline } from "../timeline/model";
import { momentOf, type Entry } from "./place";
import type { LeftOut, Passage, Redaction } from "./scope";
import { between, lengthOutside, united, type Stretch } from "./times";

/** How far a redaction reaches beyond what was asked, where nothing else explains what is unheard. */
const REACH_US = 15_000_000;
/** What each packet that was reordered explains of what is unheard. */
const REORDERED_US = 200_000;

/** What of its media intervals a stream lets nobody hear. */
function unheardOf({ intervals }: StreamLine, entries: readonly Entry[]): Stretch[] {
  const found: Stretch[] = [];
  let next = 0;
  for (const [place, interval] of intervals.entries()) {
    if (interval.kind !== "media") continue;
    let at = 0;
    const gap = (to: number): void => {
      if (to > at) found.push({ from: momentOf(interval, at), to: momentOf(interval, to) });
    };
    for (; next < entries.length && entries[next].interval === place; next += 1) {
      gap(Math.min(entries[next].tick, interval.samples));
      at = entries[next].endTick;
    }
    gap(interval.samples);
  }
  return united(found);
}

const stretchOf = ({ start_us, end_us }: Passage): Stretch => ({ from: start_us, to: end_us });

/** Times that entries have in common with their own redactions, each of these made longer. */
function explained(leftOut: readonly LeftOut[], asked: readonly Redaction[]): Stretch[] {
  return united(leftOut.flatMap(({ start_us, end_us, redactions }) => redactions.map((place) => ({
    from: Math.max(start_us, asked[place].start_us - REACH_US), to: Math.min(end_us, asked[place].end_us + REACH_US),
  }))));
}

function packetsShown(file: OriginalFile): number {
  let count = 0;
  for (let record = 0; record < file.count; record += 1) {
    const at = file.contentStart(record);
    if (file.kind(record) === KIND_RTP && readRtp(file.view, at, file.starts[record + 1] - at) !== null) count += 1;
  }
  return count;
}

export interface Heard {
  readonly line: StreamLine;
  readonly file: OriginalFile;
  readonly entries: readonly Entry[];
  readonly leftOut: readonly LeftOut[];
  readonly timeline: Timeline;
  readonly window: Passage;
  readonly redactions: readonly Redaction[];
}

/** Refuses where something is silent that was not left out, or more is shown and not heard than the whole has of that. */
export function checkHeard({ line, file, entries, leftOut, timeline, window, redactions }: Heard): void {
  const unheard = unheardOf(line, entries);
  if (lengthOutside(unheard, united(leftOut.map(stretchOf))) > 0) refuse("something is silent that was not left out");
  const within = between(unheard, window.start_us, window.end_us);
  const inside = leftOut.filter(({ is_outside }) => !is_outside);
  if (lengthOutside(within, united(inside.map(stretchOf))) > 0) refuse("something is silent that lies within the excerpt");
  const most = line.reordered * REORDERED_US;
  if (timeline.verdict !== "undeclared_gap" && lengthOutside(within, explained(inside, redactions)) > most) refuse("more is silent than was asked");
  const heard = entries.reduce((sum, { packets }) => sum + packets.length, 0);
  const inMedia = line.intervals.reduce((sum, { kind, packets }) => sum + (kind === "media" ? packets : 0), 0);
  if (packetsShown(file) - heard > Math.max(0, line.packets - inMedia) + timeline.stray_packets) refuse("more is shown and not heard than the whole has");
}
