// Policies (C2SP tlog-policy) and cosignatures (C2SP tlog-cosignature v1.0.0): whom a checker believes about a checkpoint.

import { areEqual, concat, refuse, textOf, utf8, viewOf } from "../base/bytes";
import { verifyEd25519 } from "../base/ed25519";
import { COSIGNER, isSignedBy, readKeyOf, SIGNER, type Note, type Signature, type VerifierKey } from "./note";

const POLICY_BYTES_MAX = 1024 * 1024;
const TIME_MAX = (1n << 63n) - 1n;
const NONE = "none";

interface Group {
  readonly least: number;
  readonly members: readonly string[];
}

export interface Policy {
  readonly logs: readonly VerifierKey[];
  /** By the names that the policy gives them. */
  readonly witnesses: ReadonlyMap<string, VerifierKey>;
  readonly groups: ReadonlyMap<string, Group>;
  readonly quorum: string;
}

function checkNew(keys: Iterable<VerifierKey>, key: VerifierKey): void {
  for (const known of keys) if (areEqual(known.key, key.key)) refuse("a policy that names a key twice");
}

/** A key's name is UTF-8, other than the names that a policy gives. */
function keyOf(word: string, purpose: typeof SIGNER | typeof COSIGNER): VerifierKey {
  return readKeyOf(textOf(Uint8Array.from(word, (letter) => letter.charCodeAt(0))), purpose);
}

class PolicyReader {
  private readonly logs: VerifierKey[] = [];
  private readonly witnesses = new Map<string, VerifierKey>();
  private readonly groups = new Map<string, Group>();
  private readonly members = new Set<string>();
  private quorum: string | null = null;

  private isDefined(name: string): boolean {
    return this.witnesses.has(name) || this.groups.has(name);
  }

  private define(name: string | undefined): string {
    if (name === undefined || name === NONE || this.isDefined(name)) return refuse("a name that is missing or defined twice");
    return name;
  }

  line([kind, ...words]: readonly string[]): void {
    switch (kind) {
      case "log": {
        if (words.length < 1 || words.length > 2) refuse("a line `log` in another form");
        const key = keyOf(words[0], SIGNER);
        checkNew(this.logs, key);
        this.logs.push(key);
        return;
      }
      case "witness": {
        if (words.length < 2 || words.length > 3) refuse("a line `witness` in another form");
        const key = keyOf(words[1], COSIGNER);
        checkNew(this.witnesses.values(), key);
        this.witnesses.set(this.define(words[0]), key);
        return;
      }
      case "group":
        return this.group(words);
      case "quorum": {
        const [name] = words;
        if (words.length !== 1 || this.quorum !== null || (name !== NONE && !this.isDefined(name))) refuse("not one quorum of something defined");
        this.quorum = name;
        return;
      }
      default:
        refuse("a line of a kind that is not known");
    }
  }

  private group([name, threshold, ...members]: readonly string[]): void {
    const own = this.define(name);
    if (members.length === 0) refuse("a group without members");
    for (const member of members) {
      if (!this.isDefined(member) || this.members.has(member)) refuse("a member that is not defined, or of two groups");
      this.members.add(member);
    }
    const least = threshold === "any" ? 1 : threshold === "all" ? members.length : /^[1-9][0-9]{0,8}$/.test(threshold) ? Number(threshold) : 0;
    if (least < 1 || least > members.length) refuse("a group that can never be met, or always is");
    this.groups.set(own, { least, members });
  }

  finish(): Policy {
    const { logs, witnesses, groups, quorum } = this;
    return quorum === null ? refuse("a policy without a quorum") : { logs, witnesses, groups, quorum };
  }
}

/** Reads a policy. Bytes above 0x7f mean nothing but themselves. */
export function readPolicy(bytes: Uint8Array): Policy {
  if (bytes.length > POLICY_BYTES_MAX) refuse("a policy that is too long");
  let text = "";
  for (const byte of bytes) {
    if ((byte < 0x20 && byte !== 0x09 && byte !== 0x0a) || byte === 0x7f) refuse("a control character in the policy");
    text += String.fromCharCode(byte);
  }
  const reader = new PolicyReader();
  for (const line of text.split("\n")) {
    const words = line.split(/[ \t]+/).filter((word) => word !== "");
    if (words.length > 0 && !words[0].startsWith("#")) reader.line(words);
  }
  return reader.finish();
}

/** Whether a witness signed the text of a checkpoint at the moment that its line tells. */
function isCosignature(text: string, { signature }: Signature, key: VerifierKey): boolean {
  if (signature.length !== 72) return false;
  const seconds = viewOf(signature).getBigUint64(0);
  if (seconds < 1n || seconds > TIME_MAX) return false;
  const signed = concat(utf8(`cosignature/v1\ntime ${seconds}\n`), utf8(text));
  return verifyEd25519(key.key, signed, signature.subarray(8));
}

/** Lines in the name and key id of somebody. */
function linesOf(note: Note, key: VerifierKey): readonly Signature[] {
  return note.signatures.filter((line) => isSignedBy(line, key));
}

/** Refuses the checkpoint unless it holds under the policy; gives the names of the witnesses that signed it. */
export function checkPolicy(policy: Policy, note: Note): string[] {
  const isLogged = policy.logs.some((key) => {
    const lines = linesOf(note, key);
    return lines.length === 1 && note.text.startsWith(`${key.name}\n`) && verifyEd25519(key.key, utf8(note.text), lines[0].signature);
  });
  if (!isLogged) refuse("no log of the policy signed it");
  const signed = new Set<string>();
  for (const [name, key] of policy.witnesses) {
    const lines = linesOf(note, key);
    if (!lines.every((line) => isCosignature(note.text, line, key))) refuse("the cosignature of a witness is not right");
    if (lines.length > 0) signed.add(name);
  }
  const met = new Set(signed);
  // Groups are in the order of their lines, each behind its members.
  for (const [name, { least, members }] of policy.groups) if (members.filter((member) => met.has(member)).length >= least) met.add(name);
  if (policy.quorum !== NONE && !met.has(policy.quorum)) refuse("not enough witnesses signed it");
  return [...signed];
}
