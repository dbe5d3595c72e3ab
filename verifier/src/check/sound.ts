// Step 7: the sound follows from the original.

import { areEqual, type Bytes } from "../base/bytes";
import type { Entry } from "../container/zip";
import { holdAgainst, type StreamSpans } from "../sound/spans";
import { allForm, FrameReader, mixed, sideBySide, wavHeader, type WavForm } from "../sound/wav";
import type { Bundle } from "./bundle";
import { ALL_WAV, MIXED_WAV, oggName, SPANS, wavName } from "./list";
import type { Provenance } from "./manifest";
import { cutTo, isInOgg, type Rendering, type Voice } from "./rendering";
import type { Findings } from "./report";
import type { Progress } from "./verify";

/** A longer recording is not rendered. */
const RENDERED_US_MAX = 24 * 3_600 * 1_000_000;
/** Of more channels than players play there is a file with one besides. */
const PLAYED_CHANNELS = 2;
const COMPARE_SLICE = 4 * 1024 * 1024;

/** A sound file as it has to be. */
interface Wanted {
  readonly form: WavForm;
  readonly header: Bytes;
  readonly hasOpus: boolean;
  readonly blocks: () => Iterable<Int16Array>;
}

function wantedOf(rendering: Rendering, heard: readonly Voice[]): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  const add = (name: string, whole: WavForm, hasOpus: boolean, all: () => Iterable<Int16Array>): void => {
    const { form, blocks } = cutTo(rendering, whole, all);
    wanted.set(name, { form, header: wavHeader(form, rendering.comment), hasOpus, blocks });
  };
  if (heard.length > 0) {
    const all = allForm(heard.map(({ form }) => form), rendering.lengthUs);
    const streams = (): Iterable<Int16Array> => sideBySide(all, heard.map((voice) => ({ form: voice.form, blocks: voice.blocks() })));
    const hasOpus = heard.some(({ form }) => form.hasOpus);
    add(ALL_WAV, all, hasOpus, streams);
    if (all.channels > PLAYED_CHANNELS) add(MIXED_WAV, { ...all, channels: 1 }, hasOpus, () => mixed(streams(), all.channels));
  }
  for (const voice of heard) add(wavName(voice.form.number), voice.form, voice.form.hasOpus, () => voice.blocks());
  return wanted;
}

const lengthOfFile = ({ form, header }: Wanted): number => header.length + form.frames * form.channels * 2;

async function hasHeader(bundle: Bundle, entry: Entry, header: Bytes): Promise<boolean> {
  return areEqual(await bundle.part(entry, 0, header.length), header);
}

/** Whether an entry is exactly this sound. */
async function hasSound(bundle: Bundle, entry: Entry, { header, blocks }: Wanted, onBytes: (n: number) => void): Promise<boolean> {
  if (!(await hasHeader(bundle, entry, header))) return false;
  const end = entry.end - entry.start;
  let at = header.length;
  let slice = new Int16Array(0);
  let inSlice = 0;
  for (const block of blocks()) {
    for (let done = 0; done < block.length; ) {
      if (inSlice === slice.length) {
        const bytes = await bundle.part(entry, at, Math.min(at + COMPARE_SLICE, end));
        // Samples are little-endian in the file, as they are in every machine that has a browser.
        slice = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
        at += bytes.length;
        inSlice = 0;
        onBytes(bytes.length);
        if (slice.length === 0) return false;
      }
      const count = Math.min(block.length - done, slice.length - inSlice);
      for (let i = 0; i < count; i += 1) if (block[done + i] !== slice[inSlice + i]) return false;
      done += count;
      inSlice += count;
    }
  }
  return at === end && inSlice === slice.length;
}

const isSound = (name: string): boolean => /^audio\/.*\.(wav|opus)$/.test(name);

/** The packets as they came: nothing was decoded, so there is nothing else to be told of them. */
async function checkOgg(bundle: Bundle, voices: readonly Voice[], findings: Findings, progress: Progress): Promise<void> {
  const wanted = new Map(voices.map(({ form, ogg }) => [oggName(form.number), ogg as () => Bytes]));
  for (const { name } of bundle.entries) {
    if ((isSound(name) || name === SPANS) && !wanted.has(name)) findings.broken("Sound", name, "no_part");
  }
  let done = 0;
  for (const [name, ogg] of wanted) {
    if (!bundle.has(name)) findings.broken("Sound", name, "missing");
    else findings.is(areEqual(await bundle.content(name), ogg()), "Sound", name, "does_not_follow");
    done += 1;
    progress(done / wanted.size, "sound");
  }
}

export async function checkSound(
  bundle: Bundle,
  rendering: Rendering,
  provenance: Provenance,
  findings: Findings,
  progress: Progress,
): Promise<void> {
  if (rendering.lengthUs > RENDERED_US_MAX) {
    findings.broken("Sound", ALL_WAV, "too_large", "longer than 24 hours");
    return;
  }
  if (isInOgg(rendering, provenance)) return checkOgg(bundle, rendering.voices, findings, progress);
  const heard = rendering.voices.filter(({ form }) => form.hasSound);
  const total = bundle.entries.reduce((sum, { name, start, end }) => sum + (name.startsWith("audio/") ? end - start : 0), 1);
  let done = 0;
  const onBytes = (count: number): void => {
    done += count;
    progress(done / total, "sound");
  };
  const wanted = wantedOf(rendering, heard);
  for (const { name } of bundle.entries) {
    if (isSound(name) && !wanted.has(name)) findings.broken("Sound", name, "no_part");
  }
  // Lengths first: a small file must not make anyone render a day.
  let isAllThere = true;
  for (const [name, one] of wanted) {
    const entry = bundle.entry(name);
    if (entry && entry.end - entry.start === lengthOfFile(one)) continue;
    isAllThere = false;
    findings.broken("Sound", name, entry ? "does_not_follow" : "missing");
  }
  if (!isAllThere) return;
  const right = areAlike(wanted) ? await rightTogether(bundle, wanted, heard, onBytes) : await rightOneByOne(bundle, wanted, onBytes);
  for (const [name, { header, hasOpus }] of wanted) {
    if (!hasOpus) findings.is(right.has(name), "Sound", name, "does_not_follow");
    // Its form and its length are all that is looked at.
    else if (await hasHeader(bundle, bundle.entry(name) as Entry, header)) findings.warn("Sound", name, "opus_not_decoded");
    else findings.broken("Sound", name, "does_not_follow");
  }
  await checkSpans(bundle, rendering.voices, findings);
}

