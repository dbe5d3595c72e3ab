// What a copy of a part says of itself: what was asked for, what is left out, where the rest is heard.

import { count, flag, list, object, oneOf, orNull, readJson, text, type Reader } from "../base/json";
import { u16Number, version1 } from "../base/words";

export interface Passage {
  readonly start_us: number;
  readonly end_us: number;
}

export interface Redaction extends Passage {
  readonly streams: readonly number[];
  readonly reason: string;
  readonly legal_ground: string;
  readonly decided_by: string;
  readonly sound: "tone" | "silence";
}

export interface LeftOut extends Passage {
  readonly first_leaf: number;
  readonly leaf_count: number;
  readonly is_outside: boolean;
  readonly redactions: readonly number[];
}

export interface Placed {
  readonly interval: number;
  readonly tick: number;
  readonly format: number;
  readonly ticks: number;
  readonly first: number;
  readonly count: number;
}

export interface ScopeStream {
  readonly number: number;
  readonly left_out: readonly LeftOut[];
  readonly placed: readonly Placed[];
}

export interface Scope {
  readonly excerpt: Passage | null;
  readonly redactions: readonly Redaction[];
  readonly streams: readonly ScopeStream[];
}

const passage = { start_us: count, end_us: count };
const scope: Reader<Scope> = object({
  version: version1,
  excerpt: orNull(object(passage)),
  redactions: list(object({
    ...passage, streams: list(u16Number), reason: text, legal_ground: text, decided_by: text, sound: oneOf("tone", "silence"),
  })),
  streams: list(object({
    number: u16Number,
    left_out: list(object({ ...passage, first_leaf: count, leaf_count: count, is_outside: flag, redactions: list(count) })),
    placed: list(object({ interval: count, tick: count, format: count, ticks: count, first: count, count })),
  })),
});

/** The document as it stands; whether it can be true, `checkScope` says. */
export function readScope(bytes: Uint8Array): Scope {
  return scope(readJson(bytes));
}
