// What the server is asked, and what its answers mean (design/room.md, "Addresses").

/** A choice of a party. */
export type Choice = "agreed" | "rather_not" | "records_too";
/** Something that somebody in the talk does. */
export type Act = "start" | "pause" | "resume" | "withdraw" | "object" | "leave" | "close_door" | "renew_code" | "end";
export type Phase = "waiting" | "ready" | "recording" | "paused" | "refused" | "ended";

export interface TrackState {
  track: number;
  is_open: boolean;
  is_interrupted: boolean;
  silent_for_s: number;
}

export interface PartyState {
  id: string;
  name: string | null;
  choice: Choice | null;
  /** That they record too, where an official answers it. */
  request?: { is: "asked" | "allowed" | "refused" };
  is_there: boolean;
  tracks: TrackState[];
}

export interface State {
  version: number;
  id: string;
  kind: string;
  title: string;
  phase: Phase;
  me: string;
  is_host: boolean;
  code?: string;
  parties: PartyState[];
  started_at: string | null;
  recorded_us: number;
  /** What came of looking for the notice that this host's device plays. */
  notice: "awaited" | "heard" | "missed" | null;
  paused_by: string | null;
  decision: { outcome: string; grounds: { text_nl: string; text_en: string; articles: string[] }[] } | null;
  minutes: { version: number; written_by: string; signed: string[]; remarks: number; is_kept: boolean } | null;
  fingerprint: { digest: string; words: string } | null;
}

export interface TrackAnswer {
  track: number;
  now_us: number;
  next: number;
  chain: string;
  is_open?: boolean;
}

/** No answer came, or none that says anything: trying again can help. */
export class Unreachable extends Error {
  constructor(
    message: string,
    /** ms that the server asks to wait. */
    readonly wait: number | null = null,
  ) {
    super(message);
  }
}

/** The server says no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    /** What the problem document holds. */
    readonly problem: { next?: number; detail?: string; title?: string },
  ) {
    super(problem.detail ?? problem.title ?? `status ${status}`);
  }
}

/** Longest that an answer may take, in ms; a question for the state waits for 20 s by itself. */
const ANSWER_MAX = 40_000;

export type Fetch = (address: string, init: RequestInit) => Promise<Response>;

/** The addresses of one talk. */
export class Server {
  constructor(
    readonly room: string,
    private readonly formToken: string,
    private readonly fetch: Fetch,
  ) {}

  private async ask<T>(method: string, path: string, body?: BodyInit, headers: Record<string, string> = {}): Promise<T> {
    let response: Response;
    let answer: unknown;
    try {
      const init: RequestInit = {
        method,
        headers: { accept: "application/json", "x-form-token": this.formToken, ...headers },
        cache: "no-store",
        credentials: "same-origin",
        redirect: "error",
        signal: AbortSignal.timeout(ANSWER_MAX),
      };
      if (body !== undefined) init.body = body;
      response = await this.fetch(`/rooms/${this.room}${path}`, init);
      answer = await response.json().catch(() => ({}));
    } catch (error) {
      throw new Unreachable(String(error));
    }
    if (response.ok) return answer as T;
    const busy = response.status === 408 || response.status === 429 || response.status >= 500;
    if (!busy) throw new Refused(response.status, answer as Refused["problem"]);
    const wait = Number(response.headers.get("retry-after"));
    throw new Unreachable(`status ${response.status}`, wait > 0 ? wait * 1_000 : null);
  }

  private post<T>(path: string, body: unknown): Promise<T> {
    return this.ask("POST", path, JSON.stringify(body), { "content-type": "application/json" });
  }

  /** The state, once it is newer than `after`, or after some 20 s. */
  state(after: number): Promise<State> {
    return this.ask("GET", `/state?after=${after}`);
  }

  /** The sound of the notice that is to be played. */
  async notice(): Promise<ArrayBuffer> {
    const response = await this.fetch(`/rooms/${this.room}/notice`, { method: "GET" });
    if (!response.ok) throw new Unreachable(`status ${response.status}`);
    return response.arrayBuffer();
  }

  choose(choice: Choice): Promise<State> {
    return this.post("/choice", { choice });
  }

  act(act: Act): Promise<State> {
    return this.post("/acts", { act });
  }

  openTrack(codec: string, payloadType: number): Promise<TrackAnswer> {
    return this.post("/tracks", { codec, payload_type: payloadType });
  }

  track(track: number): Promise<TrackAnswer> {
    return this.ask("GET", `/tracks/${track}`);
  }

  putChunk(track: number, number: number, bytes: Uint8Array<ArrayBuffer>, digest: string): Promise<{ next: number; version: number }> {
    const headers = { "content-type": "application/octet-stream", "content-digest": `sha-256=:${digest}:` };
    return this.ask("PUT", `/tracks/${track}/chunks/${number}`, bytes, headers);
  }

  endTrack(track: number, chunks: number, chain: string): Promise<unknown> {
    return this.post(`/tracks/${track}/end`, { chunks, chain });
  }
}
