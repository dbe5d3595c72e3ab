// The notice that the host's device plays.

import assert from "node:assert/strict";
import { test } from "node:test";
import { core } from "./core.mjs";

/** What was done, by an announcing whose device plays or cannot. */
function announcing(canPlay = true) {
  const done = [];
  const made = new core.Announcing({
    play: async () => {
      done.push("play");
      return canPlay;
    },
    onMissed: (why) => done.push(why),
  });
  return { made, done };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));
const recording = (notice) => ({ phase: "recording", notice });

test("the notice is played once, as soon as this device records it", async () => {
  const { made, done } = announcing();
  made.follow({ phase: "ready", notice: null });
  made.follow(recording("awaited"));
  made.status({ is: "opening" });
  await settled();
  assert.deepEqual(done, []);
  made.status({ is: "recording" });
  made.status({ is: "recording" });
  made.follow(recording("awaited"));
  await settled();
  assert.deepEqual(done, ["play"]);
  made.follow(recording("heard"));
  await settled();
  assert.deepEqual(done, ["play"]);
});

test("a page that is loaded again after it was heard plays nothing, and neither does one without a notice", async () => {
  for (const notice of ["heard", null]) {
    const { made, done } = announcing();
    made.status({ is: "recording" });
    made.follow(recording(notice));
    await settled();
    assert.deepEqual(done, []);
  }
});

test("in a pause nothing is played: what is not kept cannot be heard", async () => {
  const { made, done } = announcing();
  made.status({ is: "held" });
  made.follow({ phase: "paused", notice: "awaited" });
  await settled();
  assert.deepEqual(done, []);
});

test("a device that cannot play it, and one of which it was not heard, say so once", async () => {
  const mute = announcing(false);
  mute.made.status({ is: "recording" });
  mute.made.follow(recording("awaited"));
  await settled();
  mute.made.follow(recording("missed"));
  assert.deepEqual(mute.done, ["play", "not_played"]);
  const unheard = announcing();
  unheard.made.follow(recording("missed"));
  unheard.made.follow(recording("missed"));
  await settled();
  assert.deepEqual(unheard.done, ["not_heard"]);
  const over = announcing();
  over.made.follow({ phase: "ended", notice: "missed" });
  assert.deepEqual(over.done, []);
});
