// The timeline as a drawing: a bar for each stream, kinds told apart by pattern and height as well as by colour.

import { clock } from "../base/clock";
import type { LeftOut } from "../part/scope";
import type { Interval, StreamLine } from "../timeline/model";
import { el, plain, svg } from "./dom";
import { say, sayWord } from "./text";

const WIDTH = 1_000;
const HEIGHT = 36;
/** Parts narrower than this are drawn this wide, so that a lost packet in an hour can be seen. */
const LEAST = 2;

export const PATTERNS: Record<string, string> = {
  media: "media", loss: "loss", dropped: "dropped", paused: "paused", not_started: "waiting", refused: "paused",
  silence_suppressed: "silence", awaiting_first_packet: "empty", after_last_packet: "empty", source_change: "loss",
  restart: "dropped", undeclared_gap: "gap", left_out: "left-out", outside_excerpt: "outside",
};

/** What of a stream is not in this copy. */
export type Omitted = (stream: number) => readonly LeftOut[];

function patterns(): SVGElement {
  const lines = (id: string, path: string): SVGElement =>
    svg("pattern", { id, width: 8, height: 8, patternUnits: "userSpaceOnUse" },
      svg("rect", { width: 8, height: 8, class: `ground ${id}` }), svg("path", { d: path, class: "line" }));
  return svg("defs", {},
    lines("p-loss", "M0 8L8 0"), lines("p-dropped", "M0 0L8 8M0 8L8 0"), lines("p-paused", "M2 0V8M6 0V8"),
    lines("p-silence", "M0 4H8"), lines("p-gap", "M0 2H8M0 6H8M2 0V8M6 0V8"), lines("p-waiting", "M3 4H5"), lines("p-empty", ""),
    lines("p-left-out", "M0 0H8V8H0ZM2 2H6V6H2Z"), lines("p-outside", "M0 8L8 0M-2 2L2 -2M6 10L10 6"));
}

interface Shape {
  readonly kind: string;
  readonly x: number;
  width: number;
}

/**
 * What is drawn: sound below, what is missing on top of it. However many intervals there are, of each kind
 * those that lie closer than can be seen are one shape.
 */
function visible(intervals: readonly Interval[], lengthUs: number): Shape[] {
  const last = new Map<string, Shape>();
  const sound: Shape[] = [];
  const gaps: Shape[] = [];
  for (const { kind, start_us, end_us } of intervals) {
    const isMedia = kind === "media";
    const x = (start_us / lengthUs) * WIDTH;
    const width = ((end_us - start_us) / lengthUs) * WIDTH;
    const before = last.get(kind);
    if (before && x - (before.x + before.width) < LEAST / 4) {
      before.width = Math.max(before.width, x + width - before.x);
      continue;
    }
    const shape = { kind, x: isMedia ? x : Math.min(x, WIDTH - LEAST), width: isMedia ? width : Math.max(width, LEAST) };
    last.set(kind, shape);
    (isMedia ? sound : gaps).push(shape);
  }
  return [...sound, ...gaps];
}

function rect(name: string, x: number, width: number): SVGElement {
  const isMedia = name === "media";
  return svg("rect", {
    x: x.toFixed(2), width: width.toFixed(2), y: isMedia ? 6 : 0, height: isMedia ? HEIGHT - 12 : HEIGHT,
    ...(isMedia ? {} : { fill: `url(#p-${name})` }), class: `part ${name}`,
  });
}

/** What is left out lies over everything: of sound that is not there, none is drawn. */
function omissions(passages: readonly LeftOut[], lengthUs: number): SVGElement[] {
  return passages.map(({ start_us, end_us, redactions }) => {
    const x = Math.min((start_us / lengthUs) * WIDTH, WIDTH - LEAST);
    return rect(redactions.length > 0 ? "left-out" : "outside", x, Math.max(LEAST, ((end_us - start_us) / lengthUs) * WIDTH));
  });
}

function bar(line: StreamLine, lengthUs: number, omitted: Omitted, seek: (us: number, stream: number) => void): HTMLElement {
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "bar", "aria-hidden": "true" }, patterns());
  for (const { kind, x, width } of visible(line.intervals, lengthUs)) {
    drawing.append(rect(PATTERNS[kind] ?? "gap", x, width));
  }
  drawing.append(...omissions(omitted(line.stream.number), lengthUs));
  drawing.addEventListener("click", (event) => {
    const box = drawing.getBoundingClientRect();
    seek(((event.clientX - box.left) / box.width) * lengthUs, line.stream.number);
  });
  return el("div", { class: "bar-frame" }, drawing);
}

export function streamName(line: StreamLine): string {
  const { number, party, codec } = line.stream;
  return `${say("stream")} ${number}${party === null ? "" : `, ${say("party")} ${plain(party, 40)}`} (${plain(codec, 40)})`;
}

function legend(lines: readonly StreamLine[], omitted: Omitted): HTMLElement {
  const kinds = new Set<string>(lines.flatMap(({ intervals }) => intervals.map(({ kind }) => kind)));
  const passages = lines.flatMap(({ stream }) => omitted(stream.number));
  if (passages.some(({ redactions }) => redactions.length > 0)) kinds.add("left_out");
  if (passages.some(({ redactions }) => redactions.length === 0)) kinds.add("outside_excerpt");
  return el("ul", { class: "legend", "aria-label": say("legend") }, ...[...kinds].map((kind) => {
    const name = PATTERNS[kind] ?? "gap";
    const sample = svg("svg", { viewBox: "0 0 24 16", class: "sample", "aria-hidden": "true" },
      svg("rect", { width: 24, height: 16, class: `part ${name}`, ...(name === "media" ? {} : { fill: `url(#p-${name})` }) }));
    return el("li", {}, sample, sayWord("", kind === "undeclared_gap" ? "undeclared_gap_kind" : kind));
  }));
}

export function drawTimeline(lines: readonly StreamLine[], lengthUs: number, omitted: Omitted, seek: (us: number, stream: number) => void): HTMLElement {
  const total = Math.max(1, lengthUs);
  return el("div", { class: "timeline" },
    ...lines.map((line) => el("div", { class: "row" },
      el("h3", {}, streamName(line)),
      bar(line, total, omitted, seek),
      el("p", { class: "scale", "aria-hidden": "true" }, el("span", {}, clock(0)), el("span", {}, clock(total / 2)), el("span", {}, clock(total))))),
    legend(lines, omitted));
}
