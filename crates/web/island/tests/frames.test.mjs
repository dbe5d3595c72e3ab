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
  after.takeTail(tail);
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

test("a sound card that left out buffers is believed within ten seconds", () => {
  const clock = new core.SoundClock(48_000);
  let captured = 0;
  for (let block = 1; block <= 1_000; block += 1) {
    const complete = block * 20 + (block > 300 ? 80 : 0);
    captured = clock.capturedAt(block * 960, 1_000 + complete, 5_000 + complete);
    if (block === 299) assert.equal(captured, 1_000 + complete);
    if (block > 300 + 500) assert.equal(captured, 1_000 + complete);
  }
});

test("after the sound thread stood still its time begins anew", () => {
  const clock = new core.SoundClock(48_000);
  clock.capturedAt(960, 1_020, 20);
  assert.equal(clock.capturedAt(1_920, 1_040, 40), 1_040);
  assert.equal(clock.capturedAt(2_880, 9_060, 8_060), 9_060);
});

/** The server said its time, in µs, in an answer that was asked for and came at so many ms of our clock. */
const told = (asked, serverNow, answered) => ({ asked, serverNow, answered });

test("our clock is never ahead of what the server said, and before the first packet a nearer answer sets it", () => {
  const clock = new core.TrackClock(told(1_000, 500_000, 2_000));
  assert.equal(clock.compare(told(2_000, 1_400_000, 2_040)), 0);
  assert.equal(clock.at(2_100), 1_460_000, "of two answers the one that says more");
});

test("a small difference of the clocks is made up for little by little, never back in time", () => {
  for (const [difference, sign] of [[300_000, 1], [-300_000, -1]]) {
    const clock = new core.TrackClock(told(0, 0, 0));
    clock.at(10);
    assert.equal(clock.compare(told(1_000, 1_000_000 + difference, 1_000)), 0);
    assert.equal(clock.at(1_000), 1_000_000);
    assert.equal(clock.at(101_000), 101_000_000 + sign * 50_000, "half a millisecond a second");
    assert.equal(clock.at(2_000_000), 2_000_000_000 + difference);
    for (let ms = 1_000; ms < 3_000; ms += 20) assert.ok(clock.at(ms + 20) > clock.at(ms));
  }
});

test("a difference within the way of the answer says nothing", () => {
  const clock = new core.TrackClock(told(0, 0, 0));
  clock.at(10);
  clock.compare(told(1_000, 1_200_000, 1_400));
  assert.equal(clock.at(900_000), 900_000_000);
});

test("only a clock of the wall that went further than ours says that the device may have slept", () => {
  const sleep = new core.SleepWatch(0, 50_000);
  assert.equal(sleep.maySleep(1_000, 51_000), false);
  assert.equal(sleep.maySleep(9_000, 59_400), false, "a page that was busy, and a clock that was set by less than a second");
  assert.equal(sleep.maySleep(9_020, 119_400), true);
  assert.equal(sleep.lastMs, 9_000, "and since when");
  assert.equal(sleep.maySleep(9_040, 119_420), false, "it is said once");
  assert.equal(sleep.maySleep(9_060, 60_000), false, "a clock that was put back is no sleep");
});

/** The frames of a track that records, after `work` did its part: what they are and when. */
async function placed(work) {
  const kept = spool();
  const track = begin(kept);
  const placing = new core.Placing(track, new core.TrackClock(told(0, 0, 0)));
  work(placing);
  const { chunks } = await track.finish();
  const frames = [];
  for (let number = 0; number < chunks; number += 1) frames.push(...readChunk((await kept.get(1, number)).bytes).frames);
  return frames.map(({ captured, mark, packet }) => [captured / 1_000, mark ? mark.reason ?? mark.mark : packet[0]]);
}

test("a device that slept: what it hears after that lies where the server's time says, between a pair of marks", async () => {
  const frames = await placed((placing) => {
    placing.packet(packet(1), 1_000);
    // It slept for a minute, in which our clock stood still.
    placing.mayHaveSlept(1_000, 1_010, "hidden");
    placing.packet(packet(2), 1_020);
    placing.packet(packet(3), 1_040);
    assert.equal(placing.isInDoubt, true);
    assert.equal(placing.compare(told(1_020, 61_030_000, 1_050)), 59_980_000);
    placing.packet(packet(4), 1_060);
  });
  assert.deepEqual(frames, [[1_000, 1], [1_000, "hidden"], [61_000, "resumed"], [61_000, 2], [61_020, 3], [61_040, 4]]);
});

