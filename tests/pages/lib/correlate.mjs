// Finding a piece of recorded sound in the file that was spoken, to the sample.

/** The samples of the first channel of a WAV file of 16 bits, and its rate. */
export function readWav(file, channel = 0) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const word = (at) => String.fromCharCode(...file.subarray(at, at + 4));
  let [channels, rate] = [0, 0];
  for (let at = 12; at + 8 <= file.length; ) {
    const length = view.getUint32(at + 4, true);
    if (word(at) === "fmt ") [channels, rate] = [view.getUint16(at + 10, true), view.getUint32(at + 12, true)];
    if (word(at) === "data") {
      const count = Math.floor(Math.min(length, file.length - at - 8) / 2 / channels);
      const samples = Float32Array.from({ length: count }, (_, place) => view.getInt16(at + 8 + (place * channels + channel) * 2, true) / 32_768);
      return { samples, rate, channels };
    }
    at += 8 + length + (length % 2);
  }
  throw new Error("no sound in the WAV file");
}

function thinned(samples, by) {
  return Float32Array.from({ length: Math.floor(samples.length / by) }, (_, place) => {
    let sum = 0;
    for (let at = place * by; at < (place + 1) * by; at += 1) sum += samples[at];
    return sum / by;
  });
}

/** Where `piece` lies in `whole`, of places `from` to `to`, and how alike they are there (1: but for loudness, the same). */
function best(piece, whole, from, to) {
  const energy = piece.reduce((sum, one) => sum + one * one, 0);
  let found = { at: from, likeness: -1 };
  for (let at = Math.max(0, from); at <= Math.min(to, whole.length - piece.length); at += 1) {
    let [product, other] = [0, 1e-9];
    for (let place = 0; place < piece.length; place += 1) {
      const sample = whole[at + place];
      product += piece[place] * sample;
      other += sample * sample;
    }
    const likeness = product / Math.sqrt(energy * other);
    if (likeness > found.likeness) found = { at, likeness };
  }
  return found;
}

const COARSE = 24;

/** Something in which pieces can be found. */
export function spoken(samples) {
  const coarse = thinned(samples, COARSE);
  return {
    /** The place of a piece, in samples, and its likeness there. */
    find(piece) {
      const near = best(thinned(piece, COARSE), coarse, 0, coarse.length).at * COARSE;
      return best(piece, samples, near - 2 * COARSE, near + 2 * COARSE);
    },
    /** How alike a piece is where it should lie, to a sample, and so many steps to each side. */
    around(piece, place, step, steps) {
      const all = Array.from({ length: 2 * steps + 1 }, (_, number) => place + (number - steps) * step);
      return all.map((at) => best(piece, samples, at - 1, at + 1).likeness);
    },
  };
}

/** How loud a piece is: the root of the mean square. */
export function loudness(piece) {
  return Math.sqrt(piece.reduce((sum, one) => sum + one * one, 0) / piece.length);
}

const FINE = 8;

/** By how many samples a piece lies later in a sound than at `place`, at most so far to either side, and how alike they are there. */
export function lagOf(piece, whole, place, most) {
  const [from, to] = [Math.max(0, place - most), Math.min(whole.length, place + most + piece.length)];
  const found = best(thinned(piece, FINE), thinned(whole.subarray(from, to), FINE), 0, Infinity);
  return { lag: from + found.at * FINE - place, likeness: found.likeness };
}
