// The tree of a stream: leaves of 100 ms, each with a salt of its own.
//
// An hour has tens of thousands of leaves. So nothing is made for each of them but its 32 bytes in one long list.

import { utf8 } from "../base/bytes";
import { Hkdf, ShortSha256, sha256 } from "../base/sha256";
import type { OriginalFile } from "./original";

const LEAF_LENGTH_US = 100_000;
export const HASH = 32;
const LABEL = utf8("voicelog/v1/leaf-salt");
/** Before the records of a leaf: 0x00, salt, stream, number. */
const LEAF_HEAD = 1 + HASH + 2 + 8;

export interface StreamTree {
  readonly root: Uint8Array;
  readonly leafCount: number;
}

/** Whether a packet starts a new leaf, where the leaf before it starts with `first`. */
export function startsLeaf(file: OriginalFile, first: number, record: number): boolean {
  const at = file.starts[first] + 8;
  const since = file.timeSince(record, file.view.getInt32(at), file.view.getUint32(at + 4));
  return since < 0 || since >= LEAF_LENGTH_US;
}

/** Where each leaf begins, by its first record; behind the last one, the number of records. */
function leafStarts(file: OriginalFile): Uint32Array {
  const starts = new Uint32Array(file.count + 1);
  let found = file.count > 0 ? 1 : 0;
  let first = 0;
  for (let record = 1; record < file.count; record += 1) {
    if (!startsLeaf(file, first, record)) continue;
    starts[found] = record;
    found += 1;
    first = record;
  }
  starts[found] = file.count;
  return starts.slice(0, found + 1);
}

/** Draws the salts of leaves: HKDF(tree salt, label ‖ 0x00 ‖ stream ‖ number), with nothing made anew for one. */
class LeafSalts {
  private readonly hash = new ShortSha256(96);
  private readonly inner: Int32Array;
  private readonly outer: Int32Array;

  constructor(treeSalt: Uint8Array, private readonly stream: number) {
    ({ inner: this.inner, outer: this.outer } = new Hkdf(treeSalt).key.halves);
  }

  /** Puts the salt of a leaf at `at` of `out`. */
  into(out: Uint8Array, at: number, number: number): void {
    const { bytes } = this.hash;
    bytes.set(LABEL);
    let end = LABEL.length;
    bytes[end] = 0;
    putNumbers(bytes, end + 1, this.stream, number);
    end += 11;
    bytes[end] = 1;
    // Both halves of the key are a block of 64 bytes each.
    this.hash.into(bytes, 0, end + 1, this.inner, 64);
    this.hash.into(out, at, HASH, this.outer, 64);
  }
}

function putNumbers(bytes: Uint8Array, at: number, stream: number, leaf: number): void {
  bytes[at] = stream >> 8;
  bytes[at + 1] = stream;
  // Fewer than 2^32 records go into a file.
  for (let i = 2; i < 6; i += 1) bytes[at + i] = 0;
  for (let i = 0; i < 4; i += 1) bytes[at + 6 + i] = leaf >>> (24 - 8 * i);
}

/** Hashes leaf after leaf: 0x00 ‖ salt ‖ stream ‖ number ‖ records. */
export class LeafHashes {
  private readonly hash = new ShortSha256(4_096);

  constructor(private readonly file: OriginalFile) {}

  /** Puts the hash of a leaf at `at` of `out`; `salt` puts the leaf's salt where it is told to. */
  into(out: Uint8Array, at: number, leaf: number, from: number, to: number, salt: (out: Uint8Array, at: number) => void): void {
    const { file, hash } = this;
    const records = file.bytes.subarray(file.starts[from], file.starts[to]);
    const length = LEAF_HEAD + records.length;
    hash.reserve(length);
    const { bytes } = hash;
    bytes[0] = 0;
    salt(bytes, 1);
    putNumbers(bytes, 1 + HASH, file.stream, leaf);
    bytes.set(records, LEAF_HEAD);
    hash.into(out, at, length);
  }
}

/** The root over `count` hashes that stand side by side; the list is used up. */
export function rootOver(hashes: Uint8Array, count: number): Uint8Array {
  if (count === 0) return sha256();
  const hash = new ShortSha256(1 + 2 * HASH);
  // Two by two, and one that is left over goes up as it is: the same tree as split at the largest power of two.
  for (let left = count; left > 1; left = Math.ceil(left / 2)) {
    for (let i = 0; i + 1 < left; i += 2) {
      hash.bytes[0] = 1;
      hash.bytes.set(hashes.subarray(i * HASH, (i + 2) * HASH), 1);
      hash.into(hashes, (i / 2) * HASH, 1 + 2 * HASH);
    }
    if (left % 2 === 1) hashes.copyWithin(((left - 1) / 2) * HASH, (left - 1) * HASH, left * HASH);
  }
  return hashes.slice(0, HASH);
}

/** Computes the root over all packets of one file. */
export function treeOf(file: OriginalFile, treeSalt: Uint8Array): StreamTree {
  const starts = leafStarts(file);
  const leafCount = starts.length - 1;
  const salts = new LeafSalts(treeSalt, file.stream);
  const leaves = new LeafHashes(file);
  const hashes = new Uint8Array(leafCount * HASH);
  for (let leaf = 0; leaf < leafCount; leaf += 1) {
    leaves.into(hashes, leaf * HASH, leaf, starts[leaf], starts[leaf + 1], (out, at) => salts.into(out, at, leaf));
  }
  return { root: rootOver(hashes, leafCount), leafCount };
}
