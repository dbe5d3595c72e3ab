// The check of a bundle, step by step as the document has them.
//
// A part that is broken does not end the check: whatever does not depend on it is looked at still,
// and everything that is broken is named.

import { areEqual, BadForm, fromHex, hex, textOf, utf8, type Bytes } from "../base/bytes";
import type { Source } from "../base/digest";
import { readJson, text, type Json, type Reader } from "../base/json";
import { version1 } from "../base/words";
import { areSameKey, readKey, readNote, readOwnNote, type VerifierKey } from "../log/note";
import { checkProof, commits, readOpening, readProof, type Opening } from "../log/proof";
import type { Policy } from "../log/policy";
import type { Scope } from "../part/scope";
import type { Certificate } from "../pki/certificate";
import { lengthOf, readTimeline } from "../timeline/read";
import type { Timeline } from "../timeline/model";
import { Bundle } from "./bundle";
import { isCompleteness } from "./completeness";
import { ownHand, type Hand } from "./hands";
import {
  COMPLETENESS, DECISION, filesOf, isSoundOf, KEY, MANIFEST, NOTE, OPENING, PROOF, readList, SCOPE, soundOrder, TIMELINE, type SignedList,
} from "./list";
import { readManifest, type Manifest } from "./manifest";
import { checkOriginal, readJournals, type Journals } from "./original";
import { checkPart, checkShown, checkStated, readScopeOf, readTrees } from "./part";
import { checkReceipt, type Receipt } from "./receipt";
import { renderingOf, renderingOfPart, type Rendering } from "./rendering";
import { Findings, type Check, type Finding } from "./report";
import { checkSound } from "./sound";
import { checkTimestamp, type StampFacts } from "./stamp";
import { checkWitnesses } from "./witnesses";
import { checkTimeline } from "./timeline";
import { checkVcon } from "./vcon";

export interface Progress {
  /** 0 to 1. */
  (done: number, step: "reading" | "original" | "sound"): void;
}

/** What the bundle says, as far as it could be read. */
export interface Facts {
  readonly manifest: Manifest | null;
  readonly made: string | null;
  readonly key: VerifierKey | null;
  readonly isKeyGiven: boolean;
  readonly inLogSince: string | null;
  readonly logSize: string | null;
  readonly stamp: StampFacts | null;
  /** How large the log was when the receipt was given; null where there is none, or it does not hold. */
  readonly receiptSize: string | null;
  readonly decision: Json;
  /** What follows from the original; in a copy of a part, what the archive stated. Null where neither can be said. */
  readonly timeline: Timeline | null;
  readonly rendering: Rendering | null;
  /** What a copy of a part says of itself, true or not. */
  readonly scope: Scope | null;
  readonly isPart: boolean;
}

export interface Report {
  readonly holds: boolean;
  readonly findings: readonly Finding[];
  readonly facts: Facts;
}

const hexSalt: Reader<Bytes> = (value) => fromHex(text(value), 32);

/** What a bad form is turned into a finding by. Other errors are mistakes of this program, and thrown. */
export async function attempt<T>(findings: Findings, check: Check, place: string, run: () => T | Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    findings.broken(check, place, "damaged", error.message);
    return null;
  }
}

class Checker {
  readonly findings = new Findings();
  private manifestBytes: Bytes | null = null;
  private manifest: Manifest | null = null;
  private list: SignedList | null = null;
  private key: VerifierKey | null = null;
  private opening: Opening | null = null;
  private decision: Json = null;
  private logSize: string | null = null;
  private stamp: StampFacts | null = null;
  private receiptSize: string | null = null;
  private scope: Scope | null = null;
  private journals: Journals = { files: null, events: null };
  private timeline: Timeline | null = null;
  private rendering: Rendering | null = null;
  private readonly isPart: boolean;

  constructor(
    private readonly bundle: Bundle,
    private readonly given: VerifierKey | null,
    private readonly progress: Progress,
    private readonly policy: Policy | null,
    private readonly anchors: readonly Certificate[] | null,
    private readonly receipt: Receipt | null,
    private readonly hands: readonly Hand[],
  ) {
    this.isPart = bundle.has(SCOPE);
  }

