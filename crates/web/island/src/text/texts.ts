// What has to be said in every language.

import type { Reason } from "../frames/chunk";
import type { WhyLeft } from "../store/spool";
import type { Phase } from "../send/server";

export interface Texts {
  phase: Record<Phase, string>;
  title: { recording: string; paused: string; off: string };
  /** Said aloud, by a voice of the device itself. */
  spoken: { start: string; pause: string; resume: string; end: string };
  sayYourself: string;
  /** Why the notice has to be said by somebody. */
  noticeMissed: { not_played: string; not_heard: string };
  me: string;
  host: string;
  guest: string;
  choice: { agreed: string; rather_not: string; records_too: string; none: string };
  left: string;
  records: string;
  isInterrupted: string;
  silent: string;
  pausedBy: string;
  recorded: string;
  device: { off: string; other_tab: string; opening: string; recording: string; held: string; connecting: string; sending: string; done: string; left: string };
  taken: Record<Reason, string>;
  needsTap: string;
  denied: string;
  noMicrophone: string;
  silence: string;
  storageFull: string;
  unreachable: string;
  reachable: string;
  waiting: string;
  /** What follows it are the server's words. */
  refused: string;
  notTaken: Record<WhyLeft, string>;
  staysHere: string;
  unknown: string;
  unknownHost: string;
  slept: string;
  /** The question whether somebody is still there, and what is said where nobody answers. */
  attend: { ask: string; guestStopped: string; hostStopped: string };
  failed: string;
  network: string;
  cannotRecord: string;
}
