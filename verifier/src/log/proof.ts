// Leaf, checkpoint and proof: that the archive's log holds something.

import { areEqual, fromBase64, refuse, textOf, utf8, type Bytes } from "../base/bytes";
import { object, oneOf, orNull, readJson, text, writeJson, type Json, type Reader } from "../base/json";
import { Hmac, sha256 } from "../base/sha256";
import { digest, id, time } from "../base/words";
import { includes, LEAF } from "./merkle";
import { readNote, verifyNote, type VerifierKey } from "./note";

const anObject = (form: RegExp): Reader<string> => (value) =>
  form.test(text(value)) ? (value as string) : refuse("a leaf of no such object");

/** What leaves of a type are of. A type that is not here is refused. */
const OBJECTS: Readonly<Record<string, Reader<string>>> = {
  recorded: id, permitted: id, refused: id, listened: id, exported: id, destroyed: id, sound_destroyed: id, destruction_refused: id, paused: id,
  held: id, released: id, restored: id, proposed: id, confirmed: id, declined: id,
  archive_opened: anObject(/^archive$/),
  key_created: anObject(/^(epoch-(0|[1-9][0-9]*)|master|recovery)$/),
  key_retired: anObject(/^epoch-(0|[1-9][0-9]*)$/),
  rulebook_changed: anObject(/^sha256:[0-9a-f]{64}$/),
  clock_confirmed: anObject(/^clock$/),
  account_made: anObject(/^account$/),
  account_ended: anObject(/^account$/),
  shared: id, transcribed: id,
};

export interface Leaf {
  readonly v: 1;
  readonly type: string;
  readonly at: string;
  readonly object: string;
  readonly commitment: Bytes;
}

/** Of whatever object: for who compares it with another one. */
export const anyLeaf: Reader<Leaf> = object({
  v: (value) => (value === 1 ? 1 : refuse(`version ${JSON.stringify(value)} of a leaf is not known`)),
  type: oneOf(...Object.keys(OBJECTS)),
  at: time,
  object: text,
  commitment: digest,
});

export const leaf: Reader<Leaf> = (value) => {
  const found = anyLeaf(value);
  (OBJECTS[found.type] as Reader<string>)(found.object);
  return found;
};

export function leafHash(json: Json): Bytes {
  return sha256(LEAF, utf8(writeJson(json)));
}

/** commitment = HMAC-SHA-256(salt, SHA-256 of the content). */
export function commits(found: Leaf, salt: Uint8Array, content: Uint8Array): boolean {
  return areEqual(found.commitment, new Hmac(salt).of(content));
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: bigint;
  readonly root: Uint8Array;
}

export interface Proof {
  readonly index: bigint;
  readonly path: readonly Uint8Array[];
  readonly checkpoint: Uint8Array;
}

const U64_MAX = (1n << 64n) - 1n;

function decimal(text: string): bigint {
  if (!/^(0|[1-9][0-9]{0,19})$/.test(text)) refuse("no number in its one spelling");
  const value = BigInt(text);
  return value > U64_MAX ? refuse("a number out of its bounds") : value;
}

function hashOf(line: string): Uint8Array {
  const bytes = fromBase64(line);
  return bytes.length === 32 ? bytes : refuse("no hash");
}

export function readProof(bytes: Uint8Array): Proof {
  return proofOfText(textOf(bytes));
}

export function proofOfText(whole: string): Proof {
  const split = whole.indexOf("\n\n");
  if (split < 0) refuse("a proof without a checkpoint");
  const [version, index, ...hashes] = whole.slice(0, split).split("\n");
  if (version !== "c2sp.org/tlog-proof@v1") refuse(`not a proof of a known version: ${String(version).slice(0, 40)}`);
  if (!index?.startsWith("index ") || hashes.length > 63) refuse("no proof in its form");
  return {
    index: decimal((index as string).slice(6)),
    path: hashes.map(hashOf),
    checkpoint: utf8(whole.slice(split + 2)),
  };
}

/** What a checkpoint says, whoever signed it. */
export function readUnverified(note: string): Checkpoint {
  const lines = note.split("\n");
  if (lines.length !== 4) refuse("a checkpoint has three lines");
  const [origin, size, root] = lines as [string, string, string, string];
  return { origin, size: decimal(size), root: hashOf(root) };
}

/** The checkpoint of a note that the key signed, of the origin that the key is named after. */
export function readCheckpoint(bytes: Uint8Array, key: VerifierKey): Checkpoint {
  const note = readNote(bytes);
  verifyNote(note, key);
  const checkpoint = readUnverified(note.text);
  return checkpoint.origin === key.name ? checkpoint : refuse("the checkpoint is of another log");
}

/** Shows that the log holds the leaf; refuses otherwise. */
export function checkProof(json: Json, proof: Proof, key: VerifierKey): Checkpoint {
  const checkpoint = readCheckpoint(proof.checkpoint, key);
  if (!includes(leafHash(json), proof.index, checkpoint.size, proof.path, checkpoint.root)) {
    refuse("the way from the leaf does not lead to the root");
  }
  return checkpoint;
}

/** `opening.json`: what opens the commitment of a recording, and the salts of its trees. */
export interface Opening {
  readonly commitmentSalt: Uint8Array;
  /** Null in a copy of a part: there the leaves that are shown have their salts beside them. */
  readonly treeSalt: Uint8Array | null;
  readonly leaf: Leaf;
  readonly leafJson: Json;
}

export function readOpening(bytes: Uint8Array, salt: Reader<Uint8Array>, version: Reader<number>): Opening {
  const json = readJson(bytes);
  const read = object<{ commitment_salt: Uint8Array; tree_salt: Uint8Array | null; leaf: Leaf }>({
    version,
    commitment_salt: salt,
    tree_salt: orNull(salt),
    leaf,
  })(json);
  return {
    commitmentSalt: read.commitment_salt,
    treeSalt: read.tree_salt,
    leaf: read.leaf,
    leafJson: (json as { leaf: Json }).leaf,
  };
}
