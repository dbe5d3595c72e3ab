// The report as a page: the verdict first, then who vouches, then the rest.

import { isOfClient } from "../journal/cause";
import { conclusionOf } from "../check/conclusion";
import type { Finding } from "../check/report";
import type { Interval } from "../timeline/model";
import { leftOutTable, omittedOf } from "./part";
import { drawTimeline } from "./drawing";
import { clock } from "../base/clock";
import { el, plain, type Child } from "./dom";
import type { BundleFacts, PageReport } from "./messages";
import { duration, exactClock, moment, pick, say, sayWord, type TextName } from "./text";

const GAPS_MAX = 500;

export type Seek = (us: number, stream: number) => void;

function section(name: TextName, ...children: Child[]): HTMLElement {
  return el("section", {}, el("h2", {}, say(name)), ...children);
}

function facts(rows: readonly (readonly [TextName, string | null])[]): HTMLElement {
  return el("dl", {}, ...rows.flatMap(([name, value]) =>
    value === null ? [] : [el("div", {}, el("dt", {}, say(name)), el("dd", {}, plain(value)))]));
}

/** The one sentence that matters, and whether it is good news. */
export function verdictOf(report: PageReport): { readonly text: string; readonly tone: "good" | "note" | "bad" } {
  if (report.certificate) {
    if (report.holds) return { text: say("certificateHolds"), tone: "good" };
    const hasNoKey = report.findings.some(({ code }) => code === "no_key");
    return { text: say(hasNoKey ? "certificateNoKey" : "certificateBroken"), tone: "bad" };
  }
  if (!report.holds || !report.bundle) return { text: pick(conclusionOf(null, false)), tone: "bad" };
  const { verdict } = report.bundle;
  const tone = verdict === "whole" ? "good" : verdict === "undeclared_gap" || verdict === "cut_short" ? "bad" : "note";
  const { isPart } = report.bundle;
  return { text: pick(conclusionOf(verdict, isPart)), tone: isPart && tone === "good" ? "note" : tone };
}

function table(head: readonly TextName[], rows: readonly (readonly Child[])[]): HTMLElement {
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": head.map(say).join(", ") },
    el("table", {},
      el("thead", {}, el("tr", {}, ...head.map((name) => el("th", { scope: "col" }, say(name))))),
      el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, cell)))))));
}

function brokenParts(findings: readonly Finding[]): HTMLElement | null {
  const broken = findings.filter(({ severity }) => severity === "Broken");
  if (broken.length === 0) return null;
  return section("brokenParts", table(["brokenCheck", "brokenPlace", "brokenWhat"], broken.map(({ check, place, code }) => [
    sayWord("", check), el("code", {}, plain(place, 100)), sayWord("code_", code),
  ])));
}

function whoVouches(report: PageReport): HTMLElement {
  const { key } = report;
  if (!key) return section("who", el("p", {}, say("keyNone")));
  const told: TextName = !key.isGiven ? "keyFromBundle" : report.holds ? "keyGiven" : "keyGivenBroken";
  return section("who",
    el("p", { class: key.isGiven ? "" : "caution" }, say(told)),
    facts([["keyName", key.name], ["fingerprint", key.fingerprint]]),
    el("p", {}, `${say("keyWhole")}: `, el("code", { class: "key" }, plain(key.text, 400))));
}

function whyOf(interval: Interval): string {
  const parts: string[] = [];
  if (interval.pause) {
    parts.push(sayWord("pause_", interval.pause.reason));
    if (interval.pause.party !== undefined) parts.push(plain(interval.pause.party, 40));
  } else if (interval.cause !== null) parts.push(sayWord("cause_", interval.cause));
  for (const ground of interval.grounds.slice(0, 3)) {
    parts.push(`${plain(document.documentElement.lang === "nl" ? ground.text_nl : ground.text_en)} (${plain(ground.articles.join(", "), 100)})`);
  }
  if (interval.lost > 0) parts.push(`${interval.lost} ${say(interval.lost === 1 ? "packet" : "packets")}`);
  return parts.join("; ");
}

const isGap = ({ kind }: Interval): boolean => kind !== "media" && kind !== "awaiting_first_packet" && kind !== "after_last_packet";

function gaps(bundle: BundleFacts, seek: Seek): HTMLElement {
  const found = bundle.streams.flatMap((line) => line.intervals.filter(isGap).map((interval) => ({ line, interval })));
  if (found.length === 0) return section("gaps", el("p", {}, say("noGaps")));
  found.sort((a, b) => a.interval.start_us - b.interval.start_us);
  const rows = found.slice(0, GAPS_MAX).map(({ line, interval }) => {
    const { number } = line.stream;
    const from = exactClock(interval.start_us, "start");
    const button = el("button", { type: "button", "aria-label": `${say("listen")}: ${say("stream")} ${number}, ${from}` }, say("listen"));
    button.addEventListener("click", () => seek(Math.max(0, interval.start_us - 2_000_000), number));
    // What a device left out was lost nowhere.
    const isLeftOut = interval.kind === "dropped" && interval.cause !== null && isOfClient(interval.cause);
    const kind = interval.kind === "undeclared_gap" ? "undeclared_gap_kind" : isLeftOut ? "paused" : interval.kind;
    return [
      String(number), sayWord("", kind), from, exactClock(interval.end_us, "end"), duration(interval.end_us - interval.start_us), whyOf(interval),
      bundle.heard.includes(number) ? button : "",
    ];
  });
  return section("gaps", found.length > GAPS_MAX ? el("p", {}, say("manyGaps")) : null,
    table(["stream", "what", "from", "to", "lasts", "why", "listen"], rows));
}

