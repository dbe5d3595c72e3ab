// Makes bundles that are consistent and signed by a key of its own: from records to the ZIP, as
// design/evidence-format.md says. What it makes must hold in the Rust verifier too.

import { createHash, createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { core } from "../../core.mjs";
import { vconOf } from "./vcon.mjs";
import { writeZip } from "./zip.mjs";

export const sha256 = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
export const json = (value) => Buffer.from(core.writeJson(value));
export const digest = (bytes) => `sha256:${bytes.toString("hex")}`;

const keyId = (name, purpose, raw) => sha256(Buffer.from(name), Buffer.from([0x0a, purpose]), raw).subarray(0, 4);
const keyText = (name, purpose, raw) =>
  `${name}+${keyId(name, purpose, raw).toString("hex")}+${Buffer.concat([Buffer.from([purpose]), raw]).toString("base64")}`;

/** A key made of a seed, with a name. */
export function makeKey(name = "test.example/log", seed = 7) {
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, seed)]);
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const raw = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  return { name, key, raw, id: keyId(name, 1, raw), text: keyText(name, 1, raw), witness: keyText(name, 4, raw) };
}

export function signNote(text, { name, key, id }) {
  const signature = sign(null, Buffer.from(text), key);
  return Buffer.from(`${text}\n\u2014 ${name} ${Buffer.concat([id, signature]).toString("base64")}\n`);
}

/** `records`: `{ stream, time, kind, content }` in order; a stream of 0 is an event (an object). */
export function originals(records, streams) {
  const files = new Map([0, ...streams].map((stream) => [stream, []]));
  records.forEach(({ stream, time, kind, content }, index) => {
    const bytes = stream === 0 ? json(content) : content;
    const head = Buffer.alloc(21);
    head.writeBigUInt64BE(BigInt(index), 0);
    head.writeBigInt64BE(BigInt(time), 8);
    head[16] = stream === 0 ? 0 : kind;
    head.writeUInt32BE(bytes.length, 17);
    files.get(stream).push(head, bytes);
  });
  return new Map([...files].map(([stream, parts]) => {
    const head = Buffer.from("VLOG-ORG\x00\x01\x00\x00", "latin1");
    head.writeUInt16BE(stream, 10);
    return [stream, Buffer.concat([head, ...parts])];
  }));
}

// A block is good until the next one is asked for, so each is copied.
const bytesOf = (blocks) => Buffer.concat(Array.from(blocks, (block) => Buffer.from(Buffer.from(block.buffer, block.byteOffset, block.byteLength))));

const NO_VCON = Buffer.from("{}");
export const MADE = "2026-11-21T11:02:00.000000Z";

