// The spool in IndexedDB. Chunks stay there when the page, the tab or the browser goes away.

import type { Kept, Left, Spool, Tail, Waiting } from "./spool";

const NAME = "voicelog-room";
const CHUNKS = "chunks";
const TALKS = "talks";
/** What another talk left behind is removed after two days, in ms: by then the server has closed it, and who was there was told. */
const LEFT_BEHIND = 2 * 24 * 3_600_000;

interface TalkRow {
  room: string;
  kept?: Kept;
  tail?: Tail;
  left?: Left[];
  saved: number;
}

function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function done(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });
}

/** The track is no longer recorded. */
function forget(row: TalkRow, track: number): void {
  if (row.kept?.track === track) delete row.kept;
  if (row.tail?.track === track) delete row.tail;
}

export async function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(CHUNKS, { keyPath: ["room", "track", "number"] });
    request.result.createObjectStore(TALKS, { keyPath: "room" });
  };
  return answered(request);
}

/** The chunks of one talk. */
export class DatabaseSpool implements Spool {
  constructor(
    private readonly database: IDBDatabase,
    private readonly room: string,
  ) {}

  private write(stores: string[]): IDBTransaction {
    // Strict: acknowledged to us when it is on the disk, not before.
    return this.database.transaction(stores, "readwrite", { durability: "strict" });
  }

  /** Changes what is known of the talk. All requests are made without waiting: the page may be going away. */
  private async change(what: (row: TalkRow) => void, ofChunks?: (chunks: IDBObjectStore) => void): Promise<void> {
    const transaction = this.write([CHUNKS, TALKS]);
    const talks = transaction.objectStore(TALKS);
    ofChunks?.(transaction.objectStore(CHUNKS));
    const read = talks.get(this.room);
    read.onsuccess = () => {
      const row: TalkRow = { ...(read.result as TalkRow | undefined), room: this.room, saved: Date.now() };
      what(row);
      if (row.kept || row.tail || row.left) talks.put(row);
      else talks.delete(this.room);
    };
    await done(transaction);
  }

  async put(chunk: Waiting): Promise<void> {
    const kept: Kept = { track: chunk.track, next: chunk.number + 1, chain: chunk.chain, captured: chunk.captured };
    await this.change(
      (row) => {
        row.kept = kept;
        delete row.tail;
      },
      (chunks) => chunks.put({ room: this.room, ...chunk }),
    );
  }

  async get(track: number, number: number): Promise<Waiting | undefined> {
    return answered(this.database.transaction(CHUNKS).objectStore(CHUNKS).get([this.room, track, number]));
  }

  async release(track: number, before: number): Promise<void> {
    if (before <= 0) return;
    const transaction = this.write([CHUNKS]);
    transaction.objectStore(CHUNKS).delete(IDBKeyRange.bound([this.room, track, 0], [this.room, track, before - 1]));
    await done(transaction);
  }

  private row(): Promise<TalkRow | undefined> {
    return answered(this.database.transaction(TALKS).objectStore(TALKS).get(this.room));
  }

  async kept(): Promise<Kept | undefined> {
    return (await this.row())?.kept;
  }

  async keep(kept: Kept): Promise<void> {
    await this.change((row) => {
      row.kept = kept;
      delete row.tail;
    });
  }

  async keepTail(tail: Tail): Promise<void> {
    await this.change((row) => (row.tail = tail));
  }

  async tail(): Promise<Tail | undefined> {
    return (await this.row())?.tail;
  }

  private chunksOf(track: number): IDBKeyRange {
    return IDBKeyRange.bound([this.room, track], [this.room, track, []]);
  }

  async count(track: number): Promise<number> {
    return answered(this.database.transaction(CHUNKS).objectStore(CHUNKS).count(this.chunksOf(track)));
  }

  async finished(track: number): Promise<void> {
    await this.change(
      (row) => forget(row, track),
      (chunks) => chunks.delete(this.chunksOf(track)),
    );
  }

  async leave(left: Left): Promise<void> {
    await this.change((row) => {
      row.left = [...(row.left ?? []), left];
      forget(row, left.track);
    });
  }

  async left(): Promise<Left[]> {
    return (await this.row())?.left ?? [];
  }

  private async clear(): Promise<void> {
    const transaction = this.write([CHUNKS, TALKS]);
    transaction.objectStore(CHUNKS).delete(IDBKeyRange.bound([this.room], [this.room, []]));
    transaction.objectStore(TALKS).delete(this.room);
    await done(transaction);
  }

  /** Removes what talks of days ago left behind. */
  async sweep(now: number): Promise<void> {
    const rows: TalkRow[] = await answered(this.database.transaction(TALKS).objectStore(TALKS).getAll());
    for (const row of rows) {
      if (row.room !== this.room && now - row.saved > LEFT_BEHIND) await new DatabaseSpool(this.database, row.room).clear();
    }
  }
}
