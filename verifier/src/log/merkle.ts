// Merkle trees as in RFC 6962 §2.1: a root from hashes of leaves, and a leaf's way up to a root.

import { areEqual, type Bytes } from "../base/bytes";
import { sha256 } from "../base/sha256";

const NODE = new Uint8Array([1]);
export const LEAF = new Uint8Array([0]);

export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(NODE, left, right);
}

/** A root in the making: what is held is one hash for each bit of the number of leaves. */
export class TreeRoot {
  private readonly peaks: { readonly hash: Uint8Array; readonly height: number }[] = [];
  count = 0;

  push(leaf: Uint8Array): void {
    this.pushSubtree(leaf, 1);
  }

  /** A whole subtree of `size` leaves, a power of two that divides the number of leaves before it. */
  pushSubtree(root: Uint8Array, size: number): void {
    let hash = root;
    let height = Math.log2(size);
    for (let last = this.peaks.at(-1); last !== undefined && last.height === height; last = this.peaks.at(-1)) {
      hash = nodeHash(last.hash, hash);
      height += 1;
      this.peaks.pop();
    }
    this.peaks.push({ hash, height });
    this.count += size;
  }

  /** The root of no leaves is the hash of nothing. */
  root(): Uint8Array {
    let root: Uint8Array | null = null;
    for (let i = this.peaks.length - 1; i >= 0; i -= 1) {
      const peak = this.peaks[i].hash;
      root = root === null ? peak : nodeHash(peak, root);
    }
    return root ?? sha256();
  }
}

/** Whether the hashes lead from the leaf at `index` to the root of a tree of `size` leaves. */
export function includes(
  leaf: Uint8Array,
  index: bigint,
  size: bigint,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (index >= size) return false;
  let at = index;
  let last = size - 1n;
  let hash: Uint8Array = leaf;
  for (const sibling of path) {
    if (last === 0n) return false;
    if ((at & 1n) === 1n || at === last) {
      hash = nodeHash(sibling, hash);
      while ((at & 1n) === 0n && at !== 0n) {
        at >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    at >>= 1n;
    last >>= 1n;
  }
  return last === 0n && areEqual(hash, root);
}
