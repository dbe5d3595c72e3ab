// What others sign besides the archive: the vCon, and the timestamp of an authority.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { bytesSource, core } from "../core.mjs";
import { makeBundle, proofOf } from "./lib/make.mjs";
import { randomCall } from "./lib/random.mjs";
import { Authority } from "./lib/stamp.mjs";
import { selfSigned, signedVcon, vconOf } from "./lib/vcon.mjs";

const vector = (name) => readFileSync(new URL(`../../crates/evidence/tests/vectors/bundle/v1/${name}.zip`, import.meta.url));
const records = randomCall(4, { seconds: 4 });
const verify = (bundle, options = {}) => core.verifyBundle(bytesSource(new Uint8Array(bundle)), null, options);
const told = (report, severity, check) =>
  report.findings.filter((found) => found.severity === severity && found.check === check).map(({ place }) => place);
const brokenOf = (report) => report.findings.filter(({ severity }) => severity === "Broken").map(({ check, place }) => `${check} ${place}`);

// ── vCon

const BASIS = {
  lawful_basis: "legal_obligation", expiration: "2031-11-21T10:02:00.000000Z",
  purpose_grants: [{ purpose: "proof of what was agreed", granted: true, granted_at: null }], metadata: { gdpr_article: "6(1)(c)" },
};
const withVcon = (make) => makeBundle(records, { change: { vcon: make } });
const startOf = (entries) => JSON.parse(entries.find(({ name }) => name === "manifest.json").content).call_started;
const withBasis = (change) => withVcon((entries, about) => {
  const basis = structuredClone(BASIS);
  basis.purpose_grants[0].granted_at = startOf(entries);
  return vconOf(entries, about, change(basis) ?? basis);
});

test("the vCon of a bundle, whole or of a part, says what the other files do", async () => {
  for (const name of ["call", "excerpt", "redacted"]) assert.deepEqual(told(await verify(vector(name)), "Ok", "Vcon"), ["vcon.json"], name);
  assert.deepEqual(brokenOf(await verify(withVcon((entries, about) => vconOf(entries, about)))), []);
});

