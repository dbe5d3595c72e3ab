// Copies of a part, the statement of completeness, witnesses: what this verifier says of them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bytesSource, core } from "../core.mjs";
import { cosignature, makeBundle, makeKey } from "./lib/make.mjs";
import { REFUSED_HERE, remade } from "./lib/part.mjs";
import { randomCall } from "./lib/random.mjs";
import { readZip, writeZip } from "./lib/zip.mjs";

const VECTORS = new URL("../../crates/evidence/tests/vectors/bundle/v1/", import.meta.url);
const vector = (name) => readFileSync(new URL(name, VECTORS));
const verify = (bytes, key = null, policy = null) => core.verifyBundle(bytesSource(new Uint8Array(bytes)), key, { policy });
const parts = (report, severity = "Broken") =>
  report.findings.filter((found) => found.severity === severity).map(({ check, place }) => `${check} ${place}`);

for (const name of ["excerpt.zip", "redacted.zip"]) {
  test(`a copy of a part holds, and the report warns that it is one: ${name}`, async () => {
    const report = await verify(vector(name));
    assert.deepEqual(parts(report), []);
    assert.deepEqual(parts(report, "Warning").sort(), ["Key archive.vkey", "Scope scope.json"]);
  });

  test(`a copy of a part that is made again under another key holds too: ${name}`, async () => {
    assert.deepEqual(parts(await verify(remade(vector(name), () => {}))), []);
  });

  test(`what a part cannot hide: a timeline that does not cover the call, counts that are not those of the manifest: ${name}`, async () => {
    for (const [lie, change] of Object.entries(REFUSED_HERE)) {
      const report = await verify(remade(vector(name), change));
      assert.ok(!report.holds, `${lie} is believed`);
    }
  });
}

const told = (scope) => scope.streams.find(({ left_out }) => left_out.length > 0);

test("what is shown is heard, however much is said to be left out", async () => {
  const stretched = remade(vector("redacted.zip"), ({ scope }) => {
    const passage = told(scope).left_out[0];
    passage.start_us = 0;
  });
  // The sound files are as before: nothing became silent, and so all holds.
  assert.deepEqual(parts(await verify(stretched)), []);
});

test("what nobody hears has to be said to be left out, for a reason, and within the excerpt not as what lies outside it", async () => {
  const lies = {
    "a packet that is shown is not heard": ({ scope }) => (told(scope).placed[0].count -= 1),
    "what is left out is said to be shorter": ({ scope }) => (told(scope).left_out[0].end_us = told(scope).left_out[0].start_us),
    "it is told in two pieces": ({ scope }) => {
      const { left_out } = scope.streams.find(({ left_out: found }) => found.some(({ leaf_count }) => leaf_count > 1));
      const at = left_out.findIndex(({ leaf_count }) => leaf_count > 1);
      const { leaf_count, first_leaf, ...rest } = left_out[at];
      left_out.splice(at, 1, { ...rest, first_leaf, leaf_count: 1 }, { ...rest, first_leaf: first_leaf + 1, leaf_count: leaf_count - 1 });
    },
    "it ends after the call": ({ scope }) => (told(scope).left_out.at(-1).end_us = 9_000_000),
  };
  for (const [name, lie] of Object.entries(lies)) {
    assert.ok(parts(await verify(remade(vector("redacted.zip"), lie))).includes("Scope scope.json"), name);
  }
  const outside = remade(vector("excerpt.zip"), ({ scope }) => {
    const { end_us } = scope.excerpt;
    scope.excerpt.start_us = 0;
    scope.excerpt.end_us = end_us;
  });
  assert.ok(parts(await verify(outside)).includes("Scope scope.json"), "what lies in the excerpt is said to lie outside it");
});

test("a manifest of more than 16 streams, or of one with the number of the events, is none", async () => {
  for (const change of [(streams) => (streams[0].number = 0), (streams) => streams.push(...Array.from({ length: 17 }, (_, i) => ({ ...streams[0], number: i + 10 })))]) {
    const report = await verify(makeBundle(randomCall(3, { seconds: 4 }), { change: { manifest: (manifest) => (change(manifest.streams), manifest) } }));
    assert.ok(parts(report).includes("Original manifest.json"));
  }
});

test("the statement of completeness has to be the one that follows, whatever the list says", async () => {
  const change = (completeness) => Buffer.from(completeness.toString().replace('"provenance":"phone"', '"provenance":"call"'));
  const report = await verify(makeBundle(randomCall(3, { seconds: 4 }), { change: { completeness: change } }));
  assert.deepEqual(parts(report), ["Completeness completeness.json"]);
});

