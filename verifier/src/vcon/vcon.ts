// The unsigned vCon that a bundle's other files give. All of it follows from them, but for the lawful basis.

import { base64url, hex } from "../base/bytes";
import { writeJsonOf, type Json, type JsonObject } from "../base/json";
import { readTime, timeText } from "../base/words";
import type { Scope } from "../part/scope";
import { lengthOf } from "../timeline/read";
import type { Timeline } from "../timeline/model";
import type { LawfulBasis } from "./basis";

const SYNTAX = "0.4.0";
const ARCHIVE = 0;
const CALL = 0;

/** A sound file of a stream. */
export interface SoundFile {
  readonly number: number;
  readonly name: string;
  readonly mediatype: string;
  readonly sha512: Uint8Array;
  readonly channels: number;
}

/** All that a vCon follows from. */
export interface VconGrounds {
  readonly recording: string;
  /** The name of the archive's key. */
  readonly archive: string;
  readonly made: string;
  readonly leafAt: string;
  readonly timeline: Timeline;
  readonly timelineJson: Json;
  readonly decisionJson: Json;
  /** Of a copy of a part, with the SHA-256 of its file. */
  readonly scope: { readonly scope: Scope; readonly sha256: Uint8Array } | null;
  /** By number. */
  readonly sounds: readonly SoundFile[];
}

/** A number of seconds with up to six decimals, which JSON otherwise has none of here. */
class Seconds {
  constructor(readonly us: number) {}
}

type Value = Json | Seconds | { [name: string]: Value } | Value[];

/** JSON in the form of RFC 8785: as elsewhere, but for seconds. */
function written(value: Value): string {
  return writeJsonOf(value as Json, (other) => (other instanceof Seconds ? secondsText(other.us) : null));
}

function secondsText(us: number): string {
  const decimals = String(us % 1_000_000).padStart(6, "0").replace(/0+$/, "");
  return `${Math.floor(us / 1_000_000)}${decimals === "" ? "" : `.${decimals}`}`;
}

/** Members, without those whose list is empty. */
function without(members: Record<string, Value>, ...kept: string[]): Record<string, Value> {
  return Object.fromEntries(Object.entries(members).filter(([name, value]) => !Array.isArray(value) || value.length > 0 || kept.includes(name)));
}

