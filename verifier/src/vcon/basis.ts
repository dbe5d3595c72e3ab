// The lawful basis: the one thing that a vCon says and no other file of the bundle.

import { refuse } from "../base/bytes";
import { list, object, oneOf, orNull, text, type Json, type Reader } from "../base/json";
import { time } from "../base/words";

const BASES = ["consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"] as const;
const PURPOSE_MAX = 200;

export interface LawfulBasis {
  readonly lawful_basis: string;
  readonly expiration: string | null;
  readonly purpose_grants: readonly { readonly purpose: string; readonly granted: boolean; readonly granted_at: string }[];
  readonly metadata: { readonly gdpr_article: string };
}

const purpose: Reader<string> = (value) => {
  const length = [...text(value)].length;
  return length >= 1 && length <= PURPOSE_MAX ? (value as string) : refuse("a purpose of another length");
};

const basis: Reader<LawfulBasis> = object({
  lawful_basis: oneOf(...BASES),
  expiration: orNull(time),
  purpose_grants: list(object({ purpose, granted: (value) => (value === true ? true : refuse("a purpose that was not granted")), granted_at: time }), 1),
  metadata: object({ gdpr_article: text }),
});

/** The lawful basis that a payload states, with what follows made right; null where it has none in the form. */
export function basisOf(payload: Json, callStarted: string): LawfulBasis | null {
  const isObject = payload !== null && typeof payload === "object" && !Array.isArray(payload);
  const attachments = isObject ? payload["attachments"] : null;
  if (!Array.isArray(attachments)) return null;
  const found = attachments.find((one) => one !== null && typeof one === "object" && !Array.isArray(one) && one["purpose"] === "lawful_basis");
  try {
    const read = basis((found as { body?: Json } | undefined)?.body ?? null);
    if (read.purpose_grants.length !== 1) return null;
    return {
      lawful_basis: read.lawful_basis,
      expiration: read.expiration,
      purpose_grants: [{ purpose: read.purpose_grants[0].purpose, granted: true, granted_at: callStarted }],
      metadata: { gdpr_article: `6(1)(${"abcdef"[BASES.indexOf(read.lawful_basis as (typeof BASES)[number])]})` },
    };
  } catch {
    return null;
  }
}
