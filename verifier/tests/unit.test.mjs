// The parts, against what Node has of the same.

import assert from "node:assert/strict";
import { createHash, createHmac, generateKeyPairSync, hkdfSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { bytesSource, core } from "../core.mjs";
import { makeBundle, makeKey, rtp, signNote } from "./lib/make.mjs";
import { generator, randomCall } from "./lib/random.mjs";
import { readZip, writeZip } from "./lib/zip.mjs";

const GOLDEN = new URL("../../crates/evidence/tests/vectors/bundle/v1/call.zip", import.meta.url);
const random = generator(3);
const bytes = (length) => Uint8Array.from({ length }, () => random.below(256));
const same = (a, b) => assert.deepEqual(Buffer.from(a), Buffer.from(b));
const broken = (report) => report.findings.filter(({ severity }) => severity === "Broken").map(({ check, place }) => `${check} ${place}`);
const verify = (bundle, key = null) => core.verifyBundle(bytesSource(new Uint8Array(bundle)), key);

test("sums are those of Node at every length around a block", () => {
  for (let length = 0; length < 300; length += 1) {
    const message = bytes(length);
    same(core.sha256(message), createHash("sha256").update(message).digest());
    same(core.sha512(message), createHash("sha512").update(message).digest());
    same(new core.Hmac(bytes(0)).of(message), createHmac("sha256", "").update(message).digest());
    if (crc32) assert.equal(core.crc32(message), crc32(message));
    const key = bytes(length);
    same(new core.Hmac(key).of(message), createHmac("sha256", key).update(message).digest());
    same(new core.Hkdf(key).of(message), Buffer.from(hkdfSync("sha256", key, "", message, 32)));
  }
});

test("an Ed25519 signature is right, and any changed bit of it, of the key or of the message is not", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const message = Buffer.from("a message");
  const signature = sign(null, message, privateKey);
  assert.ok(core.verifyEd25519(key, message, signature));
  for (let at = 0; at < 64; at += 5) {
    const other = Buffer.from(signature);
    other[at] ^= 1 << at % 8;
    assert.ok(!core.verifyEd25519(key, message, other));
  }
  const otherKey = Buffer.from(key);
  otherKey[3] ^= 4;
  assert.ok(!core.verifyEd25519(otherKey, message, signature));
  assert.ok(!core.verifyEd25519(key, Buffer.from("b message"), signature));
});

test("a key of small order, a number beyond the order and another spelling of a point are refused", () => {
  // The neutral point as key and as R, with s = 0: the equation holds for every message.
  const neutral = Buffer.alloc(32);
  neutral[0] = 1;
  assert.ok(!core.verifyEd25519(neutral, Buffer.from("x"), Buffer.concat([neutral, Buffer.alloc(32)])));
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const signature = sign(null, Buffer.from("x"), privateKey);
  const order = (1n << 252n) + 27742317777372353535851937790883648493n;
  let s = 0n;
  for (let i = 31; i >= 0; i -= 1) s = (s << 8n) | BigInt(signature[32 + i]);
  s += order;
  const beyond = Buffer.from(signature);
  for (let i = 0; i < 32; i += 1) beyond[32 + i] = Number((s >> BigInt(8 * i)) & 0xffn);
  assert.ok(core.verifyEd25519(key, Buffer.from("x"), signature));
  assert.ok(!core.verifyEd25519(key, Buffer.from("x"), beyond));
  const spelling = Buffer.alloc(32, 0xff);
  spelling[0] = 0xee;
  spelling[31] = 0x7f;
  assert.ok(!core.verifyEd25519(spelling, Buffer.from("x"), signature));
});

