// What a device shall do, by the state of the talk alone.

import type { PartyState, State } from "./server";

export type Want =
  /** This device records nothing. */
  | "nothing"
  /** Its microphone is open and what it hears is kept. */
  | "record"
  /** A pause: its microphone is open, and nothing is kept. */
  | "hold"
  /** It does not record now, and may again. */
  | "off"
  /** It has done its part: what is left goes to the server, and no more is captured. */
  | "stop";

export function meIn(state: State): PartyState | undefined {
  return state.parties.find((party) => party.id === state.me);
}

export function wantOf(state: State): Want {
  const me = meIn(state);
  if (state.phase === "ended") return "stop";
  // Nobody records a talk that they take no part in.
  if (!me?.is_there) return "stop";
  if (!state.is_host && me.choice !== "records_too") return me.tracks.length > 0 ? "off" : "nothing";
  if (state.phase === "recording") return "record";
  return state.phase === "paused" ? "hold" : "off";
}
