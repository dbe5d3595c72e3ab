// Calls made of a seed: with losses, doubles, pauses, silences, other sources, clocks that step and
// much else. They are nothing that an exchange would send; the arithmetic must be right all the same.

import { rtp } from "./make.mjs";

export function generator(seed) {
  let state = seed >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 0x1_0000_0000;
  };
  const below = (n) => Math.floor(next() * n);
  return { next, below, chance: (p) => next() < p, pick: (list) => list[below(list.length)] };
}

const FORMATS = [
  { codec: "PCMA", payload_type: 8, ticks: 160, bytes: 160 },
  { codec: "PCMU", payload_type: 0, ticks: 160, bytes: 160 },
  { codec: "G722", payload_type: 9, ticks: 160, bytes: 160 },
  { codec: "L16/16000", payload_type: 100, ticks: 320, bytes: 640 },
  { codec: "L16/44100/2", payload_type: 101, ticks: 441, bytes: 1764 },
  { codec: "G729", payload_type: 18, ticks: 160, bytes: 20 },
  { codec: "speex/16000", payload_type: 97, ticks: 320, bytes: 40 },
  { codec: "GSM", payload_type: 3, ticks: 160, bytes: 33 },
];
const CAUSES = ["recording_client", "operator", "overload", "disk_full", "shutdown", "time_out"];
const id = (n) => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`;

function streamOf(random, number, main) {
  const formats = [main, ...FORMATS.filter(() => random.chance(0.25)), { codec: "telephone-event", payload_type: 110 }];
  const also = formats.slice(1).filter(({ payload_type }) => payload_type !== main.payload_type).map(({ codec, payload_type }) => ({ codec, payload_type }));
  return { number, label: String(95 + number), party: random.chance(0.5) ? `p${number}` : null, codec: main.codec, payload_type: main.payload_type, also };
}

/** The sender of one stream: puts packets with their arrival into `out`. */
function send(random, number, main, formats, from, to, out) {
  const codec = (payloadType) => [...FORMATS].find(({ payload_type }) => payload_type === payloadType);
  let format = main;
  let sequence = random.below(65_536);
  let timestamp = random.below(0x1_0000_0000);
  let ssrc = 1_000 + number;
  let at = from + random.below(150_000);
  let delay = 0;
  let drift = random.chance(0.2) ? 1 + (random.next() - 0.5) * 0.004 : 1;
  while (at < to) {
    const payload = Buffer.alloc(format.bytes);
    for (let i = 0; i < payload.length; i += 1) payload[i] = random.below(256);
    const rate = Number(format.codec.split("/")[1] ?? 8_000);
    const step = Math.round((format.ticks / rate) * 1_000_000 * drift);
    const wobble = random.chance(0.3) ? random.below(30_000) : 0;
    const packet = { payloadType: format.payload_type, marker: random.chance(0.05), sequence, timestamp, ssrc, payload };
    if (!random.chance(0.04)) out.push({ stream: number, time: at + wobble + delay, kind: 1, content: rtp(packet) });
    if (random.chance(0.01)) out.push({ stream: number, time: at + random.below(90_000), kind: 1, content: rtp(packet) });
    if (random.chance(0.005)) out.push({ stream: number, time: at, kind: 2, content: Buffer.from([0x80, 200, 0, 1, 0, 0, 0, 1]) });
    if (random.chance(0.003)) out.push({ stream: number, time: at, kind: 1, content: Buffer.from([1, 2, 3]) });
    if (random.chance(0.004)) out.push({ stream: number, time: at, kind: 1, content: rtp({ ...packet, ssrc: 9, sequence: random.below(65_536) }) });
    sequence += 1;
    timestamp += format.ticks;
    at += step;
    if (random.chance(0.01)) {
      const lost = 1 + random.below(random.chance(0.2) ? 300 : 10);
      sequence += lost;
      timestamp += lost * format.ticks;
      at += lost * step;
    }
    if (random.chance(0.01)) {
      const pause = random.below(3_500_000);
      at += pause;
      if (random.chance(0.8)) timestamp += Math.round((pause * rate) / 1_000_000);
    }
    if (random.chance(0.008)) {
      out.push({ stream: number, time: at, kind: 1, content: rtp({ ...packet, payloadType: 13, sequence, timestamp, marker: false, payload: Buffer.from([60]) }) });
      sequence += 1;
      const gap = random.below(20) * format.ticks;
      timestamp += gap;
      at += Math.round((gap / rate) * 1_000_000);
    }
    if (random.chance(0.008)) {
      const block = Buffer.from([5, random.chance(0.5) ? 0x8a : 0x0a, 3, random.below(256)]);
      out.push({ stream: number, time: at, kind: 1, content: rtp({ ...packet, payloadType: 110, sequence, timestamp, payload: block }) });
      sequence += 1;
    }
    if (random.chance(0.004)) out.push({ stream: number, time: at, kind: 1, content: rtp({ ...packet, sequence: sequence++, timestamp, payload: Buffer.alloc(0) }) });
    if (random.chance(0.004)) delay = random.chance(0.5) ? 0 : random.below(600_000);
    if (random.chance(0.004)) format = codec(random.pick(formats)) ?? main;
    if (random.chance(0.003)) {
      ssrc += 1;
      sequence = random.below(65_536);
      timestamp = random.below(0x1_0000_0000);
    }
    if (random.chance(0.002)) drift = 1;
  }
}

/** Records of a call. */
export function randomCall(seed, { seconds = 30, plain = false } = {}) {
  const random = generator(seed * 2_654_435_761 + 12_345);
  const start = 1_795_000_000_000_000;
  const length = Math.floor(seconds * 1_000_000 * (0.2 + random.next()));
  const out = [];
  const event = (at, content) => out.push({ stream: 0, time: start + at, content });
  const reasons = [{ rule: random.pick(["a", "line.sample", "line.keep"]), articles: ["AVG 6"], text_nl: "nee", text_en: "no" }];
  const streams = 1 + random.below(3);
  const permitAt = random.chance(0.7) ? random.below(60_000) : random.below(4_000_000);
  for (let number = 1; number <= streams; number += 1) {
    const main = random.chance(0.6) ? FORMATS[random.below(2)] : random.pick(FORMATS);
    const stream = streamOf(random, number, main);
    const at = random.chance(0.8) ? 10 : random.below(length);
    event(at, { type: "stream_added", stream });
    if (random.chance(0.1)) event(random.below(length), { type: "stream_refused", stream, cause: "keys" });
    if (random.chance(0.1)) event(random.below(length), { type: "stream_added", stream: { ...stream, also: [{ codec: "G722", payload_type: 120 }] } });
    send(random, number, main, stream.also.map(({ payload_type }) => payload_type), start + permitAt, start + length - random.below(400_000), out);
    for (let n = random.below(4); n > 0 && !plain; n -= 1) {
      const begin = random.below(length);
      event(begin, { type: "stream_paused", stream: number, by: random.pick(CAUSES) });
      if (random.chance(0.9)) event(begin + random.below(3_000_000), { type: "stream_resumed", stream: number });
    }
    for (let n = random.below(4); n > 0; n -= 1) event(random.below(length), { type: "media_dropped", stream: number, packets: 1 + random.below(20), cause: random.pick(CAUSES) });
    if (random.chance(0.2)) event(random.below(length), { type: "source_changed", stream: number, ...(random.chance(0.5) ? { was_elsewhere: true } : {}) });
    if (random.chance(0.3)) event(random.below(length), { type: "stream_voice", stream: number, parties: ["p1"], ...(random.chance(0.5) ? { label: "95", rule: "label" } : {}) });
    if (random.chance(0.2)) event(random.below(length), { type: "key_left_out", stream: number, packet: { payload_type: 110, sequence: random.below(65_536), timestamp: 5, ssrc: 1_000 + number, duration: 800, has_ended: true } });
  }
  if (random.chance(0.3)) event(20, { type: "not_permitted", decision: id(1), outcome: "forbidden_privacy", reasons });
  if (random.chance(0.95)) event(permitAt, { type: "permitted", decision: id(2) });
  if (random.chance(0.15)) event(random.below(length), { type: "permit_ended", decision: id(3), reasons });
  if (random.chance(0.2)) event(random.below(length), { type: "recording_paused", reason: "card_data", by: "key", party: "p1" });
  if (random.chance(0.2)) event(random.below(length), { type: "recording_resumed", by: "limit" });
  if (random.chance(0.15)) event(random.below(length), { type: "private_began", by: "program" });
  if (random.chance(0.15)) event(random.below(length), { type: "private_ended", reason: "mistake", by: "key", party: "p2" });
  if (random.chance(0.2)) event(random.below(length), { type: "party_joined", party: "p3" });
  if (random.chance(0.2)) event(random.below(length), { type: "party_left", party: "p3" });
  if (random.chance(0.1)) event(random.below(length), { type: "clock_stepped", by_us: random.below(4_000_000) - 2_000_000 });
  if (random.chance(0.1)) event(random.below(length), { type: "notice_heard", stream: 1, length_us: 5_000, similarity_permille: 900 });
  if (random.chance(0.1)) event(random.below(length), { type: "notice_missed" });
  if (random.chance(0.1)) event(random.below(length), { type: "refusal_said", party: "p2", by: "spoken" });
  if (random.chance(0.1)) event(random.below(length), { type: "keep_requested", reason: "other", by: "key" });
  if (random.chance(0.1)) event(random.below(length), { type: "look_back_cut", by_us: 777 });
  out.sort((a, b) => a.time - b.time);
  out.unshift({ stream: 0, time: start, content: { type: "call_started" } });
  if (random.chance(0.9)) out.push({ stream: 0, time: start + length, content: { type: "call_ended", cause: random.pick(["recording_client", "recording_client", ...CAUSES]) } });
  else if (random.chance(0.7)) out.push({ stream: 0, time: start + length + 500_000, content: { type: "interrupted", restarted_at: "2027-01-01T00:00:00.000000Z" } });
  // Some records come in another order than their times: packets are read socket by socket.
  for (let i = 1; i + 2 < out.length; i += 1) if (random.chance(0.02)) [out[i], out[i + 1]] = [out[i + 1], out[i]];
  return out;
}
