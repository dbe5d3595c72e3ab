// Signed notes (C2SP signed-note v1.0.0) with Ed25519 keys.

import { areEqual, fromBase64, fromHex, hex, refuse, textOf, utf8, type Bytes } from "../base/bytes";
import { isPublicKey, verifyEd25519 } from "../base/ed25519";
import { sha256 } from "../base/sha256";

const NOTE_BYTES_MAX = 1024 * 1024;
const SIGNATURES_MAX = 64;
/** What a key is for: signing a log's own notes, or cosigning the checkpoints of others. */
export const SIGNER = 1;
export const COSIGNER = 4;

/** A public key with its name, as in `NAME+KEYID+BASE64`. */
export interface VerifierKey {
  readonly name: string;
  readonly id: Uint8Array;
  readonly key: Uint8Array;
  readonly text: string;
}

export interface Signature {
  readonly name: string;
  readonly id: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Note {
  /** With the newline that it ends in. */
  readonly text: string;
  readonly signatures: readonly Signature[];
}

function keyId(name: string, purpose: number, key: Uint8Array): Bytes {
  return sha256(utf8(name), new Uint8Array([0x0a, purpose]), key).slice(0, 4);
}

/** A name holds no white space and no plus sign. */
function isKeyName(name: string): boolean {
  return name.length > 0 && !/[\s+\u0085]/u.test(name);
}

export function readKey(text: string): VerifierKey {
  return readKeyOf(text, SIGNER);
}

/** A key of one purpose; a key of another one is refused. */
export function readKeyOf(text: string, purpose: typeof SIGNER | typeof COSIGNER): VerifierKey {
  const first = text.indexOf("+");
  const second = text.indexOf("+", first + 1);
  if (first < 0 || second < 0) refuse("no key in the form NAME+KEYID+BASE64");
  const name = text.slice(0, first);
  const id = fromHex(text.slice(first + 1, second), 4);
  const bytes = fromBase64(text.slice(second + 1));
  const key = bytes.subarray(1);
  if (!isKeyName(name) || bytes[0] !== purpose || !isPublicKey(key)) refuse("no Ed25519 key");
  if (!areEqual(id, keyId(name, purpose, key))) refuse("the key's id is not that of the key");
  return { name, id, key, text };
}

export function areSameKey(a: VerifierKey, b: VerifierKey): boolean {
  return a.name === b.name && areEqual(a.key, b.key);
}

function readSignature(line: string): Signature {
  const parts = /^\u2014 ([^ ]+) ([^ ]+)$/u.exec(line);
  if (!parts) return refuse("a line of the note is no signature");
  const name = parts[1] as string;
  const bytes = fromBase64(parts[2] as string);
  if (!isKeyName(name) || bytes.length < 5) refuse("a line of the note is no signature");
  return { name, id: bytes.slice(0, 4), signature: bytes.slice(4) };
}

export function readNote(bytes: Uint8Array): Note {
  if (bytes.length > NOTE_BYTES_MAX) refuse("a note that is too long");
  const whole = textOf(bytes);
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0009\u000b-\u001f]/.test(whole)) refuse("a control character in the note");
  const split = whole.lastIndexOf("\n\n");
  if (split < 0 || !whole.endsWith("\n") || whole.length < split + 3) refuse("a note without signatures");
  const lines = whole.slice(split + 2, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) refuse("a note with too many signatures");
  return { text: whole.slice(0, split + 1), signatures: lines.map(readSignature) };
}

/** Whether a line is in the name and key id of a key; it may still be false. */
export function isSignedBy(line: Signature, key: VerifierKey): boolean {
  return line.name === key.name && areEqual(line.id, key.id);
}

/** Refuses the note unless the key signed it, and every line that is said to be by the key is right. */
export function verifyNote(note: Note, key: VerifierKey): void {
  const own = note.signatures.filter((line) => isSignedBy(line, key));
  if (own.length === 0) refuse("not signed by this key");
  if (own.length > 1) refuse("signed twice by this key");
  for (const line of own) {
    if (!verifyEd25519(key.key, utf8(note.text), line.signature)) refuse("the signature is not right");
  }
}

/** A note that has one signature and no other, by the key. */
export function readOwnNote(bytes: Uint8Array, key: VerifierKey): Note {
  const note = readNote(bytes);
  if (note.signatures.length !== 1) refuse("not exactly one signature");
  verifyNote(note, key);
  return note;
}

/** A short name of a key that two people can read to each other. */
export function fingerprint(key: VerifierKey): string {
  const sum = hex(sha256(utf8(key.name), new Uint8Array([0x0a, SIGNER]), key.key)).slice(0, 32);
  return (sum.match(/.{4}/g) ?? []).join(" ");
}
