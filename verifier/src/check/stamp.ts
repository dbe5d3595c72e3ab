// Step 11: an authority saw a checkpoint that holds the leaf, at a moment of its own clock.

import { BadForm, utf8, type Bytes } from "../base/bytes";
import { readTime, timeText } from "../base/words";
import { readNote, type VerifierKey } from "../log/note";
import { checkProof, readProof, type Opening } from "../log/proof";
import { nameOf, readCertificates, type Certificate } from "../pki/certificate";
import { canVerify } from "../pki/signature";
import { checkStamp } from "../pki/stamp";
import type { Bundle } from "./bundle";
import { STAMP, STAMP_ANCHORS, STAMPED } from "./list";
import type { Code, Findings } from "./report";

/** What an authority said, where its answer holds. */
export interface StampFacts {
  readonly moment: string;
  readonly authority: string;
  /** Whether the certificates were the checker's own, and not those of the bundle. */
  readonly isGiven: boolean;
}

/** What a file says, once read; null, and named, where it cannot be read. */
async function readPart<T>(bundle: Bundle, name: string, code: Code, findings: Findings, read: (bytes: Bytes) => T): Promise<T | null> {
  try {
    return read(await bundle.content(name));
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    findings.broken("Timestamp", name, code, error.message);
    return null;
  }
}

/** Checks the timestamp, where there is one. `given`: the certificates that the checker believes. */
export async function checkTimestamp(
  bundle: Bundle,
  opening: Opening,
  callEnded: string,
  key: VerifierKey,
  given: readonly Certificate[] | null,
  findings: Findings,
): Promise<StampFacts | null> {
  if (!bundle.has(STAMP) && !bundle.has(STAMPED)) return null;
  if (!bundle.has(STAMP)) findings.broken("Timestamp", STAMP, "missing");
  if (!bundle.has(STAMPED)) {
    findings.broken("Timestamp", STAMPED, "missing");
    return null;
  }
  const text = await readPart(bundle, STAMPED, "not_proven", findings, (bytes) => {
    const proof = readProof(bytes);
    checkProof(opening.leafJson, proof, key);
    return utf8(readNote(proof.checkpoint).text);
  });
  if (text === null) return null;
  const own = bundle.has(STAMP_ANCHORS) ? await readPart(bundle, STAMP_ANCHORS, "no_certificates", findings, readCertificates) : null;
  if (!bundle.has(STAMP)) return null;
  const anchors = given ?? own;
  if (anchors === null || !canVerify()) {
    findings.warn("Timestamp", STAMP, anchors === null ? "no_stamp_anchors" : "unchecked_here");
    return null;
  }
  try {
    const { moment, accuracyUs, authority } = await checkStamp(await bundle.content(STAMP), text, anchors);
    if (given === null) findings.warn("Timestamp", STAMP, "stamp_anchors_from_bundle");
    else findings.ok("Timestamp", STAMP);
    const latest = [callEnded, opening.leaf.at].map(readTime).reduce((a, b) => (a > b ? a : b));
    if (moment + accuracyUs < latest) findings.warn("Timestamp", STAMP, "stamped_too_early");
    return { moment: timeText(moment), authority: nameOf(authority), isGiven: given !== null };
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    findings.broken("Timestamp", STAMP, "stamp_does_not_hold", error.message);
    return null;
  }
}
