// RTP packets (RFC 3550 §5.1) of one opening of the microphone.

/** Random numbers of 32 bits; in tests, known ones. */
export type Random32 = () => number;

/** Numbers packets: sequence by one, timestamp by the clock of the sound, one SSRC. */
export class RtpStream {
  private readonly ssrc: number;
  private readonly firstTimestamp: number;
  private sequence: number;

  constructor(
    private readonly payloadType: number,
    random: Random32,
  ) {
    this.ssrc = random() >>> 0;
    this.firstTimestamp = random() >>> 0;
    this.sequence = random() & 0xffff;
  }

  /** The packet whose first sample is number `sample`, counted since the microphone was opened. */
  packet(payload: Uint8Array, sample: number): Uint8Array {
    const bytes = new Uint8Array(12 + payload.length);
    const view = new DataView(bytes.buffer);
    bytes[0] = 0x80;
    bytes[1] = this.payloadType;
    view.setUint16(2, this.sequence);
    view.setUint32(4, (this.firstTimestamp + sample) % 2 ** 32);
    view.setUint32(8, this.ssrc);
    bytes.set(payload, 12);
    this.sequence = (this.sequence + 1) & 0xffff;
    return bytes;
  }
}
