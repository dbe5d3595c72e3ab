// Packets of one stream in the order of their numbers: step 3 of the document.

import type { Codec } from "./codec";

/** A packet, or a key press that is told in the place of one. */
export interface Packet {
  readonly arrival: number;
  readonly payloadType: number;
  /** What its payload type stood for when it arrived. */
  readonly codec: Codec | null;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** Where its payload is in the stream's file; not there for a key that is told. */
  readonly start: number;
  readonly end: number;
  readonly key: { readonly duration: number; readonly hasEnded: boolean } | null;
}

const SOURCE_REACH = 3_000;
const CANDIDATE_REACH = 64;
const WINDOW = 128;
const HELD_REACH = 64;
const HELD_US = 1_000_000;

/** The short way round from one number to another. */
const distance = (from: number, to: number): number => ((to - from) << 16) >> 16;

export interface Counters {
  lost: number;
  duplicates: number;
  reordered: number;
  late: number;
  outside: number;
}

interface Held {
  readonly packet: Packet;
  /** Its number, counted on beyond 16 bits from that of the source's first packet. */
  readonly number: number;
}

/** Called with each packet in its order, the source that sent it, and how many numbers were lost before it. */
export type Put = (packet: Packet, source: number, lost: number) => void;

export class Order {
  readonly counters: Counters = {
    lost: 0, duplicates: 0, reordered: 0, late: 0, outside: 0,
  };
  private hasSource = false;
  private source = 0;
  private ssrc = 0;
  private highest = 0;
  private next: number | null = null;
  /** Numbers received, of the last 128 each at its own place: its lowest seven bits. */
  private readonly seen = new Float64Array(WINDOW);
  private held: Held[] = [];
  private candidate: Packet | null = null;

  constructor(private readonly put: Put) {}

  take(packet: Packet): void {
    if (!this.hasSource) return this.begin(packet);
    const ahead = distance(this.highest & 0xffff, packet.sequence);
    if (packet.ssrc === this.ssrc && Math.abs(ahead) < SOURCE_REACH) {
      this.dropCandidate();
      return this.takeOwn(packet, this.highest + ahead);
    }
    const before = this.candidate;
    const step = before ? Math.abs(distance(before.sequence, packet.sequence)) : 0;
    if (before && before.ssrc === packet.ssrc && step >= 1 && step <= CANDIDATE_REACH) {
      this.candidate = null;
      this.flush();
      this.begin(before);
      return this.take(packet);
    }
    this.dropCandidate();
    this.candidate = packet;
  }

  /** Puts out everything held, and forgets the source. */
  forget(): void {
    this.flush();
    this.dropCandidate();
    this.hasSource = false;
  }

  private begin(packet: Packet): void {
    this.hasSource = true;
    this.source += 1;
    this.ssrc = packet.ssrc;
    this.highest = packet.sequence;
    this.next = null;
    this.seen.fill(Number.NaN);
    this.seen[packet.sequence & (WINDOW - 1)] = packet.sequence;
    this.held = [{ packet, number: packet.sequence }];
  }

  private takeOwn(packet: Packet, number: number): void {
    const behind = this.highest - number;
    const place = number & (WINDOW - 1);
    if (behind < 0) {
      this.highest = number;
    } else if (behind >= WINDOW) {
      this.counters.late += 1;
      return this.drain(packet.arrival);
    } else if (this.seen[place] === number) {
      this.counters.duplicates += 1;
      return this.drain(packet.arrival);
    }
    this.seen[place] = number;
    if (this.next !== null && number < this.next) {
      this.counters.late += 1;
      return this.drain(packet.arrival);
    }
    if (behind > 0) this.counters.reordered += 1;
    if (number === this.next && this.held.length === 0) {
      // As nearly all are: nothing waits, and it is the next one.
      this.next = number + 1;
      return this.put(packet, this.source, 0);
    }
    const at = this.held.findLastIndex((other) => other.number < number) + 1;
    this.held.splice(at, 0, { packet, number });
    this.next ??= this.held[0].number;
    this.drain(packet.arrival);
  }

  private drain(now: number): void {
    while (this.next !== null && this.held.length > 0) {
      const first = this.held[0];
      const isDue =
        first.number === this.next ||
        this.highest - this.next >= HELD_REACH ||
        now - first.packet.arrival > HELD_US;
      if (!isDue) return;
      this.putFirst();
    }
  }

  private flush(): void {
    while (this.held.length > 0) this.putFirst();
  }

  private putFirst(): void {
    const { packet, number } = this.held.shift() as Held;
    const lost = number - (this.next ?? number);
    this.next = number + 1;
    this.counters.lost += lost;
    this.put(packet, this.source, lost);
  }

  private dropCandidate(): void {
    if (this.candidate) this.counters.outside += 1;
    this.candidate = null;
  }
}