  async run(): Promise<void> {
    const total = this.bundle.source.size;
    let read = 0;
    await this.bundle.sum(this.hands, this.findings, (bytes) => {
      read += bytes;
      this.progress(read / total, "reading");
    });
    await this.checkKey();
    await this.checkSignature();
    await this.readManifest();
    this.checkFiles();
    if (this.manifest) await this.checkDecision(this.manifest);
    const opening = await this.readOpening();
    if (this.isPart) this.scope = await readScopeOf(this.bundle, this.findings);
    if (this.manifest) {
      this.journals = await readJournals(this.bundle, this.manifest, this.findings);
      this.progress(0.1, "original");
      await this.checkCompleteness(this.manifest);
      if (this.isPart) await this.checkPart(this.manifest);
      else await this.checkWhole(this.manifest, opening);
      if (this.rendering) await checkSound(this.bundle, this.rendering, this.manifest.provenance, this.findings, this.progress);
    }
    await checkVcon(this.bundle, { list: this.list, manifest: this.manifest, opening: this.opening, scope: this.scope }, this.findings);
    await this.checkLog();
    await this.checkReceipt();
    await this.checkStamp();
  }

  private async checkKey(): Promise<void> {
    const own = this.bundle.has(KEY)
      ? await attempt(this.findings, "Key", KEY, async () => {
          const line = textOf(await this.bundle.content(KEY));
          if (!line.endsWith("\n")) throw new BadForm("the key does not end in a newline");
          return readKey(line.slice(0, -1));
        })
      : null;
    if (!this.bundle.has(KEY)) this.findings.broken("Key", KEY, "missing");
    this.key = this.given ?? own;
    if (own === null) return;
    if (this.given === null) this.findings.warn("Key", KEY, "key_from_bundle");
    else if (areSameKey(own, this.given)) this.findings.ok("Key", KEY);
    else this.findings.broken("Key", KEY, "other_key");
  }

  private async checkSignature(): Promise<void> {
    if (!this.bundle.has(NOTE)) {
      this.findings.broken("Signature", NOTE, "missing");
      return;
    }
    const bytes = await this.bundle.content(NOTE).catch(() => null);
    // A list that nobody signed is still a list: what it says of the files is told as well.
    const text = await attempt(this.findings, "Signature", NOTE, () => readNote(bytes ?? new Uint8Array(0)).text);
    if (text === null) return;
    this.list = await attempt(this.findings, "Files", NOTE, () => readList(text));
    if (this.key === null) {
      this.findings.broken("Signature", NOTE, "no_key");
      return;
    }
    try {
      readOwnNote(bytes ?? new Uint8Array(0), this.key);
      this.findings.ok("Signature", NOTE);
    } catch (error) {
      if (!(error instanceof BadForm)) throw error;
      this.findings.broken("Signature", NOTE, "bad_signature", error.message);
    }
  }

  private async readManifest(): Promise<void> {
    if (!this.bundle.has(MANIFEST)) {
      this.findings.broken("Original", MANIFEST, "missing");
      return;
    }
    this.manifest = await attempt(this.findings, "Original", MANIFEST, async () => {
      this.manifestBytes = await this.bundle.content(MANIFEST);
      return readManifest(this.manifestBytes);
    });
  }

  /** Entries against the list, and both against what the streams ask for. */
  private checkFiles(): void {
    const count = (): number => this.findings.list.filter(({ check, severity }) => check === "Files" && severity === "Broken").length;
    const before = count();
    const names = this.bundle.entries.map(({ name }) => name);
    if (this.list && this.list.isPart !== this.isPart) this.findings.broken("Files", NOTE, "other_copy");
    if (this.list) this.compareList(this.list, names);
    else if (!this.bundle.has(NOTE)) this.findings.broken("Files", NOTE, "missing");
    if (this.manifest) {
      if (this.list && this.list.recording !== this.manifest.recording) this.findings.broken("Files", MANIFEST, "other_recording");
      const streams = this.manifest.streams.map(({ number }) => number);
      const wanted = filesOf(streams, this.isPart, (name) => this.bundle.has(name));
      for (const name of wanted) if (!this.bundle.has(name)) this.findings.broken("Files", name, "missing");
      for (const name of names) {
        if (!wanted.includes(name) && !isSoundOf(name, streams)) this.findings.broken("Files", name, "no_part");
      }
      const isAsAsked = [...wanted, ...soundOrder(names)].join("\n") === names.join("\n");
      if (!isAsAsked && count() === before && this.list) this.findings.broken("Files", "ZIP", "out_of_order");
    }
    if (count() === before && this.list) this.findings.ok("Files", NOTE);
  }

