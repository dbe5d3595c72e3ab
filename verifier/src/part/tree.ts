// The tree of a stream of which only some leaves are shown: salts of those, hashes of the others.

import { refuse, textOf, viewOf } from "../base/bytes";
import type { OriginalFile } from "../journal/original";
import { HASH, LeafHashes, startsLeaf } from "../journal/tree";
import { TreeRoot } from "../log/merkle";

const TREE_HEADER = 12;
const SHOWN = 1;
const LEFT_OUT = 0;

/** Leaves side by side that are all shown, or all left out. */
export interface Run {
  readonly isShown: boolean;
  readonly firstLeaf: number;
  readonly leaves: number;
  /** Place of its first packet in the stream's file, and how many there are. */
  readonly firstPacket: number;
  readonly packets: number;
  /** Salts of the leaves, or hashes of whole subtrees. */
  readonly hashes: readonly Uint8Array[];
}

/** The largest 2^k with `at` divisible by it and not above `left`. */
function subtree(at: number, left: number): number {
  let size = 1;
  while (size * 2 <= left && at % (size * 2) === 0) size *= 2;
  return size;
}

class RunReader {
  private at = TREE_HEADER;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = viewOf(bytes);
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  private take(length: number): number {
    const at = this.at;
    if (at + length > this.bytes.length) refuse("ends within a run");
    this.at += length;
    return at;
  }

  byte(): number {
    return this.bytes[this.take(1)];
  }

  number(): number {
    const at = this.take(8);
    const value = this.view.getUint32(at) * 0x1_0000_0000 + this.view.getUint32(at + 4);
    return Number.isSafeInteger(value) ? value : refuse("a number out of its bounds");
  }

  hash(): Uint8Array {
    const at = this.take(HASH);
    return this.bytes.subarray(at, at + HASH);
  }
}

/** Reads `original/N.tree`. */
export function readTree(bytes: Uint8Array, stream: number): Run[] {
  if (bytes.length < TREE_HEADER || textOf(bytes.subarray(0, 8)) !== "VLOG-TRE") refuse("no tree of a copy of a part");
  const view = viewOf(bytes);
  if (view.getUint16(8) !== 1) refuse(`version ${view.getUint16(8)} is not known`);
  if (view.getUint16(10) !== stream) refuse("the tree is of another stream");
  const reader = new RunReader(bytes);
  const runs: Run[] = [];
  let leaf = 0;
  let packet = 0;
  while (!reader.isAtEnd) {
    const kind = reader.byte();
    if (kind !== SHOWN && kind !== LEFT_OUT) refuse("a run of a kind that is not known");
    const isShown = kind === SHOWN;
    if (runs.at(-1)?.isShown === isShown) refuse("a run behind one of its own kind");
    const leaves = reader.number();
    if (leaves === 0 || !Number.isSafeInteger(leaf + leaves)) refuse("a run without leaves, or with too many");
    const packets = isShown ? reader.number() : 0;
    const hashes: Uint8Array[] = [];
    if (isShown) for (let i = 0; i < leaves; i += 1) hashes.push(reader.hash());
    else for (let at = leaf, end = leaf + leaves; at < end; at += subtree(at, end - at)) hashes.push(reader.hash());
    runs.push({ isShown, firstLeaf: leaf, leaves, firstPacket: packet, packets, hashes });
    leaf += leaves;
    packet += packets;
  }
  return runs;
}

export interface PartTree {
  readonly root: Uint8Array;
  readonly leafCount: number;
}

/** The leaves of one run that is shown: exactly as many as it says. */
function pushShown(tree: TreeRoot, run: Run, file: OriginalFile): void {
  const end = run.firstPacket + run.packets;
  const leaves = new LeafHashes(file);
  const hash = new Uint8Array(HASH);
  let done = 0;
  for (let first = run.firstPacket, record = first + 1; first < end; record += 1) {
    if (record < end && !startsLeaf(file, first, record)) continue;
    const salt = run.hashes[done] ?? refuse("a run has more leaves than salts");
    leaves.into(hash, 0, run.firstLeaf + done, first, record, (out, at) => out.set(salt, at));
    tree.push(hash.slice());
    done += 1;
    first = record;
  }
  if (done !== run.leaves) refuse("a run has fewer leaves than salts");
}

/** The root that the shown packets and the hashes of the others give. */
export function partRoot(runs: readonly Run[], file: OriginalFile): PartTree {
  const packets = runs.reduce((sum, run) => sum + run.packets, 0);
  if (packets !== file.count) refuse("the tree is of another number of packets");
  const tree = new TreeRoot();
  for (const run of runs) {
    if (run.isShown) pushShown(tree, run, file);
    else {
      let left = run.leaves;
      for (const hash of run.hashes) {
        const size = subtree(tree.count, left);
        tree.pushSubtree(hash, size);
        left -= size;
      }
    }
  }
  return { root: tree.root(), leafCount: tree.count };
}
