// The sound of one stream, block after block, from its original packets.

import type { Interval } from "../timeline/model";
import type { SoundPacket } from "../timeline/stream";
import { decodeG711, decodeL16 } from "./g711";
import { G722Decoder } from "./g722";

const SILENCE_FRAMES = 65_536;

/** Samples per second of what a codec gives; null if it is not decoded at all. */
export function decodedRate(codec: SoundPacket["codec"]): number | null {
  switch (codec.name) {
    case "PCMA":
    case "PCMU":
      return 8_000;
    case "G722":
      return 16_000;
    case "OPUS":
      return 48_000;
    case "L16":
      return codec.channels <= 2 && codec.rate <= 48_000 ? codec.rate : null;
    default:
      return null;
  }
}

/** Samples of an opus packet by its place among the stream's packets with sound; null: silence. */
export type OpusSamples = (place: number) => Int16Array | null;

export interface StreamForm {
  readonly number: number;
  readonly rate: number;
  readonly channels: 1 | 2;
  readonly frames: number;
  /** Whether it has sound that can be heard, or none of its packets can be decoded. */
  readonly hasSound: boolean;
  readonly hasOpus: boolean;
}

/** ⌊a × b ÷ c⌋ of numbers that are not negative. */
export function floorShare(a: number, b: number, c: number): number {
  const product = a * b;
  return Number.isSafeInteger(product) ? Math.floor(product / c) : Number((BigInt(a) * BigInt(b)) / BigInt(c));
}

export function formOf(number: number, packets: readonly SoundPacket[], bytes: Uint8Array, lengthUs: number): StreamForm {
  let rate = 0;
  let channels: 1 | 2 = 1;
  let hasOpus = false;
  for (const packet of packets) {
    const own = decodedRate(packet.codec);
    if (own === null) continue;
    rate = Math.max(rate, own);
    const isOpus = packet.codec.name === "OPUS";
    hasOpus ||= isOpus;
    if (isOpus ? (bytes[packet.start] & 0x04) !== 0 : packet.codec.name === "L16" && packet.codec.channels === 2) channels = 2;
  }
  const hasSound = packets.length === 0 || rate > 0;
  const found = rate || 8_000;
  return { number, rate: found, channels, frames: floorShare(lengthUs, found, 1_000_000), hasSound, hasOpus };
}

/** Draws `have` frames out to `need` places, straight lines between neighbours. */
export function drawOut(frames: Int16Array, channels: number, have: number, need: number): Int16Array {
  if (have === need) return frames;
  const out = new Int16Array(need * channels);
  if (have === 0) return out;
  let place = 0;
  let rest = 0;
  const whole = Math.floor(have / need);
  for (let i = 0; i < need; i += 1) {
    const next = Math.min(place + 1, have - 1);
    for (let c = 0; c < channels; c += 1) {
      const from = frames[place * channels + c];
      const to = frames[next * channels + c];
      out[i * channels + c] = from + Math.trunc(((to - from) * rest) / need);
    }
    place += whole;
    rest += have % need;
    if (rest >= need) {
      rest -= need;
      place += 1;
    }
  }
  return out;
}

export class Decoders {
  private readonly g722 = new G722Decoder();

  constructor(
    private readonly form: StreamForm,
    private readonly packets: readonly SoundPacket[],
    private readonly bytes: Uint8Array,
    private readonly opus: OpusSamples,
  ) {}

  /** Whether a packet's bytes are the stream's samples, one for one. */
  isPlain({ codec, start, end, ticks }: SoundPacket): boolean {
    const isG711 = codec.name === "PCMA" || codec.name === "PCMU";
    return isG711 && codec.rate === this.form.rate && this.form.rate === 8_000 && this.form.channels === 1 && ticks === end - start;
  }

  /** Puts the samples of a packet of G.711 into `out`. */
  g711({ codec, start, end }: SoundPacket, out: Int16Array, at: number): void {
    decodeG711(this.bytes, start, end, codec.name === "PCMA", out, at);
  }

