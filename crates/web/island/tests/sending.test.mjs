// What happens between a chunk and its acknowledgement, with a network and a storage that fail.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeServer, core, server } from "./core.mjs";

const packet = Uint8Array.from({ length: 60 }, (_, place) => place);
const away = () => Promise.reject(new TypeError("network"));
const nobody = { onSent() {}, onUnreachable() {}, onReachable() {} };

/** A track of so many seconds in a spool. */
async function recorded(seconds, spool = new core.MemorySpool()) {
  const track = new core.Track({ track: 1, next: 0, chain: core.NO_CHAIN, captured: null }, spool, () => {}, assert.fail);
  for (let at = 20; at <= seconds * 1_000; at += 20) track.packet(packet, at * 1_000);
  return { spool, end: await track.finish() };
}

async function sent({ fake = new FakeServer(), seconds = 3, events = nobody, wanted = 0 } = {}) {
  const { spool, end } = await recorded(seconds);
  const sender = new core.Sender(1, wanted, server(fake), spool, events, () => 0);
  sender.finish(end);
  const outcome = await sender.run();
  return { fake, spool, end, outcome };
}

test("chunks go in order, each is let go once it is on the server's disk, and the end names the chain", async () => {
  const { fake, spool, end, outcome } = await sent();
  assert.equal(outcome, "all_there");
  assert.deepEqual(fake.ended, end);
  assert.deepEqual(fake.asked, ["PUT /tracks/1/chunks/0", "PUT /tracks/1/chunks/1", "PUT /tracks/1/chunks/2", "POST /tracks/1/end"]);
  assert.equal(await spool.count(1), 0);
});

test("while the network is away nothing is lost, it is told once, and it goes on by itself", async () => {
  const told = [];
  const events = { onSent: () => {}, onUnreachable: () => told.push("away"), onReachable: () => told.push("back") };
  const fake = new FakeServer();
  fake.faults = [null, away, away, () => new Response("", { status: 503 })];
  const { outcome, end } = await sent({ fake, events });
  assert.equal(outcome, "all_there");
  assert.deepEqual(fake.ended, end);
  assert.deepEqual(told, ["away", "back"]);
});

test("a chunk that was damaged on its way is sent again, and not without end", async () => {
  const damaged = () => new Response("{}", { status: 400 });
  const fake = new FakeServer();
  fake.faults = [damaged, damaged];
  assert.equal((await sent({ fake })).outcome, "all_there");
  const hopeless = new FakeServer();
  hopeless.faults = Array.from({ length: 9 }, () => damaged);
  assert.equal((await sent({ fake: hopeless, seconds: 1 })).outcome, "refused");
});

test("an acknowledgement that was lost: the chunk is sent again, and kept once", async () => {
  const fake = new FakeServer();
  fake.faults = [async (answer) => (answer(), away())];
  const { outcome } = await sent({ fake });
  assert.equal(outcome, "all_there");
  assert.equal(fake.chunks.length, 3);
  assert.equal(fake.asked.filter((one) => one.endsWith("chunks/0")).length, 2);
});

test("a server that stands further on is followed", async () => {
  const fake = new FakeServer();
  const { spool, end } = await recorded(3);
  for (const number of [0, 1]) {
    const { bytes, digest } = await spool.get(1, number);
    await server(fake).putChunk(1, number, bytes, digest);
  }
  fake.faults = [() => new Response(JSON.stringify({ next: 2 }), { status: 409 })];
  const sender = new core.Sender(1, 0, server(fake), spool, nobody, () => 0);
  sender.finish(end);
  assert.equal(await sender.run(), "all_there");
});

test("where the server wants what is not here any more, only another track can go on", async () => {
  const { spool, end } = await recorded(3);
  await spool.release(1, 2);
  const sender = new core.Sender(1, 2, server(new FakeServer()), spool, nobody, () => 0);
  sender.finish(end);
  assert.equal(await sender.run(), "torn");
});

test("after the end of the track nothing more is sent, and nothing is let go", async () => {
  const fake = new FakeServer();
  const { spool, end } = await recorded(3);
  fake.faults = [null, () => (fake.isOpen = false, null)];
  const sender = new core.Sender(1, 0, server(fake), spool, nobody, () => 0);
  sender.finish(end);
  assert.equal(await sender.run(), "too_late");
  assert.deepEqual([fake.asked.length, sender.next, await spool.count(1)], [2, 1, 2]);
  await core.leaveTrack(spool, 1, [sender.next, end.chunks], "too_late");
  assert.deepEqual(await spool.left(), [{ track: 1, why: "too_late", sound: 1_980_000 }], "how much stays is known to the packet");
  assert.equal(await spool.count(1), 2);
  assert.equal(await spool.kept(), undefined, "and another track can begin");
});

