// verify.html in Chromium, from disk and without a network, as people meet it.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, test } from "node:test";
import { check, openBrowser, openVerifier, pathOf } from "./lib/browser.mjs";
import { longCall } from "./lib/long.mjs";
import { json, makeBundle, makeKey, proofOf } from "./lib/make.mjs";
import { randomCall } from "./lib/random.mjs";
import { Authority } from "./lib/stamp.mjs";
import { readZip, writeZip } from "./lib/zip.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const vector = (name) => pathOf(new URL(`../../crates/evidence/tests/vectors/bundle/v1/${name}.zip`, import.meta.url));
const GOLDEN = vector("call");
const SHOTS = process.env.SHOTS;

let browser;
let folder;
before(async () => {
  browser = await openBrowser();
  folder = mkdtempSync(join(tmpdir(), "voicelog-page-"));
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

const put = (name, bytes) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const damagedGolden = () => {
  const entries = readZip(readFileSync(GOLDEN));
  const stream = entries.find(({ name }) => name === "original/1.journal");
  stream.content = Buffer.from(stream.content);
  stream.content[200] ^= 1;
  return put("damaged.zip", writeZip(entries));
};
const verdict = (page) => page.locator("#verdict").textContent();

async function opened(path, options = {}, key = "") {
  const view = await openVerifier(browser, options);
  await check(view.page, path, { key });
  return view;
}

test("a bundle that holds is said to hold, in English and in Dutch, with the key that only it names", async () => {
  const { page, faults, close } = await opened(GOLDEN);
  assert.equal(await verdict(page), "The bundle holds. Parts are missing, and for each part it says why.");
  assert.match(await page.locator("#report").textContent(), /Only the bundle itself names this key/);
  await page.locator("[data-lang=nl]").click();
  assert.equal(await verdict(page), "De bundel klopt. Er ontbreken stukken, en van elk stuk staat er waarom.");
  assert.equal(await page.locator("html").getAttribute("lang"), "nl");
  assert.deepEqual(faults, []);
  await close();
});

test("with the right key it says so, with another one the bundle does not hold", async () => {
  const key = readZip(readFileSync(GOLDEN)).find(({ name }) => name === "archive.vkey").content.toString();
  const { page, close } = await opened(GOLDEN, {}, key);
  assert.match(await page.locator("#report").textContent(), /You gave this key yourself, and the bundle is signed with it/);
  await page.locator("#key").fill(makeKey().text);
  await page.locator("#again").click();
  await page.locator("#verdict.bad").waitFor();
  assert.match(await page.locator("#report").textContent(), /This is not the key that you gave/);
  await page.locator("#key").fill("no key");
  await page.locator("#again").click();
  await page.getByText("The key that you gave is no key").waitFor();
  await close();
});

test("a changed byte is found and named, and what is heard then is not called proven", async () => {
  const { page, close } = await opened(damagedGolden());
  assert.equal(await verdict(page), "This bundle does not hold. Do not trust what is in it.");
  const text = await page.locator("#report").textContent();
  assert.match(text, /original\/1\.journal/);
  assert.match(text, /What you hear is not proven/);
  await close();
});

test("the sound is made from the packets and plays, from the gap that was clicked", async () => {
  const path = put("call.zip", makeBundle(randomCall(1, { seconds: 12 })));
  const { page, faults, close } = await opened(path);
  await page.getByRole("button", { name: /^(All streams|Stream \d+)/ }).first().click();
  await page.waitForFunction(() => document.querySelector("audio").duration > 0);
  const listen = page.getByRole("button", { name: /^Listen here/ });
  if ((await listen.count()) > 0) await listen.last().click();
  await page.waitForFunction(() => !document.querySelector("audio").hidden);
  assert.equal(await page.evaluate(() => document.querySelector("audio").error), null);
  assert.deepEqual(faults, []);
  await close();
});

test("a copy of a part says first that it is one, and then what was left out, why, on what ground and who decided", async () => {
  const { page, faults, close } = await opened(vector("redacted"));
  assert.equal(await page.locator("#part h2").textContent(), "This is a copy from which passages were left out");
  const { top } = await page.locator("#part").boundingBox().then(({ y }) => ({ top: y }));
  assert.ok(top < (await page.locator("#verdict").boundingBox()).y, "the verdict stands above it");
  assert.equal(await verdict(page), "This copy holds. Parts are missing from the whole recording too, and for each part it says why.");
  const scope = JSON.parse(readZip(readFileSync(vector("redacted"))).find(({ name }) => name === "scope.json").content);
  const told = await page.locator("#report").textContent();
  for (const { reason, legal_ground, decided_by } of scope.redactions) for (const text of [reason, legal_ground, decided_by]) assert.ok(told.includes(text), text);
  assert.match(await page.locator(".legend").textContent(), /left out of this copy/);
  assert.ok((await page.locator("rect.left-out").count()) > 1);
  await page.locator("[data-lang=nl]").click();
  assert.equal(await page.locator("#part h2").textContent(), "Dit is een kopie waaruit stukken zijn weggelaten");
  assert.deepEqual(faults, []);
  await close();
});

test("an excerpt says of when, and plays what is there and no more", async () => {
  const { page, faults, close } = await opened(vector("excerpt"), { locale: "nl-NL" });
  assert.match(await page.locator("#part").textContent(), /uittreksel 00:00,2 tot 00:00,9 van 00:01,3/);
  const { excerpt } = JSON.parse(readZip(readFileSync(vector("excerpt"))).find(({ name }) => name === "scope.json").content);
  await page.locator("#player button").first().click();
  await page.waitForFunction(() => document.querySelector("audio").duration > 0);
  const seconds = await page.evaluate(() => document.querySelector("audio").duration);
  assert.ok(Math.abs(seconds - (excerpt.end_us - excerpt.start_us) / 1e6) < 0.01, `${seconds} s`);
  assert.deepEqual(faults, []);
  await close();
});

test("whoever has a policy fills it in, and the page says when its witnesses did not sign", async () => {
  const { page, close } = await opened(vector("excerpt"));
  const key = readZip(readFileSync(vector("excerpt"))).find(({ name }) => name === "archive.vkey").content.toString().trim();
  await page.locator("summary").click();
  await page.locator("#policy").fill(`log ${key}\nwitness one ${makeKey("w.example", 9).witness}\nquorum one\n`);
  await page.locator("#again").click();
  await page.locator("#verdict.bad").waitFor();
  assert.match(await page.locator("#report").textContent(), /The witnesses that you believe did not confirm this/);
  await page.locator("#policy").fill("quorum");
  await page.locator("#again").click();
  await page.getByText("The list of witnesses cannot be read").waitFor();
  await close();
});

test("whoever kept a receipt pastes it, and the page says whether the recording is still what it was", async () => {
  const bundle = vector("call");
  const content = (name) => readZip(readFileSync(bundle)).find((entry) => entry.name === name).content.toString();
  const key = content("archive.vkey").trim();
  const { leaf } = JSON.parse(content("opening.json"));
  const [head, ...rest] = content("checkpoint.tlog-proof").split("\n");
  const receipt = (found) => [head, `extra ${json({ version: 1, key, leaf: found }).toString("base64")}`, ...rest].join("\n");
  const { page, faults, close } = await opened(bundle);
  const field = page.locator("#receipt");
  await page.locator("summary").click();
  await field.fill(receipt(leaf));
  await page.locator("#again").click();
  await page.getByText("the receipt, receipt").waitFor();
  assert.match(await page.locator("#report").textContent(), /Size of the log at your receipt/);
  assert.doesNotMatch(await page.locator("#verdict").getAttribute("class"), /bad/);
  if (SHOTS) await page.screenshot({ path: join(SHOTS, "receipt.png"), fullPage: true });
  await field.fill(receipt({ ...leaf, commitment: `sha256:${"0".repeat(64)}` }));
  await page.locator("#again").click();
  await page.locator("#verdict.bad").waitFor();
  assert.match(await page.locator("#report").textContent(), /The receipt itself does not hold/);
  await field.fill("c2sp.org/tlog-proof@v1");
  await page.locator("#again").click();
  await page.getByText("This is no receipt").waitFor();
  assert.deepEqual(faults, []);
  await close();
});

test("whoever has the certificate of a timestamping authority gives it, and the page says when it saw the recording", async () => {
  const authority = new Authority();
  try {
    const root = authority.certify("root");
    authority.certify("tsa", { by: "root", extensions: "stamper", subject: "Tijdstempeldienst" });
    const stamped = (leaf, key) => {
      const proof = proofOf(leaf, key);
      const answer = authority.stamp(`${proof.toString().split("\n\n")[1]}\n`, "tsa");
      return [["timestamp.tlog-proof", proof], ["timestamp.tsr", answer], ["timestamp.pem", root]].map(([name, content]) => ({ name, content }));
    };
    const bundle = put("stamped.zip", makeBundle(randomCall(4, { seconds: 4 }), { change: { stamped } }));
    const { page, faults, close } = await opened(bundle);
    assert.match(await page.locator("#report").textContent(), /by a certificate that only the bundle names/);
    await page.locator("summary").click();
    await page.locator("#anchors").setInputFiles(put("root.pem", root));
    await page.locator("#again").click();
    await page.getByText("by the certificate that you gave").waitFor();
    const told = await page.locator("#report").textContent();
    assert.match(told, /Tijdstempeldienst/);
    assert.doesNotMatch(told, /by another clock than the archive/);
    if (SHOTS) await page.screenshot({ path: join(SHOTS, "stamped.png"), fullPage: true });
    await page.locator("#anchors").setInputFiles(put("none.pem", Buffer.from("no certificate")));
    await page.locator("#again").click();
    await page.getByText("This file has no certificates").waitFor();
    assert.deepEqual(faults, []);
    await close();
  } finally {
    authority.close();
  }
});

test("a large file is checked by several workers, to the same verdict; a helper that is lost costs nothing but time", async () => {
  const long = put("long.zip", makeBundle(longCall(4)));
  assert.ok(readFileSync(long).length > 16 * 1024 * 1024);
  for (const isLost of [false, true]) {
    const { page, faults, close } = await openVerifier(browser);
    await page.evaluate((loses) => {
      Object.defineProperty(navigator, "hardwareConcurrency", { value: 3 });
      globalThis.started = 0;
      const Real = Worker;
      globalThis.Worker = class extends Real {
        constructor(url) {
          super(url);
          globalThis.started += 1;
          // A helper that never answers, and is said to have failed a little later.
          if (loses && globalThis.started > 1) {
            this.terminate();
            setTimeout(() => this.onerror?.(new Event("error")), 300);
          }
        }
      };
    }, isLost);
    await check(page, long);
    assert.match(await verdict(page), /^The bundle holds/);
    assert.equal(await page.evaluate(() => globalThis.started), 3);
    assert.deepEqual(faults, []);
    await close();
  }
});

test("opened out of an unpacked bundle, the page works the same", async () => {
  const inside = put("verify.html", readFileSync(pathOf(new URL("../verify.html", import.meta.url))));
  const view = await openVerifier(browser, { at: pathToFileURL(inside).href });
  await check(view.page, GOLDEN);
  assert.equal(await verdict(view.page), "The bundle holds. Parts are missing, and for each part it says why.");
  assert.deepEqual(view.faults, []);
  await view.close();
});

test("nothing in a bundle becomes markup, and no file name leads anywhere", async () => {
  const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  const records = randomCall(2, { seconds: 3 }).map((record) =>
    record.content?.type === "stream_added" ? { ...record, content: { ...record.content, stream: { ...record.content.stream, party: hostile, label: hostile } } } : record);
  const { page, faults, close } = await opened(put("hostile.zip", makeBundle(records, { key: makeKey("<b>log</b>") })));
  assert.equal(await page.locator("#report img, #report script, #report b").count(), 0);
  assert.match(await page.locator("#report").textContent(), /<img src=x/);
  assert.deepEqual(faults, []);
  await close();
});

test("what is no bundle is answered with what to do", async () => {
  const { page, faults, close } = await opened(put("letter.txt", Buffer.from("Dear sir")));
  assert.match(await verdict(page), /neither a bundle nor a certificate/);
  assert.deepEqual(faults, []);
  await close();
});

const LOOKS = [
  ["wide", { viewport: { width: 1280, height: 900 } }],
  ["dark", { viewport: { width: 1280, height: 900 }, colorScheme: "dark" }],
  ["small", { viewport: { width: 320, height: 640 } }],
  ["forced", { viewport: { width: 1280, height: 900 }, forcedColors: "active" }],
];
for (const [look, options] of LOOKS) {
  test(`the page can be used by everybody, ${look}: axe finds nothing, nothing is wider than the screen`, async () => {
    for (const [name, path] of [["holds", put("call.zip", makeBundle(randomCall(1, { seconds: 12 })))], ["broken", damagedGolden()], ["excerpt", vector("excerpt")], ["redacted", vector("redacted")]]) {
      for (const locale of ["nl-NL", "en-GB"]) {
        const { page, close } = await openVerifier(browser, { ...options, locale });
        await check(page, path);
        await page.locator("summary").click();
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, `${name} ${locale}: wider than the screen`);
        if (SHOTS) {
          mkdirSync(SHOTS, { recursive: true });
          await page.screenshot({ path: join(SHOTS, `${name}-${locale}-${look}.png`), fullPage: true });
        }
        if (look !== "forced") {
          await page.evaluate(AXE);
          const found = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags, resultTypes: ["violations"] }), TAGS);
          assert.deepEqual(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 120)}`), []);
        }
        await close();
      }
    }
  });
}

test("everything can be reached and done with the keyboard", async () => {
  const { page, close } = await opened(GOLDEN);
  await page.locator("summary").press("Enter");
  const reached = new Set();
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.textContent.slice(0, 30)));
  }
  for (const wanted of ["file", "key", "anchors", "again", "All streams", "Listen here"]) assert.ok(reached.has(wanted), wanted);
  await close();
});
