// The signed list of a bundle, and which files a bundle has.

import { refuse } from "../base/bytes";
import { id, readTime } from "../base/words";

export interface SignedList {
  readonly recording: string;
  readonly made: string;
  readonly isPart: boolean;
  readonly files: readonly { readonly name: string; readonly sha256: string }[];
}

export const BUNDLE_VERSION = "voicelog-bundle/v1";

export function readList(text: string): SignedList {
  const lines = text.slice(0, -1).split("\n");
  const [version, recording = "", made = "", copy = "", ...rows] = lines;
  if (version !== BUNDLE_VERSION) refuse(`not a bundle of a known version: ${String(version).slice(0, 40)}`);
  if (!recording.startsWith("recording ") || !made.startsWith("made ")) refuse("no list in its form");
  if (copy !== "copy whole" && copy !== "copy part") refuse("the list does not say whether it is of a whole copy");
  readTime(made.slice(5));
  const files = rows.map((row) => {
    const parts = /^([0-9a-f]{64}) {2}(\S+)$/.exec(row);
    return parts ? { sha256: parts[1] as string, name: parts[2] as string } : refuse("no list in its form");
  });
  if (new Set(files.map(({ name }) => name)).size !== files.length) refuse("a name occurs twice in the list");
  return { recording: id(recording.slice(10)), made: made.slice(5), isPart: copy === "copy part", files };
}

export const NOTE = "bundle.note";
export const README = "README.txt";
export const RECIPE = "recipe.txt";
export const VERIFIER = "verify.html";
export const VCON = "vcon.json";
export const POLICY = "policy.txt";
export const STAMPED = "timestamp.tlog-proof";
export const STAMP = "timestamp.tsr";
export const STAMP_ANCHORS = "timestamp.pem";
export const COMPLETENESS_PAPER = "completeness.pdf";
/** There only where the archive has them. */
const OPTIONAL = [VERIFIER, COMPLETENESS_PAPER, POLICY, STAMPED, STAMP, STAMP_ANCHORS];
export const COMPLETENESS_PAGE = "completeness.html";
export const COMPLETENESS = "completeness.json";
export const SCOPE = "scope.json";
export const MANIFEST = "manifest.json";
export const OPENING = "opening.json";
export const DECISION = "decision.json";
export const TIMELINE = "timeline.json";
export const PROOF = "checkpoint.tlog-proof";
export const KEY = "archive.vkey";
export const EVENTS = "original/events.journal";
/** The place of what is wrong with all files of the original together. */
export const ORIGINAL = "original/";
export const ALL_WAV = "audio/all.wav";
export const MIXED_WAV = "audio/mixed.wav";
export const SPANS = "audio/spans.json";

export const originalName = (stream: number): string => `original/${stream}.journal`;
export const treeName = (stream: number): string => `original/${stream}.tree`;
export const wavName = (stream: number): string => `audio/${stream}.wav`;
export const oggName = (stream: number): string => `audio/${stream}.opus`;

/** Every file that a bundle of these streams has, in order, up to the sound. Some are there only where `has` says so. */
export function filesOf(streams: readonly number[], isPart: boolean, has: (name: string) => boolean): string[] {
  const names = [
    NOTE, README, RECIPE, VERIFIER, COMPLETENESS_PAGE, COMPLETENESS_PAPER, COMPLETENESS, VCON, MANIFEST, OPENING, ...(isPart ? [SCOPE] : []),
    DECISION, TIMELINE, PROOF, KEY, POLICY, STAMPED, STAMP, STAMP_ANCHORS, EVENTS,
    ...streams.flatMap((stream) => [originalName(stream), ...(isPart ? [treeName(stream)] : [])]),
  ];
  return names.filter((name) => !OPTIONAL.includes(name) || has(name));
}

/** Whether a name is that of the sound of one stream. */
export function isStreamSound(name: string): boolean {
  return /^audio\/[0-9]+\.(wav|opus)$/.test(name);
}

/** Whether a name is one of those that the sound of these streams may have. */
export function isSoundOf(name: string, streams: readonly number[]): boolean {
  return name === ALL_WAV || name === MIXED_WAV || name === SPANS || streams.some((stream) => name === wavName(stream) || name === oggName(stream));
}

/** The sound among these names, in the order in which a bundle has it. */
export function soundOrder(names: readonly string[]): string[] {
  const place = (name: string): number => {
    if (name === ALL_WAV) return -2;
    if (name === MIXED_WAV) return -1;
    if (name === SPANS) return Number.POSITIVE_INFINITY;
    return Number(/^audio\/([0-9]+)\./.exec(name)?.[1] ?? 0) + (name.endsWith(".opus") ? 0.5 : 0);
  };
  return names.filter((name) => name.startsWith("audio/")).sort((a, b) => place(a) - place(b));
}