test("JSON in any other than its one spelling is refused", () => {
  const read = (text) => core.readJson(Buffer.from(text));
  assert.deepEqual(read('{"a":[1,-1,"\\u0001\\n"],"b":null}'), { a: [1, -1, "\u0001\n"], b: null });
  for (const text of ['{"b":1,"a":1}', '{"a":1,"a":1}', "1.0", "1e3", "-0", "01", "9007199254740993", '"\\u000a"', '"\\/"', "[1, 2]", '"\\ud800"', "", "[", "\ufeff1"]) {
    assert.throws(() => read(text), undefined, text);
  }
  assert.throws(() => core.readJson(Buffer.from([0x22, 0xff, 0x22])));
  assert.throws(() => read("[".repeat(100_000) + "]".repeat(100_000)));
});

test("roots are those of RFC 6962, computed here a second time from its definition", () => {
  const root = (leaves) => {
    if (leaves.length === 0) return createHash("sha256").digest();
    if (leaves.length === 1) return leaves[0];
    let split = 1;
    while (split * 2 < leaves.length) split *= 2;
    return createHash("sha256").update(Buffer.from([1])).update(root(leaves.slice(0, split))).update(root(leaves.slice(split))).digest();
  };
  for (let size = 0; size < 70; size += 1) {
    const leaves = Array.from({ length: size }, () => Buffer.from(bytes(32)));
    const tree = new core.TreeRoot();
    for (const leaf of leaves) tree.push(leaf);
    same(tree.root(), root(leaves));
  }
});

test("the golden bundle holds, with its own key as with the one that was given", async () => {
  const bundle = readFileSync(GOLDEN);
  assert.deepEqual(broken(await verify(bundle)), []);
  const key = readZip(bundle).find(({ name }) => name === "archive.vkey").content.toString().trim();
  const report = await verify(bundle, core.readKey(key));
  assert.ok(report.holds);
  assert.deepEqual(report.findings.filter(({ severity }) => severity === "Warning"), []);
});

test("where there is no hash of the browser's, as for files too large to hold, the own one says the same", async () => {
  const found = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
  try {
    assert.deepEqual(broken(await verify(readFileSync(GOLDEN))), []);
  } finally {
    Object.defineProperty(globalThis, "crypto", found);
  }
});

test("with another key that was given, the bundle does not hold", async () => {
  const report = await verify(readFileSync(GOLDEN), core.readKey(makeKey().text));
  assert.deepEqual(broken(report), ["Key archive.vkey", "Signature bundle.note", "Log checkpoint.tlog-proof"]);
});

test("a bundle that this verifier's tests made holds, and a bundle signed by somebody else under the same name does not", async () => {
  const records = randomCall(4, { seconds: 4 });
  assert.ok((await verify(makeBundle(records))).holds);
  const forged = makeBundle(records, { key: makeKey("test.example/log", 9) });
  assert.deepEqual(broken(await verify(forged, core.readKey(makeKey().text))), ["Key archive.vkey", "Signature bundle.note", "Log checkpoint.tlog-proof"]);
});

test("what is not a bundle is no bundle, and no mistake of the program", async () => {
  for (const content of ["", "PK", "hello", "x".repeat(10_000)]) {
    assert.equal(await core.isBundle(bytesSource(new Uint8Array(Buffer.from(content)))), false);
  }
});

test("a directory that promises more than there is, or leaves the folder, is refused before anything is read", async () => {
  const at = (name) => writeZip([{ name, content: Buffer.from("bundle.note") }]);
  for (const name of ["../x", "/x", "a//b", "a/./b", ".x", "a\\b", "x".repeat(256), "", "a b"]) {
    assert.deepEqual(broken(await verify(at(name))), ["Container ZIP"], name);
  }
  const bomb = Buffer.from(at("x"));
  bomb.writeUInt32LE(0xfffffff0, bomb.length - 22 - 47 + 24);
  assert.deepEqual(broken(await verify(bomb)), ["Container ZIP"]);
  const many = Array.from({ length: 1_001 }, (_, i) => ({ name: `f${i}`, content: Buffer.alloc(0) }));
  assert.deepEqual(broken(await verify(writeZip(many))), ["Container ZIP"]);
});

