// A talk in a room from beginning to end, in two browsers whose microphones are fed with speech, against the program.
//
//   node room.mjs --voicelog PROGRAM [--keep DIR]
//
// One starts a talk, the other comes in by the code and records too. The network goes away for 20 s, a tab is loaded
// again, somebody pauses, somebody leaves, and it ends. Then both fetch the copy: both verifiers accept it, the stored sound, as `ffmpeg` hears it, is to
// the sample what was spoken, it lies where a second ear at each microphone heard it by the clock of the wall, and the timeline says what was done.
// The host's page is English, the guest's Dutch and used by keyboard alone; both are held against axe-core and 320 pixels
// while it waits, records, is paused and is over. The notice is played, and found in what the host's device heard. Last the guest fetches the copy again, with the code of the end, from a server that was started anew. The browser is Debian's Chromium, the speech that of `crates/src-sim`.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { readZip } from "../../verifier/tests/lib/zip.mjs";
import { spillOf, violationsOf } from "./lib/axe.mjs";
import { lagOf, loudness, readWav, spoken } from "./lib/correlate.mjs";
import { earOf } from "./lib/ear.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const SPEECH = join(HERE, "../../crates/src-sim/assets");
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const RATE = 48_000;
const SECOND = 1_000_000;
const PASSWORD = "paard accu nietje batterij";
/** Samples that the browser's microphone hands over at once; on a busy machine it leaves one out or repeats one. */
const BUFFER = 480;
/** So many of them in a stretch at most. */
const BUFFERS_MAX = 12;
/** How alike stored and spoken sound must be: Opus at 40 kbit/s leaves more than this of speech. */
const LIKENESS = 0.9;
/** How far stored sound may lie from where it was heard, and one stream from the other, in ms. */
const OFF_MAX = 60;
/** How far to look for it, in samples. */
const LOOK = RATE;

const option = (name) => {
  const place = process.argv.indexOf(`--${name}`);
  return place < 0 ? undefined : process.argv[place + 1];
};
const program = option("voicelog");
const executablePath = BROWSERS.find((path) => existsSync(path));
if (!program || !executablePath) {
  console.error("usage: node room.mjs --voicelog PROGRAM [--keep DIR]; needs Chromium (apt-get install chromium)");
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "voicelog-room-"));
const keep = option("keep");
if (keep) mkdirSync(keep, { recursive: true });
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

let passed = 0;
const failures = [];
const expect = (holds, what) => {
  if (holds) passed += 1;
  else failures.push(what);
};

/** Two and a half minutes in which nothing comes twice: the same lines, each time a little faster. */
function speech(name) {
  const parts = Array.from({ length: 12 }, (_, number) => {
    const part = join(folder, `${name}-${number}.wav`);
    const input = ["-t", "al", "-r", "8000", "-c", "1", join(SPEECH, `${name}.al`)];
    execFileSync("sox", ["-D", ...input, "-b", "16", "-r", "48000", part, "speed", String(1 + number * 0.013)]);
    return part;
  });
  const whole = join(folder, `${name}.wav`);
  execFileSync("sox", ["-D", ...parts, whole]);
  return whole;
}

/**
 * The notice of the talk: what the microphone of the host hears some seconds after it was opened, as it would hear what its own device plays.
 * That the device plays it is seen by what it fetches, and by what it does not complain of.
 */
