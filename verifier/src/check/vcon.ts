// Step 13: the vCon says what the other files do, and its signature is right.

import { areEqual, BadForm, fromHex, textOf, utf8, viewOf, type Bytes } from "../base/bytes";
import { readJson } from "../base/json";
import { readKey } from "../log/note";
import type { Opening } from "../log/proof";
import type { Scope } from "../part/scope";
import { canVerify } from "../pki/signature";
import { OGG_CHANNELS_AT } from "../sound/ogg";
import { readTimeline } from "../timeline/read";
import { basisOf } from "../vcon/basis";
import { checkJws, payloadJson, readJws } from "../vcon/jws";
import { uuidsOf, vconPayload, type SoundFile, type VconGrounds } from "../vcon/vcon";
import type { Bundle } from "./bundle";
import { DECISION, isStreamSound, KEY, oggName, SCOPE, TIMELINE, VCON, wavName, type SignedList } from "./list";
import type { Manifest } from "./manifest";
import type { Findings } from "./report";

/** What was read of the bundle; null where it could not be. */
export interface VconSources {
  readonly list: SignedList | null;
  readonly manifest: Manifest | null;
  readonly opening: Opening | null;
  readonly scope: Scope | null;
}

/** Where a WAV file tells its number of channels. */
const CHANNELS_AT = 22;

/** The sound files of streams; null where the hash of one is not known. */
async function soundsOf(bundle: Bundle, streams: readonly number[]): Promise<SoundFile[] | null> {
  const sounds: SoundFile[] = [];
  for (const number of streams) {
    const name = [wavName(number), oggName(number)].find((one) => bundle.has(one));
    const entry = name === undefined ? null : bundle.entry(name);
    if (name === undefined || !entry) continue;
    const sha512 = bundle.sha512(name);
    if (sha512 === null) return null;
    const isOgg = name === oggName(number);
    const [from, to] = isOgg ? [OGG_CHANNELS_AT, OGG_CHANNELS_AT + 1] : [CHANNELS_AT, CHANNELS_AT + 2];
    const told = entry.end - entry.start >= to ? viewOf(await bundle.part(entry, from, to)) : null;
    const channels = told === null ? 1 : isOgg ? told.getUint8(0) : told.getUint16(0, true);
    sounds.push({ number, name, mediatype: isOgg ? "audio/ogg" : "audio/x-wav", sha512: fromHex(sha512, 64), channels });
  }
  return sounds;
}

/** What a vCon follows from; null where something of it cannot be read. */
async function groundsOf(bundle: Bundle, { list, manifest, opening, scope }: VconSources): Promise<VconGrounds | null> {
  if (!list || !manifest || !opening || bundle.has(SCOPE) !== (scope !== null)) return null;
  try {
    const timelineBytes = await bundle.content(TIMELINE);
    const timeline = readTimeline(timelineBytes);
    const sounds = await soundsOf(bundle, timeline.streams.map(({ stream }) => stream.number));
    if (sounds === null) return null;
    return {
      recording: manifest.recording,
      archive: readKey(textOf(await bundle.content(KEY)).replace(/\n$/, "")).name,
      made: list.made,
      leafAt: opening.leaf.at,
      timeline,
      timelineJson: readJson(timelineBytes),
      decisionJson: readJson(await bundle.content(DECISION)),
      scope: scope && { scope, sha256: fromHex(bundle.sha256(SCOPE) as string, 32) },
      sounds,
    };
  } catch (error) {
    if (error instanceof BadForm) return null;
    throw error;
  }
}

async function checkForm(bundle: Bundle, sources: VconSources, bytes: Bytes): Promise<void> {
  const jws = readJws(bytes);
  const stated = payloadJson(jws);
  const grounds = await groundsOf(bundle, sources);
  if (grounds) {
    const uuids = await uuidsOf(grounds);
    const wanted = vconPayload(grounds, uuids, basisOf(stated, grounds.timeline.call_started));
    if (!areEqual(jws.payload, utf8(wanted))) throw new BadForm("it says something else than the other files");
    if (jws.uuid !== uuids.own) throw new BadForm("its header names another vCon");
  }
  await checkJws(jws);
}

export async function checkVcon(bundle: Bundle, sources: VconSources, findings: Findings): Promise<void> {
  if (!bundle.has(VCON)) {
    findings.broken("Vcon", VCON, "missing");
    return;
  }
  if (!canVerify()) {
    findings.warn("Vcon", VCON, "unchecked_here");
    return;
  }
  try {
    await checkForm(bundle, sources, await bundle.content(VCON));
    if (bundle.entries.every(({ name }) => !isStreamSound(name) || bundle.sha512(name) !== null)) findings.ok("Vcon", VCON);
    // It is signed, and of sound that is too large to be hashed here: what it says was not compared.
    else findings.warn("Vcon", VCON, "unchecked_here");
  } catch (error) {
    if (!(error instanceof BadForm)) throw error;
    findings.broken("Vcon", VCON, "does_not_follow", error.message);
  }
}