test("Opus is not called right: a warning says that it was not decoded, and the rest is checked", async () => {
  const start = 1_795_000_000_000_000;
  const stream = { number: 1, label: null, party: null, codec: "opus/48000/2", payload_type: 111 };
  const packet = (i) => Buffer.from([0x80, 111, i >> 8, i, ...[24, 16, 8, 0].map((shift) => (i * 960) >>> shift), 0, 0, 0, 1, 0xf8, 0xff, 0xfe]);
  const records = [
    { stream: 0, time: start, content: { type: "stream_added", stream } },
    { stream: 0, time: start, content: { type: "permitted", decision: "00000000-0000-7000-8000-000000000002" } },
    ...Array.from({ length: 50 }, (_, i) => ({ stream: 1, time: start + 20_000 * (i + 1), kind: 1, content: packet(i) })),
    { stream: 0, time: start + 1_010_000, content: { type: "call_ended", cause: "recording_client" } },
  ];
  const report = await verify(makeBundle(records));
  assert.deepEqual(broken(report), []);
  const told = report.findings.filter(({ code }) => code === "opus_not_decoded").map(({ place }) => place);
  assert.deepEqual(told, ["audio/all.wav", "audio/1.wav"]);
  assert.ok(!report.findings.some(({ check, severity }) => check === "Sound" && severity === "Ok"));
  const short = makeBundle(records, { change: { entries: (all) => all.map((entry) => (entry.name === "audio/1.wav" ? { ...entry, content: entry.content.subarray(2) } : entry)) } });
  assert.deepEqual(broken(await verify(short)), ["Sound audio/1.wav"]);
});

test("of three channels there is a mixed file, each sample the sum of all, and no louder than 16 bits can be", async () => {
  const start = 1_795_000_000_000_000;
  const loud = Buffer.alloc(160, 0xaa);
  const quiet = Buffer.alloc(160, 0x80);
  const records = [
    ...[1, 2, 3].map((number) => ({ stream: 0, time: start, content: { type: "stream_added", stream: { number, label: null, party: null, codec: "PCMA", payload_type: 8 } } })),
    { stream: 0, time: start, content: { type: "permitted", decision: "00000000-0000-7000-8000-000000000002" } },
    ...Array.from({ length: 150 }, (_, i) => ({
      stream: 1 + (i % 3), time: start + 20_000 * (1 + Math.floor(i / 3)), kind: 1,
      content: rtp({ sequence: Math.floor(i / 3), timestamp: 160 * Math.floor(i / 3), ssrc: 1 + (i % 3), payload: i % 3 === 2 ? quiet : loud }),
    })),
    { stream: 0, time: start + 1_010_000, content: { type: "call_ended", cause: "recording_client" } },
  ];
  const bundle = makeBundle(records);
  assert.deepEqual(broken(await verify(bundle)), []);
  const sound = (name) => readZip(bundle).find((entry) => entry.name === `audio/${name}.wav`).content;
  const sample = (name, frame) => sound(name).readInt16LE(44 + 2 * frame);
  const sum = sample(1, 4_000) + sample(2, 4_000) + sample(3, 4_000);
  assert.ok(sum > 32_767);
  assert.equal(sample("mixed", 4_000), 32_767);
  const changed = (change) => makeBundle(records, { change: { entries: (all) => all.flatMap((entry) => (entry.name === "audio/mixed.wav" ? change(entry) : [entry])) } });
  const louder = ({ name, content }) => [{ name, content: Buffer.from(content).fill(1, 9_000, 9_002) }];
  assert.deepEqual(broken(await verify(changed(louder))), ["Sound audio/mixed.wav"]);
  assert.deepEqual(broken(await verify(changed(() => []))), ["Sound audio/mixed.wav"]);
});

