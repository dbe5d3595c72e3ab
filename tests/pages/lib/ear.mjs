// A second ear at the microphone of a page: what it hears and when, by the clock of the wall, past the script of the page.

/** Runs in the page before its own script. Each opening of the microphone is heard too; `heard` gets one second of every three. */
function listen() {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const open = devices.getUserMedia.bind(devices);
  const textOf = (samples) => {
    const bytes = new Uint8Array(samples.buffer);
    let text = "";
    for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
    return btoa(text);
  };
  const follow = async (track) => {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    let [samples, filled, total, began, said] = [new Float32Array(0), 0, 0, Infinity, 0];
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const now = performance.timeOrigin + performance.now();
      // The rate is that of the microphone, whatever the page asked for.
      const rate = value.sampleRate;
      if (samples.length !== rate) [samples, filled] = [new Float32Array(rate), 0];
      const block = new Float32Array(value.numberOfFrames);
      value.copyTo(block, { planeIndex: 0, format: "f32-planar" });
      value.close();
      if (total % (3 * rate) < rate) {
        const part = block.subarray(0, samples.length - filled);
        samples.set(part, filled);
        filled += part.length;
        // Blocks come late, never early: the earliest one says when the first sample was.
        began = Math.min(began, now - ((filled - part.length + block.length) * 1_000) / rate);
        if (filled === samples.length && said !== began) {
          window.heard({ at: began, samples: textOf(samples) });
          said = began;
        }
      } else {
        [filled, began] = [0, Infinity];
      }
      total += block.length;
    }
  };
  devices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    for (const track of stream.getAudioTracks()) {
      const own = track.clone();
      const stop = track.stop.bind(track);
      track.stop = () => {
        own.stop();
        stop();
      };
      void follow(own).catch(() => {});
    }
    return stream;
  };
}

/** One second of sound at another rate. */
function drawn(samples, rate) {
  return Float32Array.from({ length: rate }, (_, place) => {
    const at = (place * samples.length) / rate;
    const [first, part] = [Math.floor(at), at % 1];
    return samples[first] * (1 - part) + (samples[first + 1] ?? samples[first]) * part;
  });
}

/** Gives what all pages of a context hear: pieces of one second at that rate, with the moment of the first sample in ms since 1970. */
export async function earOf(context, rate) {
  const pieces = [];
  await context.exposeFunction("heard", ({ at, samples }) => {
    const bytes = Buffer.from(samples, "base64");
    const heard = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    pieces.push({ at, samples: drawn(heard, rate) });
  });
  await context.addInitScript(listen);
  return pieces;
}
