// The sound that a bundle must have: of a whole recording, or of a copy of a part.

import type { Bytes } from "../base/bytes";
import type { OriginalFile } from "../journal/original";
import type { PartStream } from "../part/check";
import type { Passage, Scope } from "../part/scope";
import { bounds, commentOf, heardOf, kept, partForm, partSound, partSpans } from "../sound/part";
import { undecodedSpans, type Span } from "../sound/spans";
import { oggOf } from "../sound/ogg";
import { formOf, soundOf, type OpusSamples, type StreamForm } from "../sound/stream";
import { commentChunk, type WavForm } from "../sound/wav";
import type { Provenance } from "./manifest";
import type { SoundPacket } from "../timeline/stream";
import type { Computed } from "../timeline/timeline";

/** The sound of one stream. */
export interface Voice {
  readonly form: StreamForm;
  /** What is heard of it, in its order: parts of `bytes`. */
  readonly packets: readonly SoundPacket[];
  readonly bytes: Uint8Array;
  readonly spans: readonly Span[];
  /** Over the whole call, `form.frames` of them. */
  blocks(opus?: OpusSamples): Generator<Int16Array>;
  /** The packets as they came, as a file; null where one of them is not Opus. */
  readonly ogg: (() => Bytes) | null;
}

/** What the sound of a bundle follows from. */
export interface Rendering {
  readonly lengthUs: number;
  readonly voices: readonly Voice[];
  /** Of an excerpt only its own samples are kept. */
  readonly excerpt: Passage | null;
  /** A chunk in every sound file, in a copy of a part. */
  readonly comment: Bytes;
}

/** The streams of a recording, and what form their sound has. */
export function renderingOf(computed: Computed, files: readonly OriginalFile[]): Rendering {
  const voices = computed.timeline.streams.flatMap((line): Voice[] => {
    const { number } = line.stream;
    const file = files.find(({ stream }) => stream === number);
    if (!file) return [];
    const packets = computed.sounds.get(number) ?? [];
    const form = formOf(number, packets, file.bytes, computed.lengthUs);
    return [{
      form, packets, bytes: file.bytes, spans: undecodedSpans(packets, line.intervals),
      blocks: (opus) => soundOf(form, packets, file.bytes, line.intervals, opus),
      ogg: packets.every(({ codec }) => codec.name === "OPUS") ? () => oggOf(form, packets, file.bytes, line.intervals, computed.lengthUs) : null,
    }];
  });
  return { lengthUs: computed.lengthUs, voices, excerpt: null, comment: new Uint8Array(0) };
}

/** The same of a copy of a part. */
export function renderingOfPart(streams: readonly PartStream[], scope: Scope, lengthUs: number): Rendering {
  const voices = streams.map((stream): Voice => {
    const form = partForm(stream, lengthUs);
    return {
      form, packets: heardOf(stream), bytes: stream.file.bytes, spans: partSpans(stream),
      blocks: (opus) => partSound(stream, form, scope.redactions, opus),
      ogg: null,
    };
  });
  return { lengthUs, voices, excerpt: scope.excerpt, comment: commentChunk(commentOf(scope, lengthUs)) };
}

/** Whether a bundle has the packets in Ogg in the place of WAV files. */
export function isInOgg({ voices }: Rendering, provenance: Provenance): boolean {
  return provenance === "room" && voices.every(({ ogg }) => ogg !== null);
}

/** What of a sound is in its file: all of it, or what the excerpt keeps. */
export function cutTo<T extends WavForm>(
  { excerpt }: Rendering,
  form: T,
  blocks: () => Iterable<Int16Array>,
): { readonly form: T; readonly blocks: () => Iterable<Int16Array> } {
  if (excerpt === null) return { form, blocks };
  const { from, to } = bounds(excerpt, form.rate);
  return { form: { ...form, frames: to - from }, blocks: () => kept(blocks(), form.channels, from, to) };
}
