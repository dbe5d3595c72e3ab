// Sound into the payloads of packets: Opus where the browser makes it, else 16-bit samples.

/** A payload and the number of its first sample since the microphone was opened. */
export type OnPayload = (payload: Uint8Array, sample: number, samples: number) => void;

export interface Encoder {
  readonly codec: string;
  readonly payloadType: number;
  /** 960 samples; `sample` is the number of the first. */
  take(samples: Float32Array, sample: number): void;
  /** Everything that was taken has come out. */
  finish(): Promise<void>;
  close(): void;
}

/** Samples of −1 to 1 as big-endian 16-bit numbers (RFC 3551 §4.5.11). */
export function linear16(samples: Float32Array): Uint8Array {
  const bytes = new Uint8Array(samples.length * 2);
  const view = new DataView(bytes.buffer);
  samples.forEach((sample, place) => view.setInt16(place * 2, Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768)))));
  return bytes;
}

/** Packets of 10 ms. */
export class SampleEncoder implements Encoder {
  readonly codec = "L16/48000";
  readonly payloadType = 112;

  constructor(private readonly onPayload: OnPayload) {}

  take(samples: Float32Array, sample: number): void {
    for (let start = 0; start + 480 <= samples.length; start += 480) {
      this.onPayload(linear16(samples.subarray(start, start + 480)), sample + start, 480);
    }
  }

  async finish(): Promise<void> {}

  close(): void {}
}

const OPUS: AudioEncoderConfig & { opus: { frameDuration: number; format: string } } = {
  codec: "opus",
  sampleRate: 48_000,
  numberOfChannels: 1,
  bitrate: 40_000,
  opus: { frameDuration: 20_000, format: "opus" },
};

/** Packets of 20 ms. */
class OpusEncoder implements Encoder {
  readonly codec = "opus/48000/2";
  readonly payloadType = 111;
  private readonly encoder: AudioEncoder;
  /** First samples of the frames that have not come out: one goes in, one comes out. Browsers count on over gaps. */
  private readonly under: number[] = [];

  constructor(onPayload: OnPayload, onTrouble: (error: unknown) => void) {
    this.encoder = new AudioEncoder({
      output: (chunk) => {
        const sample = this.under.shift();
        if (sample === undefined) return;
        const payload = new Uint8Array(chunk.byteLength);
        chunk.copyTo(payload);
        onPayload(payload, sample, 960);
      },
      error: onTrouble,
    });
    this.encoder.configure(OPUS);
  }

  take(samples: Float32Array, sample: number): void {
    if (this.encoder.state !== "configured") return;
    const data = new AudioData({
      format: "f32-planar",
      sampleRate: 48_000,
      numberOfFrames: samples.length,
      numberOfChannels: 1,
      timestamp: Math.round((sample * 1_000) / 48),
      data: samples as Float32Array<ArrayBuffer>,
    });
    this.under.push(sample);
    this.encoder.encode(data);
    data.close();
  }

  async finish(): Promise<void> {
    if (this.encoder.state === "configured") await this.encoder.flush();
  }

  close(): void {
    if (this.encoder.state !== "closed") this.encoder.close();
  }
}

/** Whether this browser encodes Opus in frames of 20 ms. */
export async function hasOpus(): Promise<boolean> {
  if (typeof AudioEncoder === "undefined") return false;
  const answer = await AudioEncoder.isConfigSupported(OPUS).catch(() => ({ supported: false }));
  return answer.supported === true;
}

export function encoderOf(isOpus: boolean, onPayload: OnPayload, onTrouble: (error: unknown) => void): Encoder {
  return isOpus ? new OpusEncoder(onPayload, onTrouble) : new SampleEncoder(onPayload);
}
