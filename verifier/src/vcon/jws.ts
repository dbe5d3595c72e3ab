// The signed form of a vCon: JSON of the general serialization of JWS (RFC 7515 §7.2.1).

import { fromBase64, refuse, textOf, utf8, type Bytes } from "../base/bytes";
import { list, notEmpty, object, oneOf, readJson, text, type Json, type Reader } from "../base/json";
import { id } from "../base/words";
import { parseCertificate } from "../pki/certificate";
import { isSignedJws } from "../pki/signature";

const CERTIFICATES_MAX = 10;

export interface Jws {
  /** The bytes that the payload stands for. */
  readonly payload: Bytes;
  readonly uuid: string;
  readonly algorithm: string;
  readonly signature: Bytes;
  readonly certificates: readonly Bytes[];
  /** What is signed. */
  readonly signed: Bytes;
}

/** base64url without padding (RFC 7515 §2), in its one spelling. */
export function fromBase64url(found: string): Bytes {
  if (!/^[A-Za-z0-9_-]*$/.test(found)) refuse("not base64url");
  const usual = found.replaceAll("-", "+").replaceAll("_", "/");
  return fromBase64(usual + "=".repeat((4 - (usual.length % 4)) % 4));
}

const certificate: Reader<Bytes> = (value) => fromBase64(text(value));
const form = object<{ payload: string; signatures: { header: { x5c: Bytes[] }; protected: string; signature: string }[] }>({
  payload: text,
  signatures: list(object({ header: object({ x5c: notEmpty(list(certificate, CERTIFICATES_MAX)) }), protected: text, signature: text }), 1),
});
const protectedForm = object<{ alg: string; uuid: string }>({ alg: oneOf("ES256", "RS256"), uuid: id });

export function readJws(bytes: Uint8Array): Jws {
  const { payload, signatures } = form(readJson(bytes));
  if (signatures.length !== 1) refuse("not exactly one signature");
  const [{ header, protected: head, signature }] = signatures;
  const { alg, uuid } = protectedForm(readJson(fromBase64url(head)));
  return {
    payload: fromBase64url(payload), uuid, algorithm: alg, signature: fromBase64url(signature), certificates: header.x5c,
    signed: utf8(`${head}.${payload}`),
  };
}

/** The payload as JSON, whatever its spelling. */
export function payloadJson({ payload }: Jws): Json {
  try {
    return JSON.parse(textOf(payload)) as Json;
  } catch {
    return refuse("the payload is no JSON");
  }
}

/** Refuses unless the key of the first certificate made the signature. Nothing else of the certificate is looked at. */
export async function checkJws(jws: Jws): Promise<void> {
  const { key } = parseCertificate(jws.certificates[0]);
  if (key === null || !(await isSignedJws(key, jws.algorithm, jws.signed, jws.signature))) refuse("the signature is not right");
}