/** A certificate as the document has it, with the leaf as the only one of its log. */
function certificate(key, change = {}) {
  const recording = "01a1fd8e-3dc0-7707-8707-070707070707";
  const at = "2031-11-23T05:06:23.459979Z";
  const statement = { version: 1, destruction: recording, recording, decision: recording, key_destroyed_at: at, completed_at: at, keys: 1, objects: 1, bytes: 5, ...change.base };
  const salt = Buffer.alloc(32, 6);
  const digest = createHash("sha256").update(core.writeJson(statement)).digest();
  const leaf = { v: 1, type: "destroyed", at, object: recording, commitment: `sha256:${createHmac("sha256", salt).update(digest).digest("hex")}`, ...change.leaf };
  const root = createHash("sha256").update(Buffer.from([0])).update(core.writeJson(leaf)).digest("base64");
  const proof = `c2sp.org/tlog-proof@v1\nindex 0\n\n${signNote(`${key.name}\n1\n${root}\n`, key)}`;
  const lines = ["voicelog-destruction/v1", "a", "b", "c", "d", `statement ${core.writeJson({ ...statement, ...change.statement })}`, `salt "${salt.toString("hex")}"`, `leaf ${core.writeJson(leaf)}`, `proof ${Buffer.from(proof).toString("base64")}`];
  return signNote(`${lines.join("\n")}\n`, key);
}

test("a certificate that the program wrote holds, and says what was destroyed", () => {
  const vectors = new URL("../../crates/evidence/tests/vectors/", import.meta.url);
  const archive = readZip(readFileSync(GOLDEN)).find(({ name }) => name === "archive.vkey").content.toString().trim();
  const report = core.verifyCertificate(new Uint8Array(readFileSync(new URL("certificate/v1/destroyed.txt", vectors))), core.readKey(archive));
  assert.ok(report.holds, JSON.stringify(report.findings));
  assert.equal(report.statement.was.copies[0].recipient, "data_subject");
  const receipt = core.readReceipt(new Uint8Array(readFileSync(new URL("receipt/v1/receipt.txt", vectors))));
  assert.equal(receipt.key.text, archive);
});

test("a certificate of the sound alone has a leaf of its own kind, and neither kind passes for the other", () => {
  const key = makeKey();
  const check = (change) => core.verifyCertificate(new Uint8Array(certificate(key, change)), core.readKey(key.text));
  const [base, leaf] = [{ scope: "sound" }, { type: "sound_destroyed" }];
  const sound = check({ base, leaf });
  assert.ok(sound.holds, JSON.stringify(sound.findings));
  assert.equal(sound.statement.scope, "sound");
  assert.deepEqual(broken(check({ base })), ["Certificate certificate"]);
  assert.deepEqual(broken(check({ leaf })), ["Certificate certificate"]);
  assert.deepEqual(broken(check({ base: { scope: "whole" } })), ["Certificate certificate"]);
});

test("a certificate of destruction holds under the archive's key and under no other; what it states is what the log holds", () => {
  const key = makeKey();
  const known = core.readKey(key.text);
  const check = (note, by = known) => core.verifyCertificate(new Uint8Array(note), by);
  assert.ok(check(certificate(key)).holds);
  assert.ok(!check(certificate(key), core.readKey(makeKey("test.example/log", 8).text)).holds);
  assert.deepEqual(broken(check(certificate(key), null)), ["Signature certificate"]);
  assert.deepEqual(broken(check(certificate(key, { statement: { bytes: 6 } }))), ["Certificate certificate"]);
  assert.deepEqual(broken(check(certificate(key, { leaf: { type: "recorded" } }))), ["Certificate certificate"]);
  const was = { recorded_at: "2030-11-23T05:06:23.459979Z", asked_by_account: true, grounds: [], copies: [] };
  const unknown = certificate(key, { statement: { was: { ...was, name: "somebody" } } });
  assert.match(check(unknown).findings[0].detail, /not known/);
  const changed = Buffer.from(certificate(key));
  changed[60] ^= 1;
  assert.ok(!check(changed).holds);
});
