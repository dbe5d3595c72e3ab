// Sound to listen to, made from the original packets and not from the sound files of the bundle.

import { cutTo, type Rendering, type Voice } from "../check/rendering";
import type { StreamForm } from "../sound/stream";
import { allForm, sideBySide, wavHeader } from "../sound/wav";
import { decodeOpus } from "./opus";

/** One stream, or all of them: two beside each other, more mixed into left and right. Null: it cannot be decoded here. */
export async function playable(voices: readonly Voice[], rendering: Rendering): Promise<Blob | null> {
  const streams: { readonly form: StreamForm; readonly blocks: Generator<Int16Array> }[] = [];
  for (const voice of voices) {
    const opus = voice.form.hasOpus ? await decodeOpus(voice.packets, voice.bytes, voice.form.channels) : () => null;
    if (opus === null) return null;
    streams.push({ form: voice.form, blocks: voice.blocks(opus) });
  }
  const all = allForm(voices.map((voice) => voice.form), rendering.lengthUs);
  const { form, blocks } = cutTo(rendering, all, () => sideBySide(all, streams));
  const isPlain = form.channels <= 2;
  const parts: BlobPart[] = [wavHeader(isPlain ? form : { ...form, channels: 2 })];
  for (const block of blocks()) {
    // An excerpt is cut out of larger blocks, which the copy is not to keep.
    parts.push((isPlain ? block.slice() : leftAndRight(block, form.channels)) as Int16Array<ArrayBuffer>);
    // A blob may lie on disk; a list of blocks lies in memory.
    if (parts.length > 256) parts.splice(0, parts.length, new Blob(parts));
  }
  return new Blob(parts, { type: "audio/wav" });
}

/** Every second channel to the left, the others to the right; not louder than 16 bits can be. */
function leftAndRight(block: Int16Array, channels: number): Int16Array {
  const frames = block.length / channels;
  const out = new Int16Array(frames * 2);
  for (let i = 0; i < frames; i += 1) {
    const sums: [number, number] = [0, 0];
    for (let c = 0; c < channels; c += 1) sums[c % 2] += block[i * channels + c];
    for (let c = 0; c < 2; c += 1) out[2 * i + c] = Math.max(-32_768, Math.min(32_767, sums[c]));
  }
  return out;
}
