// Certificates (RFC 5280), and the way from one to an anchor.

import { areEqual, BadForm, fromBase64, refuse, textOf, type Bytes } from "../base/bytes";
import {
  BIT_STRING, BOOLEAN, countBits, DerReader, hasBit, INTEGER, integerBytes, OCTET_STRING, OID, only, readBoolean, readMoment, readOid, SEQUENCE, SET,
  smallNumber, tagged, taggedPlain, wholeBits, type Der,
} from "./der";
import { isSigned, readAlgorithm, readPublicKey, signerOf, type PublicKey, type SignerKind } from "./signature";

const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const POLICIES = "2.5.29.32";
const KNOWN = [BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, POLICIES];
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
const COMMON_NAME = "2.5.4.3";
const ORGANIZATION = "2.5.4.10";
const CERT_SIGN = 5;
const TWICE = "twice";
const CHAIN_MAX = 8;

interface Extension {
  readonly isCritical: boolean;
  readonly value: Uint8Array;
}

export interface Certificate {
  readonly bytes: Uint8Array;
  /** What is signed in it. */
  readonly body: Uint8Array;
  readonly signer: SignerKind | null;
  readonly signature: Uint8Array;
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: bigint;
  readonly notAfter: bigint;
  /** Null where it is of a kind that is not taken. */
  readonly key: PublicKey | null;
  readonly extensions: ReadonlyMap<string, Extension>;
}

/** Null for what is refused: a certificate that nobody needs may have it. */
function orNone<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof BadForm) return null;
    throw error;
  }
}

function readExtensions(reader: DerReader): Map<string, Extension> {
  const found = new Map<string, Extension>();
  const outer = reader.optional(tagged(3));
  if (!outer) return found;
  const list = new DerReader(only(outer.content, SEQUENCE).content);
  for (const one of list.rest()) {
    if (one.tag !== SEQUENCE) refuse("no extension");
    const inside = new DerReader(one.content);
    const oid = readOid(inside.take(OID));
    const critical = inside.optional(BOOLEAN);
    const isCritical = critical !== null && readBoolean(critical);
    const value = inside.take(OCTET_STRING).content;
    inside.end();
    // One that is there twice is like one that nobody knows: the certificate cannot be used, but it can be read.
    found.set(found.has(oid) ? TWICE : oid, { isCritical: isCritical || found.has(oid), value });
  }
  return found;
}

/** A name: lists of pairs, of which each has an identifier and a value. */
function readName(reader: DerReader): Uint8Array {
  const name = reader.take(SEQUENCE);
  pairsOf(name);
  return name.bytes;
}

function pairsOf(name: Der): (readonly [string, Der])[] {
  return new DerReader(name.content).rest().flatMap((set) => {
    if (set.tag !== SET) return refuse("no name");
    return new DerReader(set.content).rest().map((pair) => {
      const inside = new DerReader(only(pair.bytes, SEQUENCE).content);
      const found = [readOid(inside.take(OID)), inside.next()] as const;
      inside.end();
      return found;
    });
  });
}

export function parseCertificate(bytes: Uint8Array): Certificate {
  const outer = new DerReader(only(bytes, SEQUENCE).content);
  const body = outer.take(SEQUENCE);
  const algorithm = readAlgorithm(outer);
  const signature = wholeBits(outer.take(BIT_STRING));
  outer.end();
  const reader = new DerReader(body.content);
  const version = reader.optional(tagged(0));
  if (version && smallNumber(only(version.content, INTEGER)) > 2) refuse("a certificate of a version that is not known");
  const serial = integerBytes(reader.take(INTEGER));
  const named = readAlgorithm(reader);
  const isOneAlgorithm = named.oid === algorithm.oid;
  const issuer = readName(reader);
  const validity = reader.inside(SEQUENCE);
  const notBefore = readMoment(validity.next());
  const notAfter = readMoment(validity.next());
  validity.end();
  const subject = readName(reader);
  const spki = reader.take(SEQUENCE);
  const keyForm = new DerReader(spki.content);
  readAlgorithm(keyForm);
  countBits(keyForm.take(BIT_STRING));
  keyForm.end();
  reader.optional(taggedPlain(1));
  reader.optional(taggedPlain(2));
  const extensions = readExtensions(reader);
  reader.end();
  return {
    bytes, body: body.bytes, signer: isOneAlgorithm ? orNone(() => signerOf(algorithm, null)) : null, signature, serial, issuer, subject, notBefore, notAfter,
    key: orNone(() => readPublicKey(spki)), extensions,
  };
}

