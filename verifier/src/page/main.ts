// The page: a file comes in, the worker checks it, the report comes out.

import type { HelperPort } from "./helpers";
import type { Answer, PageReport, Request, Step } from "./messages";
import { partBanner } from "./part";
import { Player } from "./player";
import { currentLang, say, setLang, type Lang, type TextName } from "./text";
import { reportView, verdictOf } from "./view";

interface Worklike {
  postMessage(request: Request, transfer?: Transferable[]): void;
}

const find = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const status = find("status");
const progress = find<HTMLProgressElement>("progress");
const verdict = find("verdict");
const opusNote = find("opus");
const partNote = find("part-note");
const report = find("report");
const fileField = find<HTMLInputElement>("file");
const keyField = find<HTMLTextAreaElement>("key");
const policyField = find<HTMLTextAreaElement>("policy");
const receiptField = find<HTMLTextAreaElement>("receipt");
const anchorsField = find<HTMLInputElement>("anchors");
const drop = find("drop");

const HELPERS_MAX = 3;
/** For a smaller file helpers take longer to start than they save. */
const HELPED_FROM = 16 * 1024 * 1024;

let worker: Worklike | null = null;
let script = "";
let helpers: Worker[] = [];
let checks = 0;
let file: Blob | null = null;
let shown: PageReport | null = null;
let failure: TextName | null = null;
let player: Player | null = null;
let lastStep: Step | null = null;

/**
 * The core in a worker of its own; where a browser allows none, in the page itself. As a plain script:
 * from a file on disk browsers start no worker that is a module.
 */
async function makeWorker(): Promise<Worklike> {
  const core = (find("core").textContent ?? "").replace(/\nexport \{[^}]*\};\n$/, "");
  const code = `"use strict";\n${core}\nif (typeof document === "undefined") serve(self);\n`;
  script = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    const made = new Worker(script);
    made.onmessage = ({ data }: MessageEvent<Answer>) => take(data);
    made.onerror = () => fail("fault");
    return made;
  } catch {
    const inline = document.createElement("script");
    inline.src = script;
    await new Promise((resolve) => {
      inline.onload = resolve;
      document.head.append(inline);
    });
    const port = { onmessage: null as ((message: { data: Request }) => void) | null, postMessage: take };
    (globalThis as unknown as { serve(port: object): void }).serve(port);
    return { postMessage: (data) => port.onmessage?.({ data }) };
  }
}

/** Starts as many helpers as the machine has processors to spare, and gives a port to each. */
function startHelpers(size: number): MessagePort[] {
  const spare = worker instanceof Worker && size >= HELPED_FROM ? (navigator.hardwareConcurrency || 1) - 1 : 0;
  return Array.from({ length: Math.min(HELPERS_MAX, spare) }, () => {
    const helper = new Worker(script);
    helper.onerror = () => worker?.postMessage({ kind: "helper_lost" });
    helpers.push(helper);
    const { port1, port2 } = new MessageChannel();
    helper.postMessage({ kind: "serve", port: port1 } satisfies Request, [port1]);
    return port2;
  });
}

function endCheck(): void {
  checks -= 1;
  if (checks > 0) return;
  for (const helper of helpers) helper.terminate();
  helpers = [];
}

function take(answer: Answer): void {
  if (answer.kind === "report" || (answer.kind === "failure" && answer.failure !== "no_sound")) endCheck();
  switch (answer.kind) {
    case "progress":
      progress.value = answer.done;
      if (answer.step !== lastStep) status.textContent = say(answer.step);
      lastStep = answer.step;
      return;
    case "report":
      shown = answer.report;
      show();
      verdict.focus();
      return;
    case "sound":
      player?.load(answer.which, answer.wav, answer.isFromFile);
      return;
    case "failure":
      if (answer.failure === "no_sound") player?.fail(say("no_sound"));
      else fail(answer.failure);
  }
}

function fail(name: TextName): void {
  failure = name;
  shown = null;
  show();
}

function show(): void {
  player?.close();
  player = null;
  progress.hidden = true;
  status.textContent = "";
  verdict.hidden = shown === null && failure === null;
  opusNote.hidden = true;
  report.replaceChildren();
  partNote.replaceChildren();
  if (shown) {
    const { text, tone } = verdictOf(shown);
    verdict.className = tone;
    verdict.textContent = text;
    partNote.append(...[partBanner(shown)].filter((part) => part !== null));
    opusNote.hidden = !shown.holds || !shown.findings.some(({ code }) => code === "opus_not_decoded");
    const isHeard = (shown.bundle?.heard.length ?? 0) > 0;
    player = isHeard ? new Player(shown, (which) => worker?.postMessage({ kind: "sound", which })) : null;
    report.append(reportView(shown, player?.element ?? null, (us, stream) => player?.seek(us, stream)));
  } else if (failure) {
    verdict.className = "bad";
    verdict.textContent = say(failure);
  }
}

async function check(): Promise<void> {
  if (!file) return;
  shown = null;
  failure = null;
  lastStep = null;
  show();
  progress.hidden = false;
  progress.value = 0;
  status.textContent = say("reading");
  worker ??= await makeWorker();
  // One that comes while another one runs waits for it, and has no helpers.
  const ports = checks === 0 ? startHelpers(file.size) : [];
  checks += 1;
  worker.postMessage({ kind: "check", file, key: keyField.value, policy: policyField.value, anchors: anchorsField.files?.[0] ?? null, receipt: receiptField.value, helpers: ports as unknown as HelperPort[] }, ports);
}

function choose(chosen: Blob | null | undefined): void {
  if (!chosen) return;
  file = chosen;
  find("again").hidden = false;
  void check();
}

function speak(lang: Lang): void {
  setLang(lang);
  document.documentElement.lang = lang;
  document.title = `${say("title")} – voicelog`;
  for (const element of document.querySelectorAll<HTMLElement>("[data-say]")) element.textContent = say(element.dataset["say"] as TextName);
  for (const button of document.querySelectorAll<HTMLElement>("[data-lang]")) {
    button.setAttribute("aria-pressed", String(button.dataset["lang"] === lang));
  }
  progress.setAttribute("aria-label", say("reading"));
  find("languages").setAttribute("aria-label", say("language"));
  if (shown || failure) show();
}

// The same file can be chosen again.
fileField.addEventListener("click", () => (fileField.value = ""));
fileField.addEventListener("change", () => choose(fileField.files?.[0]));
find("again").addEventListener("click", () => void check());
for (const button of document.querySelectorAll<HTMLElement>("[data-lang]")) {
  button.addEventListener("click", () => speak(button.dataset["lang"] as Lang));
}
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
document.addEventListener("dragleave", () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  choose(event.dataTransfer?.files[0]);
});
speak(navigator.language.toLowerCase().startsWith("nl") ? "nl" : navigator.language === "" ? currentLang() : "en");
