// Damaged and lying bundles, each made of one that holds: first without the archive's key, as anyone
// could, then with one, as the archive itself could.

import { createHash } from "node:crypto";
import { readZip, writeZip } from "./zip.mjs";
import { json, makeBundle, makeKey, originals } from "./make.mjs";
import { randomCall } from "./random.mjs";

const copy = (entries) => entries.map((entry) => ({ ...entry, content: Buffer.from(entry.content) }));
const without = (entries, name) => entries.filter((entry) => entry.name !== name);
const flipped = (content, at) => {
  const bytes = Buffer.from(content);
  bytes[at] ^= 0x01;
  return bytes;
};

/** What anyone can do to a file. `base` and `other` are two bundles that hold. */
export function* damaged(base, other) {
  const entries = readZip(base);
  const foreign = readZip(other);
  for (const [i, { name, content, }] of entries.entries()) {
    for (const at of [0, content.length >> 1, content.length - 1]) {
      const changed = copy(entries);
      changed[i].content = flipped(content, at);
      yield [`flip ${name} ${at}`, writeZip(changed)];
    }
    const flip = copy(entries);
    flip[i] = { name, content: flipped(content, content.length >> 1), crc: readCrc(base, i) };
    yield [`flip ${name} under its old sum`, writeZip(flip)];
    const short = copy(entries);
    short[i].content = content.subarray(0, content.length - 1);
    yield [`short ${name}`, writeZip(short)];
    const long = copy(entries);
    long[i].content = Buffer.concat([content, Buffer.from("\n")]);
    yield [`long ${name}`, writeZip(long)];
    const empty = copy(entries);
    empty[i].content = Buffer.alloc(0);
    yield [`empty ${name}`, writeZip(empty)];
    yield [`without ${name}`, writeZip(without(entries, name))];
    const replayed = copy(entries);
    const found = foreign.find((entry) => entry.name === name);
    if (found) {
      replayed[i].content = found.content;
      yield [`replay ${name} of another`, writeZip(replayed)];
    }
    if (i + 1 < entries.length) {
      const turned = copy(entries);
      [turned[i], turned[i + 1]] = [turned[i + 1], turned[i]];
      yield [`reorder ${name}`, writeZip(turned)];
      const swapped = copy(entries);
      [swapped[i].content, swapped[i + 1].content] = [swapped[i + 1].content, swapped[i].content];
      yield [`swap ${name}`, writeZip(swapped)];
    }
    const renamed = copy(entries);
    renamed[i].name = `${name}x`;
    yield [`rename ${name}`, writeZip(renamed)];
  }
  for (const name of ["extra.txt", "audio/9.wav", "original/9.journal", "audio/spans.json"]) {
    yield [`more ${name}`, writeZip([...entries, { name, content: Buffer.from("x") }])];
  }
  const file = Buffer.from(base);
  for (let at = 0; at < file.length; at += Math.max(1, Math.floor(file.length / 40))) {
    yield [`flip byte ${at}`, flipped(file, at)];
    if (at > 4) yield [`cut at ${at}`, file.subarray(0, at)];
  }
  for (let at = file.length - 100; at < file.length; at += 7) yield [`flip byte ${at} of the directory`, flipped(file, at)];
  yield ["behind", Buffer.concat([file, Buffer.from([0])])];
}

function readCrc(bytes, place) {
  const file = Buffer.from(bytes);
  let at = file.readUInt32LE(file.length - 6);
  for (let i = 0; i < place; i += 1) at += 46 + file.readUInt16LE(at + 28);
  return file.readUInt32LE(at + 16);
}

const ZERO = `sha256:${"0".repeat(64)}`;
const OTHER_ID = "00000000-0000-7000-8000-000000000009";

