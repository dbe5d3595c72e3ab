// One stream of a call while its records are read.

import type { Format, Stream } from "../journal/events";
import type { OriginalFile } from "../journal/original";
import { readRtp } from "../journal/rtp";
import { Formats, Holder, type Piece } from "./hold";
import { Layout } from "./layout";
import type { Drop, StreamLine } from "./model";
import { Order, type Packet } from "./order";
import { Runs } from "./runs";
import { States } from "./states";
import type { Cause } from "../journal/cause";

const ALSO_MAX = 64;
const DROPS_MAX = 10_000;

/** The packets with sound, in their order: what rendering goes by. */
export interface SoundPacket {
  readonly start: number;
  readonly end: number;
  readonly ticks: number;
  readonly codec: Piece["codec"];
}

export class StreamReader {
  readonly states = new States();
  readonly formats = new Formats();
  readonly sounds: SoundPacket[] = [];
  readonly runs = new Runs();
  readonly drops: Drop[] = [];
  notTaken: Cause | null = null;
  pausedBy: Cause | null = null;
  private readonly also: Format[];
  private readonly order: Order;
  private readonly holder: Holder;
  private stretch: number | null = null;
  private packets = 0;
  private rtcp = 0;
  private leftOut = 0;
  private malformed = 0;
  private outside = 0;
  private payloadBytes = 0;
  private firstSequence: number | null = null;
  private lastSequence: number | null = null;

  constructor(
    private readonly stream: Stream,
    private readonly file: OriginalFile | null,
  ) {
    this.also = [...(stream.also ?? [])];
    for (const format of [stream, ...this.also]) this.formats.set(format);
    this.holder = new Holder(file?.bytes ?? new Uint8Array(0), (piece) => this.piece(piece));
    this.order = new Order((packet, source, lost) => this.holder.take(packet, source, this.stretch ?? 0, lost));
  }

  private piece(piece: Piece): void {
    if (piece.codec.kind === "sound") {
      this.sounds.push({ start: piece.packet.start, end: piece.packet.end, ticks: piece.ticks, codec: piece.codec });
    }
    this.runs.take(piece);
  }

  /** The stream is announced again: what it may hold more from then on. */
  announceAgain(stream: Stream): void {
    for (const format of [stream, ...(stream.also ?? [])]) {
      if (this.formats.isKnown(format) || this.also.length === ALSO_MAX) continue;
      const { codec, payload_type, parameters } = format;
      this.also.push(parameters === undefined ? { codec, payload_type } : { codec, payload_type, parameters });
      this.formats.set(format);
    }
  }

  drop(time: number, packets: number, cause: Cause): void {
    const last = this.drops.at(-1);
    if (last && this.drops.length === DROPS_MAX) last.packets += packets;
    else this.drops.push({ time, packets, cause });
  }

  takeRtcp(): void {
    this.rtcp += 1;
  }

  takeRtp(record: number, arrival: number): void {
    const file = this.file as OriginalFile;
    const at = file.contentStart(record);
    const header = readRtp(file.view, at, file.starts[record + 1] - at);
    if (!header) {
      this.malformed += 1;
      return;
    }
    this.packets += 1;
    this.firstSequence ??= header.sequence;
    this.lastSequence = header.sequence;
    this.payloadBytes += header.payloadEnd - header.payloadStart;
    this.take({
      arrival,
      payloadType: header.payloadType,
      codec: this.formats.codec(header.payloadType),
      marker: header.marker,
      sequence: header.sequence,
      timestamp: header.timestamp,
      ssrc: header.ssrc,
      start: at + header.payloadStart,
      end: at + header.payloadEnd,
      key: null,
    });
  }

  takeKey(packet: Packet): void {
    this.leftOut += 1;
    this.take(packet);
  }

  private take(packet: Packet): void {
    const stretch = this.states.stretch(packet.arrival);
    if (stretch === null) {
      this.outside += 1;
      return;
    }
    if (stretch !== this.stretch) this.forget();
    this.stretch = stretch;
    this.order.take(packet);
  }

  private forget(): void {
    this.order.forget();
    this.holder.settle(null, null);
  }

  /** Nothing comes any more. */
  close(): void {
    this.forget();
  }

  get hasRuns(): boolean {
    return this.runs.runs.length > 0;
  }

  line(callEnd: number, endCause: Cause | null, isAnythingHeard: boolean): { line: StreamLine; isDriftUnexplained: boolean } {
    const { counters } = this.order;
    const runs = this.runs.runs;
    const layout = new Layout({
      states: this.states.list, runs, drops: this.drops, callEnd, endCause, isAnythingHeard,
    });
    const { heard, keys } = this.holder;
    const stream: Stream = {
      number: this.stream.number, label: this.stream.label, party: this.stream.party,
      codec: this.stream.codec, payload_type: this.stream.payload_type,
      ...(this.stream.parameters === undefined ? {} : { parameters: this.stream.parameters }),
      ...(this.also.length === 0 ? {} : { also: this.also }),
    };
    const line: StreamLine = {
      stream,
      packets: this.packets,
      rtcp_packets: this.rtcp,
      lost: counters.lost,
      duplicates: counters.duplicates,
      reordered: counters.reordered,
      late: counters.late,
      outside: this.outside + counters.outside,
      ...(this.leftOut > 0 ? { left_out: this.leftOut } : {}),
      malformed: this.malformed,
      payload_bytes: this.payloadBytes,
      first_sequence: this.firstSequence,
      last_sequence: this.lastSequence,
      drift_us: runs.reduce((sum, run) => sum + run.drift, 0),
      ...(heard.length === 0 || (heard.length === 1 && heard[0] === stream.codec) ? {} : { heard }),
      ...(keys.length === 0 ? {} : { keys }),
      intervals: layout.intervals,
    };
    return { line, isDriftUnexplained: runs.some((run) => run.isDriftUnexplained) };
  }
}
