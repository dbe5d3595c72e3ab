// The verifier for Node: the very script that verify.html holds, and nothing beside it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const html = readFileSync(new URL("verify.html", import.meta.url), "utf8");
const begin = '<script type="text/plain" id="core">';
const from = html.indexOf(begin) + begin.length;
const script = html.slice(from, html.indexOf("</script>", from));


async function load(text) {
  const folder = mkdtempSync(join(tmpdir(), "voicelog-verifier-"));
  try {
    const path = join(folder, "core.mjs");
    writeFileSync(path, text);
    return await import(pathToFileURL(path));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the script exports. */
export const core = await load(script);

/** A file on disk, read by slices. */
export async function fileSource(path) {
  const file = await open(path, "r");
  const { size } = await file.stat();
  return {
    size,
    async read(start, end) {
      const bytes = new Uint8Array(end - start);
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
        if (bytesRead === 0) throw new Error("the file ended while it was read");
        done += bytesRead;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}

/** Bytes in memory, in the same form. */
export function bytesSource(bytes) {
  return { size: bytes.length, read: async (start, end) => bytes.slice(start, end) };
}
