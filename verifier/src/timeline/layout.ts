// Laying out what a stream was in and what it sent along the call. Step 6 of the document.

import { isOfClient, type Cause } from "../journal/cause";
import type { Reason } from "../journal/events";
import { share, timeOf } from "./codec";
import type { Drop, Interval, Kind, Pause } from "./model";
import type { Part, Run } from "./runs";
import type { StateFrom } from "./states";

const BRIEF_US = 200_000;
const LONG_US = 2_000_000;
const DROP_BEFORE_US = 1_000_000;
const DROP_AFTER_US = 2_000_000;

export interface StreamFacts {
  readonly states: readonly StateFrom[];
  readonly runs: readonly Run[];
  readonly drops: readonly Drop[];
  readonly callEnd: number;
  readonly endCause: Cause | null;
  /** Whether any stream of the call has a run. */
  readonly isAnythingHeard: boolean;
}

interface Extra {
  readonly cause?: Cause | null;
  readonly packets?: number;
  readonly samples?: number;
  readonly lost?: number;
  readonly grounds?: readonly Reason[];
  readonly pause?: Pause;
}

export class Layout {
  readonly intervals: Interval[] = [];
  private cursor = 0;
  private readonly usedDrops = new Set<number>();

  constructor(private readonly facts: StreamFacts) {
    facts.states.forEach((_, place) => this.state(place));
  }

  private fill(to: number, kind: Kind, extra: Extra = {}): Interval | null {
    const end = Math.min(to, this.facts.callEnd);
    if (end <= this.cursor) return null;
    const interval: Interval = {
      kind,
      start_us: this.cursor,
      end_us: end,
      cause: extra.cause ?? null,
      packets: extra.packets ?? 0,
      samples: extra.samples ?? 0,
      lost: extra.lost ?? 0,
      grounds: extra.grounds ?? [],
      ...(extra.pause ? { pause: extra.pause } : {}),
    };
    this.intervals.push(interval);
    this.cursor = end;
    return interval;
  }

  private state(place: number): void {
    const { state } = this.facts.states[place];
    const isLast = place === this.facts.states.length - 1;
    const end = isLast ? this.facts.callEnd : this.facts.states[place + 1].start;
    switch (state.kind) {
      case "absent":
      case "undecided": {
        const limit = state.kind === "absent" ? BRIEF_US : LONG_US;
        if (!isLast && end - this.cursor <= limit) return;
        this.fill(end, "not_started", { cause: state.kind === "absent" ? "recording_client" : null });
        return;
      }
      case "refused":
        this.fill(end, "not_started", { cause: "refusal", grounds: state.reasons });
        return;
      case "ended":
        this.fill(end, "paused", { cause: "refusal", grounds: state.reasons });
        return;
      case "paused":
        this.fill(end, "paused", { cause: state.cause });
        return;
      case "withheld":
        this.fill(end, "paused", { cause: "operator", pause: state.pause });
        return;
      case "not_taken":
        this.fill(end, "refused", { cause: state.cause });
        return;
      case "down": {
        const last = this.intervals.at(-1);
        if (last?.kind === "restart") {
          last.end_us = Math.max(last.end_us, Math.min(end, this.facts.callEnd));
          this.cursor = last.end_us;
        } else this.fill(end, "restart", { cause: "restart" });
        return;
      }
      case "active":
        this.active(place, end);
    }
  }

  private active(place: number, end: number): void {
    const runs = this.facts.runs.filter((run) => run.stretch === place);
    const start = this.facts.states[place].start;
    runs.forEach((run, i) => {
      const at = Math.max(run.start, this.cursor, start);
      this.beforeRun(run, runs[i - 1] ?? null, at, start);
      this.parts(run, at);
    });
    this.afterRuns(place, end, runs.length > 0);
  }

