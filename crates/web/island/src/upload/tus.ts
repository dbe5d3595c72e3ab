// What the server is asked to take a file in piece by piece: tus 1.0.0.

/** Bytes of a piece. The server takes no larger one with a checksum. */
export const PIECE = 4 << 20;
const WITH = { "Tus-Resumable": "1.0.0" };

/** What came of asking: it went on, it has to wait, or it goes no further, and why. */
export type Told =
  | { is: "at"; offset: number }
  | { is: "wait" }
  | { is: "gone" }
  | { is: "signedOut" }
  | { is: "refused" }
  | { is: "over"; why: string };

const base64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

async function ask(path: string, method: string, headers: Record<string, string>, body?: Blob): Promise<Response | null> {
  try {
    const init: RequestInit = { method, headers: { ...WITH, ...headers }, redirect: "manual", cache: "no-store" };
    return await fetch(path, body ? { ...init, body } : init);
  } catch {
    return null;
  }
}

/** What an answer that is no success says. */
export async function toldBy(answer: Response | null): Promise<Told> {
  if (!answer) return { is: "wait" };
  if (answer.type === "opaqueredirect") return { is: "signedOut" };
  if (answer.status === 404 || answer.status === 410) return { is: "gone" };
  if ([408, 409, 423, 429, 460].includes(answer.status) || (answer.status >= 500 && answer.status !== 507)) return { is: "wait" };
  const said: unknown = await answer.json().catch(() => null);
  const why = said && typeof said === "object" && "detail" in said && typeof said.detail === "string" ? said.detail : "";
  if (answer.status === 403 && !why) return { is: "refused" };
  return { is: "over", why: why || `HTTP ${answer.status}` };
}

const offsetOf = (answer: Response): Told => ({ is: "at", offset: Number(answer.headers.get("Upload-Offset")) });

/** Asks whether it may be sent. Gives where to. */
export async function begin(facts: string, size: number): Promise<{ at: string } | Told> {
  const metadata = `facts ${base64(new TextEncoder().encode(facts))}`;
  const answer = await ask("/import/uploads", "POST", { "Upload-Length": String(size), "Upload-Metadata": metadata });
  const at = answer?.status === 201 ? answer.headers.get("Location") : null;
  return at ? { at } : toldBy(answer);
}

export async function place(at: string): Promise<Told> {
  const answer = await ask(at, "HEAD", {});
  return answer?.ok ? offsetOf(answer) : toldBy(answer);
}

export async function send(at: string, file: Blob, offset: number): Promise<Told> {
  const piece = file.slice(offset, offset + PIECE);
  const headers: Record<string, string> = { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
  // A page without TLS has no such thing; then the file's own form and the server's hash are all there is.
  if (globalThis.crypto?.subtle) {
    const sum = await crypto.subtle.digest("SHA-256", await piece.arrayBuffer());
    headers["Upload-Checksum"] = `sha256 ${base64(new Uint8Array(sum))}`;
  }
  const answer = await ask(at, "PATCH", headers, piece);
  return answer?.ok ? offsetOf(answer) : toldBy(answer);
}

export async function cancel(at: string): Promise<void> {
  await ask(at, "DELETE", {});
}

/** Whether the server is still busy with it. */
export async function isWorking(at: string): Promise<boolean> {
  const answer = await ask(at, "GET", {});
  if (!answer?.ok) return answer === null;
  const said: unknown = await answer.json().catch(() => null);
  return Boolean(said && typeof said === "object" && "state" in said && said.state === "working");
}
