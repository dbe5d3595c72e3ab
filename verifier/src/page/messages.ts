// What the page and its worker say to each other.

import type { Outcome, Task } from "../check/hands";
import type { Finding } from "../check/report";
import type { Statement } from "../check/certificate";
import type { Provenance } from "../check/manifest";
import type { StampFacts } from "../check/stamp";
import type { HelperPort } from "./helpers";
import type { Scope } from "../part/scope";
import type { StreamLine, Verdict } from "../timeline/model";

export interface KeyFacts {
  readonly text: string;
  readonly name: string;
  readonly fingerprint: string;
  readonly isGiven: boolean;
}

export interface BundleFacts {
  readonly recording: string;
  readonly provenance: Provenance;
  readonly callStarted: string;
  readonly callEnded: string;
  readonly lengthUs: number;
  readonly verdict: Verdict;
  readonly end: string | null;
  readonly made: string | null;
  readonly inLogSince: string | null;
  readonly logSize: string | null;
  readonly stamp: StampFacts | null;
  readonly receiptSize: string | null;
  readonly outcome: string | null;
  readonly streams: readonly StreamLine[];
  readonly heard: readonly number[];
  readonly opus: readonly number[];
  readonly isPart: boolean;
  readonly scope: Scope | null;
}

export interface PageReport {
  readonly holds: boolean;
  readonly findings: readonly Finding[];
  readonly key: KeyFacts | null;
  readonly bundle: BundleFacts | null;
  readonly certificate: { readonly statement: Statement | null; readonly sentences: readonly string[]; readonly logSize: string | null } | null;
}

export interface CheckRequest {
  readonly kind: "check";
  readonly file: Blob;
  /** As somebody typed them; empty where nobody did. */
  readonly key: string;
  readonly policy: string;
  /** A file with certificates of timestamping authorities. */
  readonly anchors: Blob | null;
  /** The text of a receipt that somebody kept; empty where there is none. */
  readonly receipt: string;
  /** Ports to workers that help; none where the file is small, or where there are no workers. */
  readonly helpers: readonly HelperPort[];
}

/** A worker to its helper: a part of a check. */
export interface HelpRequest {
  readonly kind: "help";
  readonly file: Blob;
  readonly task: Task;
}

export interface SoundRequest {
  readonly kind: "sound";
  readonly which: "all" | number;
}

export type Request =
  | CheckRequest
  | HelpRequest
  | SoundRequest
  /** To a helper: who asks through this port is answered through it. */
  | { readonly kind: "serve"; readonly port: MessagePort }
  | { readonly kind: "helper_lost" };

export type Step = "reading" | "original" | "sound";
export type Failure = "no_bundle" | "many_certificates" | "bad_key" | "bad_policy" | "bad_anchors" | "bad_receipt" | "cannot_read" | "fault" | "no_sound";

export type Answer =
  | { readonly kind: "progress"; readonly done: number; readonly step: Step }
  | { readonly kind: "report"; readonly report: PageReport }
  | { readonly kind: "sound"; readonly which: "all" | number; readonly wav: Blob; readonly isFromFile: boolean }
  | { readonly kind: "helped"; readonly outcome: Outcome[Task["what"]] }
  | { readonly kind: "failure"; readonly failure: Failure; readonly detail: string };