function checked(findings: readonly Finding[]): HTMLElement {
  const signs = { Ok: ["✓", "ok"], Warning: ["!", "warning"], Broken: ["✗", "isBroken"] } as const;
  return section("checked", el("ul", { class: "checks" }, ...findings.map(({ check, place, severity, code }) => {
    const [sign, word] = signs[severity];
    return el("li", { class: severity.toLowerCase() },
      el("span", { class: "sign", "aria-hidden": "true" }, sign), ` ${sayWord("", check)}, `, el("code", {}, plain(place, 100)),
      `: ${say(word)}${severity === "Ok" ? "" : `. ${sayWord("code_", code)}`}`);
  })));
}

function limits(bundle: BundleFacts | null): HTMLElement {
  const isStamped = bundle?.stamp?.isGiven ?? false;
  const names = [...(bundle?.isPart ? (["partLimit"] as const) : []), "limit1", "limit2", ...(isStamped ? [] : (["limit3"] as const)), "limit4"] as const;
  return section("limits", el("ul", {}, ...names.map((name) => el("li", {}, say(name)))));
}

function certificate(report: PageReport): HTMLElement | null {
  const found = report.certificate;
  if (!found) return null;
  const { statement } = found;
  if (!statement) return null;
  // Told from the statement that the log commits to, and not from the sentences beside it.
  const { was } = statement;
  const grounds = was?.grounds.map(({ rule, articles }) => `${articles.join(", ")} (${rule})`).join("; ");
  const copies = was?.copies.map(({ at, recipient }) => `${moment(at)}${recipient === undefined ? "" : ` (${recipient})`}`).join("; ");
  return section("destroyedStatement", facts([
    ["recording", statement.recording], ["howMuch", say(statement.scope === "sound" ? "soundAlone" : "wholeRecording")], ["recordedAt", was ? moment(was.recorded_at) : null], ["purpose", was?.purpose ? plain(was.purpose, 100) : null],
    ["term", was?.retention_term ? plain(was.retention_term, 100) : null], ["termEnd", was?.retain_until ? moment(was.retain_until) : null],
    ["process", was?.process_type ? plain(was.process_type, 100) : null],
    ["decidedHow", was ? say(was.asked_by_account ? "askedByAccount" : "askedByNobody") : null], ["ground", grounds ? plain(grounds, 1_000) : null],
    ["copiesGiven", copies === undefined ? null : plain(copies, 1_000) || say("noCopies")],
    ["keyDestroyed", moment(statement.key_destroyed_at)], ["completed", moment(statement.completed_at)],
    ["objects", String(statement.objects)], ["bytes", String(statement.bytes)], ["logSize", found.logSize],
  ]), el("p", {}, say("destroyedLimit")));
}

/** Everything below the verdict. `player` is put where people look for it. */
export function reportView(report: PageReport, player: HTMLElement | null, seek: Seek): DocumentFragment {
  const page = document.createDocumentFragment();
  const { bundle } = report;
  const parts: (HTMLElement | null)[] = [bundle && leftOutTable(bundle, table), brokenParts(report.findings), certificate(report), whoVouches(report)];
  if (bundle) {
    parts.push(section("facts", facts([
      ["recording", bundle.recording], ["origin", sayWord("origin_", bundle.provenance)], ["started", moment(bundle.callStarted)],
      ["length", bundle.streams.length > 0 ? clock(bundle.lengthUs) : null], ["made", bundle.made && moment(bundle.made)],
      ["inLog", bundle.inLogSince && moment(bundle.inLogSince)], ["logSize", bundle.logSize], ["receiptSize", bundle.receiptSize],
      [bundle.stamp?.isGiven ? "stampGiven" : "stampFromBundle", bundle.stamp && `${moment(bundle.stamp.moment)}, ${plain(bundle.stamp.authority, 100)}`],
    ])));
    if (bundle.streams.length > 0) {
      parts.push(gaps(bundle, seek));
      parts.push(section("timeline", el("p", {}, say("timelineHelp")),
        bundle.isPart ? el("p", {}, say("timelineStated")) : null,
        drawTimeline(bundle.streams, bundle.lengthUs, omittedOf(bundle.scope), seek)));
    }
    if (player) parts.push(player);
  }
  parts.push(checked(report.findings), limits(bundle));
  page.append(...parts.filter((part): part is HTMLElement => part !== null));
  return page;
}

