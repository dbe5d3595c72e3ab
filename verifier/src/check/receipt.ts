// A receipt that somebody kept, held against the bundle: whether the log says now what it said then.

import { areEqual, BadForm, fromBase64, refuse, textOf, utf8 } from "../base/bytes";
import { object, readJson, text, writeJson, type Json } from "../base/json";
import { version1 } from "../base/words";
import { readKey, type VerifierKey } from "../log/note";
import { anyLeaf, checkProof, proofOfText, readCheckpoint, type Leaf, type Proof } from "../log/proof";
import type { Findings } from "./report";

const RECEIPT_BYTES_MAX = 64 * 1024;
const EXTRA = "extra ";
/** Where what is wrong with it is: it is no file of the bundle. */
const PLACE = "receipt";

export interface Receipt {
  readonly key: VerifierKey;
  readonly leaf: Leaf;
  readonly leafJson: Json;
  readonly proof: Proof;
}

const extraReader = object<{ readonly key: string; readonly leaf: Leaf }>({ version: version1, key: text, leaf: anyLeaf });

/** Reads what the archive gave, as it may have come: by mail, from a QR code, out of an editor. */
export function readReceipt(bytes: Uint8Array): Receipt {
  if (bytes.length > RECEIPT_BYTES_MAX) refuse("a receipt that is too long");
  const given = textOf(bytes).replace(/^\ufeff/, "").replaceAll("\r\n", "\n").replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  const [head, extra, ...rest] = `${given}\n`.split("\n");
  if (!extra?.startsWith(EXTRA)) return refuse("its second line does not say what was logged");
  const json = readJson(fromBase64(extra.slice(EXTRA.length)));
  const { key, leaf } = extraReader(json);
  return { key: readKey(key), leaf, leafJson: (json as { leaf: Json }).leaf, proof: proofOfText([head, ...rest].join("\n")) };
}

/** What the bundle has of the same entry. */
export interface Entry {
  readonly leafJson: Json;
  readonly proof: Proof;
  readonly key: VerifierKey;
}

/** Says in `findings` whether they agree. Gives the size of the log when the receipt was given; null where the bundle cannot tell. */
export function checkReceipt(receipt: Receipt, entry: Entry, findings: Findings): string | null {
  const broken = (code: "other_archive" | "receipt_does_not_hold" | "receipt_of_other" | "rewritten" | "two_histories", detail = ""): void =>
    findings.broken("Receipt", PLACE, code, detail);
  const now = attemptOr(() => readCheckpoint(entry.proof.checkpoint, entry.key));
  if (now instanceof Error) return null;
  if (receipt.key.text !== entry.key.text) {
    broken("other_archive");
    return null;
  }
  const then = attemptOr(() => checkProof(receipt.leafJson, receipt.proof, entry.key));
  if (then instanceof Error) {
    broken("receipt_does_not_hold", then.message);
    return null;
  }
  const isSameLeaf = areEqual(utf8(writeJson(receipt.leafJson)), utf8(writeJson(entry.leafJson)));
  if (receipt.leaf.object !== (entry.leafJson as { object: Json }).object) broken("receipt_of_other");
  else if (!isSameLeaf || receipt.proof.index !== entry.proof.index) broken("rewritten");
  else if (then.size === now.size && !areEqual(then.root, now.root)) broken("two_histories");
  else findings.ok("Receipt", PLACE);
  return String(then.size);
}

function attemptOr<T>(run: () => T): T | BadForm {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    return error;
  }
}