  /** The frames of a packet at the stream's rate, in all its channels; `need` of them. */
  frames(place: number, need: number): Int16Array {
    const packet = this.packets[place];
    const payload = (): Uint8Array => this.bytes.subarray(packet.start, packet.end);
    const silence = (): Int16Array => new Int16Array(need * this.form.channels);
    const rate = decodedRate(packet.codec);
    if (rate === null) return silence();
    let samples: Int16Array | null;
    let channels = 1;
    switch (packet.codec.name) {
      case "G722":
        samples = this.g722.decode(payload());
        break;
      case "L16":
        samples = decodeL16(payload());
        channels = packet.codec.channels;
        break;
      case "OPUS":
        samples = this.opus(place);
        channels = this.form.channels;
        break;
      default:
        samples = new Int16Array(packet.end - packet.start);
        this.g711(packet, samples, 0);
    }
    const have = floorShare(packet.ticks, rate, packet.codec.rate);
    if (samples === null || samples.length !== have * channels) return silence();
    const drawn = drawOut(samples, channels, have, need);
    return channels === this.form.channels ? drawn : twice(drawn);
  }
}

function twice(mono: Int16Array): Int16Array {
  const out = new Int16Array(mono.length * 2);
  for (let i = 0; i < mono.length; i += 1) {
    out[2 * i] = mono[i];
    out[2 * i + 1] = mono[i];
  }
  return out;
}

/** Samples that are decoded into one block, where packets can simply be put side by side. */
const BLOCK_SAMPLES = 65_536;

/** Frames of one interval of media: its packets, one after the other. */
function* packetFrames(decoders: Decoders, form: StreamForm, packets: readonly SoundPacket[], first: number, count: number): Generator<Int16Array> {
  let ticks = 0;
  let before = 0;
  const block = new Int16Array(Math.min(BLOCK_SAMPLES, 2_048 * count));
  let held = 0;
  for (let place = first; place < first + count && place < packets.length; place += 1) {
    const packet = packets[place];
    ticks += packet.ticks;
    const after = floorShare(ticks, form.rate, packet.codec.rate);
    const need = after - before;
    before = after;
    const isPlain = need === packet.ticks && need <= block.length && decoders.isPlain(packet);
    if (held > 0 && (!isPlain || held + need > block.length)) {
      yield block.subarray(0, held);
      held = 0;
    }
    if (isPlain) {
      decoders.g711(packet, block, held);
      held += need;
    } else yield decoders.frames(place, need);
  }
  if (held > 0) yield block.subarray(0, held);
}

/** Takes S frames of what comes and lays them over L places: place i takes frame ⌊i·S ÷ L⌋. */
export function* fit(blocks: Iterable<Int16Array>, channels: number, s: number, l: number): Generator<Int16Array> {
  let done = 0;
  let from = 0;
  let place = 0;
  let rest = 0;
  for (const block of blocks) {
    const to = Math.min(s, from + block.length / channels);
    if (s === l) {
      if (to > from) yield (to - from) * channels === block.length ? block : block.subarray(0, (to - from) * channels);
      done += to - from;
    } else if (s > 0) {
      const out: number[] = [];
      while (done < l && place < to) {
        for (let c = 0; c < channels; c += 1) out.push(block[(place - from) * channels + c]);
        done += 1;
        place += Math.floor(s / l);
        rest += s % l;
        if (rest >= l) {
          rest -= l;
          place += 1;
        }
      }
      if (out.length > 0) yield Int16Array.from(out);
    }
    from = to;
    if (from >= s) break;
  }
  yield* silence(l - done, channels);
}

export function* silence(frames: number, channels: number): Generator<Int16Array> {
  for (let left = frames; left > 0; left -= SILENCE_FRAMES) {
    yield new Int16Array(Math.min(left, SILENCE_FRAMES) * channels);
  }
}

/** The whole sound of a stream, exactly `form.frames` long. A block is good until the next one is asked for. */
export function* soundOf(
  form: StreamForm,
  packets: readonly SoundPacket[],
  bytes: Uint8Array,
  intervals: readonly Interval[],
  opus: OpusSamples = () => null,
): Generator<Int16Array> {
  const decoders = new Decoders(form, packets, bytes, opus);
  let next = 0;
  for (const interval of intervals) {
    const start = floorShare(interval.start_us, form.rate, 1_000_000);
    const places = floorShare(interval.end_us, form.rate, 1_000_000) - start;
    if (interval.kind === "media") {
      const rate = packets[next]?.codec.rate ?? form.rate;
      const kept = floorShare(interval.samples, form.rate, rate);
      yield* fit(packetFrames(decoders, form, packets, next, interval.packets), form.channels, kept, places);
    } else {
      yield* silence(places, form.channels);
    }
    next += interval.packets;
  }
}