test("where only the clock of the wall was set, nothing is marked and nothing moves", async () => {
  const frames = await placed((placing) => {
    placing.packet(packet(1), 1_000);
    placing.mayHaveSlept(1_000, 1_010, "other");
    placing.packet(packet(2), 1_020);
    assert.equal(placing.compare(told(1_020, 1_030_000, 1_040)), 0);
  });
  assert.deepEqual(frames, [[1_000, 1], [1_020, 2]]);
});

test("without a network the doubt ends after two minutes, by the old clock, which is late and never ahead", async () => {
  const frames = await placed((placing) => {
    placing.packet(packet(1), 1_000);
    placing.mayHaveSlept(1_000, 1_010, "other");
    placing.packet(packet(2), 1_020);
    placing.packet(packet(3), 1_020 + core.DOUBT_MAX);
    placing.compare(told(130_000, 190_000_000, 130_000));
    placing.packet(packet(4), 130_020);
  });
  assert.deepEqual(frames, [[1_000, 1], [1_020, 2], [121_020, 3], [121_020, "other"], [190_020, "resumed"], [190_020, 4]]);
});

test("an interruption in doubt stays between what was captured before and after it", async () => {
  const frames = await placed((placing) => {
    placing.packet(packet(1), 1_000);
    placing.mayHaveSlept(1_000, 1_010, "other");
    placing.packet(packet(2), 1_020);
    placing.interrupt("muted");
    placing.packet(packet(3), 5_000);
    placing.release();
  });
  assert.deepEqual(frames, [[1_000, 1], [1_020, 2], [1_020, "muted"], [5_000, "resumed"], [5_000, 3]]);
});

test("a clock that turned out to be far ahead is put back, and nothing lies before what was already there", async () => {
  const frames = await placed((placing) => {
    placing.packet(packet(1), 5_000);
    assert.equal(placing.compare(told(5_000, 3_000_000, 5_000)), -2_000_000);
    placing.packet(packet(2), 5_020);
    placing.packet(packet(3), 7_020);
  });
  assert.deepEqual(frames, [[5_000, 1], [5_000, "other"], [5_020, "resumed"], [5_020, 3]]);
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

test("a device that is left alone asks, and stops where nobody answers", () => {
  const [minute, limits] = [60_000, core.ATTENDANCE];
  /** What is due in each minute of an hour in which it is so loud, and somebody answers in the minutes named. */
  const hour = (isLoud, answers = []) => {
    const attendance = new core.Attendance(0);
    const due = [];
    for (let now = 0; now <= 60; now += 1) {
      if (isLoud) attendance.heard(now * minute);
      if (answers.includes(now)) attendance.touched(now * minute);
      const what = attendance.due(now * minute);
      if (what) due.push(`${what} ${now}`);
    }
    return due;
  };
  assert.deepEqual([limits.silent, limits.untouched, limits.answer], [10 * minute, 30 * minute, 3 * minute]);
  assert.deepEqual(hour(false), ["ask 10", "stop 13"], "silence");
  assert.deepEqual(hour(true), ["ask 30", "stop 33"], "nobody touched it; what is heard is no answer, it may be the question");
  assert.deepEqual(hour(true, [31]), ["ask 30"], "an answer lasts half an hour");
  assert.deepEqual(hour(true, [20, 45]), [], "who touches it anyhow is not asked");
  assert.deepEqual(hour(false, [12, 40]), ["ask 10", "ask 22", "stop 25", "ask 50", "stop 53"], "who comes back is asked again");
});

test("a pause is no absence", () => {
  const attendance = new core.Attendance(0, { silent: 10, untouched: 100, answer: 5 });
  attendance.rests(50);
  assert.equal(attendance.due(59), null);
  assert.equal(attendance.due(60), "ask");
  attendance.rests(61);
  assert.equal(attendance.due(70), null);
});

test("the meter is empty at silence and full at the loudest", () => {
  assert.deepEqual([0, 0.001, 1, 2].map(core.meterOf), [0, 0, 1, 1]);
  assert.ok(Math.abs(core.meterOf(0.1) - 2 / 3) < 1e-9);
  assert.equal(core.peakOf(Float32Array.of(0.1, -0.75, 0.5)), 0.75);
});
