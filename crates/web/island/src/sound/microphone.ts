// The microphone: opening it, and noticing when it is taken away.

import type { Reason } from "../frames/chunk";

/** 20 ms of sound: samples, the number of the first since the microphone was opened, the sound thread's clock in ms. */
export interface Block {
  samples: Float32Array;
  start: number;
  wall: number;
}

export interface MicrophoneEvents {
  onBlock(block: Block): void;
  /** It was taken away; it may come back by itself. */
  onTaken(reason: Reason): void;
  /** It is gone for good: somebody has to open it again. */
  onGone(reason: Reason): void;
  /** The sound thread runs again. */
  onBack(): void;
  onDevicesChanged(): void;
}

/** Nothing that changes what is heard: no echo or noise is taken out, and no loudness is levelled. */
const WANTED: MediaStreamConstraints = {
  audio: { channelCount: 1, sampleRate: 48_000, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
};

/** The rate of the sound, in Hz. */
export const RATE = 48_000;

/** Asks for leave to use the microphone, while somebody has just tapped. */
export async function askForMicrophone(): Promise<void> {
  const stream = await navigator.mediaDevices.getUserMedia(WANTED);
  for (const track of stream.getTracks()) track.stop();
}

/** An open microphone. */
export class Microphone {
  private readonly source: MediaStreamAudioSourceNode;
  private readonly node: AudioWorkletNode;
  private isClosed = false;

  private constructor(
    private readonly stream: MediaStream,
    private readonly context: AudioContext,
    private readonly events: MicrophoneEvents,
  ) {
    this.source = context.createMediaStreamSource(stream);
    this.node = new AudioWorkletNode(context, "capture", { numberOfInputs: 1, numberOfOutputs: 1, channelCount: 1, channelCountMode: "explicit" });
    this.node.port.onmessage = (message: MessageEvent<Block>) => {
      if (!this.isClosed) events.onBlock(message.data);
    };
    this.source.connect(this.node);
    // The node is silent; without a way out some browsers do not run it.
    this.node.connect(context.destination);
    this.listen();
  }

  static async open(capture: string, events: MicrophoneEvents): Promise<Microphone> {
    const stream = await navigator.mediaDevices.getUserMedia(WANTED);
    try {
      const context = new AudioContext({ sampleRate: RATE, latencyHint: "balanced" });
      await context.audioWorklet.addModule(capture);
      return new Microphone(stream, context, events);
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      throw error;
    }
  }

  private listen(): void {
    const [track] = this.stream.getAudioTracks();
    if (!track) return;
    // A telephone call takes the microphone of a page that is hidden by it; the browser does not say which it was.
    track.onmute = () => this.events.onTaken(document.visibilityState === "hidden" ? "hidden" : "muted");
    track.onended = () => {
      if (!this.isClosed) this.events.onGone("device_gone");
    };
    this.context.onstatechange = () => {
      if (this.isClosed) return;
      if (this.context.state === "running") {
        this.events.onBack();
        return;
      }
      // `interrupted` is what Safari says of a telephone call.
      const state: string = this.context.state;
      this.events.onTaken(state === "interrupted" ? "call" : document.visibilityState === "hidden" ? "hidden" : "other");
    };
    navigator.mediaDevices.ondevicechange = () => this.events.onDevicesChanged();
  }

  /** Whether sound can come: nobody muted it and the sound thread runs. */
  get isOpen(): boolean {
    const [track] = this.stream.getAudioTracks();
    return this.context.state === "running" && track?.readyState === "live" && !track.muted;
  }

  get runs(): boolean {
    return this.context.state === "running";
  }

  /** Runs the sound thread, where the browser waited for a tap. */
  async wake(): Promise<void> {
    if (this.context.state !== "running") await this.context.resume();
  }

  close(): void {
    this.isClosed = true;
    this.source.disconnect();
    for (const track of this.stream.getTracks()) track.stop();
    void this.context.close();
  }
}