  private beforeRun(run: Run, before: Run | null, at: number, stateStart: number): void {
    const length = at - Math.max(this.cursor, stateStart);
    const isSameSource = before?.source === run.source;
    if (length > BRIEF_US) {
      const drops = this.drops(this.cursor, run.firstArrival);
      if (drops) return void this.fill(at, "dropped", drops);
    }
    if (run.lostBefore > 0) return void this.fill(at, "loss", { lost: run.lostBefore });
    if (isSameSource && length > BRIEF_US) return void this.fill(at, "silence_suppressed");
    if (before && !isSameSource && length > timeOf(before.lastTicks, before.rate) && length <= BRIEF_US) {
      return void this.fill(at, "source_change");
    }
    const limit = before === null ? LONG_US : BRIEF_US;
    this.fill(at, length <= limit ? "awaiting_first_packet" : "undeclared_gap");
  }

  private parts(run: Run, start: number): void {
    const drift = run.isDriftUnexplained ? 0 : run.drift;
    let ticks = 0;
    let shifts = 0;
    for (const part of run.parts) {
      ticks += part.ticks;
      shifts += part.shift;
      const end = start + timeOf(ticks, run.rate) + shifts + share(drift, ticks, run.position);
      this.part(run, part, end);
    }
  }

  private part(run: Run, part: Part, end: number): void {
    switch (part.kind) {
      case "media":
        return this.media(run, part, end);
      case "silence":
        return void this.fill(end, "silence_suppressed");
      case "overflow":
        return void this.fill(end, "undeclared_gap", { packets: part.packets, lost: part.lost });
      case "shift": {
        const drops = this.drops(part.x, part.y);
        return void this.fill(end, drops ? "dropped" : "undeclared_gap", drops ?? {});
      }
      case "loss":
        return this.loss(part, end);
    }
  }

  private media(run: Run, part: Part, end: number): void {
    const isCut = end > this.facts.callEnd;
    const filled = this.fill(end, "media", { packets: part.packets, samples: part.samples });
    if (!filled) return;
    if (isCut) {
      const most = Math.floor(((filled.end_us - filled.start_us) * run.rate) / 1_000_000);
      filled.samples = Math.min(filled.samples, most);
    }
  }

  private loss(part: Part, end: number): void {
    const drops = this.drops(part.x, part.y);
    let lost = part.lost;
    if (drops) {
      const told = Math.min(lost, drops.lost);
      const length = share(end - this.cursor, told, lost);
      this.fill(this.cursor + length, "dropped", { cause: drops.cause, lost: told });
      lost -= told;
      if (lost === 0) return void this.fill(end, "dropped", drops);
    }
    this.fill(end, "loss", { lost });
  }

  private afterRuns(place: number, end: number, hasRuns: boolean): void {
    const next = this.facts.states[place + 1]?.state ?? null;
    const length = end - Math.max(this.cursor, this.facts.states[place].start);
    if (Math.min(end, this.facts.callEnd) <= this.cursor) return;
    const drops = this.drops(this.cursor, end);
    if (drops) return void this.fill(end, "dropped", drops);
    if (next?.kind === "down" && length <= LONG_US) return void this.fill(end, "restart", { cause: "restart" });
    const isAnyRun = this.facts.runs.length > 0;
    if (hasRuns) {
      const isTold =
        next === null ? this.facts.endCause === "recording_client" : next.kind === "paused" && next.cause !== null && isOfClient(next.cause);
      if (length <= (isTold ? LONG_US : BRIEF_US)) return void this.fill(end, "after_last_packet");
    } else if (this.facts.isAnythingHeard && length <= LONG_US) {
      return void this.fill(end, "awaiting_first_packet");
    }
    this.fill(end, "undeclared_gap", { cause: isAnyRun ? null : "no_media" });
  }

  /** Which drops explain a hole between two arrivals; they explain no other one. */
  private drops(x: number, y: number): { cause: Cause; lost: number } | null {
    let found: { cause: Cause; lost: number } | null = null;
    this.facts.drops.forEach((drop, place) => {
      if (this.usedDrops.has(place) || drop.time < x - DROP_BEFORE_US || drop.time > y + DROP_AFTER_US) return;
      this.usedDrops.add(place);
      found = { cause: found?.cause ?? drop.cause, lost: (found?.lost ?? 0) + drop.packets };
    });
    return found;
  }
}
