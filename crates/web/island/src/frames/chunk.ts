// The chunk: what a device hands over at once (design/room.md).

import { bytesOfHex, joined } from "./bytes";

/** Why a microphone was taken away. */
export type Reason = "call" | "hidden" | "muted" | "device_gone" | "reloaded" | "storage_full" | "other";

/** What a device says about its own track. */
export type Mark = { mark: "interrupted"; reason: Reason } | { mark: "resumed" };

/** One frame: an RTP packet or a mark, with the µs since the track began. */
export type Frame = { captured: number; packet: Uint8Array } | { captured: number; mark: Mark };

const MAGIC = new TextEncoder().encode("VLRC");
const HEAD = 4 + 1 + 4 + 32;
/** Bytes of a chunk at most. */
export const CHUNK_MAX = 262_144;

/** µs of sound in an RTP packet, by its payload type: 112 is samples, of 10 ms; others are of 20. */
function lengthOf(packet: Uint8Array): number {
  return ((packet[1] ?? 0) & 0x7f) === 112 ? 10_000 : 20_000;
}

function encodedFrame(frame: Frame): Uint8Array {
  const content = "packet" in frame ? frame.packet : new TextEncoder().encode(JSON.stringify(frame.mark));
  const bytes = new Uint8Array(11 + content.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = "packet" in frame ? 1 : 2;
  view.setBigInt64(1, BigInt(Math.round(frame.captured)));
  view.setUint16(9, content.length);
  bytes.set(content, 11);
  return bytes;
}

/** The frames of one chunk as they come. */
export class ChunkBuilder {
  private readonly frames: Uint8Array[] = [];
  private size = HEAD;
  private first: number | null = null;
  private last = 0;
  /** µs of sound in it. */
  sound = 0;

  /** Whether one more frame of that many bytes still fits. */
  fits(length: number): boolean {
    return this.size + 11 + length <= CHUNK_MAX;
  }

  push(frame: Frame): void {
    const bytes = encodedFrame(frame);
    this.frames.push(bytes);
    this.size += bytes.length;
    this.first ??= frame.captured;
    this.last = frame.captured;
    if ("packet" in frame) this.sound += lengthOf(frame.packet);
  }

  /** Takes frames that were kept as bytes, with so many µs of sound. */
  pushBytes(bytes: Uint8Array, captured: number, sound: number): void {
    this.sound += sound;
    this.frames.push(bytes);
    this.size += bytes.length;
    this.first ??= captured;
    this.last = captured;
  }

  get isEmpty(): boolean {
    return this.frames.length === 0;
  }

  /** µs from the first frame to the last. */
  get span(): number {
    return this.first === null ? 0 : this.last - this.first;
  }

  /** The frames alone. */
  bytes(): Uint8Array<ArrayBuffer> {
    return joined(this.frames);
  }

  /** The whole chunk; `chain` is that of the chunk before, in hexadecimal. */
  build(number: number, chain: string): Uint8Array<ArrayBuffer> {
    const head = new Uint8Array(9);
    head.set(MAGIC);
    head[4] = 1;
    new DataView(head.buffer).setUint32(5, number);
    return joined([head, bytesOfHex(chain), ...this.frames]);
  }
}
