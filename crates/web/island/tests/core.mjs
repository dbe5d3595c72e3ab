// The modules of the script for Node, and a server that keeps the contract of design/room.md in memory.

import { createHash } from "node:crypto";
import { bundle } from "../build.mjs";

const script = bundle(["device.ts", "attendance.ts", "store/spool.ts", "send/want.ts", "send/watch.ts", "screen/announcing.ts", "screen/fresh.ts", "text/index.ts"], { exports: true });

/** What the modules export. */
export const core = await import(`data:text/javascript;base64,${Buffer.from(script).toString("base64")}`);

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

/** The frames of a chunk, read by the document. */
export function readChunk(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunk = {
    magic: Buffer.from(bytes.subarray(0, 4)).toString(),
    version: bytes[4],
    number: view.getUint32(5),
    chain: Buffer.from(bytes.subarray(9, 41)).toString("hex"),
    frames: [],
  };
  for (let place = 41; place < bytes.length; ) {
    const length = view.getUint16(place + 9);
    const content = bytes.subarray(place + 11, place + 11 + length);
    const captured = Number(view.getBigInt64(place + 1));
    chunk.frames.push(bytes[place] === 1 ? { captured, packet: content } : { captured, mark: JSON.parse(Buffer.from(content)) });
    place += 11 + length;
  }
  return chunk;
}

const answer = (status, body) => new Response(JSON.stringify(body), { status });

/** One track on a server. `faults` are functions that are asked before each request; what they return is the answer. */
export class FakeServer {
  chunks = [];
  chain = "0".repeat(64);
  ended = null;
  isOpen = true;
  /** Whether it knows who asks, and whether the track is theirs. */
  isKnown = true;
  isOurs = true;
  nowUs = 0;
  faults = [];
  asked = [];

  fetch = async (address, init) => {
    const path = address.replace("/rooms/r1", "");
    this.asked.push(`${init.method} ${path}`);
    const fault = this.faults.shift();
    const response = (await fault?.(() => this.answer(path, init))) ?? this.answer(path, init);
    return response;
  };

  get next() {
    return this.chunks.length;
  }

  answer(path, init) {
    const { next, chain } = this;
    if (!this.isKnown) return answer(404, {});
    if (path.startsWith("/state")) return answer(200, { version: 1, phase: "recording" });
    if (!this.isOurs) return answer(404, {});
    if (init.method === "GET") return answer(200, { track: 1, now_us: this.nowUs, next, chain, is_open: this.isOpen });
    if (!this.isOpen) return answer(410, { next });
    if (path.endsWith("/end")) {
      const { chunks, chain: last } = JSON.parse(init.body);
      if (chunks !== next || last !== chain) return answer(422, { next });
      this.ended = { chunks, chain: last };
      return answer(200, {});
    }
    return this.put(Number(path.split("/").at(-1)), init);
  }

  put(number, { body, headers }) {
    const { next } = this;
    const digest = sha256(body);
    if (headers["content-digest"] !== `sha-256=:${digest.toString("base64")}:`) return answer(400, { next });
    if (number < next) return sha256(this.chunks[number]).equals(digest) ? answer(200, { next }) : answer(409, { next });
    if (number > next) return answer(409, { next });
    const chunk = readChunk(body);
    if (chunk.magic !== "VLRC" || chunk.number !== number || chunk.chain !== this.chain) return answer(422, { next });
    this.chunks.push(Uint8Array.from(body));
    this.chain = digest.toString("hex");
    return answer(200, { next: this.next, version: 1 });
  }
}

export const server = (fake) => new core.Server("r1", "token", fake.fetch);
