// Talks in a room, of which a copy has the packets in Ogg: true ones of a seed, and some that lie about their sound.

import { makeBundle } from "./make.mjs";
import { readZip } from "./zip.mjs";

const RATE = 48_000;
const START = 1_795_000_000_000_000;
const DECISION = "00000000-0000-7000-8000-000000000002";
/** First bytes of packets, with the samples of each: of SILK, hybrid and CELT, in one channel and in two, of one frame and of two. */
const HEADS = [[0x48, 960], [0x58, 2_880], [0x78, 960], [0xe0, 120], [0xf8, 960], [0xfc, 960], [0xf9, 1_920]];

/** What a device says of itself. */
const CAUSES = ["device", "device_call", "device_hidden", "device_muted", "device_gone", "device_reloaded", "device_full"];

/** A generator of numbers below `limit`, the same for the same seed. */
function dice(seed) {
  let state = seed * 2_654_435_761 + 1;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Two devices: holes, packets of each length a page knows. */
function roomCall(seed) {
  const draw = dice(seed);
  const event = (time, content) => ({ stream: 0, time, content });
  const streams = [1, 2].map((number) => ({ number, label: `p${number}`, party: null, codec: "opus/48000/2", payload_type: 111 }));
  const records = [...streams.map((stream) => event(START, { type: "stream_added", stream })), event(START, { type: "permitted", decision: DECISION })];
  const packets = streams.flatMap(({ number }) => {
    const own = [];
    let at = 960 * draw(30);
    const isSilent = seed % 5 === 4 && number === 2;
    for (let i = 0; i < (isSilent ? 0 : 80 + draw(60)); i += 1) {
      const [first, ticks] = HEADS[draw(HEADS.length)];
      // Two frames of one length have an even number of bytes behind the first.
      const size = 1 + 2 * [0, 30, 126, 127, 128, 254, 255, 500][draw(8)];
      const time = START + Math.floor(((at + ticks) * 1_000_000) / RATE);
      const header = [0x80, 111, i >> 8, i, ...[24, 16, 8, 0].map((shift) => at >>> shift), 0, 0, 0, number];
      const payload = seed % 7 === 3 && i % 20 === 19 ? [] : [first, ...Array.from({ length: size - 1 }, () => draw(256))];
      own.push({ stream: number, time, kind: 1, content: Buffer.from([...header, ...payload]) });
      at += ticks + (draw(25) === 0 ? draw(RATE) : 0);
    }
    return own;
  });
  packets.sort((a, b) => a.time - b.time);
  const last = Math.max(START, ...packets.map(({ time }) => time));
  const pauses = streams.flatMap(({ number }) => {
    const by = CAUSES[draw(CAUSES.length)];
    const [from, to] = [draw(last - START), draw(last - START)].sort((a, b) => a - b).map((time) => START + time);
    // As a pause, where it is told in time, and as what is missing, where it is told later.
    if (draw(3) === 0) return [event(from, { type: "media_dropped", stream: number, packets: 0, cause: by })];
    return [event(from, { type: "stream_paused", stream: number, by }), event(to, { type: "stream_resumed", stream: number })];
  });
  const told = [...packets, ...pauses].sort((a, b) => a.time - b.time);
  const end = last + 10_000 + draw(50_000);
  return [...records, ...told, event(end, { type: "call_ended", cause: "recording_client" })];
}

const inRoom = (records, change = {}) => makeBundle(records, { change: { manifest: (manifest) => ({ ...manifest, provenance: "room" }), ...change } });

/** True ones, and bundles that an archive signed though their sound is another. */
export function* rooms() {
  for (let seed = 1; seed <= 20; seed += 1) yield [`room ${seed}`, inRoom(roomCall(seed))];
  const lie = (entries) => inRoom(roomCall(2), { entries });
  const changed = (change) => lie((all) => all.map((entry) => (entry.name === "audio/1.opus" ? { ...entry, content: change(Buffer.from(entry.content)) } : entry)));
  const flip = (at) => changed((bytes) => ((bytes[at] ^= 1), bytes));
  for (const at of [5, 14, 18, 22, 26, 37, 300, 2_000]) yield [`room sound byte ${at}`, flip(at)];
  yield ["room sound cut", changed((bytes) => bytes.subarray(0, -1))];
  yield ["room sound longer", changed((bytes) => Buffer.concat([bytes, Buffer.from("OggS")]))];
  yield ["room sound empty", changed(() => Buffer.alloc(0))];
  yield ["room sound left out", lie((all) => all.filter(({ name }) => name !== "audio/2.opus"))];
  yield ["room no sound", lie((all) => all.filter(({ name }) => !name.startsWith("audio/")))];
  const more = (name) => lie((all) => [...all, { name, content: Buffer.from("x") }]);
  for (const name of ["audio/all.wav", "audio/1.wav", "audio/3.opus", "audio/spans.json", "audio/all.opus"]) yield [`room more ${name}`, more(name)];
  const swapped = (all) => all.map((entry) => {
    const other = { "audio/1.opus": "audio/2.opus", "audio/2.opus": "audio/1.opus" }[entry.name];
    return other ? { ...entry, content: all.find(({ name }) => name === other).content } : entry;
  });
  yield ["room sounds swapped", lie(swapped)];
  const isSound = ({ name }) => name.startsWith("audio/");
  const soundOf = (bundle) => readZip(bundle).filter(isSound);
  const withSoundOf = (bundle) => ({ entries: (all) => [...all.filter((entry) => !isSound(entry)), ...soundOf(bundle)] });
  yield ["telephone in Ogg", makeBundle(roomCall(2), { change: withSoundOf(inRoom(roomCall(2))) })];
  yield ["room in samples", inRoom(roomCall(2), withSoundOf(makeBundle(roomCall(2))))];
}
