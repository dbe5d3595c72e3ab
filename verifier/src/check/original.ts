// Step 5: the files of the original are those of the recording.

import { areEqual, BadForm, hex } from "../base/bytes";
import { writeJson, type Json } from "../base/json";
import { OriginalFile, readEvents, walk } from "../journal/original";
import type { Event, Stream } from "../journal/events";
import type { Entry } from "../container/zip";
import type { StreamLine } from "../timeline/model";
import { computeTimeline, type Computed } from "../timeline/timeline";
import type { Bundle } from "./bundle";
import { EVENTS, MANIFEST, ORIGINAL, originalName } from "./list";
import { shareOut, type Hand } from "./hands";
import type { Manifest, ManifestStream } from "./manifest";
import type { Findings } from "./report";
import type { Progress } from "./verify";

/** The files of the original, in the order of the manifest. */
export interface Journals {
  /** Null where one of them is missing or damaged: then nothing follows from the others. */
  readonly files: readonly OriginalFile[] | null;
  readonly events: readonly Event[] | null;
}

/** Whether the manifest tells of a stream what the events do. */
function isSameStream(stated: ManifestStream, found: Stream): boolean {
  const { root: _, leaf_count: __, packets: ___, payload_bytes: ____, ...stream } = stated;
  return writeJson(stream as unknown as Json) === writeJson(found as unknown as Json);
}

/** Whether the manifest tells of a stream what the timeline does. */
export function isToldOf(stated: ManifestStream, line: StreamLine): boolean {
  return isSameStream(stated, line.stream) && line.packets === stated.packets && line.payload_bytes === stated.payload_bytes;
}

async function readFile(bundle: Bundle, stream: number, findings: Findings): Promise<OriginalFile | null> {
  const name = stream === 0 ? EVENTS : originalName(stream);
  if (!bundle.has(name)) {
    findings.broken("Original", name, "missing");
    return null;
  }
  try {
    return new OriginalFile(await bundle.original(name), stream);
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    findings.broken("Original", name, "damaged", error.message);
    return null;
  }
}

function readAllEvents(file: OriginalFile, findings: Findings): Event[] | null {
  try {
    return readEvents(file);
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    findings.broken("Original", EVENTS, "damaged", error.message);
    return null;
  }
}

export async function readJournals(bundle: Bundle, manifest: Manifest, findings: Findings): Promise<Journals> {
  const numbers = new Set(manifest.streams.map(({ number }) => number));
  if (numbers.size < manifest.streams.length) {
    findings.broken("Original", MANIFEST, "damaged", "a stream that is there twice");
    return { files: null, events: null };
  }
  const read: (OriginalFile | null)[] = [];
  for (const number of [0, ...manifest.streams.map((stream) => stream.number)]) {
    read.push(await readFile(bundle, number, findings));
  }
  const events = read[0] ? readAllEvents(read[0], findings) : null;
  const files = read.filter((file) => file !== null);
  return { files: events === null || files.length < read.length ? null : files, events };
}

export function checkEvents(bundle: Bundle, manifest: Manifest, findings: Findings): void {
  findings.is(bundle.sha256(EVENTS) === hex(manifest.events_sha256), "Original", EVENTS, "not_of_recording");
}

/** Checks the files of a whole copy; null where an index is missing or without the salt: nothing follows then. */
export async function checkOriginal(
  bundle: Bundle,
  manifest: Manifest,
  files: readonly OriginalFile[],
  events: readonly Event[],
  treeSalt: Uint8Array | null,
  hands: readonly Hand[],
  findings: Findings,
  progress: Progress,
): Promise<Computed | null> {
  const records = files.reduce((sum, file) => sum + file.count, 0);
  const isWhole = walk(files, () => {});
  findings.is(isWhole && records === manifest.record_count, "Original", ORIGINAL, "index_missing");
  if (!isWhole || treeSalt === null) return null;
  checkEvents(bundle, manifest, findings);
  const tasks = manifest.streams.map(({ number }) => {
    const { start, end } = bundle.entry(originalName(number)) as Entry;
    return { what: "tree" as const, from: start, to: end, stream: number, salt: treeSalt };
  });
  // The helpers, where there are any, are at the trees while the timeline is computed here.
  const trees = shareOut(hands, tasks);
  const computed = computeTimeline(files, events);
  progress(0.6, "original");
  const found = await trees;
  manifest.streams.forEach((stream, i) => {
    const { root, leafCount } = found[i];
    const line = computed?.timeline.streams.find((other) => other.stream.number === stream.number);
    const isSame = line !== undefined && isToldOf(stream, line) && areEqual(root, stream.root) && leafCount === stream.leaf_count;
    findings.is(isSame, "Original", originalName(stream.number), "not_of_recording");
  });
  return computed;
}
