// A long and plain call: what takes time to check is how much there is.

import { rtp } from "./make.mjs";
import { generator } from "./random.mjs";

const START = 1_795_000_000_000_000;
const STEP_US = 20_000;

/** Two sides that talk the whole time: 50 packets a second each, of which one in a thousand is lost. */
export function longCall(minutes) {
  const random = generator(99);
  const length = minutes * 60_000_000;
  const records = [{ stream: 0, time: START, content: { type: "call_started" } }];
  const streams = [[1, "PCMA", 8], [2, "PCMU", 0]];
  for (const [number, codec, payload_type] of streams) {
    const stream = { number, label: String(number), party: `p${number}`, codec, payload_type };
    records.push({ stream: 0, time: START + 10, content: { type: "stream_added", stream } });
  }
  records.push({ stream: 0, time: START + 20, content: { type: "permitted", decision: "00000000-0000-7000-8000-000000000002" } });
  const noise = Buffer.from(Array.from({ length: 4_096 }, () => random.below(256)));
  for (let n = 0; (n + 1) * STEP_US < length; n += 1) {
    for (const [number, , payloadType] of streams) {
      if (random.chance(0.001)) continue;
      const from = random.below(noise.length - 160);
      const content = rtp({ payloadType, sequence: n, timestamp: n * 160, ssrc: number, payload: noise.subarray(from, from + 160) });
      records.push({ stream: number, time: START + n * STEP_US + 1_000 + random.below(8_000), kind: 1, content });
    }
  }
  records.push({ stream: 0, time: START + length, content: { type: "call_ended", cause: "recording_client" } });
  return records;
}
