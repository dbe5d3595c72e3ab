// Signatures that people outside the archive make: RSA and ECDSA, by the browser's own WebCrypto.

import { areEqual, refuse, type Bytes } from "../base/bytes";
import { BIT_STRING, DerReader, INTEGER, NULL, OID, only, pairOf, positiveBytes, readOid, SEQUENCE, wholeBits, type Der } from "./der";

export type HashName = "SHA-256" | "SHA-384" | "SHA-512";
export type KeyKind = "RSA" | "P-256" | "P-384";

const HASHES: Readonly<Record<string, HashName>> = {
  "2.16.840.1.101.3.4.2.1": "SHA-256", "2.16.840.1.101.3.4.2.2": "SHA-384", "2.16.840.1.101.3.4.2.3": "SHA-512",
};
const RSA = "1.2.840.113549.1.1.1";
const EC = "1.2.840.10045.2.1";
const CURVES: Readonly<Record<string, KeyKind>> = { "1.2.840.10045.3.1.7": "P-256", "1.3.132.0.34": "P-384" };
/** What signs, and with which hash; null where the algorithm does not say which. */
const SIGNERS: Readonly<Record<string, { readonly isRsa: boolean; readonly hash: HashName | null }>> = {
  [RSA]: { isRsa: true, hash: null },
  "1.2.840.113549.1.1.11": { isRsa: true, hash: "SHA-256" },
  "1.2.840.113549.1.1.12": { isRsa: true, hash: "SHA-384" },
  "1.2.840.113549.1.1.13": { isRsa: true, hash: "SHA-512" },
  "1.2.840.10045.4.3.2": { isRsa: false, hash: "SHA-256" },
  "1.2.840.10045.4.3.3": { isRsa: false, hash: "SHA-384" },
  "1.2.840.10045.4.3.4": { isRsa: false, hash: "SHA-512" },
};
const MODULUS_BITS_MIN = 2_048;
const MODULUS_BITS_MAX = 8_192;
const CURVE_BYTES = { "P-256": 32, "P-384": 48 } as const;

interface AlgorithmId {
  readonly oid: string;
  readonly parameters: Der | null;
}

export function readAlgorithm(reader: DerReader): AlgorithmId {
  const inside = reader.inside(SEQUENCE);
  const oid = readOid(inside.take(OID));
  const parameters = inside.isAtEnd ? null : inside.next();
  inside.end();
  return { oid, parameters };
}

const areNone = ({ parameters }: AlgorithmId): boolean => parameters === null || (parameters.tag === NULL && parameters.content.length === 0);

export function hashOfAlgorithm(algorithm: AlgorithmId): HashName {
  return (areNone(algorithm) ? HASHES[algorithm.oid] : undefined) ?? refuse("a hash that is not taken");
}

/** How a signature was made. `hash` is what it is said to be elsewhere, where it is. */
export interface SignerKind {
  readonly isRsa: boolean;
  readonly hash: HashName;
}

export function signerOf(algorithm: AlgorithmId, hash: HashName | null): SignerKind {
  const found = SIGNERS[algorithm.oid];
  const named = found?.hash ?? hash;
  if (!found || !areNone(algorithm) || named === null || (hash !== null && named !== hash)) return refuse("a signature of a kind that is not taken");
  return { isRsa: found.isRsa, hash: named };
}

export interface PublicKey {
  readonly kind: KeyKind;
  /** SubjectPublicKeyInfo (RFC 5280 §4.1). */
  readonly spki: Bytes;
}

function modulusBits(bytes: Uint8Array): number {
  const key = new DerReader(only(bytes, SEQUENCE).content);
  const modulus = positiveBytes(key.take(INTEGER));
  positiveBytes(key.take(INTEGER));
  key.end();
  return modulus.length === 0 ? 0 : modulus.length * 8 - Math.clz32(modulus[0]) + 24;
}

export function readPublicKey(spki: Der): PublicKey {
  const reader = new DerReader(spki.content);
  const algorithm = readAlgorithm(reader);
  const bits = wholeBits(reader.take(BIT_STRING));
  reader.end();
  const bytes = spki.bytes.slice();
  if (algorithm.oid === RSA && areNone(algorithm)) {
    const size = modulusBits(bits);
    return size >= MODULUS_BITS_MIN && size <= MODULUS_BITS_MAX ? { kind: "RSA", spki: bytes } : refuse("an RSA key of a size that is not taken");
  }
  const curve = algorithm.oid === EC && algorithm.parameters?.tag === OID ? CURVES[readOid(algorithm.parameters)] : undefined;
  return curve ? { kind: curve, spki: bytes } : refuse("a key of a kind that is not taken");
}

/** Whether the browser can check signatures at all. */
export function canVerify(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

async function verifyBy(key: PublicKey, hash: HashName, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const { subtle } = globalThis.crypto;
  const isRsa = key.kind === "RSA";
  try {
    const made = isRsa
      ? await subtle.importKey("spki", key.spki, { name: "RSASSA-PKCS1-v1_5", hash }, false, ["verify"])
      : await subtle.importKey("spki", key.spki, { name: "ECDSA", namedCurve: key.kind }, false, ["verify"]);
    return await subtle.verify(isRsa ? "RSASSA-PKCS1-v1_5" : { name: "ECDSA", hash }, made, signature.slice(), message.slice());
  } catch {
    // No key for it: a point that is not on the curve, an exponent that it does not take.
    return false;
  }
}

/** Whether a signature in the form of certificates (RFC 5280, RFC 5652) is right. */
export async function isSigned(key: PublicKey, signer: SignerKind, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (signer.isRsa !== (key.kind === "RSA")) return false;
  return verifyBy(key, signer.hash, message, key.kind === "RSA" ? signature : pairOf(signature, CURVE_BYTES[key.kind]));
}

/** Whether a signature in the form of JWS (RFC 7518 §3.3, §3.4) is right: ES256 or RS256, as the key is. */
export async function isSignedJws(key: PublicKey, algorithm: string, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const kind = algorithm === "ES256" ? "P-256" : algorithm === "RS256" ? "RSA" : null;
  if (key.kind !== kind || (kind === "P-256" && signature.length !== 64)) return false;
  return verifyBy(key, "SHA-256", message, signature);
}

/** The hash of some bytes. */
export async function hashWith(name: HashName, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await globalThis.crypto.subtle.digest(name, bytes.slice()));
}

export async function isHash(name: HashName, bytes: Uint8Array, hash: Uint8Array): Promise<boolean> {
  return areEqual(await hashWith(name, bytes), hash);
}