function noticeOf(file) {
  const notice = join(folder, "notice.wav");
  execFileSync("sox", ["-D", file, notice, "trim", "3", "4"]);
  return notice;
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Starts the program with one kind of talk; gives the link of the first account. */
async function serve(notice) {
  const [http, sip] = [await freePort(), await freePort()];
  const config = join(folder, "voicelog.toml");
  writeFileSync(config, `
[sip]
udp = "127.0.0.1:${sip}"
tcp = "127.0.0.1:${sip}"
media_port_first = 0
media_port_last = 0
[http]
address = "127.0.0.1:${http}"
[storage]
data = "${join(folder, "data")}"
keep_free_mib = 1
warn_free_mib = 1
[[room]]
name = "gesprek"
title = "Een gesprek"
notice = "${notice}"
[room.facts]
recorder_type = "company"
counterpart_types = ["private_person"]
purpose = "bewijs_overeenkomst"
legal_basis = "b"
dpia = "done"
retention_term = "P1Y"
`);
  const child = spawn(program, ["serve", "--config", config, "--lang", "en"], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const piece of child.stdout) {
    text += piece;
    const link = /http:\S+\/setup\/\S+/.exec(text);
    if (link) {
      child.stdout.resume();
      return { child, config, link: link[0], base: new URL(link[0]).origin };
    }
  }
  throw new Error(`the program printed no link: ${text}`);
}

/** Starts it again, over the same folder. */
async function serveAgain({ config, base }) {
  const child = spawn(program, ["serve", "--config", config, "--lang", "en"], { stdio: ["ignore", "ignore", "inherit"] });
  for (let tries = 0; tries < 200; tries += 1) {
    const isThere = await fetch(`${base}/healthz`).then((answer) => answer.ok, () => false);
    if (isThere) return child;
    await sleep(0.1);
  }
  child.kill("SIGKILL");
  throw new Error("the program did not come back");
}

async function stop(child) {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

/** The copy of the guest, in a browser that was never there, from a server that was started again. */
async function later(server, code) {
  const child = await serveAgain(server);
  const browser = await chromium.launch({ executablePath, headless: true, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await openPage(browser, server.base, { locale: "nl-NL" });
    await page.goto(`${server.base}/copy`);
    await page.locator("#code").focus();
    await page.keyboard.type(code.toLowerCase());
    await pressByKey(page, "Verder");
    await page.getByRole("heading", { name: "Uw kopie" }).waitFor();
    return await copyOf(page, "later.zip", "Kopie ophalen");
  } finally {
    await browser.close();
    await stop(child);
  }
}

/** A browser whose microphone hears a file. */
async function browserHearing(file) {
  const args = ["--no-sandbox", "--disable-gpu", "--mute-audio", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", `--use-file-for-fake-audio-capture=${file}%noloop`];
  return chromium.launch({ executablePath, headless: true, args });
}

async function openPage(browser, base, settings = {}) {
  const context = await browser.newContext({ locale: "en-GB", acceptDownloads: true, ...settings });
  const heard = settings.javaScriptEnabled === false ? [] : await earOf(context, RATE);
  const page = await context.newPage();
  ears.set(page, heard);
  page.setDefaultTimeout(60_000);
  page.on("dialog", (dialog) => void dialog.accept().catch(() => {}));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== base) failures.push(`asked another host: ${request.url()}`);
  });
  page.on("pageerror", (error) => failures.push(`the script failed: ${error.message}`));
  page.on("console", (message) => {
    const isOfNetwork = /ERR_INTERNET_DISCONNECTED|Failed to load resource/.test(message.text());
    if (message.type() === "error" && !isOfNetwork) failures.push(`the browser complains: ${message.text()}`);
  });
  return page;
}

/** What the second ear of each page heard. */
const ears = new Map();

/** Goes to a button by keyboard alone and presses it. */
async function pressByKey(page, name) {
  const isThere = () => page.evaluate((name) => document.activeElement?.tagName === "BUTTON" && document.activeElement.textContent.trim() === name, name);
  for (let step = 0; step < 60; step += 1) {
    if (await isThere()) {
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      expect(outline !== "none", `one sees that “${name}” has the focus`);
      await page.keyboard.press("Enter");
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`“${name}” is not reached by keyboard`);
}

/** Holds the pages of both against axe-core and the width of a small telephone. */
async function look(pages, state) {
  for (const [lang, page] of Object.entries(pages)) {
    expect((await page.getAttribute("html", "lang")) === lang, `${state}: the page is in ${lang}`);
    for (const violation of await violationsOf(page)) failures.push(`${state} ${lang}: ${violation}`);
    const size = page.viewportSize();
    await page.setViewportSize({ width: 320, height: 640 });
    const spill = await spillOf(page);
    expect(spill <= 0, `${state} ${lang}: ${spill} px wider than 320`);
    await page.setViewportSize(size);
    passed += 1;
  }
}

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const records = (page) => page.getByText(/^(This device records|Dit apparaat neemt op)\.$/).waitFor();

/** One account, one talk; its address and code. */
async function start(page, link, base) {
  await page.goto(`${link}?lang=en`);
  await page.getByLabel("Name to sign in with").fill("beheer");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Password once more").fill(PASSWORD);
  await press(page, "Make the account");
  await page.goto(`${base}/rooms?lang=en`);
  await page.getByLabel("Your name, as the other person reads it").fill("Anna");
  await page.getByRole("button", { name: /Open the talk/ }).click();
  await page.waitForURL(/\/rooms\/[0-9a-f-]{36}/);
  return { talk: new URL(page.url()).pathname, code: await page.locator("[aria-labelledby=way] .code-large").innerText() };
}

async function comeIn(page, base, code, name) {
  await page.goto(`${base}/join?lang=en`);
  await page.locator("#code").fill(code);
  await press(page, "Next");
  await page.getByLabel("Your name (optional)").fill(name);
  await press(page, "To the talk");
  await page.waitForURL(/\/rooms\//);
}

/** The same in Dutch, without a mouse. */
async function comeInByKey(page, base, code, name) {
  await page.goto(`${base}/join?lang=nl`);
  await page.locator("#code").focus();
  await page.keyboard.type(code);
  await pressByKey(page, "Verder");
  await page.getByLabel("Uw naam (hoeft niet)").focus();
  await page.keyboard.type(name);
  await pressByKey(page, "Naar het gesprek");
  await page.waitForURL(/\/rooms\//);
}

/** The code is renewed while the recording goes on: without loading the page, and the focus stays. */
async function newCode(host) {
  const shown = host.locator("[aria-labelledby=way] .code-large");
  const before = await shown.innerText();
  await pressByKey(host, "Make a new code");
  await host.waitForFunction((before) => document.querySelector("[aria-labelledby=way] .code-large")?.textContent !== before, before);
  const focused = await host.evaluate(() => document.activeElement?.textContent.trim());
  expect(focused === "Make a new code", `the focus is on what was pressed, not on ${focused}`);
  await records(host);
}

/** What happens in the talk, and how long each part of it took, in µs. */
async function talkOf({ host, guest, silent }, talk) {
  const told = { marks: [] };
  const pages = { en: host, nl: guest };
  const mark = (what) => told.marks.push({ what, at: Date.now() });
  await look(pages, "waiting");
  await pressByKey(guest, "Ik neem ook op");
  await press(silent, "I agree");
  const fetched = host.waitForResponse((response) => response.url().endsWith("/notice"));
  await press(host, "Start recording");
  await Promise.all([records(host), records(guest)]);
  mark("the beginning");
  await look(pages, "recording");
  await newCode(host);
  const second = await guest.context().newPage();
  await second.goto(guest.url());
  await second.getByText("Een ander tabblad van dit apparaat neemt al op").waitFor();
  await second.close();
  await sleep(5);
  expect((await fetched).status() === 200, "the host's device fetches the notice");
  expect(!(await host.locator("#aloud").isVisible()), "it plays the notice, and asks nobody to say it");

  mark("without a network");
  await guest.context().setOffline(true);
  const away = Date.now();
  await guest.locator("#network").waitFor({ state: "visible" });
  expect(await guest.getByText("De opname gaat door en wordt later verstuurd").isVisible(), "without a network it says that it goes on");
  await sleep(20 - (Date.now() - away) / 1_000);
  await guest.context().setOffline(false);
  await guest.locator("#network").waitFor({ state: "hidden" });
  mark("with a network again");
  await sleep(6);

  const before = Date.now();
  await host.reload();
  await records(host);
  mark("after the reload");
  told.reload = (Date.now() - before) * 1_000;
  await sleep(9);

  await pressByKey(guest, "Pauze");
  await host.getByText("Paused by Bram.").waitFor();
  const paused = Date.now();
  mark("the pause");
  await look(pages, "paused");
  await sleep(4);
  await press(host, "Go on recording");
  told.pause = (Date.now() - paused) * 1_000;
  await records(guest);
  mark("after the pause");
  await sleep(8);

  await pressByKey(guest, "Ik ga weg uit het gesprek");
  const left = Date.now();
  mark("one is alone");
  await guest.getByText("Alles van dit apparaat is verstuurd.").waitFor();
  await sleep(4);
  await press(host, "End the talk");
  told.alone = (Date.now() - left) * 1_000;
  const stop = Date.now();
  await host.getByRole("heading", { name: "Fingerprint of the recording" }).waitFor();
  console.log(`from the end to its page: ${Date.now() - stop} ms`);
  await guest.goto(guest.url());
  await look(pages, "ended");
  expect(new URL(guest.url()).pathname === talk, "the guest stays at the talk");
  return told;
}

/** The copy, as a party gets it. */
async function copyOf(page, name, button) {
  const [download] = await Promise.all([page.waitForEvent("download"), press(page, button)]);
  const path = join(keep ?? folder, name);
  await download.saveAs(path);
  return path;
}

/**
 * Every second of a stream lies in what was spoken where the others of the same stretch say, to the sample, but for whole
 * buffers of the microphone. A second within which one was left out or repeated is torn, and like nothing that was spoken.
 */
function compare(name, stream, wav, file) {
  const said = spoken(readWav(readFileSync(file)).samples);
  let [windows, torn] = [0, 0];
  for (const { start_us, end_us } of stretches(stream)) {
    const pieces = [];
    for (let from = start_us + SECOND / 2; from + SECOND < end_us - SECOND / 4; from += SECOND) {
      const at = Math.round((from * RATE) / SECOND);
      const piece = wav.subarray(at, at + RATE);
      // Between the lines there is nothing to compare.
      if (loudness(piece) > 0.02) pieces.push({ at, piece, found: said.find(piece) });
    }
    if (pieces.length === 0) continue;
    // A vowel is much like itself one period later: the piece that is found best says where the stretch lies.
    const anchor = pieces.reduce((best, one) => (one.found.likeness > best.found.likeness ? one : best));
    for (const { at, piece } of pieces) {
      windows += 1;
      const place = anchor.found.at - anchor.at + at;
      if (Math.max(...said.around(piece, place, BUFFER, BUFFERS_MAX)) < LIKENESS) torn += 1;
    }
  }
  expect(windows > 8, `${name}: ${windows} seconds were compared`);
  expect(torn <= windows / 5, `${name}: ${torn} of ${windows} seconds are not where they belong`);
  console.log(`${name}: ${windows} seconds compared, ${torn} of them torn`);
}

/** What the program plays: the samples of each stream. */
function played(recording) {
  const path = join(folder, "played.wav");
  const asked = ["play", recording, "-o", path, "--reason", "what was agreed is disputed"];
  execFileSync(program, [...asked, "--config", join(folder, "voicelog.toml")], { stdio: "pipe" });
  const sound = readFileSync(path);
  return [0, 1].map((channel) => readWav(sound, channel).samples);
}

/** What somebody else's decoder makes of a file of Ogg. */
function heardBy(ogg, name) {
  const [from, to] = ["opus", "wav"].map((kind) => join(folder, `copy-${name}.${kind}`));
  writeFileSync(from, ogg);
  execFileSync("ffmpeg", ["-v", "error", "-i", from, "-c:a", "pcm_s16le", to]);
  return readWav(readFileSync(to));
}

/**
 * Where the stored sound of a stream lies against where a second ear heard it: each piece that is loud and within one
 * stretch, in ms (later is more), and in which part of the talk.
 */
function placesOf(name, stream, wav, heard, { started, marks }) {
  const places = [];
  console.log(`${name}: ${heard.length} seconds were heard`);
  for (const { at, samples } of heard) {
    const from = (at - started) * 1_000;
    const isWithin = stretches(stream).some((one) => one.start_us + SECOND / 4 < from && from + 1.25 * SECOND < one.end_us);
    if (!isWithin || loudness(samples) < 0.02) continue;
    const { lag, likeness } = lagOf(samples, wav, Math.round((from * RATE) / SECOND), LOOK);
    // The buffers that the microphone leaves out it leaves out in both, but not always at the same place.
    if (likeness < 0.8) continue;
    places.push({ at, ms: (lag * 1_000) / RATE, part: marks.findLast((mark) => mark.at <= at)?.what ?? "before" });
  }
  const parts = Map.groupBy ? Map.groupBy(places, ({ part }) => part) : new Map(places.map(({ part }) => [part, places.filter((one) => one.part === part)]));
  for (const [part, all] of parts) console.log(`${name}, ${part}: ${all.map(({ ms }) => ms.toFixed(0)).join(" ")} ms off`);
  for (const { part, ms } of places) expect(Math.abs(ms) <= OFF_MAX, `${name}, ${part}: stored ${ms} ms from where it was heard`);
  return { places, parts };
}

/** Both streams against what was heard, and against each other. */
function placed(streams, told) {
  const [host, guest] = ["host", "guest"].map((name) => placesOf(name, ...streams[name], told));
  // Who speaks loudly enough within a short part is chance, so the two answer for the parts together.
  for (const [name, { parts }] of [["host", host], ["guest", guest]]) {
    expect(parts.size > 2, `the ${name} was heard in three parts at least: ${[...parts.keys()].join(", ")}`);
  }
  for (const part of ["without a network", "after the reload", "after the pause"]) {
    expect(host.parts.has(part) || guest.parts.has(part), `somebody was heard ${part}`);
  }
  let together = 0;
  for (const { at, ms, part } of host.places) {
    const other = guest.places.find((one) => Math.abs(one.at - at) < 3_000);
    if (!other) continue;
    together += 1;
    expect(Math.abs(other.ms - ms) <= OFF_MAX, `${part}: the same moment lies ${other.ms - ms} ms apart in the two streams`);
  }
  expect(together > 3, `${together} moments were held against each other`);
}

/** Where a stream has sound without a break, in µs since the beginning. */
function stretches(stream) {
  return stream.intervals.filter((one) => one.kind === "media");
}

const near = (us, wanted, within) => Math.abs(us - wanted) <= within;

function timelineSays(timeline, told) {
  expect(timeline.verdict === "whole_with_declared_gaps", `the verdict is ${timeline.verdict}`);
  const [host, guest] = ["p1", "p2"].map((party) => timeline.streams.find((one) => one.stream.label === party));
  const gaps = (stream) => stream.intervals.filter((one) => one.kind !== "media").map((one) => ({ ...one, length: one.end_us - one.start_us }));
  for (const stream of [host, guest]) {
    const lost = stream.intervals.reduce((sum, one) => sum + one.lost, 0);
    expect(lost === 0, `nothing of ${stream.stream.label} is lost: ${lost} packets`);
    const paused = gaps(stream).filter((one) => near(one.length, told.pause, 1.5 * SECOND) && one.kind === "paused");
    expect(paused.length >= 1, `the pause of ${told.pause} µs is in ${stream.stream.label}: ${JSON.stringify(gaps(stream))}`);
  }
  const reload = gaps(host).filter((one) => one.cause === "device_reloaded" && one.length < told.reload + SECOND);
  expect(reload.length >= 1, `the reload is in what the host recorded: ${JSON.stringify(gaps(host))}`);
  const end = guest.intervals.at(-1);
  expect(near(end.end_us - end.start_us, told.alone, 1.5 * SECOND), `nothing was kept of who left: ${JSON.stringify(end)}`);
  const longest = Math.max(...stretches(guest).map((one) => one.end_us - one.start_us));
  expect(longest > 25 * SECOND, `20 s without a network are no gap: the longest stretch is ${longest} µs`);
}

/** The ear heard the notice in what the host's device recorded, and when. */
function noticeSaid(timeline) {
  const host = timeline.streams.find((one) => one.stream.label === "p1");
  const [mark, ...more] = timeline.notices ?? [];
  expect(more.length === 0 && mark?.heard?.stream === host.stream.number, `the notice is heard: ${JSON.stringify(timeline.notices)}`);
  expect(near(mark?.at_us ?? 0, host.intervals[0].start_us + 3 * SECOND, 4 * SECOND), `where it was said: ${JSON.stringify(mark)}`);
}

async function walk(server, files) {
  const browsers = [await browserHearing(files.host), await browserHearing(files.guest)];
  try {
    const { link, base } = server;
    const [host, guest] = [await openPage(browsers[0], base), await openPage(browsers[1], base, { locale: "nl-NL" })];
    const silent = await openPage(browsers[1], base, { javaScriptEnabled: false });
    const { talk, code } = await start(host, link, base);
    await comeInByKey(guest, base, code, "Bram");
    await comeIn(silent, base, code, "Cees");
    const told = await talkOf({ host, guest, silent }, talk);
    const print = "[aria-labelledby=print] .code-large";
    const words = await host.locator(print).innerText();
    expect((await guest.locator(print).innerText()) === words, "both read the same words");
    const copyCode = await guest.locator("#copy-code").innerText();
    expect((await host.locator("#copy-code").count()) === 0, "the host gets no code: they sign in");
    const copies = [await copyOf(host, "host.zip", "Get the copy"), await copyOf(guest, "guest.zip", "Kopie ophalen")];
    return { told, copies, copyCode, heard: { host: ears.get(host), guest: ears.get(guest) } };
  } finally {
    for (const browser of browsers) await browser.close();
  }
}

try {
  const files = { host: speech("agent"), guest: speech("customer") };
  const server = await serve(noticeOf(files.host));
  let made;
  try {
    made = await walk(server, files);
  } finally {
    await stop(server.child);
  }
  made.copies.push(await later(server, made.copyCode));
  for (const copy of made.copies) {
    execFileSync(program, ["verify", copy], { stdio: "pipe" });
    execFileSync("node", [join(HERE, "../../verifier/verify.mjs"), copy], { stdio: "pipe" });
    passed += 2;
  }
  const [host, guest, fetched] = made.copies.map((copy) => new Map(readZip(readFileSync(copy)).map(({ name, content }) => [name, content])));
  // Who left before the end gets the part that they were there for, and it says so.
  expect(!host.has("scope.json") && guest.has("scope.json"), "the copy of who left is one of a part");
  const sounds = [...guest.keys()].filter((name) => name.startsWith("audio/"));
  expect(sounds.length === 3 && sounds.every((name) => guest.get(name).equals(fetched.get(name))), "later they get the same sound");
  const entries = host;
  const timeline = JSON.parse(entries.get("timeline.json"));
  if (keep) writeFileSync(join(keep, "timeline.json"), JSON.stringify(timeline, null, 1));
  timelineSays(timeline, made.told);
  noticeSaid(timeline);
  // Exactly where it was is what the program plays: the file of Ogg has the clocks of the devices.
  const exact = played(JSON.parse(entries.get("manifest.json")).recording);
  const streams = {};
  for (const stream of timeline.streams) {
    const name = stream.stream.label === "p1" ? "host" : "guest";
    const { samples, rate } = heardBy(entries.get(`audio/${stream.stream.number}.opus`), name);
    expect(rate === RATE, `${name}: ${rate} samples a second`);
    compare(name, stream, samples, files[name]);
    streams[name] = [stream, exact[stream.stream.number - 1], made.heard[name]];
  }
  placed(streams, { started: Date.parse(JSON.parse(entries.get("manifest.json")).call_started), marks: made.told.marks });
} catch (error) {
  const output = error.stdout ? `\n${error.stdout}${error.stderr}` : "";
  failures.push(`stopped halfway: ${error.message}${output}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const failure of failures) console.error(`FAILED ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
