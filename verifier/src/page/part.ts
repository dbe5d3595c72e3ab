// What a page says first of a copy of a part: that it is one, and then what was left out of it, why and by whom.

import { edgeText } from "../base/clock";
import type { LeftOut, Redaction, Scope } from "../part/scope";
import { el, plain } from "./dom";
import type { BundleFacts, PageReport } from "./messages";
import { duration, exactClock, point, say, sayWord, type TextName } from "./text";

const PASSAGES_MAX = 500;

function title(scope: Scope | null): TextName {
  if (scope === null) return "partUnread";
  if (scope.excerpt === null) return "partRedacted";
  return scope.redactions.length > 0 ? "partBoth" : "partExcerpt";
}

/** From when to when, of how much: in the words that the sound files have too. */
function range({ excerpt }: Scope, lengthUs: number): HTMLElement | null {
  if (excerpt === null) return null;
  const [from, to, length] = [edgeText(excerpt.start_us, "start", point()), edgeText(excerpt.end_us, "end", point()), edgeText(lengthUs, "end", point())];
  const words = [say("partRange"), from, say("partUntil"), to, say("partOf"), length];
  return el("p", { class: "range" }, words.join(" "));
}

/** Above everything else; null of a whole copy. */
export function partBanner(report: PageReport): HTMLElement | null {
  const { bundle } = report;
  if (!bundle?.isPart) return null;
  return el("section", { id: "part" },
    el("h2", {}, say(title(bundle.scope))),
    bundle.scope && bundle.lengthUs > 0 ? range(bundle.scope, bundle.lengthUs) : null,
    el("p", {}, say(report.holds ? "partMeans" : "partBroken")));
}

/** When a redaction is really left out: the passages of its streams that it made. */
function leftOutFor(scope: Scope, place: number): readonly LeftOut[] {
  return scope.streams.flatMap(({ left_out }) => left_out.filter(({ redactions }) => redactions.includes(place)));
}

function row(scope: Scope, redaction: Redaction, place: number): string[] {
  const made = leftOutFor(scope, place);
  const from = made.reduce((least, { start_us }) => Math.min(least, start_us), redaction.start_us);
  const to = made.reduce((most, { end_us }) => Math.max(most, end_us), redaction.end_us);
  return [
    exactClock(redaction.start_us, "start"), exactClock(redaction.end_us, "end"), duration(redaction.end_us - redaction.start_us),
    redaction.streams.join(", "), plain(redaction.reason, 500), plain(redaction.legal_ground, 500), plain(redaction.decided_by, 500),
    sayWord("sound_", redaction.sound),
    made.length > 0 ? `${exactClock(from, "start")} – ${exactClock(to, "end")}` : "–",
  ];
}

/** Each passage that was left out: when, why, on what ground, and who decided it. */
export function leftOutTable(bundle: BundleFacts, table: (head: readonly TextName[], rows: readonly (readonly string[])[]) => HTMLElement): HTMLElement | null {
  const { scope } = bundle;
  if (scope === null) return null;
  const { redactions } = scope;
  const heading = el("h2", {}, say("leftOutTitle"));
  if (redactions.length === 0) return el("section", {}, heading, el("p", {}, say("leftOutNone")));
  const rows = redactions.slice(0, PASSAGES_MAX).map((redaction, place) => row(scope, redaction, place));
  const head: TextName[] = ["from", "to", "lasts", "streams", "reason", "legalGround", "decidedBy", "heardAs", "goneFrom"];
  return el("section", {}, heading, table(head, rows), el("p", { class: "small" }, say("leftOutExact")));
}

/** What of a stream is not in this copy. */
export function omittedOf(scope: Scope | null): (stream: number) => readonly LeftOut[] {
  const byNumber = new Map(scope?.streams.map(({ number, left_out }) => [number, left_out]));
  return (stream) => byNumber.get(stream) ?? [];
}
