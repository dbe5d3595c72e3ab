// Holds this verifier against another one's reports: the same verdict, the same parts named, the same sentence.
//
//   node tests/compare.mjs DIR [--browser]
//
// DIR has NAME.zip and NAME.zip.json, which the program wrote: `holds`, `broken` and `conclusion_en`, or `findings` as
// `voicelog verify --json` has them, or `{"status": 2}` where it said that the file is no bundle. Where DIR has an
// `archive.vkey`, it is the key that both are given; NAME.zip.receipt is the receipt that both are given. With --browser the same in Chromium, through the page's worker.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { bytesSource, core } from "../core.mjs";

const folder = process.argv[2];
const names = readdirSync(folder).filter((name) => name.endsWith(".zip")).sort();
const keyFile = join(folder, "archive.vkey");
const keyText = existsSync(keyFile) ? readFileSync(keyFile, "utf8").trim() : "";
const key = keyText === "" ? null : core.readKey(keyText);
const parts = (broken) => [...new Set(broken.map(({ check, place }) => `${check} ${place}`))].sort().join(", ");
const brokenOf = ({ broken, findings }) => broken ?? findings.filter(({ severity }) => severity === "Broken");

/** The sentence that a report comes to: as the program wrote it, or of this verifier in Node or in the page. */
function conclusion({ conclusion_en, holds, facts, bundle }) {
  if (conclusion_en !== undefined) return conclusion_en;
  const verdict = bundle ? bundle.verdict : facts?.timeline?.verdict;
  return core.conclusionOf((holds && verdict) || null, (bundle ?? facts)?.isPart)[1];
}

/** Verdict and broken parts as one line. */
function line(report) {
  if (report.status === 2) return "no bundle";
  return `${report.holds ? "holds" : "does not hold"}: ${parts(brokenOf(report))} ${conclusion(report)}`;
}

/** The receipt that goes with a bundle, as text; empty where there is none. */
const receiptOf = (path) => (existsSync(`${path}.receipt`) ? readFileSync(`${path}.receipt`, "utf8") : "");

async function inNode(path) {
  const source = bytesSource(new Uint8Array(readFileSync(path)));
  if (!(await core.isBundle(source))) return { status: 2 };
  const text = receiptOf(path);
  let receipt = null;
  try {
    if (text !== "") receipt = core.readReceipt(new TextEncoder().encode(text));
  } catch {
    return { status: 2 };
  }
  return core.verifyBundle(source, key, { receipt });
}

async function compare(what, ask) {
  let same = 0;
  const differences = [];
  for (const name of names) {
    const path = join(folder, name);
    const wanted = line(JSON.parse(readFileSync(`${path}.json`, "utf8")));
    const found = line(await ask(path));
    if (found === wanted) same += 1;
    else differences.push(`${name}\n    program:  ${wanted}\n    verifier: ${found}`);
  }
  console.log(`${what}: ${same} of ${names.length} the same`);
  for (const difference of differences) console.log(`  ${difference}`);
  return differences.length === 0;
}

let isSame = await compare("Node", inNode);
if (process.argv.includes("--browser")) {
  const { openBrowser, openVerifier } = await import("./lib/browser.mjs");
  const browser = await openBrowser();
  const { page, faults } = await openVerifier(browser);
  // The page's own worker, asked without the page around it: hundreds of bundles take no hour that way.
  await page.evaluate(() => {
    const code = document.getElementById("core").textContent.replace(/\nexport \{[^}]*\};\n$/, "");
    const worker = new Worker(URL.createObjectURL(new Blob([`"use strict";${code}\nserve(self);`])));
    globalThis.askVerifier = ([base64, key, receipt]) =>
      new Promise((resolve) => {
        worker.onmessage = ({ data }) => data.kind !== "progress" && resolve(data);
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        worker.postMessage({ kind: "check", file: new Blob([bytes]), key, policy: "", anchors: null, receipt, helpers: [] });
      });
  });
  isSame &&= await compare("Chromium", async (path) => {
    const answer = await page.evaluate((asked) => globalThis.askVerifier(asked), [readFileSync(path).toString("base64"), keyText, receiptOf(path)]);
    return answer.kind === "failure" ? { status: 2, detail: answer.failure } : answer.report;
  });
  if (faults.length > 0) {
    console.log(`Chromium complains: ${faults.join("; ")}`);
    isSame = false;
  }
  await browser.close();
}
process.exitCode = isSame ? 0 : 1;
