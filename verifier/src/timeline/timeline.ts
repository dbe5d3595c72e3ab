// The timeline that follows from the records of a journal.

import type { Event } from "../journal/events";
import type { Cause } from "../journal/cause";
import { KIND_RTCP, walk, type OriginalFile } from "../journal/original";
import { timeText } from "../base/words";
import { Aside } from "./aside";
import type { StreamLine, Timeline, Verdict } from "./model";
import { Permissions } from "./states";
import { StreamReader, type SoundPacket } from "./stream";

export const STREAMS_MAX = 16;
const TIME_MOST = Number.MAX_SAFE_INTEGER;

export interface Computed {
  readonly timeline: Timeline;
  readonly lengthUs: number;
  /** By number of the stream. */
  readonly sounds: ReadonlyMap<number, readonly SoundPacket[]>;
}

class Builder {
  private readonly streams = new Map<number, StreamReader>();
  private readonly permissions = new Permissions();
  private readonly aside = new Aside();
  private start: bigint | null = null;
  private startHigh = 0;
  private startLow = 0;
  private steps = 0;
  private latest = Number.NEGATIVE_INFINITY;
  private end: number | null = null;
  private endCause: Cause | null = null;
  private stray = 0;

  constructor(
    private readonly files: readonly OriginalFile[],
    private readonly events: readonly Event[],
  ) {}

  record(at: number, record: number): void {
    const file = this.files[at];
    const event = file.stream === 0 ? this.events[record] : null;
    if (event?.type === "clock_stepped") this.steps += event.by_us;
    if (this.start === null) this.begin(file.time(record));
    const since = file.timeSince(record, this.startHigh, this.startLow) - this.steps;
    const time = Math.max(-TIME_MOST, Math.min(TIME_MOST, since));
    if (event) this.event(event, time);
    else this.packet(file, record, time);
    this.latest = Math.max(this.latest, time);
  }

  private begin(first: bigint): void {
    this.start = BigInt.asIntN(64, first - BigInt(this.steps));
    this.startHigh = Number(this.start >> 32n);
    this.startLow = Number(this.start & 0xffff_ffffn);
  }

  private packet(file: OriginalFile, record: number, time: number): void {
    const stream = this.streams.get(file.stream);
    if (this.end !== null || !stream) this.stray += 1;
    else if (file.kind(record) === KIND_RTCP) stream.takeRtcp();
    else stream.takeRtp(record, time);
  }

  private event(event: Event, time: number): void {
    if (this.end !== null) return;
    this.aside.take(event, Math.max(0, time));
    this.permissions.take(event);
    switch (event.type) {
      case "call_ended":
        this.end = Math.max(time, this.latest);
        this.endCause = event.cause;
        return;
      case "interrupted": {
        const latest = Math.max(0, this.latest);
        this.end = Math.max(time, this.latest);
        this.endCause = "restart";
        for (const stream of this.streams.values()) stream.states.set({ kind: "down" }, latest);
        return;
      }
      default:
        this.streamEvent(event, time);
    }
    for (const stream of this.streams.values()) {
      stream.states.set(this.permissions.state(stream.notTaken, stream.pausedBy), time);
    }
    if (event.type === "key_left_out") {
      const { payload_type, sequence, timestamp, ssrc, duration, has_ended } = event.packet;
      const stream = this.streams.get(event.stream);
      stream?.takeKey({
        arrival: time, payloadType: payload_type, codec: stream.formats.codec(payload_type), marker: false, sequence, timestamp, ssrc, start: 0, end: 0,
        key: { duration, hasEnded: has_ended },
      });
    }
    if (event.type === "media_dropped") this.streams.get(event.stream)?.drop(time, event.packets, event.cause);
  }

  private streamEvent(event: Event, time: number): void {
    if (event.type === "stream_added" || event.type === "stream_refused") {
      const { number } = event.stream;
      const known = this.streams.get(number);
      if (!known && this.streams.size === STREAMS_MAX) return;
      const stream = known ?? new StreamReader(event.stream, this.files.find((file) => file.stream === number && number > 0) ?? null);
      this.streams.set(number, stream);
      // Announced first, and then not taken: for no time at all it is in what the permission says.
      if (!known) stream.states.set(this.permissions.state(null, null), time);
      if (event.type === "stream_refused") stream.notTaken = event.cause;
      else {
        stream.notTaken = null;
        if (known) known.announceAgain(event.stream);
      }
    } else if (event.type === "stream_paused") {
      const stream = this.streams.get(event.stream);
      if (stream) stream.pausedBy = event.by;
    } else if (event.type === "stream_resumed") {
      const stream = this.streams.get(event.stream);
      if (stream) stream.pausedBy = null;
    }
  }

  finish(): Computed {
    const lengthUs = Math.max(0, this.end ?? this.latest);
    const streams = [...this.streams.entries()].sort(([a], [b]) => a - b);
    for (const [, stream] of streams) stream.close();
    const isAnythingHeard = streams.some(([, stream]) => stream.hasRuns);
    const lines = streams.map(([, stream]) => stream.line(lengthUs, this.endCause, isAnythingHeard));
    const start = this.start ?? 0n;
    const timeline: Timeline = {
      version: 1,
      call_started: timeText(start),
      call_ended: timeText(start + BigInt(lengthUs)),
      end: this.endCause,
      verdict: this.verdict(lines),
      stray_packets: this.stray,
      ...this.aside.members(),
      streams: lines.map(({ line }) => line),
    };
    return { timeline, lengthUs, sounds: new Map(streams.map(([number, stream]) => [number, stream.sounds])) };
  }

  private verdict(lines: readonly { line: StreamLine; isDriftUnexplained: boolean }[]): Verdict {
    const intervals = lines.flatMap(({ line }) => line.intervals);
    const { refusals } = this.permissions;
    if (!this.permissions.wasPermitted && !intervals.some(({ kind }) => kind === "media")) {
      const isAll = (rule: string, at: number): boolean => {
        const reasons = refusals.at(at) ?? [];
        return reasons.length > 0 && reasons.every((reason) => reason.rule === rule);
      };
      if (isAll("line.sample", -1)) return "not_drawn";
      if (refusals.some((_, at) => isAll("line.keep", at)) && !this.aside.hasRequest) return "not_requested";
      return "not_recorded";
    }
    const isGap = intervals.some(({ kind }) => kind === "undeclared_gap");
    if (lines.length === 0 || this.endCause === null || isGap || lines.some((line) => line.isDriftUnexplained)) {
      return "undeclared_gap";
    }
    if (["overload", "disk_full", "shutdown", "restart"].includes(this.endCause)) return "cut_short";
    const isPlain = ({ kind, cause }: (typeof intervals)[number]): boolean =>
      kind === "media" || kind === "awaiting_first_packet" || kind === "after_last_packet" ||
      (kind === "not_started" && cause === "recording_client");
    const isLeftOut = ["refusal", "protection", "keys", "form"].includes(this.endCause);
    return isLeftOut || this.aside.hasSources || !intervals.every(isPlain) ? "whole_with_declared_gaps" : "whole";
  }
}

/** Computes the timeline; null where an index is missing or doubled. */
export function computeTimeline(files: readonly OriginalFile[], events: readonly Event[]): Computed | null {
  const builder = new Builder(files, events);
  const isWhole = walk(files, (file, record) => builder.record(file, record));
  return isWhole ? builder.finish() : null;
}
