// What a report comes to, in one sentence: whether the bundle holds, and whether the conversation is whole.

import type { Verdict } from "../timeline/model";

/** In Dutch and in English. */
export type Both = readonly [nl: string, en: string];

const OF_WHOLE: Readonly<Record<Verdict, Both>> = {
  whole: ["De bundel klopt. Het gesprek is volledig: er ontbreekt niets.", "The bundle holds. The conversation is whole: nothing is missing."],
  whole_with_declared_gaps: ["De bundel klopt. Er ontbreken stukken, en van elk stuk staat er waarom.", "The bundle holds. Parts are missing, and for each part it says why."],
  cut_short: ["De bundel klopt, maar de opname stopte te vroeg. Misschien ging het gesprek daarna door.", "The bundle holds, but the recording stopped too early. The conversation may have gone on."],
  undeclared_gap: ["De bundel klopt, maar er ontbreekt iets zonder verklaring.", "The bundle holds, but something is missing and nothing explains it."],
  not_recorded: ["De bundel klopt. Van dit gesprek is niets opgenomen.", "The bundle holds. Nothing of this conversation was recorded."],
  not_drawn: ["De bundel klopt. Dit gesprek zat niet in de steekproef en is niet opgenomen.", "The bundle holds. This conversation was not in the sample and was not recorded."],
  not_requested: ["De bundel klopt. Niemand vroeg om dit gesprek te bewaren; het is niet opgenomen.", "The bundle holds. Nobody asked to keep this conversation; it was not recorded."],
};

// "Nothing is missing" is said of no copy from which something was left out.
const OF_PART: Readonly<Partial<Record<Verdict, Both>>> = {
  whole: [
    "Deze kopie klopt. Het hele gesprek is volledig opgenomen. Uit deze kopie is een deel weggelaten.",
    "This copy holds. The whole conversation was recorded completely. A part was left out of this copy.",
  ],
  whole_with_declared_gaps: [
    "Deze kopie klopt. Ook in de hele opname ontbreken stukken, en van elk stuk staat er waarom.",
    "This copy holds. Parts are missing from the whole recording too, and for each part it says why.",
  ],
  cut_short: ["Deze kopie klopt, maar de opname stopte te vroeg. Misschien ging het gesprek daarna door.", "This copy holds, but the recording stopped too early. The conversation may have gone on."],
  undeclared_gap: ["Deze kopie klopt, maar in de hele opname ontbreekt iets zonder verklaring.", "This copy holds, but something is missing from the whole recording and nothing explains it."],
};

const NOT_HELD: Both = ["Deze bundel klopt niet. Vertrouw de inhoud niet.", "This bundle does not hold. Do not trust what is in it."];

/** The sentence; `verdict` is null where the bundle does not hold. */
export function conclusionOf(verdict: Verdict | null, isPart: boolean): Both {
  if (verdict === null) return NOT_HELD;
  return (isPart ? OF_PART[verdict] : undefined) ?? OF_WHOLE[verdict];
}
