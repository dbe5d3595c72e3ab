// Going on with a track after the page was loaded again.

import { Refused } from "./server";
import type { Server, TrackAnswer } from "./server";
import type { TrackPlace } from "../frames/track";
import type { Kept, Spool, Tail } from "../store/spool";

/** A track to go on with. */
export interface Resumed {
  place: TrackPlace;
  /** Frames that were in no chunk. */
  tail: Tail | null;
  /** The next chunk that the server wants. */
  wanted: number;
  answer: TrackAnswer;
  /** Whether the end was asked for before. */
  isEnding: boolean;
}

async function goesOn(kept: Kept, tail: Tail | undefined, answer: TrackAnswer, spool: Spool): Promise<Resumed | null> {
  const common = { wanted: answer.next, answer, isEnding: kept.isEnding };
  if (answer.next > kept.next) {
    // The storage forgot what the server has: go on where the server stands.
    return { ...common, place: { track: kept.track, next: answer.next, chain: answer.chain, captured: kept.captured }, tail: null };
  }
  for (let number = answer.next; number < kept.next; number += 1) {
    if ((await spool.get(kept.track, number)) === undefined) return null;
  }
  return { ...common, place: { ...kept }, tail: tail?.track === kept.track ? tail : null };
}

/** The track that this browser recorded before, where the server still takes it; null where a new one is needed. */
export async function resume(server: Server, spool: Spool): Promise<Resumed | null> {
  const [kept, tail] = [await spool.kept(), await spool.tail()];
  if (!kept) return null;
  let answer: TrackAnswer;
  try {
    answer = await server.track(kept.track);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    await spool.clear();
    return null;
  }
  const resumed = answer.is_open === false ? null : await goesOn(kept, tail, answer, spool);
  if (!resumed) await spool.clear();
  return resumed;
}
