// What one device records: frames become chunks, each holding the chain of those before it.

import { base64Of, hexOf, sha256 } from "./bytes";
import { ChunkBuilder } from "./chunk";
import type { Reason } from "./chunk";
import type { Spool, Tail } from "../store/spool";

/** µs of sound in a chunk. */
const CHUNK_SPAN = 1_000_000;

/** Where a track stands: what the next chunk is and what it follows. */
export interface TrackPlace {
  track: number;
  next: number;
  chain: string;
  /** µs since the track began of the newest frame that is kept; null before the first. */
  captured: number | null;
}

/** A track that is being recorded. Frames go in at once, chunks come out in order. */
export class Track {
  readonly track: number;
  private next: number;
  private chain: string;
  private captured: number | null;
  private open = new ChunkBuilder();
  private sealing: Promise<void> = Promise.resolve();
  private isInterrupted = false;

  constructor(
    place: TrackPlace,
    private readonly spool: Spool,
    private readonly onSealed: () => void,
    private readonly onTrouble: (error: unknown) => void,
  ) {
    this.track = place.track;
    this.next = place.next;
    this.chain = place.chain;
    this.captured = place.captured;
  }

  /** A packet, and how many µs after the beginning of the track it was captured. */
  packet(packet: Uint8Array, captured: number): void {
    // What would lie before an interruption that was told has no place: our clock was ahead, and was put back.
    if (captured < 0 || (this.isInterrupted && captured < (this.captured ?? 0))) return;
    const at = Math.max(captured, this.captured ?? 0);
    if (this.isInterrupted) {
      this.isInterrupted = false;
      this.push({ captured: at, mark: { mark: "resumed" } });
    }
    if (!this.open.fits(packet.length)) this.seal();
    this.push({ captured: at, packet });
    if (this.open.span >= CHUNK_SPAN) this.seal();
  }

  /**
   * The microphone was taken away: from the newest packet on, nothing was captured. The next packet
   * says by itself that it is back. Without a packet there is nothing to interrupt.
   */
  interrupt(reason: Reason): void {
    if (this.isInterrupted || this.captured === null) return;
    this.isInterrupted = true;
    this.push({ captured: this.captured, mark: { mark: "interrupted", reason } });
    this.seal();
  }

  /** Takes up frames that were kept when the page went away. */
  takeTail({ bytes, captured, sound }: Omit<Tail, "track">): void {
    this.open.pushBytes(bytes, captured, sound);
    this.captured = captured;
  }

  /** What is not in a chunk yet, to be kept while the page goes away. */
  tail(): Omit<Tail, "track"> | null {
    const { open, captured } = this;
    return open.isEmpty || captured === null ? null : { bytes: open.bytes(), captured, sound: open.sound };
  }

  /** Makes a chunk of what there is. */
  seal(): void {
    if (this.open.isEmpty) return;
    const builder = this.open;
    const captured = this.captured;
    this.open = new ChunkBuilder();
    this.sealing = this.sealing
      .then(async () => {
        const number = this.next;
        const bytes = builder.build(number, this.chain);
        const digest = await sha256(bytes);
        this.next = number + 1;
        this.chain = hexOf(digest);
        await this.spool.put({ track: this.track, number, bytes, digest: base64Of(digest), chain: this.chain, captured, sound: builder.sound });
        this.onSealed();
      })
      .catch(this.onTrouble);
  }

  /** The last chunk is made; says how many there are and the chain over all of them. */
  async finish(): Promise<{ chunks: number; chain: string }> {
    this.seal();
    await this.sealing;
    return { chunks: this.next, chain: this.chain };
  }

  private push(frame: Parameters<ChunkBuilder["push"]>[0]): void {
    this.open.push(frame);
    this.captured = frame.captured;
  }
}
