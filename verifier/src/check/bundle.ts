// A bundle that is being checked: its entries, their sums, and the documents in it.

import { BadForm, hex, refuse, type Bytes } from "../base/bytes";
import type { Source } from "../base/digest";
import { readContainer, type Entry } from "../container/zip";
import { shareOut, type Hand } from "./hands";
import { isStreamSound } from "./list";
import type { Findings } from "./report";

/** A document larger than this is not read into memory. */
const DOCUMENT_BYTES_MAX = 256 * 1024 * 1024;
/** A file of the original: it is held whole while it is checked. */
const ORIGINAL_BYTES_MAX = 2_000_000_000;

/** Sound and originals of a bundle that are kept in memory from the first reading on. */
const KEPT_BYTES_MAX = 320 * 1024 * 1024;

export class Bundle {
  private readonly byName: ReadonlyMap<string, Entry>;
  private readonly sums = new Map<string, string>();
  private readonly held = new Map<string, Bytes>();
  private readonly longSums = new Map<string, string>();

  private constructor(readonly source: Source, readonly entries: readonly Entry[]) {
    this.byName = new Map(entries.map((entry) => [entry.name, entry]));
  }

  /** Opens the container; null where it is not in its form, which the findings then say. */
  static async open(source: Source, findings: Findings): Promise<Bundle | null> {
    try {
      return new Bundle(source, await readContainer(source));
    } catch (error) {
      if (!(error instanceof BadForm)) throw error;
      findings.broken("Container", "ZIP", "not_in_form", error.message);
      return null;
    }
  }

  /** Reads every byte once: sums for the directory and for the signed list. */
  async sum(hands: readonly Hand[], findings: Findings, onBytes: (bytes: number) => void): Promise<void> {
    // What is needed once more is kept, where that is not too much: reading costs as much as summing.
    const isNeeded = ({ name }: Entry): boolean => name.startsWith("audio/") || name.startsWith("original/");
    const most = this.entries.reduce((sum, entry) => sum + (isNeeded(entry) ? entry.end - entry.start : 0), 0);
    const tasks = this.entries.map((entry) => ({
      what: "sums" as const, from: entry.start, to: entry.end,
      withSha512: isStreamSound(entry.name), withBytes: most <= KEPT_BYTES_MAX && isNeeded(entry),
    }));
    const sums = await shareOut(hands, tasks, ({ from, to }) => onBytes(to - from));
    let isRight = true;
    this.entries.forEach((entry, i) => {
      const { sha256, sha512, bytes } = sums[i];
      if (bytes) this.held.set(entry.name, bytes);
      this.sums.set(entry.name, hex(sha256));
      if (sha512) this.longSums.set(entry.name, hex(sha512));
      if (sums[i].crc === entry.crc) return;
      isRight = false;
      findings.broken("Container", entry.name, "content_changed", "the CRC-32 is not right");
    });
    if (isRight) findings.ok("Container", "ZIP");
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  entry(name: string): Entry | undefined {
    return this.byName.get(name);
  }

  /** SHA-256 in hexadecimal of what is there; null where there is nothing. */
  sha256(name: string): string | null {
    return this.sums.get(name) ?? null;
  }

  /** SHA-512 in hexadecimal of a stream's sound; null where it is not known. */
  sha512(name: string): string | null {
    return this.longSums.get(name) ?? null;
  }

  /** The content of a file that is there. */
  async content(name: string, most = DOCUMENT_BYTES_MAX): Promise<Bytes> {
    const entry = this.byName.get(name) ?? refuse("missing");
    if (entry.end - entry.start > most) refuse("too large to be checked here");
    return this.held.get(name) ?? this.source.read(entry.start, entry.end);
  }

  /** Bytes of an entry that is there, counted from its start: memory of their own. */
  async part({ name, start }: Entry, from: number, to: number): Promise<Bytes> {
    return this.held.get(name)?.slice(from, to) ?? this.source.read(start + from, start + to);
  }

  original(name: string): Promise<Bytes> {
    return this.content(name, ORIGINAL_BYTES_MAX);
  }
}
