// Lies in a copy of a part: any document of it changed, and all that follows from that made right again, signed by
// another key. Only the archive itself could do this with its own.

import { createHmac } from "node:crypto";
import { core } from "../../core.mjs";
import { digest, json, MADE, makeKey, proofOf, sha256, signedEntries, statement } from "./make.mjs";
import { vconOf } from "./vcon.mjs";
import { readZip, writeZip } from "./zip.mjs";

const DOCUMENTS = { manifest: "manifest.json", timeline: "timeline.json", scope: "scope.json", opening: "opening.json" };

/**
 * Makes a copy of a part once more. `change` gets its documents and its files by name, and may alter any; the manifest
 * then gets the hash of the timeline, unless `keepsHash`, and leaf, proof, statement and list are made of what there is.
 */
export function remade(bundle, change, { key = makeKey(), keepsHash = false, cosign = () => "" } = {}) {
  const files = new Map(readZip(bundle).map(({ name, content }) => [name, Buffer.from(content)]));
  const read = (name) => JSON.parse(files.get(name).toString());
  const documents = Object.fromEntries(Object.entries(DOCUMENTS).map(([name, file]) => [name, files.has(file) ? read(file) : null]));
  change?.(documents, files);
  const { manifest, timeline, scope, opening } = documents;
  if (!keepsHash) manifest.timeline_sha256 = digest(sha256(json(timeline)));
  const commitment = createHmac("sha256", Buffer.from(opening.commitment_salt, "hex")).update(sha256(json(manifest))).digest();
  opening.leaf.commitment = digest(commitment);
  const proof = proofOf(opening.leaf, key, key.name, cosign);
  const events = core.readEvents(new core.OriginalFile(new Uint8Array(files.get("original/events.journal")), 0));
  for (const [name, file] of Object.entries(DOCUMENTS)) if (documents[name]) files.set(file, json(documents[name]));
  files.set("checkpoint.tlog-proof", proof);
  files.set("archive.vkey", Buffer.from(`${key.text}\n`));
  if (files.has("completeness.json")) {
    files.set("completeness.json", statement({ manifest, manifestBytes: json(manifest), timeline, events, scope, proof }));
  }
  if (files.has("vcon.json")) {
    const all = [...files].map(([name, content]) => ({ name, content }));
    files.set("vcon.json", vconOf(all, { recording: manifest.recording, archive: key.name, made: MADE }));
  }
  const entries = [...files].filter(([name]) => name !== "bundle.note").map(([name, content]) => ({ name, content }));
  return writeZip(signedEntries(entries, manifest.recording, key, undefined, scope ? "part" : "whole"));
}

const first = ({ scope }) => scope.streams.find(({ placed }) => placed.length > 0);

