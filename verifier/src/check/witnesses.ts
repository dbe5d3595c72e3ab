// Step 11: whether the checkpoint holds under what the checker believes about logs and witnesses.

import { BadForm } from "../base/bytes";
import { isSignedBy, readNote, type VerifierKey } from "../log/note";
import { checkPolicy, type Policy } from "../log/policy";
import { PROOF } from "./list";
import type { Findings } from "./report";

/** `checkpoint` is one that the archive's key signed. */
export function checkWitnesses(checkpoint: Uint8Array, key: VerifierKey, policy: Policy | null, findings: Findings): void {
  const note = readNote(checkpoint);
  if (policy === null) {
    const others = note.signatures.filter((line) => !isSignedBy(line, key)).length;
    if (others > 0) findings.warn("Witnesses", PROOF, "witnesses_unchecked", `${others} lines of others`);
    return;
  }
  try {
    checkPolicy(policy, note);
    findings.ok("Witnesses", PROOF);
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    findings.broken("Witnesses", PROOF, "not_witnessed", error.message);
  }
}
