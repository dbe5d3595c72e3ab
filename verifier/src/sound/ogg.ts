// A stream of Opus as a file of Ogg: its packets as they came, nothing decoded.

import { concat, utf8, viewOf, type Bytes } from "../base/bytes";
import type { Interval } from "../timeline/model";
import type { SoundPacket } from "../timeline/stream";
import { floorShare } from "./stream";

const RATE = 48_000;
const PAGE_PACKETS = 50;
const PAGE_SEGMENTS = 255;
const OGG_PACKET_BYTES_MAX = 65_024;
const FIRST = 2;
const LAST = 4;
/** Silence of 20 ms and of 2.5 ms: samples, and the packet. */
const SILENCE: readonly (readonly [number, Uint8Array])[] = [
  [960, Uint8Array.of(0xf8, 0xff, 0xfe)],
  [120, Uint8Array.of(0xe0, 0xff, 0xfe)],
];
/** Where the file says how many channels it has. */
export const OGG_CHANNELS_AT = 37;

const CRC = new Uint32Array(256).map((_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) sum = sum < 0 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  return sum;
});

function crcOf(page: Uint8Array): number {
  let sum = 0;
  for (const byte of page) sum = (sum << 8) ^ CRC[((sum >>> 24) ^ byte) & 0xff];
  return sum >>> 0;
}

class OggWriter {
  private readonly pages: Bytes[] = [];
  private lacing: number[] = [];
  private body: Uint8Array[] = [];
  private packets = 0;
  private samples = 0;

  constructor(private readonly serial: number, channels: number) {
    const head = new Uint8Array(19);
    head.set(utf8("OpusHead"));
    head[8] = 1;
    head[9] = channels;
    viewOf(head).setUint32(12, RATE, true);
    const tags = new Uint8Array(24);
    tags.set(utf8("OpusTags"));
    tags[8] = 8;
    tags.set(utf8("voicelog"), 12);
    for (const packet of [head, tags]) {
      this.put(packet, 0);
      this.endPage();
    }
  }

  packet(packet: Uint8Array, samples: number): void {
    if (packet.length > OGG_PACKET_BYTES_MAX) return;
    const needed = Math.floor(packet.length / 255) + 1;
    if (this.packets === PAGE_PACKETS || this.lacing.length + needed > PAGE_SEGMENTS) this.endPage();
    this.put(packet, samples);
  }

  silenceUntil(sample: number): void {
    for (const [length, packet] of SILENCE) {
      while (this.samples + length <= sample) this.packet(packet, length);
    }
  }

  finish(): Bytes {
    if (this.packets > 0) this.endPage();
    const last = this.pages[this.pages.length - 1];
    last[5] |= LAST;
    seal(last);
    return concat(...this.pages);
  }

  private put(packet: Uint8Array, samples: number): void {
    for (let left = packet.length; ; left -= 255) {
      this.lacing.push(Math.min(left, 255));
      if (left < 255) break;
    }
    this.body.push(packet);
    this.packets += 1;
    this.samples += samples;
  }

  private endPage(): void {
    const head = new Uint8Array(27 + this.lacing.length);
    head.set(utf8("OggS"));
    head[5] = this.pages.length === 0 ? FIRST : 0;
    const view = viewOf(head);
    view.setBigUint64(6, BigInt(this.samples), true);
    view.setUint32(14, this.serial, true);
    view.setUint32(18, this.pages.length, true);
    head[26] = this.lacing.length;
    head.set(this.lacing, 27);
    const page = concat(head, ...this.body);
    seal(page);
    this.pages.push(page);
    this.lacing = [];
    this.body = [];
    this.packets = 0;
  }
}

function seal(page: Bytes): void {
  const view = viewOf(page);
  view.setUint32(22, 0, true);
  view.setUint32(22, crcOf(page), true);
}

/** The whole file of a stream, all packets of which are Opus. */
export function oggOf(
  { number, channels }: { readonly number: number; readonly channels: number },
  packets: readonly SoundPacket[],
  bytes: Uint8Array,
  intervals: readonly Interval[],
  lengthUs: number,
): Bytes {
  const file = new OggWriter(number, channels);
  let next = 0;
  for (const interval of intervals) {
    const own = packets.slice(next, next + interval.packets);
    next += interval.packets;
    if (interval.kind !== "media" || own.length === 0) continue;
    file.silenceUntil(floorShare(interval.start_us, RATE, 1_000_000));
    for (const { start, end, ticks } of own) file.packet(bytes.subarray(start, end), ticks);
  }
  file.silenceUntil(floorShare(lengthUs, RATE, 1_000_000));
  return file.finish();
}
