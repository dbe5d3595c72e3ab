// Where chunks wait until the server has them on its disk.

/** A chunk that waits. */
export interface Waiting {
  track: number;
  number: number;
  bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the bytes in base64, for Content-Digest. */
  digest: string;
  /** The same in hexadecimal: the chain after this chunk. */
  chain: string;
  /** µs since the track began of its newest frame. */
  captured: number | null;
  /** µs of sound in it. */
  sound: number;
}

/** What is known of the track of one talk that this browser records. */
export interface Kept {
  track: number;
  /** How many chunks were made. */
  next: number;
  chain: string;
  captured: number | null;
}

/** Frames that were in no chunk when the page went away. */
export interface Tail {
  track: number;
  bytes: Uint8Array<ArrayBuffer>;
  captured: number;
  /** µs of sound in them. */
  sound: number;
}

/** Why the server did not take all of a track. */
export type WhyLeft =
  /** It was closed before. */
  | "too_late"
  /** It does not take the chunks as they are. */
  | "refused"
  /** The browser is in the talk as somebody else by now. */
  | "not_yours"
  /** A chunk in between is gone from the storage. */
  | "torn";

/** A track of which something stays here, because the server does not take it. */
export interface Left {
  track: number;
  why: WhyLeft;
  /** µs of sound that stay. */
  sound: number;
}

/** The chunks of one talk, in the browser's storage. */
export interface Spool {
  /** Keeps a chunk and where the track stands after it. */
  put(chunk: Waiting): Promise<void>;
  /** The chunk of that number, if it waits. */
  get(track: number, number: number): Promise<Waiting | undefined>;
  /** The server has all chunks of the track before this number. */
  release(track: number, before: number): Promise<void>;
  kept(): Promise<Kept | undefined>;
  keep(kept: Kept): Promise<void>;
  keepTail(tail: Tail): Promise<void>;
  tail(): Promise<Tail | undefined>;
  /** How many chunks of a track wait. */
  count(track: number): Promise<number>;
  /** The server has all of this track: forgets it. */
  finished(track: number): Promise<void>;
  /** The server takes no more of this track: its chunks stay, and another track can begin. */
  leave(left: Left): Promise<void>;
  left(): Promise<Left[]>;
}

/** Leaves a track of which the server has the chunks before `from`, and `until` were made. */
export async function leaveTrack(spool: Spool, track: number, [from, until]: readonly [number, number], why: WhyLeft): Promise<void> {
  let sound = 0;
  for (let number = from; number < until; number += 1) sound += (await spool.get(track, number))?.sound ?? 0;
  // Of what was torn nobody knows how much it was.
  if (sound === 0 && why !== "torn") await spool.finished(track);
  else await spool.leave({ track, why, sound });
}

/** In memory: for browsers that give no storage, and for tests. */
export class MemorySpool implements Spool {
  private readonly chunks = new Map<string, Waiting>();
  private place: Kept | undefined;
  private end: Tail | undefined;
  private readonly stays: Left[] = [];

  async put(chunk: Waiting): Promise<void> {
    this.chunks.set(`${chunk.track}/${chunk.number}`, chunk);
    this.place = { track: chunk.track, next: chunk.number + 1, chain: chunk.chain, captured: chunk.captured };
    this.end = undefined;
  }

  async get(track: number, number: number): Promise<Waiting | undefined> {
    return this.chunks.get(`${track}/${number}`);
  }

  async release(track: number, before: number): Promise<void> {
    for (const [key, chunk] of this.chunks) if (chunk.track === track && chunk.number < before) this.chunks.delete(key);
  }

  async kept(): Promise<Kept | undefined> {
    return this.place;
  }

  async keep(kept: Kept): Promise<void> {
    this.place = kept;
  }

  async keepTail(tail: Tail): Promise<void> {
    this.end = tail;
  }

  async tail(): Promise<Tail | undefined> {
    return this.end;
  }

  async count(track: number): Promise<number> {
    return [...this.chunks.values()].filter((chunk) => chunk.track === track).length;
  }

  async finished(track: number): Promise<void> {
    await this.release(track, Infinity);
    this.forget(track);
  }

  async leave(left: Left): Promise<void> {
    this.stays.push(left);
    this.forget(left.track);
  }

  async left(): Promise<Left[]> {
    return this.stays;
  }

  private forget(track: number): void {
    if (this.place?.track === track) this.place = undefined;
    if (this.end?.track === track) this.end = undefined;
  }

  /** How many chunks there are of all tracks. */
  get size(): number {
    return this.chunks.size;
  }
}

/** Chunks that may wait in memory while the storage is full: some minutes. */
export const OVERFLOW_MAX = 120;

/**
 * Storage that may be full: what does not fit waits in memory, up to a limit, so that no link of the
 * chain is lost. `onFull` says when it is full and when it no longer is.
 */
export class PatientSpool implements Spool {
  private readonly over = new MemorySpool();
  private wasFull = false;

  constructor(
    private readonly inner: Spool,
    private readonly onFull: (isFull: boolean) => void,
  ) {}

  /** Whether no further chunk should be made. */
  async isTooFull(): Promise<boolean> {
    return this.over.size >= OVERFLOW_MAX;
  }

  private told(isFull: boolean): void {
    if (isFull !== this.wasFull) this.onFull(isFull);
    this.wasFull = isFull;
  }

  async put(chunk: Waiting): Promise<void> {
    try {
      await this.inner.put(chunk);
    } catch {
      // Whatever the reason: the chunk must not be lost while the page lives.
      await this.over.put(chunk);
      this.told(true);
    }
  }

  async get(track: number, number: number): Promise<Waiting | undefined> {
    return (await this.over.get(track, number)) ?? this.inner.get(track, number);
  }

  async release(track: number, before: number): Promise<void> {
    await this.over.release(track, before);
    await this.inner.release(track, before);
    if (this.over.size === 0) this.told(false);
  }

  kept(): Promise<Kept | undefined> {
    return this.inner.kept();
  }

  async keep(kept: Kept): Promise<void> {
    await this.inner.keep(kept).catch(() => this.told(true));
  }

  async keepTail(tail: Tail): Promise<void> {
    await this.inner.keepTail(tail);
  }

  tail(): Promise<Tail | undefined> {
    return this.inner.tail();
  }

  async count(track: number): Promise<number> {
    return (await this.over.count(track)) + (await this.inner.count(track));
  }

  async finished(track: number): Promise<void> {
    await this.over.finished(track);
    await this.inner.finished(track);
    if (this.over.size === 0) this.told(false);
  }

  leave(left: Left): Promise<void> {
    return this.inner.leave(left);
  }

  left(): Promise<Left[]> {
    return this.inner.left();
  }
}
