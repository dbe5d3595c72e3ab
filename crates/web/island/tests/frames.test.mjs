// Packets, chunks, chain and clocks, byte by byte as design/room.md says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { core, readChunk, sha256 } from "./core.mjs";

const packet = (fill, length = 80) => Uint8Array.from({ length }, () => fill);
const spool = () => new core.MemorySpool();
const begin = (spool, place = {}) =>
  new core.Track({ track: 1, next: 0, chain: core.NO_CHAIN, captured: null, ...place }, spool, () => {}, assert.fail);

test("a packet has the twelve bytes of RTP, counts by one and keeps the clock of the sound", () => {
  const numbers = [0xdeadbeef, 0xffffffff, 0xffff];
  const stream = new core.RtpStream(111, () => numbers.shift());
  const first = Buffer.from(stream.packet(Uint8Array.of(7), 0));
  assert.equal(first.toString("hex"), "806fffffffffffffdeadbeef07");
  const second = Buffer.from(stream.packet(Uint8Array.of(8), 960));
  assert.equal(second.toString("hex"), "806f0000000003bfdeadbeef08", "both numbers begin again after their highest");
});

test("a chunk is, to the byte, what the document says", () => {
  const builder = new core.ChunkBuilder();
  builder.push({ captured: 20_000, packet: packet(5, 13) });
  builder.push({ captured: 20_000, mark: { mark: "interrupted", reason: "call" } });
  const bytes = builder.build(3, "ab".repeat(32));
  const mark = Buffer.from('{"mark":"interrupted","reason":"call"}');
  const expected = `564c524301${"00000003"}${"ab".repeat(32)}01${"0000000000004e20"}000d${"05".repeat(13)}02${"0000000000004e20"}${mark.length.toString(16).padStart(4, "0")}${mark.toString("hex")}`;
  assert.equal(Buffer.from(bytes).toString("hex"), expected);
});

test("a track becomes chunks of a second, each with the chain of those before", async () => {
  const kept = spool();
  const track = begin(kept);
  for (let at = 20; at <= 3_500; at += 20) track.packet(packet(at / 20), at * 1_000);
  const end = await track.finish();
  assert.equal(end.chunks, 4);
  let chain = core.NO_CHAIN;
  let packets = 0;
  for (let number = 0; number < end.chunks; number += 1) {
    const { bytes, digest } = await kept.get(1, number);
    const chunk = readChunk(bytes);
    assert.deepEqual([chunk.number, chunk.chain], [number, chain]);
    assert.equal(digest, sha256(bytes).toString("base64"));
    chain = sha256(bytes).toString("hex");
    packets += chunk.frames.length;
  }
  assert.deepEqual([end.chain, packets], [chain, 175]);
});

test("an interruption is as old as the last packet, and its end as the next one", async () => {
  const kept = spool();
  const track = begin(kept);
  track.interrupt("muted");
  track.packet(packet(1), -5);
  track.packet(packet(1), 20_000);
  track.interrupt("muted");
  track.interrupt("call");
  track.packet(packet(2), 5_020_000);
  const end = await track.finish();
  const frames = [];
  for (let number = 0; number < end.chunks; number += 1) frames.push(...readChunk((await kept.get(1, number)).bytes).frames);
  const told = frames.map(({ captured, mark }) => [captured, mark?.mark ?? "packet", mark?.reason].filter((one) => one !== undefined));
  assert.deepEqual(told, [[20_000, "packet"], [20_000, "interrupted", "muted"], [5_020_000, "resumed"], [5_020_000, "packet"]],
    "nothing before the track began, no mark without a packet, one reason, in order");
});

test("frames never go back in time, and no chunk is larger than it may be", async () => {
  const kept = spool();
  const track = begin(kept);
  track.packet(packet(1), 50_000);
  track.packet(packet(2), 40_000);
  for (let count = 0; count < 300; count += 1) track.packet(packet(3, 2_048), 60_000);
  const end = await track.finish();
  assert.ok(end.chunks > 2);
  for (let number = 0; number < end.chunks; number += 1) {
    const { bytes } = await kept.get(1, number);
    assert.ok(bytes.length <= 262_144);
    const times = readChunk(bytes).frames.map((frame) => frame.captured);
    assert.deepEqual(times, times.toSorted((a, b) => a - b));
  }
});

