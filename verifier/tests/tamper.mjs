// Makes damaged and lying bundles, with the report of `voicelog verify` beside each:
//
//   node tests/tamper.mjs --voicelog PROGRAM --base BUNDLE.zip --into DIR [--other BUNDLE.zip] [--calls N]
//       [--part BUNDLE.zip …]
//
// Each `part` is a copy of a part that holds, and made to lie; the first is damaged like `base`. Files of `other`, a bundle of another recording, are put in the place of those of `base`. DIR/NAME.zip and DIR/NAME.zip.json. tests/compare.mjs then holds this verifier against them.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { makeBundle } from "./lib/make.mjs";
import { lyingParts } from "./lib/part.mjs";
import { randomCall } from "./lib/random.mjs";
import { signedByOthers } from "./lib/signed.mjs";
import { rooms } from "./lib/rooms.mjs";
import { damaged, lying } from "./lib/tamper.mjs";

const option = (name) => {
  const place = process.argv.indexOf(`--${name}`);
  if (place < 0) throw new Error(`--${name} is missing`);
  return process.argv[place + 1];
};
const into = option("into");
const calls = process.argv.includes("--calls") ? Number(option("calls")) : 100;
const parts = process.argv.flatMap((word, place) => (process.argv[place - 1] === "--part" ? [word] : []));
mkdirSync(into, { recursive: true });

function* everything() {
  const other = process.argv.includes("--other") ? readFileSync(option("other")) : makeBundle(randomCall(11, { seconds: 6 }));
  yield* damaged(readFileSync(option("base")), other);
  yield ["the base itself", readFileSync(option("base"))];
  yield* lying();
  yield* rooms();
  yield* signedByOthers();
  for (const [i, path] of parts.entries()) {
    const of = basename(path, ".zip");
    // What is damaged shows in the same way in each of them.
    if (i === 0) for (const [name, bytes] of damaged(readFileSync(path), other)) yield [`${of} ${name}`, bytes];
    yield* lyingParts(readFileSync(path), of);
  }
  for (let seed = 1; seed <= calls; seed += 1) yield [`call ${seed}`, makeBundle(randomCall(seed, { seconds: 12 }))];
}

let made = 0;
for (const [name, bytes] of everything()) {
  const path = join(into, `${name.replace(/[^A-Za-z0-9.]+/g, "-").slice(0, 80)}.zip`);
  writeFileSync(path, bytes);
  const run = spawnSync(option("voicelog"), ["verify", path, "--json"], { encoding: "utf8", maxBuffer: 1 << 28 });
  const report = run.status === 2 ? JSON.stringify({ status: 2, said: run.stderr }) : run.stdout;
  if (run.status === null || run.status > 2) throw new Error(`${name}: ${run.error ?? run.stderr}`);
  writeFileSync(`${path}.json`, report);
  made += 1;
}
console.log(`${made} bundles in ${into}`);
