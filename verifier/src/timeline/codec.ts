// How long the sound in a packet is, by its codec: nothing is decoded here.

import type { Format } from "../journal/events";

export type CodecKind = "sound" | "noise" | "key";

export interface Codec {
  readonly text: string;
  readonly kind: CodecKind;
  /** In upper case. */
  readonly name: string;
  readonly rate: number;
  readonly channels: number;
  readonly parameters: string;
}

export function codecOf(format: Format): Codec {
  const [encoding = "", rate, channels] = format.codec.split("/");
  const name = encoding.toUpperCase();
  const clock = rate !== undefined && /^[0-9]{1,9}$/.test(rate) ? Number(rate) : 0;
  const count = channels !== undefined && /^[0-9]{1,3}$/.test(channels) ? Number(channels) : 1;
  return {
    text: format.codec,
    kind: name === "CN" ? "noise" : name === "TELEPHONE-EVENT" ? "key" : "sound",
    name,
    rate: clock > 0 ? clock : 8_000,
    channels: Math.max(1, count),
    parameters: format.parameters ?? "",
  };
}

/** A parameter of `a=fmtp`, by its name. */
function parameter(codec: Codec, name: string): string | undefined {
  for (const part of codec.parameters.split(";")) {
    const [found = "", ...value] = part.trim().split("=");
    if (found.trim().toLowerCase() === name) return value.join("=").trim();
  }
  return undefined;
}

const each = (length: number, size: number, ticks: number): number =>
  length % size === 0 ? (length / size) * ticks : 0;

/** Entries of the table of contents, if it ends within the payload. */
function amrFrames(codec: Codec, payload: Uint8Array): number {
  for (const name of ["interleaving", "crc", "robust-sorting"]) {
    const value = parameter(codec, name);
    if (value !== undefined && value !== "0") return 0;
  }
  const isAligned = parameter(codec, "octet-align") === "1";
  if (isAligned) {
    for (let i = 1; i < payload.length; i += 1) if ((payload[i] & 0x80) === 0) return i;
    return 0;
  }
  const bit = (at: number): number => (payload[at >> 3] >> (7 - (at & 7))) & 1;
  for (let at = 4, frames = 1; at + 6 <= payload.length * 8; at += 6, frames += 1) if (bit(at) === 0) return frames;
  return 0;
}

/** Ticks of an opus packet at 48,000 a second (RFC 6716 §3.1, §3.2). */
export function opusTicks(payload: Uint8Array): number {
  if (payload.length === 0) return 0;
  const configuration = payload[0] >> 3;
  const step = configuration & 3;
  const frame =
    configuration < 12 ? [480, 960, 1_920, 2_880][step] :
    configuration < 16 ? [480, 960][step & 1] :
    [120, 240, 480, 960][step];
  const code = payload[0] & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : payload.length > 1 ? payload[1] & 0x3f : 0;
  const ticks = frames * (frame as number);
  return ticks <= 5_760 ? ticks : 0;
}

/** The ticks of sound in a payload; 0 where its length is untold. */
export function ticksOf(codec: Codec, payload: Uint8Array): number {
  const length = payload.length;
  switch (codec.name) {
    case "PCMA":
    case "PCMU":
    case "G722":
      return length;
    case "L16":
      return each(length, 2 * codec.channels, 1);
    case "GSM":
      return each(length, 33, 160);
    case "G729": {
      const end = length % 10 === 2 ? 2 : 0;
      return each(length - end, 10, 80) + (end > 0 ? 80 : 0);
    }
    case "ILBC":
      return parameter(codec, "mode") === "20" ? each(length, 38, 160) : each(length, 50, 240);
    case "AMR":
      return amrFrames(codec, payload) * 160;
    case "AMR-WB":
      return amrFrames(codec, payload) * 320;
    case "OPUS":
      return opusTicks(payload);
    default:
      return 0;
  }
}

/** How long ticks last, in whole microseconds. */
export function timeOf(ticks: number, rate: number): number {
  if (rate === 8_000) return ticks * 125;
  const product = ticks * 1_000_000;
  return Number.isSafeInteger(product) ? Math.floor(product / rate) : Number((BigInt(ticks) * 1_000_000n) / BigInt(rate));
}

/** a × b ÷ c, rounded towards 0. */
export function share(a: number, b: number, c: number): number {
  if (c === 0) return 0;
  const product = a * b;
  return Number.isSafeInteger(product) ? Math.trunc(product / c) : Number((BigInt(a) * BigInt(b)) / BigInt(c));
}