async function rightOneByOne(bundle: Bundle, wanted: ReadonlyMap<string, Wanted>, onBytes: (n: number) => void): Promise<Set<string>> {
  const right = new Set<string>();
  for (const [name, one] of wanted) {
    if (!one.hasOpus && (await hasSound(bundle, bundle.entry(name) as Entry, one, onBytes))) right.add(name);
  }
  return right;
}

/** Whether all files have as many frames, at one rate, none is mixed, and all can be decoded here. */
function areAlike(wanted: ReadonlyMap<string, Wanted>): boolean {
  const all = wanted.get(ALL_WAV)?.form;
  return !wanted.has(MIXED_WAV) && all !== undefined && [...wanted.values()].every(({ form, hasOpus }) => !hasOpus && form.rate === all.rate && form.frames === all.frames);
}

/** All files at once, so that each stream is rendered once, and each file read once. The names of those that are right. */
async function rightTogether(
  bundle: Bundle,
  wanted: ReadonlyMap<string, Wanted>,
  heard: readonly Voice[],
  onBytes: (n: number) => void,
): Promise<Set<string>> {
  const right = new Set<string>();
  for (const [name, { header }] of wanted) {
    if (await hasHeader(bundle, bundle.entry(name) as Entry, header)) right.add(name);
  }
  const { frames, channels: width } = (wanted.get(ALL_WAV) as Wanted).form;
  const voices = heard.map(({ form: { number } }) => {
    const name = wavName(number);
    const { blocks, form } = wanted.get(name) as Wanted;
    return { name, channels: form.channels, reader: new FrameReader(blocks()[Symbol.iterator](), form.channels) };
  });
  const window = Math.floor(COMPARE_SLICE / (2 * width));
  const read = async (name: string, channels: number, from: number): Promise<Int16Array> => {
    const entry = bundle.entry(name) as Entry;
    const at = entry.end - entry.start - (frames - from) * channels * 2;
    // Samples are little-endian in the file, as they are in every machine that has a browser.
    return new Int16Array((await bundle.part(entry, at, at + Math.min(window, frames - from) * channels * 2)).buffer);
  };
  const readAll = (from: number): Promise<Int16Array[]> =>
    Promise.all([read(ALL_WAV, width, from), ...voices.map(({ name, channels }) => read(name, channels, from))]);
  // The browser reads on while this is compared.
  let coming = frames > 0 ? readAll(0) : null;
  for (let from = 0; coming !== null; from += window) {
    const [wide, ...own] = await coming;
    coming = from + window < frames ? readAll(from + window) : null;
    const count = Math.min(window, frames - from);
    let offset = 0;
    voices.forEach(({ name, channels, reader }, i) => {
      const samples = new Int16Array(count * channels);
      reader.read(samples, count, 0, channels);
      if (!areSameSamples(samples, own[i])) right.delete(name);
      if (!isAmong(samples, channels, wide, offset, width)) right.delete(ALL_WAV);
      offset += channels;
      onBytes(own[i].byteLength);
    });
    onBytes(wide.byteLength);
  }
  return right;
}

/** Compares two samples at a time; both lists begin where their memory does. */
function areSameSamples(a: Int16Array, b: Int16Array): boolean {
  const pairs = a.length >> 1;
  const left = new Int32Array(a.buffer, 0, pairs);
  const right = new Int32Array(b.buffer, 0, pairs);
  for (let i = 0; i < pairs; i += 1) if (left[i] !== right[i]) return false;
  return a.length === b.length && a.at(-1) === b.at(-1);
}

/** Whether frames are those that stand from `offset` on in each frame of a wider list. */
function isAmong(samples: Int16Array, channels: number, wide: Int16Array, offset: number, width: number): boolean {
  for (let c = 0; c < channels; c += 1) {
    for (let i = c, at = offset + c; i < samples.length; i += channels, at += width) if (samples[i] !== wide[at]) return false;
  }
  return true;
}

async function checkSpans(bundle: Bundle, voices: readonly Voice[], findings: Findings): Promise<void> {
  const spans: StreamSpans[] = voices
    .map(({ form, spans: own }) => ({ number: form.number, has_sound: form.hasSound, spans: [...own] }))
    .filter((stream) => stream.spans.length > 0);
  const withOpus = new Set(voices.filter(({ form }) => form.hasOpus).map(({ form }) => form.number));
  const bytes = bundle.has(SPANS) ? await bundle.content(SPANS) : null;
  if (!holdAgainst(bytes, spans, withOpus)) findings.broken("Sound", SPANS, bytes === null ? "missing" : "does_not_follow");
  else if (bytes !== null) findings.ok("Sound", SPANS);
}
