// A certificate of destruction: a signed note that says what was destroyed, and where the log holds it.

import { areEqual, BadForm, fromBase64, fromHex, refuse, textOf, utf8 } from "../base/bytes";
import { count, flag, list, object, oneOf, readJson, text, writeJson, type Json, type Reader } from "../base/json";
import { id, time, version1 } from "../base/words";
import { readNote, readOwnNote, type VerifierKey } from "../log/note";
import { sha256 } from "../base/sha256";
import { checkProof, commits, leaf, readProof, type Proof } from "../log/proof";
import { Findings, type Finding } from "./report";

export const CERTIFICATE_VERSION = "voicelog-destruction/v1";

export interface Statement {
  readonly destruction: string;
  readonly recording: string;
  readonly decision: string;
  readonly key_destroyed_at: string;
  readonly completed_at: string;
  readonly keys: number;
  readonly objects: number;
  readonly bytes: number;
  readonly scope?: "sound";
  readonly was?: DestroyedRecording;
}

/** What it was, in words of the law's facts, and why it could go. */
export interface DestroyedRecording {
  readonly recorded_at: string;
  readonly purpose?: string;
  readonly retention_term?: string;
  readonly retain_until?: string;
  readonly recorder_type?: string;
  readonly process_type?: string;
  readonly asked_by_account: boolean;
  readonly grounds: readonly { readonly rule: string; readonly articles: readonly string[] }[];
  readonly copies: readonly { readonly at: string; readonly decision: string; readonly recipient?: string }[];
}

const wasReader: Reader<DestroyedRecording> = object({
  recorded_at: time, "purpose?": text, "retention_term?": text, "retain_until?": time, "recorder_type?": text, "process_type?": text,
  asked_by_account: flag, grounds: list(object({ rule: text, articles: list(text) })),
  copies: list(object({ at: time, decision: id, "recipient?": text })),
});

const statementReader: Reader<Statement> = object({
  version: version1, destruction: id, recording: id, decision: id, key_destroyed_at: time, completed_at: time,
  keys: count, objects: count, bytes: count, "scope?": oneOf("sound"), "was?": wasReader,
});

interface Certificate {
  readonly statement: Statement;
  readonly statementJson: Json;
  readonly salt: Uint8Array;
  readonly leafJson: Json;
  readonly proof: Proof;
}

/** Sentences for people, at places of their own; the rest is for programs. */
const SENTENCES = 4;

function readCertificate(note: string): Certificate {
  const lines = note.slice(0, -1).split("\n");
  if (lines[0] !== CERTIFICATE_VERSION) refuse(`not a certificate of a known version: ${String(lines[0]).slice(0, 40)}`);
  if (lines.length !== 1 + SENTENCES + 4) refuse("no certificate in its form");
  const after = (place: number, word: string): string => {
    const line = lines[1 + SENTENCES + place] as string;
    return line.startsWith(`${word} `) ? line.slice(word.length + 1) : refuse(`no line \`${word}\``);
  };
  const statementJson = readJson(utf8(after(0, "statement")));
  const salt = fromHex(text(readJson(utf8(after(1, "salt")))), 32);
  const leafJson = readJson(utf8(after(2, "leaf")));
  return { statement: statementReader(statementJson), statementJson, salt, leafJson, proof: readProof(fromBase64(after(3, "proof"))) };
}

export function isCertificate(bytes: Uint8Array): boolean {
  try {
    return textOf(bytes.subarray(0, 21)) === "voicelog-destruction/";
  } catch {
    return false;
  }
}

/** Whether another certificate stands behind the first. */
export function hasMore(bytes: Uint8Array): boolean {
  const mark = utf8("\nvoicelog-destruction/");
  for (let i = bytes.indexOf(mark[0] as number); i >= 0; i = bytes.indexOf(mark[0] as number, i + 1)) {
    if (areEqual(bytes.subarray(i, i + mark.length), mark)) return true;
  }
  return false;
}

export interface CertificateReport {
  readonly holds: boolean;
  readonly findings: readonly Finding[];
  readonly statement: Statement | null;
  readonly key: VerifierKey | null;
  readonly logSize: string | null;
  readonly sentences: readonly string[];
}

const CERTIFICATE_PLACE = "certificate";

/** Checks a certificate with the key of the archive, which must be known from elsewhere. */
export function verifyCertificate(bytes: Uint8Array, key: VerifierKey | null): CertificateReport {
  const findings = new Findings();
  let statement: Statement | null = null;
  let logSize: string | null = null;
  let sentences: string[] = [];
  try {
    const note = readNote(bytes).text;
    const certificate = readCertificate(note);
    sentences = note.split("\n").slice(1, 1 + SENTENCES);
    statement = certificate.statement;
    if (key === null) {
      findings.broken("Signature", CERTIFICATE_PLACE, "no_key");
      return { holds: false, findings: findings.list, statement, key, logSize, sentences };
    }
    readOwnNote(bytes, key);
    findings.ok("Signature", CERTIFICATE_PLACE);
    const found = leaf(certificate.leafJson);
    const content = sha256(utf8(writeJson(certificate.statementJson)));
    // Of the sound alone it is a kind of its own: `destroyed` is the end of a recording.
    const type = statement.scope === "sound" ? "sound_destroyed" : "destroyed";
    if (found.type !== type || found.object !== statement.recording || !commits(found, certificate.salt, content)) {
      findings.broken("Certificate", CERTIFICATE_PLACE, "not_of_recording");
    } else findings.ok("Certificate", CERTIFICATE_PLACE);
    logSize = String(checkProof(certificate.leafJson, certificate.proof, key).size);
    findings.ok("Log", CERTIFICATE_PLACE);
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    findings.broken("Certificate", CERTIFICATE_PLACE, "damaged", error.message);
  }
  return { holds: findings.holds, findings: findings.list, statement, key, logSize, sentences };
}
