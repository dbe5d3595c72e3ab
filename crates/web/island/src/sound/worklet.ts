// In the sound thread: collects 20 ms of the first channel and hands them over.

declare const currentFrame: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: typeof AudioWorkletProcessor): void;

/** Samples in a block: 20 ms at 48 kHz. */
const BLOCK = 960;

class Capture extends AudioWorkletProcessor {
  private block = new Float32Array(BLOCK);
  private filled = 0;

  process(inputs: Float32Array[][]): boolean {
    const samples = inputs[0]?.[0];
    if (!samples) {
      // Nothing is connected: what was begun is given up, and the numbers of the frames show the gap.
      this.filled = 0;
      return true;
    }
    for (let place = 0; place < samples.length; place += 1) {
      this.block[this.filled] = samples[place] as number;
      this.filled += 1;
      if (this.filled === BLOCK) {
        const start = currentFrame + place + 1 - BLOCK;
        this.port.postMessage({ samples: this.block, start, wall: Date.now() }, [this.block.buffer]);
        this.block = new Float32Array(BLOCK);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