/** What the archive itself could write: everything is signed, and something is not true. */
export function* lying(seed = 11) {
  const records = randomCall(seed, { seconds: 6 });
  const make = (change, more = {}) => makeBundle(records, { change, ...more });
  yield ["nothing", make({})];
  const numbers = { record_count: 1 };
  for (const name of ["record_count"]) yield [`manifest ${name}`, make({ manifest: (m) => ({ ...m, [name]: m[name] + numbers[name] }) })];
  for (const name of ["events_sha256", "timeline_sha256", "decision_sha256", "rulebook_hash"]) {
    yield [`manifest ${name}`, make({ manifest: (m) => ({ ...m, [name]: ZERO }) })];
  }
  for (const [name, value] of [
    ["recording", OTHER_ID], ["call_started", "2026-01-01T00:00:00.000000Z"], ["call_ended", "2026-01-01T00:00:00.000000Z"],
    ["verdict", "not_drawn"], ["verdict", "fine"], ["provenance", "room"], ["provenance", "moon"], ["version", 2], ["version", 0], ["tool", ""], ["segments", {}],
    ["more", 1], ["streams", []], ["tool", 3], ["call_started", "2026-01-01T00:00:00Z"],
  ]) yield [`manifest ${name} ${JSON.stringify(value)}`, make({ manifest: (m) => ({ ...m, [name]: value }) })];
  for (const [name, value] of [
    ["root", ZERO], ["leaf_count", 0], ["packets", 0], ["payload_bytes", 0], ["label", "x"], ["codec", "GSM"], ["party", "x"],
    ["payload_type", 3], ["number", 15], ["parameters", "x"], ["also", []], ["also", null],
  ]) {
    yield [`manifest stream ${name} ${JSON.stringify(value)}`, make({ manifest: (m) => ({ ...m, streams: m.streams.map((s, i) => (i === 0 ? { ...s, [name]: value } : s)) }) })];
  }
  yield ["manifest streams turned", make({ manifest: (m) => ({ ...m, streams: [...m.streams].reverse() }) })];
  yield ["manifest stream twice", make({ manifest: (m) => ({ ...m, streams: [m.streams[0], ...m.streams] }) })];
  yield ["manifest segments", make({ manifest: (m) => ({ ...m, segments: [{ number: 1, byte_len: 3, sha256: ZERO }] }) })];
  for (const name of ["verdict", "call_started", "call_ended", "stray_packets", "end", "version"]) {
    const value = { verdict: "not_drawn", call_started: "2026-01-01T00:00:00.000000Z", call_ended: "2026-01-01T00:00:00.000000Z", stray_packets: 9, end: "keys", version: 2 }[name];
    yield [`timeline ${name}`, make({ timeline: (t) => ({ ...t, [name]: value }) })];
  }
  yield ["timeline interval", make({ timeline: (t) => (t.streams[0].intervals[0].end_us += 1, t) })];
  yield ["timeline no streams", make({ timeline: (t) => ({ ...t, streams: [] }) })];
  for (const [name, value] of [
    ["type", "refused"], ["type", "unknown"], ["type", "archive_opened"], ["object", OTHER_ID], ["commitment", ZERO], ["v", 2], ["at", "2020-01-01T00:00:00.000000Z"], ["more", 1],
  ]) yield [`leaf ${name} ${value}`, make({ leaf: (l) => ({ ...l, [name]: value }) })];
  yield ["checkpoint of another origin", make({ origin: "other.example/log" })];
  yield ["list version", make({ list: (t) => t.replace("voicelog-bundle/v1", "voicelog-bundle/v2") })];
  yield ["list recording", make({ list: (t) => t.replace(/recording \S+/, `recording ${OTHER_ID}`) })];
  yield ["list recording no id", make({ list: (t) => t.replace(/recording \S+/, "recording x") })];
  yield ["list made", make({ list: (t) => t.replace(/made \S+/, "made now") })];
  yield ["list line", make({ list: (t) => `${t}x\n` })];
  yield ["list twice", make({ list: (t) => `${t}${t.split("\n").at(-2)}\n` })];
  yield ["list without README", make({ list: (t) => t.replace(/.*README.txt\n/, "") })];
  yield ["list upper case", make({ list: (t) => t.replace(/[0-9a-f]{64}/, (hash) => hash.toUpperCase()) })];
  const entry = (name, to) => (entries) => entries.map((found) => (found.name === name ? { name, content: to(found.content) } : found));
  const text = (change) => (content) => Buffer.from(change(content.toString()));
  yield ["entries turned", make({ entries: (entries) => [entries[1], entries[0], ...entries.slice(2)] })];
  yield ["entries sound turned", make({ entries: (entries) => [...entries.slice(0, -1).slice(0, -1), entries.at(-1), entries.at(-2)] })];
  yield ["entries one more", make({ entries: (entries) => [...entries, { name: "note.txt", content: Buffer.from("x") }] })];
  yield ["entries one more sound", make({ entries: (entries) => [...entries, { name: "audio/9.wav", content: Buffer.from("x") }] })];
  yield ["entries one more stream", make({ entries: (entries) => [...entries, { name: "original/9.journal", content: Buffer.from("x") }] })];
  yield ["entries spans made up", make({ entries: (entries) => [...without(entries, "audio/spans.json"), { name: "audio/spans.json", content: json({ version: 1, streams: [{ number: 1, has_sound: true, spans: [{ start_us: 0, end_us: 9, codec: "PCMA", lack: "damaged" }] }] }) }] })];
  yield ["entries spans left out", make({ entries: (entries) => without(entries, "audio/spans.json") })];
  yield ["entries no sound", make({ entries: (entries) => entries.filter(({ name }) => !name.startsWith("audio/")) })];
  yield ["entries README other", make({ entries: entry("README.txt", () => Buffer.from("other")) })];
  for (const name of ["decision.json", "opening.json", "timeline.json", "manifest.json"]) {
    yield [`spaces in ${name}`, make({ entries: entry(name, text((t) => t.replace("{", "{ "))) })];
    yield [`array for ${name}`, make({ entries: entry(name, () => Buffer.from("[]")) })];
    yield [`twice a member of ${name}`, make({ entries: entry(name, text((t) => t.replace("{", '{"a":1,"a":1,'))) })];
    yield [`deep ${name}`, make({ entries: entry(name, () => Buffer.from("[".repeat(5_000) + "]".repeat(5_000))) })];
  }
  yield ["opening salt", make({ entries: entry("opening.json", text((t) => t.replace(/"tree_salt":"03/, '"tree_salt":"02'))) })];
  yield ["opening commitment salt", make({ entries: entry("opening.json", text((t) => t.replace(/"commitment_salt":"04/, '"commitment_salt":"02'))) })];
  yield ["opening version", make({ entries: entry("opening.json", text((t) => t.replace('"version":1', '"version":2'))) })];
  yield ["decision without rulebook", make({ entries: entry("decision.json", () => json({ outcome: "permitted" })) })];
  for (const depth of [127, 128]) {
    const deep = Buffer.from(`{"outcome":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`);
    const digest = `sha256:${createHash("sha256").update(deep).digest("hex")}`;
    const manifest = (m) => ({ ...m, decision_sha256: digest });
    yield [`decision nested ${depth} deep`, make({ manifest, entries: entry("decision.json", () => deep) })];
  }
  yield ["proof index", make({ entries: entry("checkpoint.tlog-proof", text((t) => t.replace("index 1", "index 0"))) })];
  yield ["proof beyond", make({ entries: entry("checkpoint.tlog-proof", text((t) => t.replace("index 1", "index 2"))) })];
  yield ["proof index spelling", make({ entries: entry("checkpoint.tlog-proof", text((t) => t.replace("index 1", "index 01"))) })];
  yield ["proof version", make({ entries: entry("checkpoint.tlog-proof", text((t) => t.replace("@v1", "@v2"))) })];
  yield ["proof of 64 hashes", make({ entries: entry("checkpoint.tlog-proof", text((t) => t.replace(/\n\n/, `\n${`${Buffer.alloc(32).toString("base64")}\n`.repeat(64)}\n`))) })];
  yield ["proof extra", make({ entries: entry("checkpoint.tlog-proof", text((t) => t.replace("index", "extra AAAA\nindex"))) })];
  yield ["proof witness line", make({ entries: entry("checkpoint.tlog-proof", text((t) => `${t}\u2014 witness.example ${Buffer.alloc(76, 1).toString("base64")}\n`)) })];
  yield ["key without newline", make({ entries: entry("archive.vkey", (content) => content.subarray(0, -1)) })];
  yield ["key two lines", make({ entries: entry("archive.vkey", (content) => Buffer.concat([content, content])) })];
  yield ["key of another", make({ entries: entry("archive.vkey", () => Buffer.from(`${makeKey("test.example/log", 8).text}\n`)) })];
  const wav = (change) => make({ entries: entry("audio/1.wav", (content) => change(Buffer.from(content))) });
  yield ["sound sample", wav((b) => flipped(b, b.length - 2))];
  yield ["sound header", wav((b) => flipped(b, 24))];
  yield ["sound short", wav((b) => b.subarray(0, -2))];
  yield* liesOfTheOriginal(records, make);
}

/** Files of the original that are signed and damaged. */
function* liesOfTheOriginal(records, make) {
  const entry = (name, to) => ({ entries: (entries) => entries.map((found) => (found.name === name ? { name, content: to(Buffer.from(found.content)) } : found)) });
  for (const name of ["original/1.journal", "original/events.journal"]) {
    yield [`${name} magic`, make(entry(name, (b) => flipped(b, 0)))];
    yield [`${name} version`, make(entry(name, (b) => flipped(b, 9)))];
    yield [`${name} stream`, make(entry(name, (b) => flipped(b, 11)))];
    yield [`${name} index`, make(entry(name, (b) => flipped(b, 19)))];
    yield [`${name} high index`, make(entry(name, (b) => flipped(b, 12)))];
    yield [`${name} time`, make(entry(name, (b) => flipped(b, 27)))];
    yield [`${name} kind`, make(entry(name, (b) => ((b[28] = 7), b)))];
    yield [`${name} length`, make(entry(name, (b) => flipped(b, 32)))];
    yield [`${name} huge length`, make(entry(name, (b) => flipped(b, 29)))];
    yield [`${name} ends early`, make(entry(name, (b) => b.subarray(0, -1)))];
    yield [`${name} header only`, make(entry(name, (b) => b.subarray(0, 12)))];
    yield [`${name} nothing`, make(entry(name, () => Buffer.alloc(0)))];
  }
  const events = (change) => entry("original/events.journal", () => originals(change(records), []).get(0));
  const one = (content) => (all) => [{ stream: 0, time: 1_795_000_000_000_000, kind: 0, content }, ...all.filter(({ stream }) => stream === 0)];
  for (const content of [{ type: "call_starting" }, { type: "call_started", more: 1 }, { type: 3 }, {}, { type: "permitted" }, { type: "permitted", decision: "x" },
    { type: "call_ended", cause: "bored" }, { type: "stream_paused", stream: 70_000, by: "operator" }, { type: "clock_stepped", by_us: true },
    { type: "party_joined", party: null }, { type: "stream_added", stream: { number: 1, codec: "PCMA", payload_type: 8, label: null } },
    { type: "source_changed", stream: 1, was_elsewhere: false }, { type: "stream_voice", stream: 1, parties: [], rule: "guess" }]) {
    yield [`event ${JSON.stringify(content)}`, make(events(one(content)))];
  }
  const big = (length) => (all) => [...all, { stream: 1, time: 1_795_000_000_500_000, kind: 1, content: Buffer.alloc(length, 0x80) }];
  yield ["packet of 2,049 bytes", make(entry("original/1.journal", () => originals(big(2_049)(records), [1, 2, 3]).get(1)))];
  yield ["packet of 2,048 bytes", makeBundle(big(2_048)(records))];
  yield ["empty packet", makeBundle(big(0)(records))];
}