test("what was in no chunk when the page went away is in the first after it", async () => {
  const kept = spool();
  const before = begin(kept);
  for (let at = 20; at <= 200; at += 20) before.packet(packet(1), at * 1_000);
  const tail = before.tail();
  const after = begin(kept);
  after.takeTail(tail.bytes, tail.captured);
  after.interrupt("reloaded");
  after.packet(packet(2), 900_000);
  await after.finish();
  const frames = readChunk((await kept.get(1, 0)).bytes).frames;
  assert.equal(frames.length, 11);
  assert.deepEqual(frames[10], { captured: 200_000, mark: { mark: "interrupted", reason: "reloaded" } });
});

test("late arrivals do not move the clock of the sound, and no sample is captured after it came", () => {
  const clock = new core.SoundClock(48_000);
  let worst = 0;
  for (let block = 1; block <= 3_000; block += 1) {
    // The page is busy every now and then for up to 300 ms; the sound card is 100 ppm slow.
    const complete = block * 20 * 1.0001;
    const arrived = 1_000 + complete + (block % 50 < 15 ? 300 - (block % 50) * 20 : 1);
    const captured = clock.capturedAt(block * 960, arrived, 5_000 + complete);
    assert.ok(captured <= arrived);
    if (block > 50) worst = Math.max(worst, Math.abs(captured - 1_000 - complete));
  }
  assert.ok(worst < 5, `${worst} ms off`);
});

test("after the sound thread stood still its time begins anew", () => {
  const clock = new core.SoundClock(48_000);
  clock.capturedAt(960, 1_020, 20);
  assert.equal(clock.capturedAt(1_920, 1_040, 40), 1_040);
  assert.equal(clock.capturedAt(2_880, 9_060, 8_060), 9_060);
});

test("our clock is put back where it ran ahead of the server's", () => {
  const clock = new core.TrackClock(500_000, 2_000);
  assert.equal(clock.at(2_100), 600_000);
  clock.compare(1_400_000, 3_000);
  assert.equal(clock.at(3_000), 1_500_000, "a tenth of a second is the way of the answer");
  clock.compare(1_000_000, 3_000);
  assert.equal(clock.at(3_000), 1_000_000);
});

test("samples are 16 bits, the high byte first, and never wrap around", () => {
  const bytes = core.linear16(Float32Array.of(0, 0.5, -0.5, 1, -1, 2, -2));
  assert.equal(Buffer.from(bytes).toString("hex"), "00004000c0007fff80007fff8000");
});

test("without Opus, 20 ms of sound are two packets of 10 ms", () => {
  const made = [];
  new core.SampleEncoder((payload, sample, samples) => made.push([payload.length, sample, samples])).take(new Float32Array(960), 4_800);
  assert.deepEqual(made, [[960, 4_800, 480], [960, 5_280, 480]]);
});

test("ten seconds of nothing are told once, and once that they are over", () => {
  const alarm = new core.SilenceAlarm(0);
  alarm.heard(0.0005, 4_000);
  assert.equal(alarm.changed(9_900), null);
  assert.equal(alarm.changed(10_000), true);
  assert.equal(alarm.changed(11_000), null);
  alarm.heard(0.2, 12_000);
  assert.equal(alarm.changed(12_000), false);
  alarm.reset(60_000);
  assert.equal(alarm.changed(65_000), null, "a pause is no silence");
});

test("the meter is empty at silence and full at the loudest", () => {
  assert.deepEqual([0, 0.001, 1, 2].map(core.meterOf), [0, 0, 1, 1]);
  assert.ok(Math.abs(core.meterOf(0.1) - 2 / 3) < 1e-9);
  assert.equal(core.peakOf(Float32Array.of(0.1, -0.75, 0.5)), 0.75);
});
