// The worker: it checks while the page stays quick.

import { BadForm, utf8, type Bytes } from "../base/bytes";
import type { Source } from "../base/digest";
import type { Json } from "../base/json";
import { hasMore, isCertificate, verifyCertificate } from "../check/certificate";
import { ALL_WAV, oggName, wavName } from "../check/list";
import { doTask } from "../check/hands";
import { readReceipt } from "../check/receipt";
import { isBundle, verifyBundle, type Facts } from "../check/verify";
import { readContainer } from "../container/zip";
import { fingerprint, readKey, type VerifierKey } from "../log/note";
import { readPolicy, type Policy } from "../log/policy";
import { readCertificates, type Certificate } from "../pki/certificate";
import { lengthOf } from "../timeline/read";
import { Crew } from "./helpers";
import type { Answer, BundleFacts, CheckRequest, Failure, HelpRequest, KeyFacts, PageReport, Request, SoundRequest, Step } from "./messages";
import { playable } from "./sound";

/** What a worker's scope has, and what stands in for it where there are no workers. */
export interface Port {
  onmessage: ((message: { readonly data: Request }) => void) | null;
  postMessage(answer: Answer, transfer?: Transferable[]): void;
}

class Refused extends Error {
  constructor(readonly failure: Failure, detail: string) {
    super(detail);
  }
}

const CERTIFICATE_BYTES_MAX = 1024 * 1024;
const ANCHORS_BYTES_MAX = 1024 * 1024;

function blobSource(blob: Blob): Source {
  return {
    size: blob.size,
    async read(from, to): Promise<Bytes> {
      const bytes = new Uint8Array(await blob.slice(from, to).arrayBuffer());
      if (bytes.length !== to - from) throw new Refused("cannot_read", "the file became shorter");
      return bytes;
    },
  };
}

function keyFacts(key: VerifierKey | null, isGiven: boolean): KeyFacts | null {
  return key && { text: key.text, name: key.name, fingerprint: fingerprint(key), isGiven };
}

function outcomeOf(decision: Json): string | null {
  const isObject = decision !== null && typeof decision === "object" && !Array.isArray(decision);
  const outcome = isObject ? decision["outcome"] : null;
  return typeof outcome === "string" ? outcome : null;
}

function bundleFacts(facts: Facts): BundleFacts | null {
  const { manifest, timeline, rendering, scope } = facts;
  if (!manifest) return null;
  const voices = rendering?.voices ?? [];
  return {
    recording: manifest.recording,
    provenance: manifest.provenance,
    callStarted: manifest.call_started,
    callEnded: manifest.call_ended,
    lengthUs: timeline ? lengthOf(timeline) : 0,
    // What follows from the original, where that is whole, and not what somebody stated.
    verdict: timeline?.verdict ?? manifest.verdict,
    end: timeline?.end ?? null,
    made: facts.made,
    inLogSince: facts.inLogSince,
    logSize: facts.logSize,
    stamp: facts.stamp,
    receiptSize: facts.receiptSize,
    outcome: outcomeOf(facts.decision),
    streams: timeline?.streams ?? [],
    heard: voices.filter(({ form }) => form.hasSound).map(({ form }) => form.number),
    opus: voices.filter(({ form }) => form.hasOpus).map(({ form }) => form.number),
    isPart: facts.isPart,
    scope,
  };
}

/** What somebody filled in; null where nothing is. */
function given<T>(text: string, failure: Failure, read: (text: string) => T): T | null {
  if (text.trim() === "") return null;
  try {
    return read(text);
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    throw new Refused(failure, error.message);
  }
}

async function readAnchors(file: Blob): Promise<Certificate[]> {
  if (file.size > ANCHORS_BYTES_MAX) throw new Refused("bad_anchors", "too large");
  try {
    return readCertificates(new Uint8Array(await file.arrayBuffer()));
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    throw new Refused("bad_anchors", error.message);
  }
}

class Server {
  private facts: Facts | null = null;
  private file: Blob | null = null;
  private crew: Crew | null = null;

  constructor(private readonly port: Port) {}

  async answer(request: CheckRequest | HelpRequest | SoundRequest): Promise<void> {
    try {
      if (request.kind === "help") await this.help(request);
      else if (request.kind === "check") this.port.postMessage({ kind: "report", report: await this.check(request) });
      else await this.sound(request.which);
    } catch (error) {
      const failure = error instanceof Refused ? error.failure : error instanceof DOMException ? "cannot_read" : "fault";
      this.port.postMessage({ kind: "failure", failure, detail: String(error) });
    }
  }