  private compareList(list: SignedList, names: readonly string[]): void {
    const listed = new Map(list.files.map(({ name, sha256 }) => [name, sha256]));
    for (const { name, sha256 } of list.files) {
      const found = this.bundle.sha256(name);
      if (found === null) this.findings.broken("Files", name, "missing");
      else if (found !== sha256) this.findings.broken("Files", name, "content_changed");
    }
    for (const name of names) if (name !== NOTE && !listed.has(name)) this.findings.broken("Files", name, "not_listed");
    const order = [NOTE, ...list.files.map(({ name }) => name).filter((name) => this.bundle.has(name))];
    const found = names.filter((name) => name === NOTE || listed.has(name));
    if (this.bundle.has(NOTE) && order.join("\n") !== found.join("\n")) this.findings.broken("Files", NOTE, "out_of_order");
  }

  private async checkDecision(manifest: Manifest): Promise<void> {
    if (!this.bundle.has(DECISION)) {
      this.findings.broken("Decision", DECISION, "missing");
      return;
    }
    const before = this.findings.list.length;
    if (this.bundle.sha256(DECISION) !== hex(manifest.decision_sha256)) {
      this.findings.broken("Decision", DECISION, "not_of_recording");
    }
    const json = await attempt(this.findings, "Decision", DECISION, async () => readJson(await this.bundle.content(DECISION)));
    this.decision = json;
    const rulebook = member(json, "rulebook");
    const hash = member(rulebook, "hash");
    if (hash !== undefined && hash !== `sha256:${hex(manifest.rulebook_hash)}`) {
      this.findings.broken("Decision", DECISION, "other_rulebook");
    }
    if (this.findings.list.length === before) this.findings.ok("Decision", DECISION);
  }

  private async readOpening(): Promise<Opening | null> {
    if (!this.bundle.has(OPENING)) {
      if (this.manifest) this.findings.broken("Log", OPENING, "missing");
      return null;
    }
    const read = async (): Promise<Opening> => readOpening(await this.bundle.content(OPENING), hexSalt, version1);
    if (this.manifestBytes === null) return null;
    this.opening = await attempt(this.findings, "Log", OPENING, read);
    if (this.opening && this.manifest && (this.opening.treeSalt === null) !== this.isPart) {
      this.findings.broken("Original", OPENING, "salt_of_other_copy");
    }
    return this.opening;
  }

  /** A document as it stands; null where it is missing or cannot be read, which is told elsewhere. */
  private async stated<T>(name: string, read: (bytes: Bytes) => T): Promise<T | null> {
    if (!this.bundle.has(name)) return null;
    try {
      return read(await this.bundle.content(name));
    } catch (error) {
      if (error instanceof BadForm) return null;
      throw error;
    }
  }

  private async checkCompleteness(manifest: Manifest): Promise<void> {
    const { findings, bundle } = this;
    if (!bundle.has(COMPLETENESS)) {
      findings.broken("Completeness", COMPLETENESS, "missing");
      return;
    }
    const timeline = await this.stated(TIMELINE, readTimeline);
    const proof = await this.stated(PROOF, readProof);
    const { events } = this.journals;
    if (timeline === null || events === null || proof === null) return;
    const isRight = await attempt(findings, "Completeness", COMPLETENESS, () => isCompleteness({
      manifest, manifestSha256: bundle.sha256(MANIFEST) as string, timeline, events, scope: this.scope, proof,
    }, bundle.sha256(COMPLETENESS)));
    if (isRight !== null) findings.is(isRight, "Completeness", COMPLETENESS, "does_not_follow");
  }

  private async checkWhole(manifest: Manifest, opening: Opening | null): Promise<void> {
    const { files, events } = this.journals;
    if (files === null || events === null) return;
    const salt = opening?.treeSalt ?? null;
    const computed = await checkOriginal(this.bundle, manifest, files, events, salt, this.hands, this.findings, this.progress);
    if (computed === null) return;
    this.timeline = computed.timeline;
    this.rendering = renderingOf(computed, files);
    await checkTimeline(this.bundle, manifest, computed, this.findings);
  }

  private async checkPart(manifest: Manifest): Promise<void> {
    const { findings, bundle, opening, scope } = this;
    const { files, events } = this.journals;
    if (files === null || events === null) return;
    const trees = await readTrees(bundle, manifest, findings);
    if (trees === null || opening === null) return;
    const isShown = checkShown(bundle, manifest, files, trees, findings);
    const timeline = await checkStated(bundle, manifest, findings);
    if (timeline === null) return;
    this.timeline = timeline;
    if (!isShown || scope === null) return;
    const streams = checkPart(scope, timeline, events, files, trees, findings);
    if (streams) this.rendering = renderingOfPart(streams, scope, lengthOf(timeline));
  }

