// A copy of a part: what is shown of it, and whether what it says of the rest can be true.

import { areEqual, BadForm, hex } from "../base/bytes";
import type { Event } from "../journal/events";
import type { OriginalFile } from "../journal/original";
import { checkScope, type PartStream } from "../part/check";
import { readScope, type Scope } from "../part/scope";
import { partRoot, readTree, type PartTree, type Run } from "../part/tree";
import { checkCover, lengthOf, readTimeline } from "../timeline/read";
import type { Timeline } from "../timeline/model";
import type { Bundle } from "./bundle";
import { ORIGINAL, originalName, SCOPE, TIMELINE, treeName } from "./list";
import type { Manifest, ManifestStream } from "./manifest";
import { checkEvents, isToldOf } from "./original";
import type { Findings } from "./report";

/** From here on it is told how far from its arrival a packet is heard. */
const FAR_US = 5_000_000;

/** Reads the scope, and warns that there is one: whatever holds, it holds of a part. */
export async function readScopeOf(bundle: Bundle, findings: Findings): Promise<Scope | null> {
  try {
    const scope = readScope(await bundle.content(SCOPE));
    findings.warn("Scope", SCOPE, "part");
    return scope;
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    findings.broken("Scope", SCOPE, "damaged", error.message);
    return null;
  }
}

/** All trees; null where one is missing or damaged. Each such one is named. */
export async function readTrees(bundle: Bundle, manifest: Manifest, findings: Findings): Promise<Run[][] | null> {
  const read: Run[][] = [];
  for (const { number } of manifest.streams) {
    const name = treeName(number);
    try {
      if (bundle.has(name)) read.push(readTree(await bundle.original(name), number));
      else findings.broken("Original", name, "missing");
    } catch (error) {
      if (!(error instanceof BadForm)) throw error;
      findings.broken("Original", name, "damaged", error.message);
    }
  }
  return read.length === manifest.streams.length ? read : null;
}

/** Whether no index occurs twice, and each is one of the recording. */
function areIndicesDifferent(files: readonly OriginalFile[], recordCount: number): boolean {
  const seen = new Set<number>();
  for (const file of files) {
    for (let record = 0; record < file.count; record += 1) {
      const index = file.index(record);
      if (index >= recordCount || seen.has(index)) return false;
      seen.add(index);
    }
  }
  return true;
}

/** What the tree of a stream gives; null, and named, where it does not fit the packets. */
function rootOf(runs: readonly Run[], file: OriginalFile, findings: Findings): PartTree | null {
  try {
    return partRoot(runs, file);
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    findings.broken("Original", treeName(file.stream), "damaged", error.message);
    return null;
  }
}

function checkStream(stated: ManifestStream, runs: readonly Run[], file: OriginalFile, findings: Findings): boolean {
  const tree = rootOf(runs, file, findings);
  if (tree === null) return false;
  const isSame = areEqual(tree.root, stated.root) && tree.leafCount === stated.leaf_count;
  findings.is(isSame, "Original", originalName(stated.number), "not_of_recording");
  return true;
}

/** Step 5 of a copy of a part. False where nothing follows from what there is. */
export function checkShown(
  bundle: Bundle,
  manifest: Manifest,
  files: readonly OriginalFile[],
  trees: readonly (readonly Run[])[],
  findings: Findings,
): boolean {
  findings.is(areIndicesDifferent(files, manifest.record_count), "Original", ORIGINAL, "index_missing");
  checkEvents(bundle, manifest, findings);
  const fit = manifest.streams.map((stated, i) => checkStream(stated, trees[i], files[i + 1], findings));
  return fit.every(Boolean);
}

function isTold(manifest: Manifest, timeline: Timeline): boolean {
  const { streams } = manifest;
  return (
    timeline.call_started === manifest.call_started && timeline.call_ended === manifest.call_ended &&
    timeline.verdict === manifest.verdict && timeline.streams.length === streams.length &&
    timeline.streams.every((line, i) => isToldOf(streams[i], line))
  );
}

/** Step 6 of a copy of a part: nobody can compute the timeline, but the manifest tells which one it is. */
export async function checkStated(bundle: Bundle, manifest: Manifest, findings: Findings): Promise<Timeline | null> {
  if (!bundle.has(TIMELINE)) {
    findings.broken("Timeline", TIMELINE, "missing");
    return null;
  }
  try {
    const timeline = readTimeline(await bundle.content(TIMELINE));
    checkCover(timeline, lengthOf(timeline));
    const isSame = bundle.sha256(TIMELINE) === hex(manifest.timeline_sha256) && isTold(manifest, timeline);
    findings.is(isSame, "Timeline", TIMELINE, "not_of_recording");
    return timeline;
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    findings.broken("Timeline", TIMELINE, "damaged", error.message);
    return null;
  }
}

/** Whether the scope can be true of what is shown; null, and named, where it cannot. */
export function checkPart(
  scope: Scope,
  timeline: Timeline,
  events: readonly Event[],
  files: readonly OriginalFile[],
  runs: readonly (readonly Run[])[],
  findings: Findings,
): readonly PartStream[] | null {
  try {
    const streams = checkScope({ scope, timeline, events, files, runs });
    findings.ok("Scope", SCOPE);
    const farthest = Math.max(0, ...streams.map(({ farthestUs }) => farthestUs));
    if (farthest > FAR_US) findings.warn("Scope", SCOPE, "heard_far", `${(farthest / 1_000_000).toFixed(1)} s`);
    return streams;
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    findings.broken("Scope", SCOPE, "scope_untrue", error.message);
    return null;
  }
}