/** 64 bits of a UUID of version 8: time and twelve bits, then the first 62 bits of the SHA-1 of a name. */
async function uuidOf(head: string, name: string): Promise<string> {
  const sha1 = new Uint8Array(await globalThis.crypto.subtle.digest("SHA-1", new TextEncoder().encode(name)));
  const bits = sha1.slice(0, 8).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) >> 2n;
  const tail = ((2n << 62n) | bits).toString(16);
  return `${head.slice(0, 8)}-${head.slice(8, 12)}-8${head.slice(12, 15)}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}

/** The uuid of the whole, the same in every copy. */
function wholeUuid({ recording, archive }: VconGrounds): Promise<string> {
  const digits = recording.replaceAll("-", "");
  return uuidOf(digits.slice(0, 12) + digits.slice(13, 16), `${recording}.${archive}`);
}

async function partUuid({ recording, archive, made }: VconGrounds, scopeSha256: Uint8Array): Promise<string> {
  const us = readTime(made);
  const within = Number(us % 1_000n);
  const head = (us / 1_000n).toString(16).padStart(12, "0") + Math.floor((within * 4_096) / 1_000).toString(16).padStart(3, "0");
  return uuidOf(head, `${hex(scopeSha256.subarray(0, 16))}.${recording}.${archive}`);
}

/** The uuid of this copy, and that of the whole. */
export interface Uuids {
  readonly own: string;
  readonly whole: string;
}

export async function uuidsOf(grounds: VconGrounds): Promise<Uuids> {
  const whole = await wholeUuid(grounds);
  return { whole, own: grounds.scope ? await partUuid(grounds, grounds.scope.sha256) : whole };
}

interface Voiced {
  readonly stream: number;
  readonly parties: readonly string[];
}
interface Present {
  readonly party: string;
  readonly is_there: boolean;
  readonly at_us: number;
}
const voicesOf = (timeline: Timeline): readonly Voiced[] => (timeline["voices"] ?? []) as readonly Voiced[];
const presenceOf = (timeline: Timeline): readonly Present[] => (timeline["presence"] ?? []) as readonly Present[];

/** Pseudonyms in the order in which they first stand in the timeline. */
function pseudonyms(timeline: Timeline): string[] {
  const found = [
    ...timeline.streams.flatMap(({ stream }) => (stream.party === null ? [] : [stream.party])),
    ...voicesOf(timeline).flatMap(({ parties }) => parties),
    ...presenceOf(timeline).map(({ party }) => party),
  ];
  return [...new Set(found)];
}

/** Who is heard in a stream, each once. */
function heardIn(timeline: Timeline, number: number): string[] {
  const own = timeline.streams.find(({ stream }) => stream.number === number)?.stream.party ?? null;
  const others = voicesOf(timeline).filter(({ stream }) => stream === number).flatMap(({ parties }) => parties);
  return [...new Set([...(own === null ? [] : [own]), ...others])];
}

class Maker {
  private readonly names: readonly string[];
  private readonly lengthUs: number;

  constructor(private readonly grounds: VconGrounds, private readonly uuids: Uuids, private readonly basis: LawfulBasis | null) {
    this.names = pseudonyms(grounds.timeline);
    this.lengthUs = lengthOf(grounds.timeline);
  }

  private place(party: string): number {
    return this.names.indexOf(party) + 1;
  }

  private moment(us: number): string {
    return timeText(readTime(this.grounds.timeline.call_started) + BigInt(us));
  }

  payload(): string {
    const { grounds, uuids, basis } = this;
    const { made, leafAt, scope, archive } = grounds;
    return written(without({
      vcon: SYNTAX,
      uuid: uuids.own,
      created_at: scope ? made : leafAt,
      updated_at: made,
      extensions: [...(basis ? ["lawful_basis"] : []), ...(scope ? ["redaction_map"] : [])],
      ...(scope ? { redacted: { uuid: uuids.whole, type: "audio" } } : {}),
      parties: [{ name: archive, type: "organization" }, ...this.names.map((name) => ({ name }))],
      dialog: [this.call(), ...grounds.sounds.map((sound) => this.stream(sound))],
      attachments: this.attachments(),
    }, "attachments"));
  }

  private call(): Value {
    const { timeline, sounds } = this.grounds;
    return without({
      type: "recording-set",
      start: timeline.call_started,
      duration: new Seconds(this.lengthUs),
      recordings: sounds.map((_, i) => i + 1),
      parties: this.names.map((_, i) => i + 1),
      party_history: this.history(),
    }, "recordings");
  }

  /** Who came and went. No timeline of version 1 has an interval of kind `hold`, so nobody was on hold. */
  private history(): Value[] {
    const sorted = [...presenceOf(this.grounds.timeline)].sort((a, b) => a.at_us - b.at_us);
    return sorted.map(({ party, is_there, at_us }) => ({ party: this.place(party), time: this.moment(at_us), event: is_there ? "join" : "drop" }));
  }

  private stream({ number, name, mediatype, sha512, channels }: SoundFile): Value {
    const { timeline, scope } = this.grounds;
    const excerpt = scope?.scope.excerpt ?? null;
    const heard = heardIn(timeline, number).map((party) => this.place(party));
    return without({
      type: "recording",
      start: this.moment(excerpt?.start_us ?? 0),
      duration: new Seconds(excerpt ? excerpt.end_us - excerpt.start_us : this.lengthUs),
      mediatype,
      filename: name,
      content_hash: `sha512-${base64url(sha512)}`,
      recording_set: CALL,
      // Where nobody is known, nobody is named, in however many channels.
      parties: channels === 1 || heard.length === 0 ? heard : Array.from({ length: channels }, () => (heard.length === 1 ? heard[0] : heard)),
    });
  }

  private attachments(): Value[] {
    const { basis, grounds } = this;
    const { timeline, made, scope, timelineJson, decisionJson } = grounds;
    const all: Value[] = [];
    const add = (purpose: string, start: string, body: Json, more: JsonObject = {}): void => {
      all.push({ purpose, start, party: ARCHIVE, dialog: CALL, mediatype: "application/json", encoding: "json", body, ...more });
    };
    if (basis) add("lawful_basis", timeline.call_started, basis as unknown as Json, { type: "lawful_basis" });
    add("timeline", timeline.call_ended, timelineJson, { filename: "timeline.json" });
    add("decision", timeline.call_started, decisionJson, { filename: "decision.json" });
    if (scope) add("redaction_map", made, this.redactionMap(scope.scope));
    return all;
  }

  private redactionMap({ excerpt, redactions, streams }: Scope): Json {
    const dialogOf = (number: number): number | null => {
      const place = this.grounds.sounds.findIndex((sound) => sound.number === number);
      return place < 0 ? null : place + 1;
    };
    return {
      excerpt: excerpt as Json,
      redactions: redactions.map(({ sound, ...asked }) => ({ ...asked, method: sound })) as unknown as Json,
      passages: streams.flatMap(({ number, left_out }) => left_out.map(({ start_us, end_us, is_outside, redactions: own }) => ({
        stream: number, dialog: dialogOf(number), start_us, end_us, is_outside, redactions: [...own],
      }))),
    };
  }
}

/** The payload, as it has to be. */
export function vconPayload(grounds: VconGrounds, uuids: Uuids, basis: LawfulBasis | null): string {
  return new Maker(grounds, uuids, basis).payload();
}
