// Opus for playing: decoded by the browser from the original packets. It proves nothing: browsers
// decode Opus each in their own way, so samples cannot be compared with the ones in the bundle.

import type { OpusSamples } from "../sound/stream";
import type { SoundPacket } from "../timeline/stream";

interface Output {
  readonly numberOfFrames: number;
  readonly numberOfChannels: number;
  copyTo(to: Float32Array, options: { planeIndex: number; format: "f32-planar" }): void;
  close(): void;
}
interface Decoder {
  configure(config: { codec: string; sampleRate: number; numberOfChannels: number }): void;
  decode(chunk: unknown): void;
  flush(): Promise<void>;
  close(): void;
}
type DecoderClass = new (init: { output: (data: Output) => void; error: (error: Error) => void }) => Decoder;
type ChunkClass = new (init: { type: "key"; timestamp: number; data: Uint8Array }) => unknown;

/** Samples of all opus packets of a stream; null where the browser has no decoder for them. */
export async function decodeOpus(packets: readonly SoundPacket[], bytes: Uint8Array, channels: number): Promise<OpusSamples | null> {
  const { AudioDecoder, EncodedAudioChunk } = globalThis as unknown as { AudioDecoder?: DecoderClass; EncodedAudioChunk?: ChunkClass };
  if (!AudioDecoder || !EncodedAudioChunk) return null;
  const places = packets.flatMap(({ codec }, place) => (codec.name === "OPUS" ? [place] : []));
  const samples = new Map<number, Int16Array>();
  let next = 0;
  try {
    const decoder = new AudioDecoder({
      output: (data) => {
        const place = places[next];
        next += 1;
        if (place !== undefined) samples.set(place, interleave(data, channels));
        data.close();
      },
      error: () => {},
    });
    decoder.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: channels });
    for (const [i, place] of places.entries()) {
      const { start, end } = packets[place];
      decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: i * 20_000, data: bytes.subarray(start, end) }));
      if (i % 500 === 499) await decoder.flush();
    }
    await decoder.flush();
    decoder.close();
  } catch {
    return null;
  }
  return next === places.length ? (place) => samples.get(place) ?? null : null;
}

function interleave(data: Output, channels: number): Int16Array {
  const out = new Int16Array(data.numberOfFrames * channels);
  const plane = new Float32Array(data.numberOfFrames);
  for (let c = 0; c < channels; c += 1) {
    data.copyTo(plane, { planeIndex: Math.min(c, data.numberOfChannels - 1), format: "f32-planar" });
    for (let i = 0; i < plane.length; i += 1) {
      out[i * channels + c] = Math.max(-32_768, Math.min(32_767, Math.round(plane[i] * 32_768)));
    }
  }
  return out;
}
