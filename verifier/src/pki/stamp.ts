// Timestamps (RFC 3161 with RFC 5816): the answer of an authority, a signed message (CMS, RFC 5652) about a hash.

import { areEqual, refuse } from "../base/bytes";
import {
  BIT_STRING, BOOLEAN, DerReader, GENERALIZED_TIME, INTEGER, integerBytes, OCTET_STRING, OID, only, readBoolean, readMoment, readOid,
  SEQUENCE, SET, smallNumber, tagged, taggedPlain, type Der,
} from "./der";
import { checkChain, isForStampsOnly, parseCertificate, type Certificate } from "./certificate";
import { hashOfAlgorithm, isHash, isSigned, readAlgorithm, signerOf, type HashName, type SignerKind } from "./signature";

const STAMP_BYTES_MAX = 65_536;
const SIGNED_DATA = "1.2.840.113549.1.7.2";
const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47";

/** What an authority says: that it saw this hash at that moment. */
interface StampInfo {
  readonly imprint: Uint8Array;
  readonly moment: bigint;
  readonly accuracyUs: bigint;
}

interface Signer {
  readonly issuer: Uint8Array;
  readonly serial: Uint8Array;
  readonly hash: HashName;
  readonly signer: SignerKind;
  readonly signature: Uint8Array;
  /** The signed attributes as they stand in the message. */
  readonly attributes: Der;
}

interface Stamp {
  readonly infoBytes: Uint8Array;
  readonly info: StampInfo;
  readonly certificates: readonly Certificate[];
  readonly signer: Signer;
}

/** How far the authority's clock may be off: seconds, thousandths and millionths, each where it is told. */
function readAccuracy(der: Der): bigint {
  const reader = new DerReader(der.content);
  const seconds = reader.optional(INTEGER);
  const parts = [reader.optional(taggedPlain(0)), reader.optional(taggedPlain(1))].map((part) => (part ? smallNumber(part) : 0));
  reader.end();
  return BigInt(seconds ? smallNumber(seconds) : 0) * 1_000_000n + BigInt(parts[0] * 1_000 + parts[1]);
}

function readInfo(bytes: Uint8Array): StampInfo {
  const reader = new DerReader(only(bytes, SEQUENCE).content);
  if (smallNumber(reader.take(INTEGER)) !== 1) refuse("a timestamp of a version that is not known");
  readOid(reader.take(OID));
  const imprint = reader.inside(SEQUENCE);
  if (hashOfAlgorithm(readAlgorithm(imprint)) !== "SHA-256") refuse("a timestamp of another hash");
  const hash = imprint.take(OCTET_STRING).content;
  imprint.end();
  integerBytes(reader.take(INTEGER));
  const moment = readMoment(reader.take(GENERALIZED_TIME));
  const accuracy = reader.optional(SEQUENCE);
  const ordering = reader.optional(BOOLEAN);
  if (ordering && !readBoolean(ordering)) refuse("a value that DER leaves out");
  const nonce = reader.optional(INTEGER);
  if (nonce) integerBytes(nonce);
  reader.optional(tagged(0));
  reader.optional(tagged(1));
  reader.end();
  return { imprint: hash, moment, accuracyUs: accuracy ? readAccuracy(accuracy) : 0n };
}

function readSigner(der: Der): Signer {
  const reader = new DerReader(der.content);
  if (smallNumber(reader.take(INTEGER)) !== 1) refuse("a signer of a version that is not taken");
  const who = reader.inside(SEQUENCE);
  const issuer = who.take(SEQUENCE).bytes;
  const serial = integerBytes(who.take(INTEGER));
  who.end();
  const hash = hashOfAlgorithm(readAlgorithm(reader));
  const attributes = reader.optional(tagged(0)) ?? refuse("no signed attributes");
  const signer = signerOf(readAlgorithm(reader), hash);
  const signature = reader.take(OCTET_STRING).content;
  reader.optional(tagged(1));
  reader.end();
  return { issuer, serial, hash, signer, signature, attributes };
}

function readSignedData(bytes: Uint8Array): Stamp {
  const reader = new DerReader(only(bytes, SEQUENCE).content);
  if (smallNumber(reader.take(INTEGER)) !== 3) refuse("a message of another version");
  reader.take(SET);
  const content = reader.inside(SEQUENCE);
  if (readOid(content.take(OID)) !== TST_INFO) refuse("a message about something else");
  const infoBytes = only(content.take(tagged(0)).content, OCTET_STRING).content;
  content.end();
  const certificates = reader.optional(tagged(0));
  reader.optional(tagged(1));
  const signers = new DerReader(reader.take(SET).content).rest();
  reader.end();
  if (signers.length !== 1 || signers[0].tag !== SEQUENCE) refuse("not exactly one signer");
  const all = certificates ? new DerReader(certificates.content).rest() : [];
  return {
    infoBytes,
    info: readInfo(infoBytes),
    certificates: all.filter(({ tag }) => tag === SEQUENCE).map((one) => parseCertificate(one.bytes)),
    signer: readSigner(signers[0]),
  };
}

