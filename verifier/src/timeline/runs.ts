// Runs: sound of one source, rate and stretch, with what is missing in it. Step 5 of the document.

import { timeOf } from "./codec";
import type { Piece } from "./hold";

export type PartKind = "media" | "loss" | "silence" | "shift" | "overflow";

/** A part of a run. `x` and `y` are the arrivals of the packets beside it. */
export interface Part {
  kind: PartKind;
  ticks: number;
  shift: number;
  packets: number;
  samples: number;
  lost: number;
  x: number;
  y: number;
}

const PARTS_MAX = 100_000;
const BELIEVED_US = 2_000_000;
const DELAYED_US = 100_000;
const WINDOW_SECONDS = 10;
const SHIFT_SECONDS = 2;
const DRIFT_LEAST_US = 20_000;

interface Delay {
  /** Where the first delayed packet begins: in which part, and how much of that part was there before it. */
  readonly part: number;
  readonly before: { ticks: number; packets: number; samples: number } | null;
  readonly position: number;
  readonly x: number;
  readonly y: number;
  least: number;
}

export class Run {
  readonly source: number;
  readonly stretch: number;
  readonly rate: number;
  readonly lostBefore: number;
  readonly firstArrival: number;
  readonly parts: Part[] = [];
  lastArrival: number;
  lastTicks: number;
  position = 0;
  private latest: number;
  private timestamp: number;
  private expected: number;
  private afterNoise = false;
  private shifts = 0;
  private windowFrom = 0;
  private least = Number.POSITIVE_INFINITY;
  private fullLeast: number | null = null;
  private startOffset = 0;
  private delay: Delay | null = null;
  /** The smallest offsets of the last two full windows. */
  private readonly fullWindows: number[] = [];

  constructor(first: Piece, lostBefore: number) {
    this.source = first.source;
    this.stretch = first.stretch;
    this.rate = first.codec.rate;
    this.lostBefore = lostBefore;
    this.firstArrival = first.packet.arrival;
    this.lastArrival = this.firstArrival;
    this.latest = this.firstArrival;
    this.timestamp = first.packet.timestamp;
    this.expected = this.timestamp;
    this.lastTicks = first.ticks;
    this.takeSound(first);
  }

  /** Whether sound goes on with this run. */
  fits(piece: Piece): boolean {
    return piece.source === this.source && piece.stretch === this.stretch && piece.codec.rate === this.rate;
  }

  sound(piece: Piece, lost: number): void {
    this.missing(piece, lost);
    this.takeSound(piece);
  }

  /** Whether comfort noise could be put in its place. */
  noise(piece: Piece, lost: number): boolean {
    const step = (piece.packet.timestamp - this.expected) | 0;
    if (step !== 0 && !this.isBelieved(step, piece.packet.arrival)) return false;
    this.missing(piece, lost);
    this.timestamp = piece.packet.timestamp;
    this.expected = this.timestamp;
    this.afterNoise = true;
    this.lastArrival = piece.packet.arrival;
    this.latest = Math.max(this.latest, piece.packet.arrival);
    return true;
  }

  private isBelieved(hole: number, now: number): boolean {
    return hole > 0 && timeOf(hole, this.rate) <= BELIEVED_US + Math.max(0, now - this.latest);
  }

  private missing(piece: Piece, lost: number): void {
    const step = (piece.packet.timestamp - this.expected) | 0;
    const hole = this.isBelieved(step, piece.packet.arrival) ? step : lost * this.lastTicks;
    if (hole === 0) return;
    const y = piece.packet.arrival;
    if (lost === 0) return this.push("silence", hole, 0, y);
    const isTold = this.afterNoise || piece.packet.marker;
    const missed = isTold ? Math.min(hole, lost * this.lastTicks) : hole;
    const silence = hole - missed;
    if (silence > 0 && !piece.packet.marker) this.push("silence", silence, 0, y);
    this.push("loss", missed, lost, y);
    if (silence > 0 && piece.packet.marker) this.push("silence", silence, 0, y);
  }

  private push(kind: "loss" | "silence", ticks: number, lost: number, y: number): void {
    this.position += ticks;
    const last = this.parts.at(-1);
    if (kind === "silence" && last?.kind === "silence") {
      last.ticks += ticks;
      last.y = y;
      return;
    }
    this.add({ kind, ticks, shift: 0, packets: 0, samples: 0, lost, x: this.lastArrival, y });
  }

