// What the packets hold, once they are in order: sound of a known length, comfort noise, keys.
// Step 4 of the document.

import type { Format } from "../journal/events";
import { codecOf, ticksOf, timeOf, type Codec } from "./codec";
import type { KeyPress } from "./model";
import type { Packet } from "./order";

const KEYS_MAX = 10_000;

/** Formats by payload type: three need no announcement. */
export class Formats {
  private readonly known = new Map<number, { format: Format; codec: Codec }>();

  constructor() {
    this.set({ codec: "PCMU", payload_type: 0 });
    this.set({ codec: "PCMA", payload_type: 8 });
    this.set({ codec: "CN", payload_type: 13 });
  }

  set(format: Format): void {
    this.known.set(format.payload_type, { format, codec: codecOf(format) });
  }

  isKnown(format: Format): boolean {
    const found = this.known.get(format.payload_type)?.format;
    return found !== undefined && found.codec === format.codec && found.parameters === format.parameters;
  }

  codec(payloadType: number): Codec | null {
    return this.known.get(payloadType)?.codec ?? null;
  }
}

/** Sound or comfort noise in its place. Of noise, `ticks` is 0. */
export interface Piece {
  readonly packet: Packet;
  readonly source: number;
  readonly stretch: number;
  readonly lost: number;
  readonly codec: Codec;
  readonly ticks: number;
}

interface Waiting {
  readonly piece: Piece;
}

export class Holder {
  readonly heard: string[] = [];
  readonly keys: KeyPress[] = [];
  private lost = 0;
  private lostSource = 0;
  private waiting: Waiting | null = null;
  private untold: { ticks: number; rate: number } | null = null;
  private lastKey: { ssrc: number; timestamp: number; rate: number; length: number; hasEnded: boolean; base: number } | null =
    null;
  private lastKeyPress: KeyPress | null = null;

  constructor(
    private readonly payloads: Uint8Array,
    private readonly emit: (piece: Piece) => void,
  ) {}

  take(packet: Packet, source: number, stretch: number, lostBefore: number): void {
    if (source !== this.lostSource) this.lost = 0;
    this.lostSource = source;
    this.lost += lostBefore;
    if (packet.key) return this.takeKey(packet, packet.key.duration, packet.key.hasEnded);
    const { codec } = packet;
    if (codec === null || packet.end === packet.start) return;
    if (codec.kind === "key") {
      const payload = this.payloads.subarray(packet.start, packet.end);
      const isBlock = payload.length >= 4;
      return this.takeKey(packet, isBlock ? payload[2] * 256 + payload[3] : 0, isBlock && (payload[1] & 0x80) !== 0);
    }
    this.settle(packet, codec);
    const piece = { packet, source, stretch, lost: this.lost, codec, ticks: 0 };
    this.lost = 0;
    if (codec.kind === "noise") return this.emit(piece);
    if (!this.heard.includes(codec.text)) this.heard.push(codec.text);
    const ticks = ticksOf(codec, this.payloads.subarray(packet.start, packet.end));
    if (ticks > 0) {
      this.untold = null;
      return this.emit({ ...piece, ticks });
    }
    this.waiting = { piece };
  }

  /** Nothing follows what was put out so far: a packet that waits for the next one waits no longer. */
  settle(next: Packet | null, codec: Codec | null): void {
    const piece = this.waiting?.piece;
    if (!piece) return;
    this.waiting = null;
    const rate = piece.codec.rate;
    let ticks = 0;
    if (next && codec && codec.rate === rate && !next.marker) {
      const follows = ((next.sequence - piece.packet.sequence) & 0xffff) === 1 && next.ssrc === piece.packet.ssrc;
      const later = (next.timestamp - piece.packet.timestamp) | 0;
      if (follows && later >= 1 && later <= Math.floor(rate / 5)) ticks = later;
    }
    if (ticks === 0) ticks = this.untold?.rate === rate ? this.untold.ticks : Math.max(1, Math.floor(rate / 50));
    this.untold = { ticks, rate };
    this.emit({ ...piece, ticks });
  }

  private takeKey(packet: Packet, duration: number, hasEnded: boolean): void {
    this.settle(null, null);
    const rate = packet.codec?.rate ?? 8_000;
    const last = this.lastKey;
    if (last && last.ssrc === packet.ssrc && last.rate === rate) {
      if (last.timestamp === packet.timestamp) {
        last.length = Math.max(last.length, duration);
        last.hasEnded ||= hasEnded;
        return this.stretchKey(last, rate);
      }
      if (!last.hasEnded && ((last.timestamp + last.length) >>> 0) === packet.timestamp) {
        last.base += last.length;
        Object.assign(last, { timestamp: packet.timestamp, length: duration, hasEnded });
        return this.stretchKey(last, rate);
      }
    }
    this.lastKey = { ssrc: packet.ssrc, timestamp: packet.timestamp, rate, length: duration, hasEnded, base: 0 };
    this.lastKeyPress = null;
    if (this.keys.length === KEYS_MAX) return;
    const length_us = timeOf(duration, rate);
    this.lastKeyPress = { start_us: Math.max(0, packet.arrival - length_us), length_us };
    this.keys.push(this.lastKeyPress);
  }

  private stretchKey(key: { base: number; length: number }, rate: number): void {
    if (this.lastKeyPress) this.lastKeyPress.length_us = timeOf(key.base + key.length, rate);
  }
}
