// The manifest: what one recording consists of.

import type { Bytes } from "../base/bytes";
import { count, list, object, oneOf, readJson, text, whole, type Reader } from "../base/json";
import { digest, id, time, u32Number, version1 } from "../base/words";
import { streamMembers, type Stream } from "../journal/events";
import { STREAMS_MAX } from "../timeline/timeline";
import { VERDICTS, type Verdict } from "../timeline/model";

/** How the original came to the archive. */
const PROVENANCES = ["phone", "room", "file"] as const;
export type Provenance = (typeof PROVENANCES)[number];

export interface ManifestStream extends Stream {
  readonly root: Bytes;
  readonly leaf_count: number;
  readonly packets: number;
  readonly payload_bytes: number;
}

export interface Manifest {
  readonly recording: string;
  readonly provenance: Provenance;
  readonly call_started: string;
  readonly call_ended: string;
  readonly verdict: Verdict;
  readonly streams: readonly ManifestStream[];
  readonly record_count: number;
  readonly events_sha256: Bytes;
  readonly timeline_sha256: Bytes;
  readonly decision_sha256: Bytes;
  readonly rulebook_hash: Bytes;
  readonly tool: string;
}

/** 0 is the number of the events. */
const streamNumber = whole(1, 0xffff);

const manifest: Reader<Manifest> = object({
  version: version1,
  recording: id,
  provenance: oneOf(...PROVENANCES),
  call_started: time,
  call_ended: time,
  verdict: oneOf(...VERDICTS),
  streams: list(object({ ...streamMembers, number: streamNumber, root: digest, leaf_count: count, packets: count, payload_bytes: count }), STREAMS_MAX),
  segments: list(object({ number: u32Number, byte_len: whole(0, Number.MAX_SAFE_INTEGER), sha256: digest })),
  record_count: count,
  events_sha256: digest,
  timeline_sha256: digest,
  decision_sha256: digest,
  rulebook_hash: digest,
  tool: text,
});

export function readManifest(bytes: Uint8Array): Manifest {
  return manifest(readJson(bytes));
}