const PEM = /-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----/g;

/** Certificates in a file: PEM, with other text between them, or one in DER. */
export function readCertificates(bytes: Bytes): Certificate[] {
  if (bytes[0] === SEQUENCE) return [parseCertificate(bytes)];
  const found = [...textOf(bytes).matchAll(PEM)].map(([, base64]) => parseCertificate(fromBase64(base64.replace(/\s/g, ""))));
  return found.length > 0 ? found : refuse("no certificate in it");
}

/** What it is called: its common name, or its organisation. Empty where it has neither. */
export function nameOf(name: Uint8Array): string {
  const found = new Map(pairsOf(only(name, SEQUENCE)).map(([oid, { content }]) => [oid, new TextDecoder().decode(content)]));
  return found.get(COMMON_NAME) ?? found.get(ORGANIZATION) ?? "";
}

/** Whether it is for timestamps and nothing else, and says so critically. */
export function isForStampsOnly({ extensions }: Certificate): boolean {
  const usage = extensions.get(EXTENDED_KEY_USAGE);
  if (!usage?.isCritical) return false;
  const purposes = new DerReader(only(usage.value, SEQUENCE).content).rest();
  return purposes.length === 1 && purposes[0].tag === OID && readOid(purposes[0]) === TIME_STAMPING;
}

/** Whether it may sign certificates with so many certificates of others between it and the one that is asked about. */
function maySign({ extensions }: Certificate, between: number): boolean {
  const constraints = extensions.get(BASIC_CONSTRAINTS);
  if (!constraints) return false;
  const reader = new DerReader(only(constraints.value, SEQUENCE).content);
  const isCa = reader.optional(BOOLEAN);
  const most = reader.optional(INTEGER);
  reader.end();
  if (isCa === null || !readBoolean(isCa) || (most !== null && between > smallNumber(most))) return false;
  const usage = extensions.get(KEY_USAGE);
  return usage === undefined || hasBit(only(usage.value, BIT_STRING), CERT_SIGN);
}

/** Whether it was valid then, and asks for nothing that is not known here. */
function isUsable({ notBefore, notAfter, extensions }: Certificate, moment: bigint): boolean {
  const isStrange = [...extensions].some(([oid, { isCritical }]) => isCritical && !KNOWN.includes(oid));
  return notBefore <= moment && moment <= notAfter && !isStrange;
}

const isSame = (a: Certificate, b: Certificate): boolean => areEqual(a.bytes, b.bytes);

async function isIssuedBy(one: Certificate, by: Certificate): Promise<boolean> {
  if (!areEqual(one.issuer, by.subject) || by.key === null || one.signer === null) return false;
  try {
    return await isSigned(by.key, one.signer, one.body, one.signature);
  } catch (error) {
    if (error instanceof BadForm) return false;
    throw error;
  }
}

/** Refuses unless a chain leads from a certificate over others to an anchor, all of it valid at a moment. */
export async function checkChain(first: Certificate, others: readonly Certificate[], anchors: readonly Certificate[], moment: bigint): Promise<void> {
  if (!isUsable(first, moment)) refuse("the certificate was not valid then, or asks for what is not known here");
  const left = new Set([...anchors, ...others].filter((one) => isUsable(one, moment) && !isSame(one, first)));
  // Step by step away from the first: each is reached by its shortest way, which is the best one, and once.
  let reached: Certificate[] = [first];
  for (let length = 1; length <= CHAIN_MAX && reached.length > 0; length += 1) {
    if (reached.some((one) => anchors.some((anchor) => isSame(one, anchor)))) return;
    const next: Certificate[] = [];
    for (const by of left) {
      if (!orFalse(() => maySign(by, length - 1))) continue;
      for (const one of reached) {
        if (!(await isIssuedBy(one, by))) continue;
        next.push(by);
        left.delete(by);
        break;
      }
    }
    reached = next;
  }
  refuse("no chain of certificates leads to one that is believed");
}

const orFalse = (ask: () => boolean): boolean => orNone(ask) ?? false;
