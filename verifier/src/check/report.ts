// What a check found: named so that two verifiers can be held against each other.

export const CHECKS = [
  "Container", "Key", "Signature", "Files", "Decision", "Original", "Timeline", "Sound", "Log", "Completeness", "Scope", "Witnesses",
  "Certificate", "Vcon", "Timestamp", "Receipt",
] as const;
export type Check = (typeof CHECKS)[number];

export type Severity = "Ok" | "Warning" | "Broken";

/** Why something is broken, or what is told of it: the page has a sentence for each. */
export type Code =
  | "ok" | "not_in_form" | "content_changed" | "key_from_bundle" | "no_key" | "other_key" | "missing" | "bad_signature"
  | "not_listed" | "no_part" | "out_of_order" | "damaged" | "too_large" | "other_recording" | "not_of_recording"
  | "other_rulebook" | "index_missing" | "does_not_follow" | "states_other" | "opus_not_decoded" | "not_proven" | "bad_list"
  | "part" | "other_copy" | "salt_of_other_copy" | "scope_untrue" | "not_witnessed" | "witnesses_unchecked" | "unchecked_here"
  | "stamp_anchors_from_bundle" | "stamp_does_not_hold" | "no_stamp_anchors" | "no_certificates" | "stamped_too_early" | "heard_far"
  | "other_archive" | "receipt_does_not_hold" | "receipt_of_other" | "rewritten" | "two_histories";

export interface Finding {
  readonly check: Check;
  readonly severity: Severity;
  readonly place: string;
  readonly code: Code;
  /** What a programmer wants to know more. In English. */
  readonly detail: string;
}

export class Findings {
  readonly list: Finding[] = [];

  ok(check: Check, place: string): void {
    this.list.push({ check, severity: "Ok", place, code: "ok", detail: "" });
  }

  warn(check: Check, place: string, code: Code, detail = ""): void {
    this.list.push({ check, severity: "Warning", place, code, detail });
  }

  broken(check: Check, place: string, code: Code, detail = ""): void {
    this.list.push({ check, severity: "Broken", place, code, detail });
  }

  /** Right or broken, as it turned out. */
  is(isRight: boolean, check: Check, place: string, code: Code): void {
    if (isRight) this.ok(check, place);
    else this.broken(check, place, code);
  }

  get holds(): boolean {
    return !this.list.some(({ severity }) => severity === "Broken");
  }
}
