// Sending a file: which file it is, and what each answer of the server means.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bundle } from "../build.mjs";

const script = bundle(["upload/mark.ts", "upload/tus.ts"], { exports: true });
const upload = await import(`data:text/javascript;base64,${Buffer.from(script).toString("base64")}`);

test("the sum is FNV-1a of 32 bits", () => {
  // Test vectors of the draft that describes it.
  assert.equal(upload.fnv(new TextEncoder().encode("")), 0x811c9dc5);
  assert.equal(upload.fnv(new TextEncoder().encode("a")), 0xe40c292c);
  assert.equal(upload.fnv(new TextEncoder().encode("foobar")), 0xbf9cf968);
});

test("a file is the one that was begun by its name, its size, and its beginning and end", async () => {
  const bytes = new Uint8Array(300_000).map((_, place) => place % 251);
  const changed = (place) => new Blob([bytes.map((byte, at) => (at === place ? byte + 1 : byte))]);
  const mark = await upload.markOf(new Blob([bytes]));
  const begun = { at: "/x", name: "a.wav", size: 300_000, mark };
  assert.ok(upload.isSame(begun, "a.wav", 300_000, mark));
  assert.ok(!upload.isSame(begun, "b.wav", 300_000, mark));
  assert.ok(!upload.isSame(begun, "a.wav", 300_001, mark));
  for (const place of [0, 65_535, 299_999]) assert.notEqual(await upload.markOf(changed(place)), mark, `byte ${place}`);
});

test("what can be tried again is, and what cannot is told", async () => {
  const told = (status, body = "") => upload.toldBy(new Response(body, { status }));
  assert.equal((await upload.toldBy(null)).is, "wait");
  for (const status of [408, 409, 423, 429, 460, 500, 503]) assert.equal((await told(status)).is, "wait", status);
  for (const status of [404, 410]) assert.equal((await told(status)).is, "gone", status);
  assert.deepEqual(await told(507, '{"detail":"no room"}'), { is: "over", why: "no room" });
  assert.deepEqual(await told(413, "no JSON"), { is: "over", why: "HTTP 413" });
  assert.equal((await told(403, '{"decision":{}}')).is, "refused");
  assert.equal((await upload.toldBy({ type: "opaqueredirect", status: 0 })).is, "signedOut");
});

test("a piece carries its place, and its hash where there is one", async (t) => {
  const asked = [];
  t.mock.method(globalThis, "fetch", async (path, init) => {
    asked.push({ path, ...init });
    return new Response(null, { status: 204, headers: { "Upload-Offset": String(upload.PIECE + 5) } });
  });
  const file = new Blob([new Uint8Array(upload.PIECE + 5).fill(7)]);
  assert.deepEqual(await upload.send("/import/uploads/1", file, upload.PIECE), { is: "at", offset: upload.PIECE + 5 });
  const [{ method, headers, body }] = asked;
  assert.equal(method, "PATCH");
  assert.equal(body.size, 5, "no more than is left");
  assert.equal(headers["Upload-Offset"], String(upload.PIECE));
  assert.match(headers["Upload-Checksum"], /^sha256 [A-Za-z0-9+/]{43}=$/);
});