/** Everything that a bundle of these records is made of: `change` may alter any of it on the way. */
export function makeBundle(records, { key = makeKey(), change = {}, recording = "01a1fd8e-3dc0-7707-8707-070707070707" } = {}) {
  const numbers = [...new Set(records.flatMap(({ stream, content }) => (stream === 0 && content.stream?.number ? [content.stream.number] : [])))].sort((a, b) => a - b);
  const known = numbers.slice(0, 16);
  const original = originals(records, known);
  const files = [...original].map(([stream, bytes]) => new core.OriginalFile(new Uint8Array(bytes), stream));
  const computed = core.computeTimeline(files, core.readEvents(files[0]));
  let timeline = computed.timeline;
  timeline = change.timeline?.(structuredClone(timeline)) ?? timeline;
  const treeSalt = Buffer.alloc(32, 3);
  const commitmentSalt = Buffer.alloc(32, 4);
  const rulebook = Buffer.alloc(32, 5);
  const decision = json({ outcome: "permitted", rulebook: { hash: digest(rulebook), id: "nl" } });
  const timelineBytes = json(timeline);
  let manifest = {
    version: 1, recording, provenance: "phone",
    call_started: timeline.call_started, call_ended: timeline.call_ended, verdict: timeline.verdict,
    streams: timeline.streams.map((line) => {
      const file = files.find(({ stream }) => stream === line.stream.number);
      const { root, leafCount } = core.treeOf(file, treeSalt);
      return { ...line.stream, root: digest(Buffer.from(root)), leaf_count: leafCount, packets: line.packets, payload_bytes: line.payload_bytes };
    }),
    segments: [], record_count: records.length, events_sha256: digest(sha256(original.get(0))),
    timeline_sha256: digest(sha256(timelineBytes)), decision_sha256: digest(sha256(decision)),
    rulebook_hash: digest(rulebook), tool: "test 0",
  };
  manifest = change.manifest?.(manifest) ?? manifest;
  const manifestBytes = json(manifest);
  let leaf = {
    v: 1, type: "recorded", at: timeline.call_ended, object: recording,
    commitment: digest(createHmac("sha256", commitmentSalt).update(sha256(manifestBytes)).digest()),
  };
  leaf = change.leaf?.(leaf) ?? leaf;
  const proof = proofOf(leaf, key, change.origin);
  const opening = json({ version: 1, commitment_salt: commitmentSalt.toString("hex"), tree_salt: treeSalt.toString("hex"), leaf });
  const rendering = core.renderingOf(computed, files);
  const heard = rendering.voices.filter(({ form }) => form.hasSound);
  const isInOgg = core.isInOgg(rendering, manifest.provenance);
  const sound = isInOgg ? rendering.voices.map(({ form, ogg }) => ({ name: `audio/${form.number}.opus`, content: Buffer.from(ogg()) })) : [];
  if (heard.length > 0 && !isInOgg) {
    const all = core.allForm(heard.map(({ form }) => form), computed.lengthUs);
    const blocks = core.sideBySide(all, heard.map((voice) => ({ form: voice.form, blocks: voice.blocks() })));
    sound.push({ name: "audio/all.wav", content: Buffer.concat([core.wavHeader(all), bytesOf(blocks)]) });
    if (all.channels > 2) {
      const again = core.sideBySide(all, heard.map((voice) => ({ form: voice.form, blocks: voice.blocks() })));
      sound.push({ name: "audio/mixed.wav", content: Buffer.concat([core.wavHeader({ ...all, channels: 1 }), bytesOf(core.mixed(again, all.channels))]) });
    }
  }
  for (const voice of isInOgg ? [] : heard) {
    sound.push({ name: `audio/${voice.form.number}.wav`, content: Buffer.concat([core.wavHeader(voice.form), bytesOf(voice.blocks())]) });
  }
  const spans = rendering.voices
    .map(({ form, spans: own }) => ({ number: form.number, has_sound: form.hasSound, spans: own }))
    .filter(({ spans: own }) => own.length > 0);
  if (spans.length > 0) sound.push({ name: "audio/spans.json", content: Buffer.from(core.writeSpans(spans)) });
  let completeness = statement({ manifest, manifestBytes, timeline, events: core.readEvents(files[0]), scope: null, proof });
  completeness = change.completeness?.(completeness) ?? completeness;
  let entries = [
    { name: "README.txt", content: Buffer.from("A test.\n") },
    { name: "recipe.txt", content: Buffer.from("A test.\n") },
    { name: "completeness.html", content: Buffer.from("A test.\n") },
    { name: "completeness.json", content: completeness },
    { name: "vcon.json", content: NO_VCON },
    { name: "manifest.json", content: manifestBytes },
    { name: "opening.json", content: opening },
    { name: "decision.json", content: decision },
    { name: "timeline.json", content: timelineBytes },
    { name: "checkpoint.tlog-proof", content: proof },
    { name: "archive.vkey", content: Buffer.from(`${key.text}\n`) },
    ...(change.stamped?.(leaf, key) ?? []),
    { name: "original/events.journal", content: original.get(0) },
    ...known.map((number) => ({ name: `original/${number}.journal`, content: original.get(number) })),
    ...sound,
  ];
  entries = change.entries?.(entries) ?? entries;
  const about = { recording, archive: key.name, made: MADE };
  // Made of what there is now, unless it was changed itself.
  entries = entries.map((entry) => (entry.content === NO_VCON ? { ...entry, content: change.vcon?.(entries, about) ?? vconOf(entries, about) } : entry));
  return writeZip(signedEntries(entries, recording, key, change.list));
}

/** The statement of completeness that these give. */
export function statement({ manifest, manifestBytes, timeline, events, scope, proof }) {
  const manifestSha256 = sha256(manifestBytes).toString("hex");
  try {
    return Buffer.from(core.completenessBytes({ manifest, manifestSha256, timeline, events, scope, proof: core.readProof(new Uint8Array(proof)) }));
  } catch {
    // Of a lie that nothing can be stated of.
    return json({});
  }
}

/** A log of two leaves, of which this is the second. `cosign` gives more lines below its checkpoint. */
export function proofOf(leaf, key, origin = key.name, cosign = () => "") {
  const sibling = sha256(Buffer.from("a leaf before it"));
  const root = sha256(Buffer.from([1]), sibling, sha256(Buffer.from([0]), json(leaf)));
  const text = `${origin}\n2\n${root.toString("base64")}\n`;
  const head = Buffer.from(`c2sp.org/tlog-proof@v1\nindex 1\n${sibling.toString("base64")}\n\n`);
  return Buffer.concat([head, signNote(text, key), Buffer.from(cosign(text))]);
}

/** The line of a witness below a checkpoint. */
export function cosignature(text, { name, raw, key }, seconds = 1_790_000_000) {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(seconds));
  const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`), key);
  return `\u2014 ${name} ${Buffer.concat([keyId(name, 4, raw), time, signature]).toString("base64")}\n`;
}

/** The entries with a signed list of them in front. */
export function signedEntries(entries, recording, key, changeList = (text) => text, copy = "whole") {
  const rows = entries.map(({ name, content }) => `${sha256(content).toString("hex")}  ${name}\n`).join("");
  const text = changeList(`voicelog-bundle/v1\nrecording ${recording}\nmade ${MADE}\ncopy ${copy}\n${rows}`);
  return [{ name: "bundle.note", content: signNote(text, key) }, ...entries];
}

/** An RTP packet. */
export function rtp({ payloadType = 8, marker = false, sequence, timestamp, ssrc = 1, payload }) {
  const head = Buffer.alloc(12);
  head[0] = 0x80;
  head[1] = payloadType | (marker ? 0x80 : 0);
  head.writeUInt16BE(sequence & 0xffff, 2);
  head.writeUInt32BE(timestamp >>> 0, 4);
  head.writeUInt32BE(ssrc >>> 0, 8);
  return Buffer.concat([head, payload]);
}
