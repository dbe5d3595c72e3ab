// WAV files as the document has them, and several streams side by side.

import { concat, utf8, viewOf, type Bytes } from "../base/bytes";
import type { StreamForm } from "./stream";

/** The chunk that says what a sound file is a part of. */
export function commentChunk(text: string): Bytes {
  const bytes = utf8(text);
  const length = bytes.length + 1;
  const padded = new Uint8Array(length + (length & 1));
  padded.set(bytes);
  return concat(utf8("LIST"), u32le(12 + padded.length), utf8("INFOICMT"), u32le(length), padded);
}

const u32le = (value: number): Bytes => new Uint8Array([value, value >>> 8, value >>> 16, value >>> 24]);

export interface WavForm {
  readonly channels: number;
  readonly rate: number;
  readonly frames: number;
}

const PCM_GUID = [1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

const NO_COMMENT = new Uint8Array(0);

/** All of a WAV file but its samples. `comment` is a whole chunk, in a copy of a part. */
export function wavHeader({ channels, rate, frames }: WavForm, comment: Bytes = NO_COMMENT): Bytes {
  const isPlain = channels <= 2;
  const data = frames * channels * 2;
  const format = new Uint8Array(isPlain ? 16 : 40);
  const view = viewOf(format);
  view.setUint16(0, isPlain ? 1 : 0xfffe, true);
  view.setUint16(2, channels, true);
  view.setUint32(4, rate, true);
  view.setUint32(8, rate * channels * 2, true);
  view.setUint16(12, channels * 2, true);
  view.setUint16(14, 16, true);
  if (!isPlain) {
    view.setUint16(16, 22, true);
    view.setUint16(18, 16, true);
    format.set(PCM_GUID, 24);
  }
  return concat(
    utf8("RIFF"), u32le(20 + format.length + comment.length + data), utf8("WAVEfmt "), u32le(format.length), format, comment,
    utf8("data"), u32le(data),
  );
}

/** Streams that have sound, side by side at the highest rate. */
export function allForm(forms: readonly StreamForm[], lengthUs: number): WavForm {
  const rate = Math.max(...forms.map((form) => form.rate));
  const channels = forms.reduce((sum, form) => sum + form.channels, 0);
  return { rate, channels, frames: Math.floor((lengthUs * rate) / 1_000_000) };
}

/** A stream of blocks from which any number of frames can be taken. */
export class FrameReader {
  private block = new Int16Array(0);
  private at = 0;

  constructor(private readonly blocks: Iterator<Int16Array>, private readonly channels: number) {}

  /** Puts frames into every `stride` places of `out`; what does not come is silence. */
  read(out: Int16Array, frames: number, offset: number, stride: number): void {
    const { channels } = this;
    for (let done = 0; done < frames; ) {
      if (this.at === this.block.length) {
        const next = this.blocks.next();
        if (next.done) return;
        this.block = next.value as Int16Array<ArrayBuffer>;
        this.at = 0;
        continue;
      }
      const count = Math.min(frames - done, (this.block.length - this.at) / channels);
      const { block } = this;
      let from = this.at;
      let to = done * stride + offset;
      if (stride === channels) {
        out.set(block.subarray(from, from + count * channels), to);
        from += count * channels;
      } else for (let i = 0; i < count; i += 1, to += stride) {
        for (let c = 0; c < channels; c += 1, from += 1) out[to + c] = block[from];
      }
      this.at = from;
      done += count;
    }
  }
}

const BLOCK_FRAMES = 65_536;

/** Draws a whole stream out to another number of frames, block by block. */
function* drawnOut(blocks: Iterator<Int16Array>, channels: number, have: number, need: number): Generator<Int16Array> {
  const reader = new FrameReader(blocks, channels);
  const window = new Int16Array(2 * channels);
  let held = 0;
  const shift = (): void => {
    window.copyWithin(0, channels);
    if (held < have) reader.read(window, 1, channels, channels);
    held += 1;
  };
  shift();
  shift();
  let rest = 0;
  for (let done = 0; done < need; ) {
    const count = Math.min(BLOCK_FRAMES, need - done);
    const out = new Int16Array(count * channels);
    for (let i = 0; i < count; i += 1) {
      for (let c = 0; c < channels; c += 1) {
        const from = window[c];
        out[i * channels + c] = from + Math.trunc(((window[channels + c] - from) * rest) / need);
      }
      rest += have;
      while (rest >= need) {
        rest -= need;
        shift();
      }
    }
    yield out;
    done += count;
  }
}

/** One channel: the sum of all, held within what 16 bits can be. */
export function* mixed(blocks: Iterable<Int16Array>, channels: number): Generator<Int16Array> {
  for (const block of blocks) {
    const out = new Int16Array(block.length / channels);
    for (let i = 0, at = 0; i < out.length; i += 1) {
      let sum = 0;
      for (let c = 0; c < channels; c += 1, at += 1) sum += block[at];
      out[i] = Math.max(-32_768, Math.min(32_767, sum));
    }
    yield out;
  }
}

/** All channels of the first, then of the next. */
export function* sideBySide(
  form: WavForm,
  streams: readonly { readonly form: StreamForm; readonly blocks: Iterator<Int16Array> }[],
): Generator<Int16Array> {
  const readers = streams.map(({ form: own, blocks }) => {
    const isSame = own.frames === form.frames && own.rate === form.rate;
    return new FrameReader(isSame ? blocks : drawnOut(blocks, own.channels, own.frames, form.frames), own.channels);
  });
  for (let done = 0; done < form.frames; done += BLOCK_FRAMES) {
    const count = Math.min(BLOCK_FRAMES, form.frames - done);
    const out = new Int16Array(count * form.channels);
    let offset = 0;
    readers.forEach((reader, i) => {
      reader.read(out, count, offset, form.channels);
      offset += streams[i].form.channels;
    });
    yield out;
  }
}