  private async checkLog(): Promise<void> {
    const { opening, manifestBytes, manifest, findings } = this;
    if (!opening || !manifestBytes) return;
    const isOurs =
      opening.leaf.type === "recorded" &&
      (manifest === null || opening.leaf.object === manifest.recording) &&
      commits(opening.leaf, opening.commitmentSalt, fromHex(this.bundle.sha256(MANIFEST) as string, 32));
    if (isOurs) findings.ok("Log", OPENING);
    else findings.broken("Log", OPENING, "not_of_recording");
    if (manifest === null) return;
    if (!this.bundle.has(PROOF)) {
      findings.broken("Log", PROOF, "missing");
      return;
    }
    const { key } = this;
    try {
      const proof = readProof(await this.bundle.content(PROOF));
      if (key === null) return;
      this.logSize = String(checkProof(opening.leafJson, proof, key).size);
      findings.ok("Log", PROOF);
      checkWitnesses(proof.checkpoint, key, this.policy, findings);
    } catch (error) {
      if (!(error instanceof BadForm)) throw error;
      findings.broken("Log", PROOF, "not_proven", error.message);
    }
  }

  /** Depends on the key, the opening and the proof alone. */
  private async checkReceipt(): Promise<void> {
    const { receipt, opening, key } = this;
    if (receipt === null || opening === null || key === null) return;
    const proof = await this.stated(PROOF, readProof);
    if (proof) this.receiptSize = checkReceipt(receipt, { leafJson: opening.leafJson, proof, key }, this.findings);
  }

  /** The timestamp is of the leaf: whatever else is broken, it is checked. */
  private async checkStamp(): Promise<void> {
    const opening = this.opening ?? (await this.stated(OPENING, (bytes) => readOpening(bytes, hexSalt, version1)));
    if (opening === null || this.key === null) return;
    this.stamp = await checkTimestamp(this.bundle, opening, this.manifest?.call_ended ?? opening.leaf.at, this.key, this.anchors, this.findings);
  }

  facts(): Facts {
    return {
      manifest: this.manifest,
      made: this.list?.made ?? null,
      key: this.key,
      isKeyGiven: this.given !== null,
      inLogSince: this.opening?.leaf.at ?? null,
      logSize: this.logSize,
      stamp: this.stamp,
      receiptSize: this.receiptSize,
      decision: this.decision,
      timeline: this.timeline,
      rendering: this.rendering,
      scope: this.scope,
      isPart: this.isPart,
    };
  }
}

function member(json: Json | undefined, name: string): Json | undefined {
  return json !== null && typeof json === "object" && !Array.isArray(json) && Object.hasOwn(json, name) ? json[name] : undefined;
}

const NOTHING: Facts = {
  manifest: null, made: null, key: null, isKeyGiven: false, inLogSince: null, logSize: null, stamp: null, receiptSize: null, decision: null,
  timeline: null, rendering: null, scope: null, isPart: false,
};

const SEARCH_SLICE = 4 * 1024 * 1024;

/** Whether a file can be a bundle at all: the name of the signed list occurs in it. */
export async function isBundle(source: Source): Promise<boolean> {
  const name = utf8(NOTE);
  for (let at = 0; at < source.size; at += SEARCH_SLICE) {
    const bytes = await source.read(at, Math.min(source.size, at + SEARCH_SLICE + name.length - 1));
    for (let i = bytes.indexOf(name[0]); i >= 0; i = bytes.indexOf(name[0], i + 1)) {
      if (areEqual(bytes.subarray(i, i + name.length), name)) return true;
    }
  }
  return false;
}

/** What a check can be given besides the bundle and a key. */
export interface Options {
  readonly progress?: Progress;
  /** Which witnesses are believed. */
  readonly policy?: Policy | null;
  /** Certificates under which a timestamp is believed. */
  readonly anchors?: readonly Certificate[] | null;
  /** What somebody kept of the recording when it was made. */
  readonly receipt?: Receipt | null;
  /** Who does the heavy parts. */
  readonly hands?: readonly Hand[];
}

/** Checks a bundle with the key that the checker knows, or with the one in the bundle; and with a policy, if there is one. */
export async function verifyBundle(source: Source, given: VerifierKey | null, options: Options = {}): Promise<Report> {
  const own = ownHand(source);
  // Two, so that the one reads and sums while what the other one read is hashed.
  const { progress = () => {}, policy = null, anchors = null, receipt = null, hands = [own, own] } = options;
  const findings = new Findings();
  const bundle = await Bundle.open(source, findings);
  if (bundle === null) return { holds: false, findings: findings.list, facts: NOTHING };
  const checker = new Checker(bundle, given, progress, policy, anchors, receipt, hands);
  await checker.run();
  return { holds: checker.findings.holds, findings: checker.findings.list, facts: checker.facts() };
}
