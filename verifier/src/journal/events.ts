// Events of the journal: canonical JSON, every type with the members that it has.

import {
  any, count, flag, list, MOST, notEmpty, object, oneOf, orNull, readJson, text, whole,
  type JsonObject, type Reader,
} from "../base/json";
import { refuse } from "../base/bytes";
import { CAUSES, type Cause } from "./cause";
import { id, time, u16Number, u32Number, u8 } from "../base/words";

export const EVENT_BYTES_MAX = 65_536;

export interface Reason {
  readonly rule: string;
  readonly articles: readonly string[];
  readonly text_nl: string;
  readonly text_en: string;
}

/** What a payload type stands for. */
export interface Format {
  readonly codec: string;
  readonly payload_type: number;
  readonly parameters?: string;
}

export interface Stream extends Format {
  readonly number: number;
  readonly label: string | null;
  readonly party: string | null;
  readonly also?: readonly Format[];
}

const ACTORS = ["program", "key"] as const;
const cause = oneOf(...CAUSES);
/** A flag that is left out where it would be false. */
const yes: Reader<true> = (value) => (value === true ? true : refuse("a flag that would have been left out"));
const microseconds = whole(-MOST, MOST);
export const reasonsReader = list(object<Reason>({ rule: text, articles: list(text), text_nl: text, text_en: text }));

/** In its one spelling: the rate is left out where it is 8,000 and the only number. */
const codec: Reader<string> = (value) => (/^[^/]*\/8000$/.test(text(value)) ? refuse("a codec in another spelling") : (value as string));
const formatMembers = { codec, payload_type: u8, "parameters?": text };
export const streamMembers = {
  number: u16Number,
  label: orNull(text),
  party: orNull(text),
  ...formatMembers,
  "also?": notEmpty(list(object<Format>(formatMembers))),
};
export const streamReader: Reader<Stream> = object(streamMembers);
const keyPacket = object({
  payload_type: u8, sequence: u16Number, timestamp: u32Number, ssrc: u32Number, duration: u16Number, has_ended: flag,
});

const MEMBERS: Record<string, Record<string, Reader<unknown>>> = {
  call_started: {},
  stream_added: { stream: streamReader },
  stream_refused: { stream: streamReader, cause },
  not_permitted: { decision: id, outcome: text, reasons: reasonsReader },
  permitted: { decision: id },
  permit_ended: { decision: id, reasons: reasonsReader },
  stream_paused: { stream: u16Number, by: cause },
  stream_resumed: { stream: u16Number },
  recording_paused: {
    reason: oneOf("card_data", "citizen_number", "private", "medical", "other"),
    by: oneOf(...ACTORS),
    "party?": text,
  },
  recording_resumed: { by: oneOf("program", "key", "limit") },
  private_began: { by: oneOf(...ACTORS), "party?": text },
  private_ended: { reason: oneOf("business_again", "mistake"), by: oneOf(...ACTORS), "party?": text },
  media_dropped: { stream: u16Number, packets: count, cause },
  key_left_out: { stream: u16Number, packet: keyPacket },
  source_changed: { stream: u16Number, "was_elsewhere?": yes },
  stream_voice: {
    stream: u16Number, "label?": text, parties: list(text), "rule?": oneOf("label", "send", "order"),
  },
  party_joined: { party: text },
  party_left: { party: text },
  clock_stepped: { by_us: microseconds },
  notice_heard: { stream: u16Number, length_us: count, similarity_permille: u16Number },
  notice_missed: {},
  refusal_said: { party: text, by: oneOf("key", "spoken") },
  keep_requested: {
    reason: oneOf("agreement", "complaint", "threat", "training", "other"), by: oneOf(...ACTORS), "party?": text,
  },
  look_back_cut: { by_us: count },
  client_times: { "started?": time, "ended?": time },
  clock_checked: { source: text, checked_at: time, offset_us: microseconds, uncertainty_us: count },
  call_ended: { cause },
  interrupted: { restarted_at: time },
};
const READERS = new Map(
  Object.entries(MEMBERS).map(([type, members]) => [type, object<JsonObject>({ type: any, ...members })]),
);

export interface KeyPacket {
  readonly payload_type: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly duration: number;
  readonly has_ended: boolean;
}

/** An event whose members are those of its type; which they are, the type says. */
export type Event =
  | { type: "call_started" | "notice_missed" }
  | { type: "stream_added"; stream: Stream }
  | { type: "stream_refused"; stream: Stream; cause: Cause }
  | { type: "not_permitted"; decision: string; outcome: string; reasons: Reason[] }
  | { type: "permitted"; decision: string }
  | { type: "permit_ended"; decision: string; reasons: Reason[] }
  | { type: "stream_paused"; stream: number; by: Cause }
  | { type: "stream_resumed"; stream: number }
  | { type: "recording_paused"; reason: string; by: string; party?: string }
  | { type: "recording_resumed"; by: string }
  | { type: "private_began"; by: string; party?: string }
  | { type: "private_ended"; reason: string; by: string; party?: string }
  | { type: "media_dropped"; stream: number; packets: number; cause: Cause }
  | { type: "key_left_out"; stream: number; packet: KeyPacket }
  | { type: "source_changed"; stream: number; was_elsewhere?: boolean }
  | { type: "stream_voice"; stream: number; label?: string; parties: string[]; rule?: string }
  | { type: "party_joined" | "party_left"; party: string }
  | { type: "clock_stepped"; by_us: number }
  | { type: "notice_heard"; stream: number; length_us: number; similarity_permille: number }
  | { type: "refusal_said"; party: string; by: string }
  | { type: "keep_requested"; reason: string; by: string; party?: string }
  | { type: "look_back_cut"; by_us: number }
  | { type: "client_times"; started?: string; ended?: string }
  | { type: "clock_checked"; source: string; checked_at: string; offset_us: number; uncertainty_us: number }
  | { type: "call_ended"; cause: Cause }
  | { type: "interrupted"; restarted_at: string };

export function readEvent(bytes: Uint8Array): Event {
  if (bytes.length > EVENT_BYTES_MAX) refuse("an event that is too long");
  const json = readJson(bytes);
  const type = json !== null && typeof json === "object" && !Array.isArray(json) ? json["type"] : null;
  const reader = typeof type === "string" ? READERS.get(type) : undefined;
  if (!reader) return refuse(`an event of a type that is not known: ${String(type).slice(0, 40)}`);
  return reader(json) as unknown as Event;
}