/** Changes of a copy of a part that somebody with the archive's key could make. */
const LIES = {
  nothing: () => {},
  "manifest of another start": ({ manifest }) => (manifest.call_started = "2026-11-21T10:01:59.000000Z"),
  "manifest of another end": ({ manifest }) => (manifest.call_ended = "2026-11-21T10:09:59.000000Z"),
  "manifest of another verdict": ({ manifest }) => (manifest.verdict = "whole"),
  "manifest of another party": ({ manifest }) => (manifest.streams[0].party = "p9"),
  "manifest of another codec": ({ manifest }) => (manifest.streams[0].codec = "G722/8000"),
  "manifest of more leaves": ({ manifest }) => (manifest.streams[0].leaf_count += 1),
  "manifest of fewer records": ({ manifest }) => (manifest.record_count = 3),
  "manifest of another root": ({ manifest }) => (manifest.streams[0].root = `sha256:${"1".repeat(64)}`),
  "manifest of a stream less": ({ manifest }) => manifest.streams.pop(),
  "timeline of another party": ({ timeline }) => (timeline.streams[0].stream.party = "p9"),
  "timeline of a stream less": ({ timeline }) => timeline.streams.pop(),
  "timeline of another version": ({ timeline }) => (timeline.version = 2),
  "timeline with a member more": ({ timeline }) => (timeline.more = 1),
  "timeline of another interval": ({ timeline }) => (timeline.streams[0].intervals.find(({ kind }) => kind === "media").kind = "silence_suppressed"),
  "timeline without samples": ({ timeline }) => (timeline.streams[0].intervals.find(({ kind }) => kind === "media").samples = 0),
  "opening with a salt": ({ opening }) => (opening.tree_salt = "03".repeat(32)),
  "opening of another recording": ({ opening }) => (opening.leaf.object = "01a1fd8e-3dc0-7707-8707-070707070708"),
  "opening of another version": ({ opening }) => (opening.version = 2),
  "scope of another version": ({ scope }) => (scope.version = 2),
  "scope with a member more": ({ scope }) => (scope.more = null),
  "scope of a stream more": ({ scope }) => scope.streams.push({ number: 9, left_out: [], placed: [] }),
  "scope of streams turned around": ({ scope }) => scope.streams.reverse(),
  "scope with an empty excerpt": ({ scope }) => (scope.excerpt = { start_us: 5, end_us: 5 }),
  "scope with an excerpt behind the end": ({ scope }) => (scope.excerpt = { start_us: 0, end_us: 9_000_000_000 }),
  "scope with an excerpt of everything": ({ scope, manifest }) =>
    (scope.excerpt = { start_us: 0, end_us: (Date.parse(manifest.call_ended) - Date.parse(manifest.call_started)) * 1_000 }),
  "scope without a ground": ({ scope }) => (scope.redactions[0].legal_ground = ""),
  "scope with a blank ground": ({ scope }) => (scope.redactions[0].legal_ground = " \u3000"),
  "scope with a long reason": ({ scope }) => (scope.redactions[0].reason = "x".repeat(501)),
  "scope with a reason of 500 wide characters": ({ scope }) => (scope.redactions[0].reason = "\u{1f600}".repeat(500)),
  "scope with a control character": ({ scope }) => (scope.redactions[0].decided_by = "a\u0085b"),
  "scope with a newline": ({ scope }) => (scope.redactions[0].decided_by = "a\nb"),
  "scope with another sound": ({ scope }) => (scope.redactions[0].sound = "music"),
  "scope with tone for silence": ({ scope }) => (scope.redactions[0].sound = scope.redactions[0].sound === "tone" ? "silence" : "tone"),
  "scope with streams twice": ({ scope }) => (scope.redactions[0].streams = [1, 1]),
  "scope without streams": ({ scope }) => (scope.redactions[0].streams = []),
  "scope of a stream that is not": ({ scope }) => scope.redactions[0].streams.push(9),
  "scope that redacts nothing": ({ scope }) => (scope.redactions[0].end_us = scope.redactions[0].start_us),
  "scope of a far redaction": ({ scope }) => ((scope.redactions[0].start_us = 0), (scope.redactions[0].end_us = 1)),
  "scope with a leaf less": (documents) => (documents.scope.streams.find(({ left_out }) => left_out.length > 0).left_out[0].leaf_count -= 1),
  "scope with a passage split": ({ scope }) => {
    const { left_out } = scope.streams.find(({ left_out: found }) => found.some(({ leaf_count }) => leaf_count > 1));
    const at = left_out.findIndex(({ leaf_count }) => leaf_count > 1);
    const { leaf_count, first_leaf, ...rest } = left_out[at];
    left_out.splice(at, 1, { ...rest, first_leaf, leaf_count: 1 }, { ...rest, first_leaf: first_leaf + 1, leaf_count: leaf_count - 1 });
  },
  "scope with an empty passage": ({ scope }) => {
    const passage = scope.streams.find(({ left_out }) => left_out.length > 0).left_out[0];
    passage.end_us = passage.start_us;
  },
  "scope with a passage behind the end": ({ scope }) => (scope.streams.find(({ left_out }) => left_out.length > 0).left_out.at(-1).end_us = 9_000_000),
  "scope with a reason twice": ({ scope }) => {
    const passage = scope.streams.flatMap(({ left_out }) => left_out).find(({ redactions }) => redactions.length > 0);
    passage.redactions = [passage.redactions[0], passage.redactions[0]];
  },
  "scope with a reason that is not": ({ scope }) => (scope.streams.find(({ left_out }) => left_out.length > 0).left_out[0].redactions = [99]),
  "scope with an outside that is none": ({ scope }) => (scope.streams.find(({ left_out }) => left_out.length > 0).left_out[0].is_outside = true),
  "placed nowhere": (documents) => (first(documents).placed[0].interval = 999),
  "placed where no media is": (documents) => (first(documents).placed[0].interval = 0),
  "placed in reverse": (documents) => first(documents).placed.reverse(),
  "placed a tick later": (documents) => (first(documents).placed.at(-1).tick += 1),
  "placed behind the samples": (documents) => (first(documents).placed.at(-1).tick += 1_000_000),
  "placed at the end of the samples": (documents) => {
    const { number, placed } = first(documents);
    const { intervals } = documents.timeline.streams.find(({ stream }) => stream.number === number);
    placed.at(-1).tick = intervals[placed.at(-1).interval].samples;
  },
  "placed one packet less": (documents) => (first(documents).placed.at(-1).count -= 1),
  "placed no packets": (documents) => (first(documents).placed.at(-1).count = 0),
  "placed with other lengths": (documents) => (first(documents).placed[0].ticks = 161),
  "placed without length": (documents) => (first(documents).placed[0].ticks = 0),
  "placed as comfort noise": (documents) => (first(documents).placed[0].format = 2),
  "placed as no format": (documents) => (first(documents).placed[0].format = 99),
  "placed as the other format": (documents) => (first(documents).placed[0].format = first(documents).placed[0].format === 0 ? 3 : 0),
  "placed the packets of a neighbour": (documents) => (first(documents).placed[0].first += 1),
  "placed a packet too many": (documents) => (first(documents).placed[0].count += 1),
  "placed nothing at all": ({ scope }) => scope.streams.forEach((stream) => (stream.placed = [])),
  "a tree without runs": (_, files) => files.set("original/1.tree", files.get("original/1.tree").subarray(0, 12)),
  "a tree of another stream": (_, files) => files.get("original/1.tree").writeUInt16BE(7, 10),
  "a tree with a packet less": (_, files) => moved(files, -1n),
  "a tree with a packet more": (_, files) => moved(files, 1n),
  "a tree of too many leaves": (_, files) => files.get("original/1.tree").writeBigUInt64BE(1n << 60n, 13),
  "a tree of no leaves": (_, files) => files.get("original/1.tree").writeBigUInt64BE(0n, 13),
  "a tree with another kind of run": (_, files) => (files.get("original/1.tree")[12] = 2),
  "a tree with a byte more": (_, files) => files.set("original/1.tree", Buffer.concat([files.get("original/1.tree"), Buffer.from([0])])),
  "a file without its last packet": (_, files) => shortened(files),
  "a file with an index twice": (_, files) => files.get("original/2.journal").set(files.get("original/1.journal").subarray(12, 20), 12),
  "no statement": (_, files) => files.delete("completeness.json"),
};

