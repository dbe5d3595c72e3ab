// The verifier on the command line: node verify.mjs FILE [--json] [--log-key KEY] [--policy POLICY] [--tsa-anchor FILE] [--receipt FILE]
//
// KEY is a public key as text, or a file that holds it. POLICY is a file: which logs and witnesses are believed. FILE has
// certificates (PEM or DER) under which a timestamp is believed; or is a receipt that was kept. Exit status: 0 it holds, 1 it does not,
// 2 bad input. It runs the script of verify.html, so what holds here holds there.

import { existsSync, readFileSync } from "node:fs";
import { core, fileSource } from "./core.mjs";

const words = process.argv.slice(2);
const option = (name) => {
  const place = words.indexOf(name);
  return place < 0 ? undefined : words.splice(place, 2)[1];
};
const given = option("--log-key");
const policyFile = option("--policy");
const anchorFile = option("--tsa-anchor");
const receiptFile = option("--receipt");
const isJson = words.includes("--json");
const files = words.filter((word) => word !== "--json");

function bad(message) {
  console.error(`verify: ${message}`);
  process.exit(2);
}

function readGivenKey() {
  if (given === undefined) return null;
  try {
    return core.readKey((existsSync(given) ? readFileSync(given, "utf8") : given).trim());
  } catch (error) {
    return bad(`--log-key is neither a file nor a key: ${error.message}`);
  }
}

function readGivenPolicy() {
  if (policyFile === undefined) return null;
  try {
    return core.readPolicy(readFileSync(policyFile));
  } catch (error) {
    return bad(`--policy is no policy: ${error.message}`);
  }
}

function readGivenAnchors() {
  if (anchorFile === undefined) return null;
  try {
    return core.readCertificates(new Uint8Array(readFileSync(anchorFile)));
  } catch (error) {
    return bad(`--tsa-anchor has no certificates: ${error.message}`);
  }
}

function readGivenReceipt() {
  if (receiptFile === undefined) return null;
  try {
    return core.readReceipt(readFileSync(receiptFile));
  } catch (error) {
    return bad(`--receipt is no receipt: ${error.message}`);
  }
}

async function check(path, key, given) {
  const source = await fileSource(path).catch((error) => bad(`cannot read ${path}: ${error.message}`));
  try {
    if (await core.isBundle(source)) return await core.verifyBundle(source, key, given);
    const start = await source.read(0, Math.min(source.size, 1024 * 1024));
    if (core.isCertificate(start)) return core.verifyCertificate(start, key);
  } finally {
    await source.close();
  }
  return bad(`${path} is neither a bundle nor a certificate`);
}

if (files.length !== 1) bad("node verify.mjs FILE [--json] [--log-key KEY] [--policy POLICY] [--tsa-anchor FILE] [--receipt FILE]");
const report = await check(files[0], readGivenKey(), { policy: readGivenPolicy(), anchors: readGivenAnchors(), receipt: readGivenReceipt() });
const pick = (severity) =>
  report.findings.filter((found) => found.severity === severity).map(({ check, place, code, detail }) => ({ check, place, code, detail }));
const facts = report.facts && {
  recording: report.facts.manifest?.recording ?? null,
  call_started: report.facts.manifest?.call_started ?? null,
  call_ended: report.facts.manifest?.call_ended ?? null,
  made: report.facts.made,
  in_log_since: report.facts.inLogSince,
  log_size: report.facts.logSize,
  stamp: report.facts.stamp && { moment: report.facts.stamp.moment, authority: report.facts.stamp.authority, by_given_certificate: report.facts.stamp.isGiven },
  receipt: report.facts.receiptSize && { log_size: report.facts.receiptSize },
  key: report.facts.key?.text ?? null,
};
// Nothing of it is proven where the bundle does not hold.
const proven = report.holds && report.facts ? report.facts : null;
const verdict = proven?.timeline?.verdict ?? null;
const copy = proven && {
  is_whole: !proven.isPart, excerpt: proven.scope?.excerpt ?? null,
  redactions: (proven.scope?.redactions ?? []).map(({ streams, start_us, end_us }) => ({ streams, start_us, end_us })),
};
const [nl, en] = core.conclusionOf(verdict, copy !== null && !copy.is_whole);
const summary = {
  holds: report.holds, ...(report.facts ? { conclusion_nl: nl, conclusion_en: en, verdict, copy } : {}), broken: pick("Broken"), warnings: pick("Warning"), ok: pick("Ok").map(({ check, place }) => ({ check, place })),
  ...(facts ? { facts } : { statement: report.statement }),
};
if (isJson) console.log(JSON.stringify(summary, null, 2));
else {
  console.log(report.facts ? en : summary.holds ? "It holds." : "It does not hold.");
  for (const { check, place, code, detail } of [...summary.broken, ...summary.warnings]) console.log(`  ${check} ${place}: ${code} ${detail}`);
}
process.exitCode = summary.holds ? 0 : 1;