test("a chunk that the server does not take as it is stays, too", async () => {
  for (const status of [413, 422]) {
    const fake = new FakeServer();
    fake.faults = Array.from({ length: 6 }, () => () => new Response("{}", { status }));
    const { outcome, spool } = await sent({ fake, seconds: 1 });
    assert.deepEqual([outcome, await spool.count(1)], ["refused", 1]);
  }
});

test("a chunk that claims to be of later than now is sent again a little later", async () => {
  const fake = new FakeServer();
  fake.faults = Array.from({ length: 3 }, () => () => new Response("{}", { status: 422 }));
  assert.equal((await sent({ fake, seconds: 1 })).outcome, "all_there");
});

test("who is not known any more keeps everything, and it goes on once they are", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const fake = new FakeServer();
  fake.isKnown = false;
  const { spool, end } = await recorded(2);
  const sender = new core.Sender(1, 0, server(fake), spool, nobody, () => 0);
  sender.finish(end);
  const running = sender.run();
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([[...new Set(fake.asked)], await spool.count(1)], [["PUT /tracks/1/chunks/0", "GET /state?after=0"], 2]);
  assert.ok(fake.asked.length <= 4, "the server is not asked without end");
  fake.isKnown = true;
  for (let turn = 0; turn < 20 && !fake.ended; turn += 1) {
    context.mock.timers.tick(core.UNKNOWN_WAIT);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(await running, "all_there");
  assert.deepEqual(fake.ended, end);
});

test("a track of somebody else stays, where the server knows us and not the track", async () => {
  const fake = new FakeServer();
  fake.isOurs = false;
  const { outcome, spool } = await sent({ fake });
  assert.deepEqual([outcome, await spool.count(1)], ["not_yours", 3]);
});

test("following the state does not end where the server does not know us", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const fake = new FakeServer();
  fake.isKnown = false;
  const told = [];
  const watch = new core.Watch(server(fake), { onState: () => (told.push("state"), watch.stop()), onUnreachable: assert.fail, onUnknown: () => told.push("unknown") });
  const running = watch.run();
  while (told.length < 1) await new Promise((resolve) => setImmediate(resolve));
  fake.isKnown = true;
  await new Promise((resolve) => setImmediate(resolve));
  context.mock.timers.tick(core.UNKNOWN_WAIT);
  await running;
  assert.deepEqual(told, ["unknown", "state"]);
});

