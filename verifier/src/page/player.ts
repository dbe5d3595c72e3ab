// Listening: all streams or one, made by the worker when somebody asks for it.

import { el } from "./dom";
import { streamName } from "./drawing";
import type { PageReport } from "./messages";
import { say } from "./text";

export class Player {
  readonly element: HTMLElement;
  private readonly audio = el("audio", { controls: "", preload: "metadata", hidden: "" });
  private readonly told = el("p", { role: "status" });
  private readonly buttons = new Map<"all" | number, HTMLButtonElement>();
  /** Where in the call the sound begins: not at 0 in an excerpt. */
  private readonly from: number;
  private which: "all" | number | null = null;
  private at = 0;
  private url: string | null = null;

  constructor(report: PageReport, private readonly ask: (which: "all" | number) => void) {
    const bundle = report.bundle;
    this.from = (bundle?.scope?.excerpt?.start_us ?? 0) / 1_000_000;
    const lines = bundle ? bundle.streams.filter(({ stream }) => bundle.heard.includes(stream.number)) : [];
    const choice: ["all" | number, string][] = lines.map((line) => [line.stream.number, streamName(line)]);
    if (lines.length > 1) choice.unshift(["all", say("playAll")]);
    for (const [which, name] of choice) {
      const button = el("button", { type: "button", "aria-pressed": "false" }, name);
      button.addEventListener("click", () => this.play(which, 0));
      this.buttons.set(which, button);
    }
    this.audio.setAttribute("aria-label", say("player"));
    this.element = el("section", { id: "player" }, el("h2", {}, say("player")), el("p", {}, say("playerHelp")),
      report.holds ? null : el("p", { class: "caution" }, say("playerBroken")),
      el("div", { class: "choice" }, ...this.buttons.values()), this.told, this.audio);
  }

  /** Plays from a moment: what is on now if that stream is in it, else that stream. */
  seek(us: number, stream: number): void {
    const which = this.which === "all" || this.which === stream ? this.which : this.buttons.has("all") ? "all" : stream;
    this.play(which, Math.max(0, us / 1_000_000 - this.from));
  }

  private play(which: "all" | number, at: number): void {
    this.at = at;
    if (which === this.which && this.url) {
      this.start();
      return;
    }
    this.which = which;
    for (const [name, button] of this.buttons) button.setAttribute("aria-pressed", String(name === which));
    this.told.textContent = say("making");
    this.ask(which);
  }

  /** The sound has come. */
  load(which: "all" | number, wav: Blob, isFromFile: boolean): void {
    if (which !== this.which) return;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = URL.createObjectURL(wav);
    this.audio.src = this.url;
    this.audio.hidden = false;
    this.told.textContent = isFromFile ? say("fromFile") : "";
    this.audio.addEventListener("loadedmetadata", () => this.start(), { once: true });
  }

  fail(text: string): void {
    this.told.textContent = text;
  }

  private start(): void {
    this.audio.currentTime = this.at;
    this.audio.focus({ preventScroll: true });
    void this.audio.play().catch(() => {});
  }

  close(): void {
    this.audio.pause();
    if (this.url) URL.revokeObjectURL(this.url);
  }
}
