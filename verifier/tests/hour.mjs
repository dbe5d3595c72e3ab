// How long the check of a long call takes:
//
//   node tests/hour.mjs [--minutes 60] [--keep FILE.zip] [--node]
//
// Makes a bundle of two G.711 streams with jitter and a loss now and then, and checks it in Chromium by the page opened from
// disk (with --node in Node instead). Wall time and processor time of all of the browser's processes, since a machine may be busy;
// and beside it, in the same page, what the browser itself needs to hash the same bytes with SHA-256 and then with SHA-512.

import { writeFileSync, mkdtempSync, rmSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { core, fileSource } from "../core.mjs";
import { check, openBrowser, openVerifier } from "./lib/browser.mjs";
import { longCall } from "./lib/long.mjs";
import { makeBundle } from "./lib/make.mjs";

const option = (name, otherwise) => {
  const place = process.argv.indexOf(`--${name}`);
  return place < 0 ? otherwise : process.argv[place + 1];
};
const minutes = Number(option("minutes", 60));
async function inNode(path) {
  const source = await fileSource(path);
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  const { holds } = await core.verifyBundle(source, null);
  const { user, system } = process.cpuUsage(cpu);
  await source.close();
  return { holds, wall: (performance.now() - wall) / 1e3, cpu: (user + system) / 1e6 };
}

async function inChromium(path) {
  const browser = await openBrowser();
  const session = await browser.newBrowserCDPSession();
  const cpu = async () => (await session.send("SystemInfo.getProcessInfo")).processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  const { page, faults } = await openVerifier(browser);
  const [wall, before] = [performance.now(), await cpu()];
  await check(page, path, { timeout: 600_000 });
  const found = { wall: (performance.now() - wall) / 1e3, cpu: (await cpu()) - before };
  const holds = !(await page.locator("#verdict").textContent()).includes("does not hold");
  const hashed = await page.evaluate(hashChosenFile);
  await browser.close();
  if (faults.length > 0) throw new Error(faults.join("; "));
  return { holds, ...found, hashed };
}

/** Runs in the page: seconds for both sums of the file that was chosen, without reading it. */
async function hashChosenFile() {
  const bytes = await document.querySelector("#file").files[0].arrayBuffer();
  const from = performance.now();
  for (const name of ["SHA-256", "SHA-512"]) await crypto.subtle.digest(name, bytes);
  return (performance.now() - from) / 1e3;
}

const folder = mkdtempSync(join(tmpdir(), "voicelog-hour-"));
try {
  const path = option("keep", join(folder, "hour.zip"));
  if (!existsSync(path)) writeFileSync(path, makeBundle(longCall(minutes)));
  const tell = (where, { holds, wall, cpu, hashed }) => {
    const beside = hashed ? `; SHA-256 and SHA-512 of the same bytes ${hashed.toFixed(2)} s, the check ${(wall / hashed).toFixed(2)} times that` : "";
    console.log(`${where}, ${minutes} minutes: ${holds ? "holds" : "does not hold"}, ${wall.toFixed(1)} s, processor ${cpu.toFixed(1)} s${beside}`);
  };
  if (process.argv.includes("--node")) tell("Node", await inNode(path));
  else tell("Chromium", await inChromium(path));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
