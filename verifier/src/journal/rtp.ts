// The header of an RTP packet (RFC 3550 §5.1).

export interface RtpHeader {
  payloadType: number;
  marker: boolean;
  sequence: number;
  timestamp: number;
  ssrc: number;
  /** Where the payload is, counted from the packet's first byte. */
  payloadStart: number;
  payloadEnd: number;
}

/** The header of a datagram from `at` on, `length` long; null if it is no RTP packet. */
export function readRtp(view: DataView, at: number, length: number): RtpHeader | null {
  if (length < 12) return null;
  const first = view.getUint8(at);
  const second = view.getUint8(at + 1);
  if (first >> 6 !== 2) return null;
  let start = 12 + 4 * (first & 0x0f);
  if (start > length) return null;
  if (first & 0x10) {
    if (start + 4 > length) return null;
    start += 4 + 4 * view.getUint16(at + start + 2);
    if (start > length) return null;
  }
  let end = length;
  if (first & 0x20) {
    const padding = length > start ? view.getUint8(at + length - 1) : 0;
    if (padding === 0 || padding > length - start) return null;
    end -= padding;
  }
  return {
    payloadType: second & 0x7f,
    marker: (second & 0x80) !== 0,
    sequence: view.getUint16(at + 2),
    timestamp: view.getUint32(at + 4),
    ssrc: view.getUint32(at + 8),
    payloadStart: start,
    payloadEnd: end,
  };
}