  private add(part: Part): void {
    if (this.parts.length < PARTS_MAX) {
      this.parts.push(part);
      return;
    }
    const last = this.parts[PARTS_MAX - 1];
    last.kind = "overflow";
    last.ticks += part.ticks;
    last.shift += part.shift;
    last.packets += part.packets;
    last.samples += part.samples;
    last.lost += part.lost;
  }

  private takeSound(piece: Piece): void {
    const { arrival, timestamp } = piece.packet;
    const before = this.position;
    const last = this.parts.at(-1);
    const mark = { part: this.parts.length, before: null as Delay["before"], position: before, x: this.lastArrival, y: arrival };
    if (last?.kind === "media") {
      mark.part -= 1;
      mark.before = { ticks: last.ticks, packets: last.packets, samples: last.samples };
      last.ticks += piece.ticks;
      last.packets += 1;
      last.samples += piece.ticks;
    } else {
      this.add({
        kind: "media", ticks: piece.ticks, shift: 0, packets: 1, samples: piece.ticks, lost: 0, x: arrival, y: arrival,
      });
    }
    this.position += piece.ticks;
    this.offset(arrival, mark);
    this.timestamp = timestamp;
    this.expected = (timestamp + piece.ticks) | 0;
    this.lastTicks = piece.ticks;
    this.afterNoise = false;
    this.lastArrival = arrival;
    this.latest = Math.max(this.latest, arrival);
  }

  private offset(arrival: number, mark: Omit<Delay, "least">): void {
    const offset = arrival - timeOf(this.position, this.rate) - this.shifts;
    const least = this.fullLeast ?? this.least;
    if (offset > least + DELAYED_US) return this.delayed(offset, least, mark);
    this.delay = null;
    this.least = Math.min(this.least, offset);
    if (this.fullLeast === null) this.startOffset = this.least;
    if (this.position - this.windowFrom >= WINDOW_SECONDS * this.rate) {
      this.fullLeast = this.least;
      this.fullWindows.push(this.least);
      if (this.fullWindows.length > 2) this.fullWindows.shift();
      this.least = Number.POSITIVE_INFINITY;
      this.windowFrom = this.position;
    }
  }

  private delayed(offset: number, least: number, mark: Omit<Delay, "least">): void {
    this.delay ??= { ...mark, least: offset };
    this.delay.least = Math.min(this.delay.least, offset);
    if (this.position - this.delay.position < SHIFT_SECONDS * this.rate) return;
    const delay = this.delay;
    this.delay = null;
    const shift = delay.least - least;
    this.shifts += shift;
    this.insertShift(delay, shift);
  }

  private insertShift(delay: Delay, shift: number): void {
    const part: Part = { kind: "shift", ticks: 0, shift, packets: 0, samples: 0, lost: 0, x: delay.x, y: delay.y };
    const within = this.parts[delay.part];
    if (delay.part >= PARTS_MAX || within === undefined || this.parts.length >= PARTS_MAX) return this.add(part);
    if (delay.before === null) {
      this.parts.splice(delay.part, 0, part);
      return;
    }
    const { ticks, packets, samples } = delay.before;
    const after = { ...within, ticks: within.ticks - ticks, packets: within.packets - packets, samples: within.samples - samples };
    Object.assign(within, delay.before);
    this.parts.splice(delay.part + 1, 0, part, after);
  }

  get start(): number {
    return this.startOffset;
  }

  get drift(): number {
    const windows = this.least === Number.POSITIVE_INFINITY ? this.fullWindows.slice() : [...this.fullWindows.slice(-1), this.least];
    if (windows.length === 0) return 0;
    const drift = Math.min(...windows) - this.start;
    return Math.abs(drift) <= DRIFT_LEAST_US ? 0 : drift;
  }

  /** More drift than clocks have: it is not laid out. */
  get isDriftUnexplained(): boolean {
    const seconds = Math.floor(timeOf(this.position, this.rate) / 1_000_000);
    return Math.abs(this.drift) > 100_000 + 1_000 * seconds;
  }
}

/** The runs of a stream, as its pieces come. */
export class Runs {
  readonly runs: Run[] = [];
  /** Numbers lost that nothing told so far, and whose. */
  private lost = 0;
  private source = 0;

  take(piece: Piece): void {
    if (piece.source !== this.source) this.lost = 0;
    this.source = piece.source;
    this.lost += piece.lost;
    const run = this.runs.at(-1);
    if (piece.codec.kind === "noise") {
      if (run?.fits(piece) && run.noise(piece, this.lost)) this.lost = 0;
      return;
    }
    if (run?.fits(piece)) run.sound(piece, this.lost);
    else this.runs.push(new Run(piece, run !== undefined && run.source === piece.source ? this.lost : 0));
    this.lost = 0;
  }
}
