// The vCon that the other files of a bundle give, signed by a key with a certificate by itself.

import { createHash, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { core } from "../../core.mjs";
import { bitString, explicit, integer, oid, sequence, set, time, utf8String } from "./der.mjs";

const ECDSA_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));

/** A certificate of a key, signed by itself; P-256 or RSA. */
export function selfSigned(privateKey, name = "test.example") {
  const who = sequence(set(sequence(oid("2.5.4.3"), utf8String(name))));
  const isRsa = privateKey.asymmetricKeyType === "rsa";
  const algorithm = isRsa ? sequence(oid("1.2.840.113549.1.1.11"), Buffer.from([5, 0])) : ECDSA_SHA256;
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const body = sequence(explicit(0, integer(2)), integer(1), algorithm, who, sequence(time("20200101000000Z"), time("21200101000000Z")), who, spki);
  return sequence(body, algorithm, bitString(sign("sha256", body, privateKey)));
}

const { privateKey: KEY } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

/** `vcon.json` with a payload. `change` may alter the header, the key and what else is in it. */
export function signedVcon(payload, uuid, { key = KEY, alg = "ES256", certificates = [selfSigned(key)], more = {}, signed = payload } = {}) {
  const head = base64url(core.writeJson({ alg, uuid }));
  const message = Buffer.from(`${head}.${base64url(signed)}`);
  const signature = sign("sha256", message, alg === "ES256" ? { key, dsaEncoding: "ieee-p1363" } : key);
  const header = { x5c: certificates.map((bytes) => Buffer.from(bytes).toString("base64")) };
  return Buffer.from(core.writeJson({ payload: base64url(payload), signatures: [{ header, protected: head, signature: base64url(signature), ...more }] }));
}

/** What a vCon follows from, as the entries of a bundle have it. */
export function groundsOf(entries, { recording, archive, made }) {
  const file = (name) => entries.find((entry) => entry.name === name)?.content;
  const read = (name) => JSON.parse(file(name).toString());
  const timeline = read("timeline.json");
  const scope = file("scope.json");
  const sounds = timeline.streams.flatMap(({ stream: { number } }) => {
    const name = [`audio/${number}.wav`, `audio/${number}.opus`].find((one) => file(one));
    if (name === undefined) return [];
    const content = file(name);
    const isOgg = name.endsWith(".opus");
    const channels = isOgg ? content.readUInt8(37) : content.readUInt16LE(22);
    return [{ number, name, mediatype: isOgg ? "audio/ogg" : "audio/x-wav", sha512: createHash("sha512").update(content).digest(), channels }];
  });
  return {
    recording, archive, made, leafAt: read("opening.json").leaf.at, timeline, timelineJson: timeline, decisionJson: read("decision.json"),
    scope: scope ? { scope: JSON.parse(scope.toString()), sha256: createHash("sha256").update(scope).digest() } : null, sounds,
  };
}

/** The uuids, computed here a second time: 16 bytes, of which the last eight begin with the bits 10. */
function uuidsOf({ recording, archive, made, scope }) {
  const uuid = (head, name) => {
    const bits = createHash("sha1").update(name).digest().readBigUInt64BE() >> 2n;
    const hex = `${head.slice(0, 12)}8${head.slice(12)}${((1n << 63n) | bits).toString(16)}`;
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
  const digits = recording.replaceAll("-", "");
  const whole = uuid(digits.slice(0, 12) + digits.slice(13, 16), `${recording}.${archive}`);
  if (!scope) return { own: whole, whole };
  const within = Number(made.slice(23, 26));
  const head = Date.parse(`${made.slice(0, 23)}Z`).toString(16).padStart(12, "0") + Math.floor((within * 4_096) / 1_000).toString(16).padStart(3, "0");
  return { own: uuid(head, `${scope.sha256.toString("hex").slice(0, 32)}.${recording}.${archive}`), whole };
}

/** The signed vCon of a bundle; of a lie that none can be made of, one that says nothing. */
export function vconOf(entries, about, basis = null, change = {}) {
  try {
    const grounds = groundsOf(entries, about);
    const uuids = uuidsOf(grounds);
    return signedVcon(core.vconPayload(grounds, uuids, basis), uuids.own, change);
  } catch {
    return Buffer.from("{}");
  }
}
