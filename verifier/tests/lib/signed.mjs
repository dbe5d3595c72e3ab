// Bundles with timestamps and vCons, true and false, for both verifiers to judge.

import { makeBundle, proofOf } from "./make.mjs";
import { generator, randomCall } from "./random.mjs";
import { Authority } from "./stamp.mjs";
import { signedVcon, vconOf } from "./vcon.mjs";

const records = randomCall(4, { seconds: 4 });
const textOf = (proof) => `${proof.toString().split("\n\n")[1]}\n`;
const FLIPS = 60;

/** A bundle with the three files of a timestamp; null for one leaves it out. `entries` may alter all else. */
function stamped(make, entries = (all) => all) {
  const files = (leaf, key) => {
    const proof = proofOf(leaf, key);
    const { answer, pem, of = proof } = make(textOf(proof));
    return [["timestamp.tlog-proof", of], ["timestamp.tsr", answer], ["timestamp.pem", pem]].flatMap(([name, content]) => (content === null ? [] : [{ name, content }]));
  };
  return makeBundle(records, { change: { stamped: files, entries } });
}

function* stamps(authority) {
  const root = authority.certify("root");
  authority.certify("tsa", { by: "root", extensions: "stamper" });
  authority.certify("rsa", { by: "root", key: "rsa", extensions: "stamper" });
  authority.certify("middle", { by: "root", key: "p384", hash: "sha384" });
  authority.certify("under", { by: "middle", extensions: "stamper" });
  for (const extensions of ["no_ca", "no_sign", "strange", "short"]) {
    authority.certify(extensions, { by: "root", extensions });
    authority.certify(`of ${extensions}`, { by: extensions, extensions: "stamper" });
  }
  authority.certify("small", { by: "root", key: "small", extensions: "stamper" });
  authority.certify("p521", { by: "root", key: "p521", extensions: "stamper" });
  authority.certify("old", { by: "root", extensions: "stamper", days: -1 });
  const by = (signer, options) => (text) => ({ answer: authority.stamp(text, signer, options), pem: root });
  const usual = by("tsa");
  const kinds = {
    usual, rsa: by("rsa"), "with SHA-512": by("rsa", { hash: "sha512" }), "over another": by("under", { chain: ["middle"] }),
    "over another and the root": by("under", { chain: ["root", "middle"] }), "a link missing": by("under"), "without a nonce": by("tsa", { nonce: false }),
    "of another hash": by("tsa", { of: "sha512" }), "named by SHA-1": by("tsa", { ess: "sha1" }), small: by("small"), p521: by("p521"), old: by("old"),
    ...Object.fromEntries(["no_ca", "no_sign", "strange", "short"].map((name) => [`by ${name}`, by(`of ${name}`, { chain: [name] })])),
    "of another text": (text) => usual(`${text}x`),
    "no certificates": (text) => ({ ...usual(text), pem: null }),
    "damaged certificates": (text) => ({ ...usual(text), pem: Buffer.from("x") }),
    "no answer": () => ({ answer: null, pem: root }),
    "no proof": (text) => ({ ...usual(text), of: null }),
    "damaged proof": (text) => ({ ...usual(text), of: Buffer.from("x") }),
    "damaged all": () => ({ answer: Buffer.from("x"), pem: Buffer.from("x"), of: Buffer.from("x") }),
    "a byte behind it": (text) => ({ answer: Buffer.concat([usual(text).answer, Buffer.alloc(1)]), pem: root }),
  };
  for (const [name, make] of Object.entries(kinds)) yield [`stamp ${name}`, stamped(make)];
  for (const name of ["archive.vkey", "manifest.json", "opening.json", "checkpoint.tlog-proof"]) {
    yield [`stamp without ${name}`, stamped(usual, (all) => all.filter((entry) => entry.name !== name))];
  }
  const random = generator(5);
  for (let i = 0; i < FLIPS; i += 1) {
    // No certificate in it that nobody needs: how deep such a one is read, the document does not say.
    const make = i % 2 === 0 ? by("rsa") : by("under", { chain: ["middle"] });
    const flipped = (bytes) => {
      bytes[random.below(bytes.length)] ^= 1 << random.below(8);
      return bytes;
    };
    yield [`stamp with bit ${i} changed`, stamped((text) => ({ answer: flipped(Buffer.from(make(text).answer)), pem: root }))];
  }
}

const withVcon = (make) => makeBundle(records, { change: { vcon: make } });
const BASIS = { lawful_basis: "consent", expiration: null, purpose_grants: [{ purpose: "a purpose", granted: true }], metadata: { gdpr_article: "6(1)(a)" } };

function* vcons() {
  const based = (change) => withVcon((entries, about) => {
    const basis = structuredClone(BASIS);
    basis.purpose_grants[0].granted_at = JSON.parse(entries.find(({ name }) => name === "manifest.json").content).call_started;
    change(basis);
    return vconOf(entries, about, basis);
  });
  const bases = {
    "a lawful basis": () => {},
    "an article of another": (basis) => (basis.metadata.gdpr_article = "6(1)(b)"),
    "a basis that is none": (basis) => (basis.lawful_basis = "curiosity"),
    "an empty purpose": (basis) => (basis.purpose_grants[0].purpose = ""),
    "a purpose of 200 wide characters": (basis) => (basis.purpose_grants[0].purpose = "\u{1f600}".repeat(200)),
    "a purpose of 201 characters": (basis) => (basis.purpose_grants[0].purpose = "x".repeat(201)),
    "a purpose not granted": (basis) => (basis.purpose_grants[0].granted = false),
    "no purpose": (basis) => (basis.purpose_grants = []),
    "an end in another form": (basis) => (basis.expiration = "2031-11-21"),
    "a member more": (basis) => (basis.more = 1),
  };
  for (const [name, change] of Object.entries(bases)) yield [`vcon with ${name}`, based(change)];
  const changes = {
    "a blank": (payload) => `${payload} `, "another start": (payload) => payload.replace('"start":"2', '"start":"1'), "nothing in it": () => "",
    "a longer number": (payload) => payload.replace(/("duration":\d+\.\d+)/, "$10"), "no JSON": () => "{",
  };
  for (const [name, change] of Object.entries(changes)) {
    yield [`vcon with ${name}`, withVcon((entries, about) => {
      const { payload, signatures: [{ protected: head }] } = JSON.parse(vconOf(entries, about));
      return signedVcon(change(Buffer.from(payload, "base64url").toString()), JSON.parse(Buffer.from(head, "base64url")).uuid);
    })];
  }
  for (const [name, change] of Object.entries({ "no certificate": { certificates: [] }, "a member more": { more: { kid: "1" } }, "another algorithm": { alg: "none" }, "a signature of something else": { signed: "{}" } })) {
    yield [`vcon signed with ${name}`, withVcon((entries, about) => vconOf(entries, about, null, change))];
  }
  const spellings = { newline: (text) => `${text}\n`, padding: (text) => text.replace('"}]', '="}]'), "another name": (text) => text.replace("payload", "Payload") };
  for (const [name, change] of Object.entries(spellings)) yield [`vcon spelled with ${name}`, withVcon((entries, about) => Buffer.from(change(vconOf(entries, about).toString())))];
}

/** All of them; timestamps need `openssl`. */
export function* signedByOthers() {
  const authority = new Authority();
  try {
    yield* stamps(authority);
  } finally {
    authority.close();
  }
  yield* vcons();
}