/** Lies that the document refuses and `voicelog verify` does not, or names elsewhere: they are not held against it. */
export const REFUSED_HERE = {
  "manifest of more packets": ({ manifest }) => (manifest.streams[0].packets += 1),
  "manifest of more bytes": ({ manifest }) => (manifest.streams[0].payload_bytes += 1),
  "timeline of more packets": ({ timeline }) => (timeline.streams[0].packets += 1),
  "timeline with a hole": ({ timeline }) => timeline.streams[0].intervals.pop(),
  "timeline without intervals": ({ timeline }) => (timeline.streams[0].intervals = []),
  "timeline that overlaps": ({ timeline }) => (timeline.streams[0].intervals[0].end_us += 1),
  "scope with a passage that ends before it starts": ({ scope }) => {
    const passage = scope.streams.find(({ left_out }) => left_out.length > 0).left_out[0];
    [passage.start_us, passage.end_us] = [passage.end_us, passage.start_us];
  },
};

/** The count of packets of the first shown run, changed. */
function moved(files, by) {
  const tree = files.get("original/1.tree");
  let at = 12;
  while (tree[at] === 0) {
    // Behind a run that is left out: the number of its subtrees is not told, so look for the next shown run that fits.
    at += 9 + 32;
    while (at < tree.length && !(tree[at] === 1 && tree.readBigUInt64BE(at + 1) < 100_000n && tree.readBigUInt64BE(at + 9) < 100_000n)) at += 32;
  }
  if (at + 17 <= tree.length) tree.writeBigUInt64BE(tree.readBigUInt64BE(at + 9) + by, at + 9);
}

function shortened(files) {
  const bytes = files.get("original/1.journal");
  let at = 12;
  let last = 12;
  while (at < bytes.length) {
    last = at;
    at += 21 + bytes.readUInt32BE(at + 17);
  }
  files.set("original/1.journal", bytes.subarray(0, last));
}

/** Each lie that can be told of this bundle. */
export function* lyingParts(bundle, of) {
  for (const [name, lie] of Object.entries(LIES)) {
    for (const keepsHash of name.startsWith("timeline") ? [false, true] : [false]) {
      let made = null;
      try {
        made = remade(bundle, lie, { keepsHash });
      } catch (error) {
        // A lie about something that this bundle does not have.
        if (!(error instanceof TypeError)) throw error;
      }
      if (made) yield [`${of} ${name}${keepsHash ? " under its old hash" : ""}`, made];
    }
  }
}