test("times of the other side and of another clock are in the statement", async () => {
  const records = randomCall(3, { seconds: 4 });
  const end = records.pop();
  const more = [
    { type: "client_times", ended: "2026-11-21T10:02:09.000000Z" },
    { type: "clock_checked", source: "ntp.example", checked_at: "2026-11-21T10:00:00.000000Z", offset_us: -12, uncertainty_us: 900 },
  ];
  const bundle = makeBundle([...records, ...more.map((content) => ({ stream: 0, time: end.time, kind: 0, content })), end]);
  const report = await verify(bundle);
  assert.deepEqual(parts(report), []);
  const told = JSON.parse(readZip(bundle).find(({ name }) => name === "completeness.json").content);
  assert.deepEqual(told.client, { started: null, ended: "2026-11-21T10:02:09.000000Z" });
  assert.deepEqual(told.clock, { source: "ntp.example", checked_at: "2026-11-21T10:00:00.000000Z", offset_us: -12, uncertainty_us: 900 });
});

const archive = makeKey();
const [w1, w2, w3] = [11, 12, 13].map((seed) => makeKey(`w${seed}.example`, seed));
const policyOf = (quorum, ...groups) =>
  core.readPolicy(new TextEncoder().encode(["# whom I believe", `log ${archive.text}`, `witness one ${w1.witness} https://one.example/`,
    `\twitness two  ${w2.witness}`, `witness three ${w3.witness}`, ...groups, `quorum ${quorum}`, ""].join("\n")));
const witnessed = (...lines) => remade(vector("excerpt.zip"), () => {}, { key: archive, cosign: (text) => lines.map((line) => line(text)).join("") });
const by = (key) => (text) => cosignature(text, key);

test("without a policy the lines of witnesses are told as unchecked, and nothing else", async () => {
  const report = await verify(witnessed(by(w1)));
  assert.ok(report.holds);
  assert.ok(parts(report, "Warning").includes("Witnesses checkpoint.tlog-proof"));
});

test("a checkpoint holds under a policy whose quorum signed it, and under no other", async () => {
  const bundle = witnessed(by(w1), by(w3));
  const held = async (policy) => (await verify(bundle, null, policy)).holds;
  assert.ok(await held(policyOf("none")));
  assert.ok(await held(policyOf("one")));
  assert.ok(!(await held(policyOf("two"))));
  assert.ok(await held(policyOf("g", "group g 2 one two three")));
  assert.ok(!(await held(policyOf("g", "group g all one two three"))));
  assert.ok(await held(policyOf("h", "group g any one two", "group h all g three")));
  assert.deepEqual(parts(await verify(bundle, null, policyOf("two"))), ["Witnesses checkpoint.tlog-proof"]);
});

test("a false line in the name of a witness of the policy refuses the checkpoint, also where the quorum needs it not", async () => {
  const bundle = witnessed(by(w1), () => cosignature("another text\n1\nx\n", w2));
  assert.ok(!(await verify(bundle, null, policyOf("one"))).holds);
  assert.ok(!(await verify(witnessed((text) => cosignature(text, w1, 0)), null, policyOf("one"))).holds);
});

test("a policy of another log does not hold", async () => {
  const policy = core.readPolicy(new TextEncoder().encode(`log ${makeKey("other.example/log", 9).text}\nquorum none\n`));
  assert.ok(!(await verify(witnessed(), null, policy)).holds);
});

test("a policy in another form is refused and never taken for a weaker one", () => {
  const refused = (...lines) => assert.throws(() => core.readPolicy(new TextEncoder().encode(lines.join("\n"))), undefined, lines.join(" | "));
  refused(`log ${archive.text}`);
  refused("quorum none", "quorum none");
  refused("quorum one");
  refused(`witness one ${w1.text}`, "quorum one");
  refused(`log ${w1.witness}`, "quorum none");
  refused(`witness none ${w1.witness}`, "quorum none");
  refused(`witness one ${w1.witness}`, `witness one ${w2.witness}`, "quorum one");
  refused(`witness one ${w1.witness}`, `witness two ${w1.witness}`, "quorum one");
  refused(`witness one ${w1.witness}`, "group g 0 one", "quorum g");
  refused(`witness one ${w1.witness}`, "group g 2 one", "quorum g");
  refused(`witness one ${w1.witness}`, "group g 01 one", "quorum g");
  refused(`witness one ${w1.witness}`, "group g any one one", "quorum g");
  refused("group g any one", `witness one ${w1.witness}`, "quorum g");
  refused(`witness one ${w1.witness}`, "group g any", "quorum one");
  refused("anything else", "quorum none");
  refused("quorum none\r");
});

test("a leaf that is left out twice over, or a tree of another size, does not lead to the root", async () => {
  const entries = readZip(vector("redacted.zip"));
  const tree = entries.find(({ name }) => name.endsWith(".tree") && entries.length > 0);
  tree.content = Buffer.concat([tree.content, tree.content.subarray(12)]);
  const report = await verify(writeZip(entries));
  assert.ok(parts(report).some((part) => part.startsWith(`Original original/`)));
});