test("the wait grows from half a second to ten, and the server may ask for more", () => {
  const backoff = new core.Backoff(() => 1);
  assert.deepEqual(Array.from({ length: 7 }, () => backoff.next(null)), [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  assert.equal(backoff.next(60_000), 60_000);
  backoff.succeeded();
  assert.equal(backoff.next(null), 500);
});

test("the network that comes back ends the wait at once", async () => {
  const alarm = new core.Alarm();
  const began = Date.now();
  setTimeout(() => alarm.ring(), 20);
  await alarm.wait(5_000);
  alarm.ring();
  await alarm.wait(5_000);
  assert.ok(Date.now() - began < 1_000);
});

test("a full storage costs no link of the chain: the chunk waits in memory, and it is told", async () => {
  const told = [];
  class Full extends core.MemorySpool {
    put() {
      return Promise.reject(new DOMException("full", "QuotaExceededError"));
    }
  }
  const spool = new core.PatientSpool(new Full(), (isFull) => told.push(isFull));
  const { end } = await recorded(core.OVERFLOW_MAX + 10, spool);
  assert.equal(await spool.isTooFull(), true);
  const fake = new FakeServer();
  const sender = new core.Sender(1, 0, server(fake), spool, nobody, () => 0);
  sender.finish(end);
  assert.equal(await sender.run(), "all_there");
  assert.deepEqual(fake.ended, end);
  assert.deepEqual(told, [true, false]);
});

test("after a reload it goes on where it was", async () => {
  const { spool, end } = await recorded(3);
  await spool.keepTail({ track: 1, bytes: Uint8Array.of(1), captured: 9, sound: 0 });
  const fake = new FakeServer();
  const { bytes, digest } = await spool.get(1, 0);
  await server(fake).putChunk(1, 0, bytes, digest);
  const resumed = await core.resume(server(fake), spool);
  assert.deepEqual([resumed.place.next, resumed.place.chain, resumed.wanted], [end.chunks, end.chain, 1]);
  assert.equal(resumed.tail.captured, 9);
});

test("a storage that forgot what the server has goes on where the server stands", async () => {
  const { spool, end } = await recorded(3);
  const fake = new FakeServer();
  for (const number of [0, 1, 2]) {
    const { bytes, digest } = await spool.get(1, number);
    await server(fake).putChunk(1, number, bytes, digest);
  }
  await spool.keep({ track: 1, next: 1, chain: "00", captured: 5 });
  const resumed = await core.resume(server(fake), spool);
  assert.deepEqual([resumed.place.next, resumed.place.chain, resumed.tail], [3, end.chain, null]);
});

test("a track that the server closed, that is somebody else's, or that has a hole: what is left of it stays, and another begins", async () => {
  for (const [why, sound, spoil] of [
    ["too_late", 2_000_000, (fake) => (fake.isOpen = false)],
    ["not_yours", 3_000_000, (fake) => (fake.isOurs = false)],
    ["torn", 1_000_000, (_fake, spool) => spool.release(1, 2)],
  ]) {
    const fake = new FakeServer();
    const { spool } = await recorded(3);
    if (why === "too_late") {
      const { bytes, digest } = await spool.get(1, 0);
      await server(fake).putChunk(1, 0, bytes, digest);
    }
    const track = new core.Track({ ...(await spool.kept()) }, spool, () => {}, assert.fail);
    track.packet(packet, 9_000_000);
    await spool.keepTail({ track: 1, ...track.tail() });
    await spoil(fake, spool);
    assert.equal(await core.resume(server(fake), spool), null);
    const [left, ...others] = await spool.left();
    assert.deepEqual([left.track, left.why, others, Math.round(left.sound / 1e6) * 1e6], [1, why, [], sound], why);
    assert.notEqual(await spool.get(1, 3), undefined, "also what was in no chunk");
    assert.equal(await spool.kept(), undefined);
  }
});

test("a closed track of which the server has everything is forgotten", async () => {
  const { fake, spool } = await sent();
  fake.isOpen = false;
  assert.equal(await core.resume(server(fake), spool), null);
  assert.deepEqual([await spool.kept(), await spool.left()], [undefined, []]);
});

test("without a network, or where nobody is known, nothing is given up", async () => {
  for (const [error, spoil] of [[core.Unreachable, (fake) => (fake.faults = [away])], [core.Refused, (fake) => (fake.isKnown = false)]]) {
    const fake = new FakeServer();
    const { spool } = await recorded(1);
    spoil(fake);
    await assert.rejects(core.resume(server(fake), spool), error);
    assert.notEqual(await spool.kept(), undefined);
    assert.deepEqual(await spool.left(), []);
  }
});

test("a device does what the state of the talk wants", () => {
  const state = (phase, is_host, choice, is_there = true, tracks = []) =>
    ({ phase, is_host, me: "p2", parties: [{ id: "p1" }, { id: "p2", choice, is_there, tracks }] });
  for (const [wanted, given] of [
    ["off", state("waiting", true, null)],
    ["off", state("ready", true, null)],
    ["record", state("recording", true, null)],
    ["hold", state("paused", true, null)],
    ["off", state("refused", true, null)],
    ["stop", state("ended", true, null)],
    ["nothing", state("recording", false, "agreed")],
    ["nothing", state("recording", false, null)],
    ["record", state("recording", false, "records_too")],
    ["off", state("recording", false, "rather_not", true, [{ track: 2 }])],
    ["stop", state("recording", false, "records_too", false)],
  ]) assert.equal(core.wantOf(given), wanted, JSON.stringify(given));
});

test("every language says everything, with the same places to fill in", () => {
  const placesOf = (texts, path = "") =>
    Object.entries(texts).flatMap(([key, text]) =>
      typeof text === "string" ? [`${path}${key} ${[...text.matchAll(/\{\w+\}/g)].join()}`] : placesOf(text, `${path}${key}.`));
  assert.deepEqual(placesOf(core.textsOf("nl")), placesOf(core.textsOf("en")));
  assert.equal(core.filled("{n} of {m}", { n: 0 }), "0 of {m}");
  assert.deepEqual([0, 61_900_000, 3_723_000_000].map(core.timeText), ["0:00", "1:01", "1:02:03"]);
});

test("parts of the page are made anew for a request, for minutes and for another code, and for nothing else", () => {
  const minutes = { version: 1, written_by: "p1", signed: [], remarks: 0, is_kept: false };
  const state = { version: 7, phase: "recording", code: "K7QM4T2X", minutes: null, parties: [{ id: "p2", is_there: true, choice: null, tracks: [] }] };
  const party = { ...state.parties[0], choice: "agreed", tracks: [{ track: 1, silent_for_s: 12 }] };
  assert.equal(core.newsOf({ ...state, version: 8, phase: "paused", parties: [party] }), core.newsOf(state));
  for (const other of [
    { ...state, code: "22222222" },
    { ...state, code: undefined },
    { ...state, minutes },
    { ...state, parties: [{ ...party, request: { is: "asked" } }] },
    { ...state, parties: [{ ...party, is_there: false }] },
  ]) {
    assert.notEqual(core.newsOf(other), core.newsOf(state));
  }
  assert.notEqual(core.newsOf({ ...state, minutes: { ...minutes, signed: ["p2"] } }), core.newsOf({ ...state, minutes }));
});
