// Going on with a track after the page was loaded again.

import { Refused } from "./server";
import type { Server, TrackAnswer } from "./server";
import type { TimeAnswer } from "../frames/clock";
import { Track } from "../frames/track";
import type { TrackPlace } from "../frames/track";
import { leaveTrack } from "../store/spool";
import type { Kept, Spool, Tail, WhyLeft } from "../store/spool";

/** What the server says of a track, and what that says of its time. */
export interface TimedAnswer {
  answer: TrackAnswer;
  time: TimeAnswer;
}

/** Notes when an answer was asked for and when it came. */
export async function timed(ask: Promise<TrackAnswer>): Promise<TimedAnswer> {
  const asked = performance.now();
  const answer = await ask;
  return { answer, time: { asked, serverNow: answer.now_us, answered: performance.now() } };
}

/** A track to go on with. */
export interface Resumed extends TimedAnswer {
  place: TrackPlace;
  /** Frames that were in no chunk. */
  tail: Tail | null;
  /** The next chunk that the server wants. */
  wanted: number;
}

/** What the server takes no more of stays here, also what was in no chunk. */
async function leave(spool: Spool, kept: Kept, tail: Tail | null, from: number, why: WhyLeft): Promise<void> {
  let until = kept.next;
  if (tail) {
    const track = new Track(kept, spool, () => {}, () => {});
    track.takeTail(tail);
    until = (await track.finish()).chunks;
  }
  await leaveTrack(spool, kept.track, [from, until], why);
}

async function isWhole(kept: Kept, from: number, spool: Spool): Promise<boolean> {
  for (let number = from; number < kept.next; number += 1) {
    if ((await spool.get(kept.track, number)) === undefined) return false;
  }
  return true;
}

/**
 * The track that this browser recorded before, where the server still takes it; null where a new one is needed. Where the server
 * knows nobody here, it is not known which: that is thrown, and nothing is given up.
 */
export async function resume(server: Server, spool: Spool): Promise<Resumed | null> {
  const kept = await spool.kept();
  if (!kept) return null;
  const ownTail = await spool.tail();
  const tail = ownTail?.track === kept.track ? ownTail : null;
  let told: TimedAnswer;
  try {
    told = await timed(server.track(kept.track));
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) throw error;
    // Who is not known here is refused this too.
    await server.state(0);
    await leave(spool, kept, tail, 0, "not_yours");
    return null;
  }
  const { next, chain, is_open } = told.answer;
  if (is_open === false) {
    await leave(spool, kept, tail, next, "too_late");
    return null;
  }
  if (next > kept.next) {
    // The storage forgot what the server has: go on where the server stands.
    return { ...told, wanted: next, place: { track: kept.track, next, chain, captured: kept.captured }, tail: null };
  }
  if (!(await isWhole(kept, next, spool))) {
    await leave(spool, kept, tail, next, "torn");
    return null;
  }
  return { ...told, wanted: next, place: { ...kept }, tail };
}