test("a vCon that says anything else is broken, whoever signed it", async () => {
  const changes = {
    "another start": (payload) => payload.replace(/"start":"20/, '"start":"21'),
    "another verdict": (payload) => payload.replace(/"verdict":"/, '"verdict":"x'),
    "another name": (payload) => payload.replace('"name":"test', '"name":"best'),
    "a blank": (payload) => `${payload} `,
    "a member more": (payload) => payload.replace("{", '{"a":1,'),
    nothing: () => "",
  };
  for (const [name, change] of Object.entries(changes)) {
    const report = await verify(withVcon((entries, about) => {
      const { payload, signatures: [{ protected: head }] } = JSON.parse(vconOf(entries, about));
      const { uuid } = JSON.parse(Buffer.from(head, "base64url"));
      return signedVcon(change(Buffer.from(payload, "base64url").toString()), uuid);
    }));
    assert.deepEqual(brokenOf(report), ["Vcon vcon.json"], name);
  }
  const otherUuid = await verify(withVcon((entries, about) => {
    const { payload } = JSON.parse(vconOf(entries, about));
    return signedVcon(Buffer.from(payload, "base64url").toString(), "01a1fd8e-3dc0-8707-a1e1-c481de46f258");
  }));
  assert.deepEqual(brokenOf(otherUuid), ["Vcon vcon.json"]);
});

test("the lawful basis is the one thing that only the vCon says: any in its form is taken, and none that is not", async () => {
  assert.deepEqual(brokenOf(await verify(withBasis(() => {}))), []);
  assert.deepEqual(brokenOf(await verify(withBasis((basis) => ({ ...basis, expiration: null })))), []);
  const wrong = {
    "an article of another basis": (basis) => ({ ...basis, metadata: { gdpr_article: "6(1)(a)" } }),
    "a basis that is none": (basis) => ({ ...basis, lawful_basis: "curiosity" }),
    "a member more": (basis) => ({ ...basis, more: null }),
    "a purpose that is not granted": (basis) => ({ ...basis, purpose_grants: [{ ...basis.purpose_grants[0], granted: false }] }),
    "two purposes": (basis) => ({ ...basis, purpose_grants: [basis.purpose_grants[0], basis.purpose_grants[0]] }),
    "an empty purpose": (basis) => ({ ...basis, purpose_grants: [{ ...basis.purpose_grants[0], purpose: "" }] }),
    "granted at another time": (basis) => ({ ...basis, purpose_grants: [{ ...basis.purpose_grants[0], granted_at: "2026-11-21T10:02:00.000000Z" }] }),
    "an end in another form": (basis) => ({ ...basis, expiration: "2031-11-21" }),
  };
  for (const [name, change] of Object.entries(wrong)) assert.deepEqual(brokenOf(await verify(withBasis(change))), ["Vcon vcon.json"], name);
});

test("the signature of a vCon is that of the first certificate's key, ES256 or RS256 as the key is", async () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey;
  const small = generateKeyPairSync("rsa", { modulusLength: 1_024 }).privateKey;
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
  const signed = (change) => verify(withVcon((entries, about) => vconOf(entries, about, null, change)));
  assert.deepEqual(brokenOf(await signed({ key: rsa, alg: "RS256" })), []);
  assert.deepEqual(brokenOf(await signed({ key: other, certificates: [selfSigned(other), Buffer.from("anything")] })), []);
  const wrong = {
    "another certificate": { certificates: [selfSigned(other)] },
    "the right certificate second": { key: other, certificates: [selfSigned(rsa), selfSigned(other)] },
    "no certificate": { certificates: [] },
    "no certificate at all": { certificates: [Buffer.from("x")] },
    "eleven certificates": { key: other, certificates: Array.from({ length: 11 }, () => selfSigned(other)) },
    "RS256 under a key of P-256": { key: rsa, alg: "RS256", certificates: [selfSigned(other)] },
    "RSA of 1,024 bits": { key: small, alg: "RS256" },
    "another curve": { key: p384 },
    "no algorithm": { key: other, alg: "none" },
    "a member more": { more: { kid: "1" } },
    "a signature of another payload": { signed: "{}" },
  };
  for (const [name, change] of Object.entries(wrong)) assert.deepEqual(brokenOf(await signed(change)), ["Vcon vcon.json"], name);
});

test("in another spelling than the one, the signed form is no vCon", async () => {
  const spelled = (change) => verify(withVcon((entries, about) => Buffer.from(change(vconOf(entries, about).toString()))));
  assert.deepEqual(brokenOf(await spelled((text) => text)), []);
  for (const change of [(text) => `${text}\n`, (text) => text.replace('"signature":"', '"signature":"='), (text) => text.replace('"}]', '="}]'), (text) => text.replace('"payload"', '"Payload"')]) {
    assert.deepEqual(brokenOf(await spelled(change)), ["Vcon vcon.json"]);
  }
});

// ── Timestamps

let authority;
let root;
before(() => {
  authority = new Authority();
  root = authority.certify("root");
  authority.certify("tsa", { by: "root", extensions: "stamper" });
  authority.certify("middle", { by: "root", key: "p384", hash: "sha384" });
  authority.certify("under", { by: "middle", extensions: "stamper", hash: "sha384" });
});
after(() => authority.close());

const textOf = (proof) => `${proof.toString().split("\n\n")[1]}\n`;
/** A bundle with an answer; `make` gets the checkpoint's text and gives what is other than usual. */
function stamped(make) {
  const stamp = (leaf, key) => {
    const proof = proofOf(leaf, key);
    const { answer, pem = root, of = proof } = make(textOf(proof), key);
    const all = [["timestamp.tlog-proof", of], ["timestamp.tsr", answer], ["timestamp.pem", pem]];
    return all.flatMap(([name, content]) => (content === null ? [] : [{ name, content }]));
  };
  return makeBundle(records, { change: { stamped: stamp } });
}
const by = (signer, options) => (text) => ({ answer: authority.stamp(text, signer, options) });
const given = (...pems) => ({ anchors: core.readCertificates(new Uint8Array(Buffer.concat(pems))) });

test("a timestamp holds under certificates that were given; under the bundle's own the report warns", async () => {
  const bundle = stamped(by("tsa"));
  const believed = await verify(bundle, given(root));
  assert.deepEqual(told(believed, "Ok", "Timestamp"), ["timestamp.tsr"]);
  assert.equal(believed.facts.stamp.authority, "tsa");
  assert.ok(Math.abs(Date.parse(believed.facts.stamp.moment) - Date.now()) < 600_000, believed.facts.stamp.moment);
  const alone = await verify(bundle);
  assert.ok(alone.holds);
  assert.deepEqual(told(alone, "Warning", "Timestamp"), ["timestamp.tsr"]);
  const unknown = await verify(stamped((text) => ({ ...by("tsa")(text), pem: null })));
  assert.deepEqual(told(unknown, "Warning", "Timestamp"), ["timestamp.tsr"]);
  assert.equal(unknown.facts.stamp, null);
});

test("RSA and ECDSA with each hash are taken, with and without a nonce, and over others to an anchor", async () => {
  authority.certify("rsa", { key: "rsa", by: "root", extensions: "stamper", hash: "sha512" });
  authority.certify("wide", { key: "p384", by: "root", extensions: "stamper" });
  const good = {
    "RSA, SHA-512": by("rsa", { hash: "sha512" }),
    "RSA, SHA-256": by("rsa"),
    "P-384, SHA-384": by("wide", { hash: "sha384" }),
    "without a nonce": by("tsa", { nonce: false }),
    "named by SHA-512": by("tsa", { ess: "sha512" }),
    "over another": by("under", { chain: ["middle"] }),
    "over another, the root beside it": by("under", { chain: ["root", "middle"] }),
  };
  for (const [name, make] of Object.entries(good)) assert.deepEqual(brokenOf(await verify(stamped(make), given(root))), [], name);
  const own = await verify(stamped(by("tsa")), given(authority.get("tsa.pem")));
  assert.deepEqual(brokenOf(own), [], "the signer's certificate is itself believed");
});

test("a timestamp of something else, by somebody else, or in another form does not hold", async () => {
  authority.certify("small", { key: "small", by: "root", extensions: "stamper" });
  authority.certify("p521", { key: "p521", by: "root", extensions: "stamper" });
  authority.certify("old", { by: "root", extensions: "stamper", days: -1 });
  authority.certify("weak", { by: "root", extensions: "stamper", hash: "sha1" });
  const answer = (text, change) => ({ answer: change(Buffer.from(authority.stamp(text, "tsa"))) });
  const bad = {
    "another text": (text) => ({ answer: authority.stamp(`${text}x`, "tsa") }),
    "another hash of it": by("tsa", { of: "sha512" }),
    "named by SHA-1": by("tsa", { ess: "sha1" }),
    "RSA of 1,024 bits": by("small"),
    "another curve": by("p521"),
    "a certificate that was over": by("old"),
    "a certificate signed with SHA-1": by("weak"),
    "a link missing": by("under"),
    "a byte behind it": (text) => answer(text, (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
    "a byte less": (text) => answer(text, (bytes) => bytes.subarray(0, -1)),
    "its last bit changed": (text) => answer(text, (bytes) => bytes.fill(bytes.at(-1) ^ 1, bytes.length - 1)),
    "a length in a longer form": (text) => answer(text, (bytes) => Buffer.concat([Buffer.from([0x30, 0x83, 0]), bytes.subarray(2)])),
    "nothing": () => ({ answer: Buffer.alloc(0) }),
    "too much": () => ({ answer: Buffer.alloc(65_537, 0x30) }),
  };
  for (const [name, make] of Object.entries(bad)) assert.deepEqual(brokenOf(await verify(stamped(make), given(root))), ["Timestamp timestamp.tsr"], name);
  const stranger = new Authority();
  const other = stranger.certify("root");
  stranger.close();
  assert.deepEqual(brokenOf(await verify(stamped(by("tsa")), given(other))), ["Timestamp timestamp.tsr"]);
});

test("whoever may not sign certificates makes no link of a chain", async () => {
  for (const extensions of ["no_ca", "no_sign", "strange"]) {
    authority.certify("link", { by: "root", extensions });
    authority.certify("end", { by: "link", extensions: "stamper" });
    assert.deepEqual(brokenOf(await verify(stamped(by("end", { chain: ["link"] })), given(root))), ["Timestamp timestamp.tsr"], extensions);
  }
  authority.certify("short", { by: "root", extensions: "short" });
  authority.certify("longer", { by: "short" });
  authority.certify("right", { by: "short", extensions: "stamper" });
  authority.certify("wrong", { by: "longer", extensions: "stamper" });
  assert.deepEqual(brokenOf(await verify(stamped(by("right", { chain: ["short"] })), given(root))), []);
  assert.deepEqual(brokenOf(await verify(stamped(by("wrong", { chain: ["short", "longer"] })), given(root))), ["Timestamp timestamp.tsr"]);
});

test("a chain has at most eight certificates", async () => {
  const names = ["root"];
  for (let i = 1; i < 8; i += 1) {
    authority.certify(`link${i}`, { by: names.at(-1) });
    names.push(`link${i}`);
  }
  authority.certify("eighth", { by: names[6], extensions: "stamper" });
  authority.certify("ninth", { by: names[7], extensions: "stamper" });
  const chain = names.slice(1);
  assert.deepEqual(brokenOf(await verify(stamped(by("eighth", { chain })), given(root))), []);
  assert.deepEqual(brokenOf(await verify(stamped(by("ninth", { chain })), given(root))), ["Timestamp timestamp.tsr"]);
});

test("of proof, answer and certificates, whichever is missing or damaged is named", async () => {
  const usual = by("tsa");
  const broken = async (make) => brokenOf(await verify(stamped(make)));
  assert.deepEqual(await broken(() => ({ answer: null })), ["Timestamp timestamp.tsr"]);
  assert.deepEqual(await broken((text) => ({ ...usual(text), of: null })), ["Timestamp timestamp.tlog-proof"]);
  assert.deepEqual(await broken((text) => ({ ...usual(text), of: Buffer.from("x") })), ["Timestamp timestamp.tlog-proof"]);
  assert.deepEqual(await broken((text) => ({ ...usual(text), pem: Buffer.from("x") })), ["Timestamp timestamp.pem"]);
  const ofAnother = (text, key) => ({ ...usual(text), of: proofOf({ v: 1 }, key) });
  assert.deepEqual(await broken(ofAnother), ["Timestamp timestamp.tlog-proof"]);
});