  loseHelpers(): void {
    this.crew?.lose();
  }

  private async check({ file, key: keyText, policy: policyText, anchors: anchorFile, receipt: receiptText, helpers }: CheckRequest): Promise<PageReport> {
    this.facts = null;
    this.file = file;
    const key: VerifierKey | null = given(keyText, "bad_key", (text) => readKey(text.trim()));
    const policy: Policy | null = given(policyText, "bad_policy", (text) => readPolicy(utf8(text)));
    const receipt = given(receiptText, "bad_receipt", (text) => readReceipt(utf8(text)));
    const anchors = anchorFile && (await readAnchors(anchorFile));
    const source = blobSource(file);
    if (await isBundle(source)) {
      const progress = (done: number, step: Step): void => this.port.postMessage({ kind: "progress", done, step });
      this.crew = new Crew(file, source, helpers);
      const report = await verifyBundle(source, key, { progress, policy, anchors, receipt, hands: this.crew.hands });
      this.facts = report.facts;
      return {
        holds: report.holds, findings: report.findings, certificate: null,
        key: keyFacts(report.facts.key, key !== null), bundle: bundleFacts(report.facts),
      };
    }
    const start = await source.read(0, Math.min(source.size, CERTIFICATE_BYTES_MAX));
    if (!isCertificate(start)) throw new Refused("no_bundle", "neither a bundle nor a certificate");
    if (hasMore(start)) throw new Refused("many_certificates", "several certificates");
    const { holds, findings, statement, sentences, logSize } = verifyCertificate(start, key);
    return { holds, findings, key: keyFacts(key, key !== null), bundle: null, certificate: { statement, sentences, logSize } };
  }

  /** Does a part of what another worker checks. */
  private async help({ file, task }: HelpRequest): Promise<void> {
    try {
      const outcome = await doTask(blobSource(file), task);
      // What was read is handed over and not copied.
      this.port.postMessage({ kind: "helped", outcome }, "bytes" in outcome && outcome.bytes ? [outcome.bytes.buffer] : []);
    } catch (error) {
      // Whoever asked tries it again, and says why not.
      this.port.postMessage({ kind: "failure", failure: "fault", detail: String(error) });
    }
  }

  private async sound(which: "all" | number): Promise<void> {
    const { facts } = this;
    const voices = (facts?.rendering?.voices ?? []).filter(({ form }) => form.hasSound);
    const chosen = which === "all" ? voices : voices.filter(({ form }) => form.number === which);
    if (!facts?.rendering || chosen.length === 0) throw new Refused("no_sound", "nothing to hear");
    const wav = await playable(chosen, facts.rendering);
    if (wav) return this.port.postMessage({ kind: "sound", which, wav, isFromFile: false });
    // Where the packets stand in Ogg there is no file of all: each has the whole room in it.
    const number = which === "all" ? chosen[0].form.number : which;
    const file = await this.fileSound(which === "all" ? ALL_WAV : wavName(which), oggName(number));
    this.port.postMessage({ kind: "sound", which, wav: file, isFromFile: true });
  }

  /** The sound file of the bundle, where this browser cannot decode the packets. */
  private async fileSound(wav: string, ogg: string): Promise<Blob> {
    const file = this.file as Blob;
    const entries = await readContainer(blobSource(file));
    const entry = entries.find(({ name }) => name === wav) ?? entries.find(({ name }) => name === ogg);
    if (!entry) throw new Refused("no_sound", "no such file");
    return new Blob([file.slice(entry.start, entry.end)], { type: entry.name === ogg ? "audio/ogg" : "audio/wav" });
  }
}

/** Answers requests one after the other; as a helper, also those that come through the port that it is given. */
export function serve(port: Port): void {
  const server = new Server(port);
  let queue: Promise<void> = Promise.resolve();
  port.onmessage = ({ data }) => {
    // Not in its turn: what runs waits for the helpers.
    if (data.kind === "serve") serve(data.port as unknown as Port);
    else if (data.kind === "helper_lost") server.loseHelpers();
    else queue = queue.then(() => server.answer(data));
  };
}
