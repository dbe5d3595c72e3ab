// What a timeline is made of.

import type { Reason, Stream } from "../journal/events";
import type { Cause } from "../journal/cause";

export const VERDICTS = [
  "whole", "whole_with_declared_gaps", "cut_short", "undeclared_gap", "not_recorded", "not_drawn", "not_requested",
] as const;
export type Verdict = (typeof VERDICTS)[number];

export const KINDS = [
  "media", "loss", "silence_suppressed", "not_started", "paused", "refused", "awaiting_first_packet",
  "after_last_packet", "source_change", "dropped", "restart", "undeclared_gap",
] as const;
export type Kind = (typeof KINDS)[number];

export interface Pause {
  readonly reason: string;
  readonly by: string;
  readonly party?: string;
}

export interface Interval {
  readonly kind: Kind;
  readonly start_us: number;
  end_us: number;
  readonly cause: Cause | null;
  packets: number;
  samples: number;
  lost: number;
  readonly grounds: readonly Reason[];
  readonly pause?: Pause;
}

/** What a stream was in from when on. */
export type State =
  | { readonly kind: "absent" | "undecided" | "active" | "down" }
  | { readonly kind: "refused" | "ended"; readonly reasons: readonly Reason[] }
  | { readonly kind: "withheld"; readonly pause: Pause }
  | { readonly kind: "paused" | "not_taken"; readonly cause: Cause };

export interface Drop {
  readonly time: number;
  readonly cause: Cause;
  packets: number;
}

export interface KeyPress {
  readonly start_us: number;
  length_us: number;
}

export interface StreamLine {
  readonly stream: Stream;
  readonly packets: number;
  readonly rtcp_packets: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly reordered: number;
  readonly late: number;
  readonly outside: number;
  readonly left_out?: number;
  readonly malformed: number;
  readonly payload_bytes: number;
  readonly first_sequence: number | null;
  readonly last_sequence: number | null;
  readonly drift_us: number;
  readonly heard?: readonly string[];
  readonly keys?: readonly KeyPress[];
  readonly intervals: readonly Interval[];
}

/** The times of a call in text and in microseconds, and what lies between. */
export interface Timeline {
  readonly version: 1;
  readonly call_started: string;
  readonly call_ended: string;
  readonly end: Cause | null;
  readonly verdict: Verdict;
  readonly stray_packets: number;
  readonly streams: readonly StreamLine[];
  readonly [name: string]: unknown;
}