/** Reads the answer of an authority: granted, and with nothing behind it. */
function readAnswer(bytes: Uint8Array): Stamp {
  if (bytes.length > STAMP_BYTES_MAX) refuse("an answer that is too long");
  const reader = new DerReader(only(bytes, SEQUENCE).content);
  const status = reader.inside(SEQUENCE);
  if (smallNumber(status.take(INTEGER)) > 1) refuse("the authority gave no timestamp");
  status.optional(SEQUENCE);
  status.optional(BIT_STRING);
  status.end();
  const content = reader.inside(SEQUENCE);
  reader.end();
  if (readOid(content.take(OID)) !== SIGNED_DATA) refuse("no signed message");
  const data = content.take(tagged(0)).content;
  content.end();
  return readSignedData(data);
}

/** The one value of a signed attribute that has to be there once. */
function attribute(attributes: readonly Der[], oid: string): Der {
  const found = attributes.flatMap((one): Der[][] => {
    if (one.tag !== SEQUENCE) return refuse("no attribute");
    const inside = new DerReader(one.content);
    const isIt = readOid(inside.take(OID)) === oid;
    const values = new DerReader(inside.take(SET).content).rest();
    inside.end();
    return isIt ? [values] : [];
  });
  return found.length === 1 && found[0].length === 1 ? found[0][0] : refuse("a signed attribute that is not there once");
}

/** Whether the first entry of `SigningCertificateV2` (RFC 5035 §4) is the hash of a certificate. */
async function isNamed(value: Der, certificate: Certificate): Promise<boolean> {
  const outer = new DerReader(value.content);
  const first = new DerReader(outer.inside(SEQUENCE).take(SEQUENCE).content);
  const start = new DerReader(first.next().bytes);
  // Left out where it is SHA-256.
  const isLeftOut = start.optional(OCTET_STRING);
  if (isLeftOut) return isHash("SHA-256", certificate.bytes, isLeftOut.content);
  return isHash(hashOfAlgorithm(readAlgorithm(start)), certificate.bytes, first.take(OCTET_STRING).content);
}

/** What came of an answer that holds. */
export interface Stamped {
  /** Microseconds since 1970. */
  readonly moment: bigint;
  readonly accuracyUs: bigint;
  /** Who says so: the name in the signer's certificate. */
  readonly authority: Uint8Array;
}

/** Refuses unless the answer holds for a text, under certificates that are believed. */
export async function checkStamp(answer: Uint8Array, text: Uint8Array, anchors: readonly Certificate[]): Promise<Stamped> {
  const { infoBytes, info, certificates, signer } = readAnswer(answer);
  if (!(await isHash("SHA-256", text, info.imprint))) refuse("a timestamp of something else");
  const isSigners = (one: Certificate): boolean => areEqual(one.issuer, signer.issuer) && areEqual(one.serial, signer.serial);
  const own = certificates.find(isSigners) ?? refuse("the signer's certificate is not there");
  const attributes = new DerReader(signer.attributes.content).rest();
  if (readOid(attribute(attributes, CONTENT_TYPE)) !== TST_INFO) refuse("the signature is of something else");
  const digest = attribute(attributes, MESSAGE_DIGEST);
  if (digest.tag !== OCTET_STRING || !(await isHash(signer.hash, infoBytes, digest.content))) refuse("the signature is of something else");
  const named = attribute(attributes, SIGNING_CERTIFICATE_V2);
  if (named.tag !== SEQUENCE || !(await isNamed(named, own))) refuse("the signature names another certificate");
  // What is signed has the tag of a SET, and not that of its place in the message.
  const signed = signer.attributes.bytes.slice();
  signed[0] = SET;
  if (own.key === null || !(await isSigned(own.key, signer.signer, signed, signer.signature))) refuse("the signature is not right");
  if (!isForStampsOnly(own)) refuse("the certificate is not for timestamps alone");
  await checkChain(own, certificates, anchors, info.moment);
  return { moment: info.moment, accuracyUs: info.accuracyUs, authority: own.subject };
}
