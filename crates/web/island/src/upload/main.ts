// The page on which a file is chosen and sent, once the browser runs scripts.

import { isSame, markOf } from "./mark";
import type { Begun } from "./mark";
import { begin, cancel, isWorking, place, send } from "./tus";
import type { Told } from "./tus";

const KEPT = "voicelog-upload";
/** ms of the first pause after a failure; twice as long each time. */
const PAUSE = 1_000;
const PAUSE_MOST = 15_000;

/** Some time, or until the network is back. */
const pause = (ms: number): Promise<void> =>
  new Promise((done) => {
    const timer = setTimeout(() => back(), ms);
    const back = (): void => {
      clearTimeout(timer);
      removeEventListener("online", back);
      done();
    };
    addEventListener("online", back);
  });

function remembered(): Begun | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Begun | null;
  } catch {
    return null;
  }
}

function remember(begun: Begun | null): void {
  try {
    if (begun) sessionStorage.setItem(KEPT, JSON.stringify(begun));
    else sessionStorage.removeItem(KEPT);
  } catch {
    // Without storage it cannot go on after a reload, that is all.
  }
}

const found = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

class Upload {
  private readonly card = found("upload");
  private readonly note = found("upload-note");
  private readonly file = found<HTMLInputElement>("upload-file");
  private readonly bar = found<HTMLProgressElement>("upload-bar");
  private readonly status = found("upload-status");
  private readonly button = found<HTMLButtonElement>("upload-send");
  private readonly stop = found<HTMLButtonElement>("upload-cancel");
  private begun: Begun | null = null;

  async start(): Promise<void> {
    this.button.addEventListener("click", () => void this.run());
    this.stop.addEventListener("click", () => void this.cancel());
    const begun = remembered();
    if (begun) await this.find(begun);
    // Where nothing is said of a file yet, only one that was begun can be sent.
    this.card.hidden = !this.begun && !this.card.dataset.facts;
  }

  /** Looks whether what was begun is still there. */
  private async find(begun: Begun): Promise<void> {
    const told = await place(begun.at);
    if (told.is === "gone" || (told.is === "at" && told.offset === begun.size)) {
      remember(null);
      if (told.is === "at") location.assign(pageOf(begun.at));
      return;
    }
    this.begun = begun;
    this.note.textContent = this.say("goOn", { name: begun.name });
    this.note.hidden = false;
    this.stop.hidden = false;
    if (told.is === "at") this.show("sending", told.offset);
  }

  private say(key: string, values: Record<string, string> = {}): string {
    const text = this.card.dataset[key] ?? "";
    return text.replace(/\{(\w+)\}/g, (_all, name: string) => values[name] ?? "");
  }

  private show(key: string, offset: number): void {
    const size = this.begun?.size ?? 0;
    const percent = size > 0 ? Math.floor((100 * offset) / size) : 0;
    this.bar.hidden = false;
    this.bar.value = percent;
    // Whoever hears the page is told every ten percent, and each time that it waits.
    this.tell(this.say(key, { percent: String(key === "sending" ? percent - (percent % 10) : percent) }));
  }

  private tell(text: string): void {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  private async run(): Promise<void> {
    const file = this.file.files?.[0];
    if (!file) {
      this.tell(this.say("choose"));
      this.file.focus();
      return;
    }
    const mark = await markOf(file);
    if (this.begun && !isSame(this.begun, file.name, file.size, mark)) {
      this.tell(this.say("other", { name: this.begun.name }));
      return;
    }
    this.busy(true);
    if (!this.begun) {
      const begun = await begin(this.card.dataset.facts ?? "", file.size);
      if (!("at" in begun)) {
        this.over(begun);
        return;
      }
      this.begun = { at: begun.at, name: file.name, size: file.size, mark };
      remember(this.begun);
    }
    this.note.hidden = true;
    await this.bring(this.begun, file);
  }

  /** Sends what is not there yet, as often as it takes. */
  private async bring(begun: Begun, file: Blob): Promise<void> {
    let wait = PAUSE;
    let told = await place(begun.at);
    let offset = 0;
    while (this.begun === begun) {
      if (told.is === "at") {
        if (told.offset > offset) wait = PAUSE;
        offset = told.offset;
        this.show("sending", offset);
        if (offset === begun.size) break;
        told = await send(begun.at, file, offset);
      } else if (told.is === "wait") {
        this.show("waiting", offset);
        await pause(wait);
        wait = Math.min(2 * wait, PAUSE_MOST);
        if (this.begun === begun) told = await place(begun.at);
      } else {
        this.over(told);
        return;
      }
    }
    if (this.begun === begun) await this.follow(begun);
  }

  private async follow(begun: Begun): Promise<void> {
    this.stop.hidden = true;
    this.tell(this.say("working"));
    while (await isWorking(begun.at)) await pause(PAUSE);
    remember(null);
    location.assign(pageOf(begun.at));
  }

  private busy(is: boolean): void {
    this.file.disabled = is;
    this.button.hidden = is;
    this.stop.hidden = !is && !this.begun;
  }

  /** It goes no further, and why. */
  private over(told: Told): void {
    if (told.is !== "signedOut") {
      this.begun = null;
      remember(null);
    }
    this.busy(false);
    this.bar.hidden = true;
    this.tell(told.is === "over" ? told.why : this.say(told.is));
  }

  private async cancel(): Promise<void> {
    const begun = this.begun;
    // Whoever sends sees that it is no more the one.
    this.begun = null;
    remember(null);
    if (begun) await cancel(begun.at);
    this.tell(this.say("cancelled"));
    this.note.hidden = true;
    this.bar.hidden = true;
    this.busy(false);
  }
}

/** The page that tells what came of it. */
const pageOf = (at: string): string => at.replace("/import/uploads/", "/import/");

void new Upload().start();
