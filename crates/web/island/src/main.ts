// The page of a talk, once the browser runs scripts.

import { Device } from "./device";
import { Refused, Server } from "./send/server";
import type { Act, Choice, State } from "./send/server";
import { wantOf } from "./send/want";
import { Watch } from "./send/watch";
import { DatabaseSpool, openDatabase } from "./store/database";
import { MemorySpool, PatientSpool } from "./store/spool";
import type { Spool } from "./store/spool";
import { askForMicrophone } from "./sound/microphone";
import { Screen } from "./screen/screen";
import { canSpeak, hush, speak } from "./screen/voice";
import { ScreenLock, beep } from "./screen/wake";
import { textsOf } from "./text/index";

/** ms between two beeps while something needs looking at. */
const BEEP_EACH = 10_000;

async function spoolOf(room: string): Promise<Spool> {
  try {
    const spool = new DatabaseSpool(await openDatabase(), room);
    await spool.sweep(Date.now());
    return spool;
  } catch {
    // A private window may give no storage: what waits is then in memory, until the page goes away.
    return new MemorySpool();
  }
}

/** Reads the terms aloud, where the device has a voice for it. */
async function offerReading(lang: string): Promise<void> {
  const button = document.getElementById("read");
  const terms = document.getElementById("terms");
  if (!button || !terms || !(await canSpeak(lang))) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    if (hush()) return;
    for (const part of terms.querySelectorAll("h2, h3, p, li, dt, dd")) void speak(part.textContent ?? "", lang);
  });
}

class Room {
  private readonly lang: string;
  private readonly texts: ReturnType<typeof textsOf>;
  private readonly screen: Screen;
  private readonly server: Server;
  private readonly screenLock = new ScreenLock();
  private readonly watch: Watch;
  private phase: State["phase"] | null = null;
  private isDone = false;
  private isEnded = false;
  private isCapturing = false;
  private readonly alarms = new Set<string>();

  constructor(
    root: HTMLElement,
    spool: Spool,
    private readonly isHost: boolean,
  ) {
    this.lang = document.documentElement.lang;
    this.texts = textsOf(this.lang);
    this.screen = new Screen(this.texts);
    this.server = new Server(root.dataset["room"] ?? "", root.dataset["token"] ?? "", (address, init) => fetch(address, init));
    const patient = new PatientSpool(spool, (isFull) => this.screen.storage(isFull));
    const device = new Device(this.server, patient, root.dataset["capture"] ?? "", {
      onStatus: (status) => {
        this.screen.device(status);
        this.screenLock.keep(status.is === "recording" || status.is === "taken");
        this.isCapturing = status.is === "recording" || status.is === "taken";
        this.alarm("microphone", status.is === "taken" || status.is === "needs_tap");
        this.isDone = status.is === "done";
        this.leaveWhenDone();
      },
      onLevel: (level) => this.screen.level(level),
      onSilence: (isSilent) => {
        this.screen.silence(isSilent);
        this.alarm("silence", isSilent);
      },
      onWaiting: (chunks) => this.screen.waiting(chunks),
      onUnreachable: () => this.screen.network(false),
      onReachable: () => this.screen.network(true),
    });
    this.watch = new Watch(this.server, {
      onState: (state) => {
        this.screen.network(true);
        this.screen.show(state);
        device.follow(wantOf(state));
        this.spoken(state);
      },
      onUnreachable: () => this.screen.network(false),
      onGone: () => {
        device.follow("stop");
        this.screen.say(this.texts.gone);
      },
    });
    setInterval(() => {
      if (this.alarms.size > 0) beep();
    }, BEEP_EACH);
    this.listen(device);
    void this.watch.run();
  }

  private listen(device: Device): void {
    for (const form of document.querySelectorAll("form[data-room-form]")) {
      form.addEventListener("submit", (event) => void this.submitted(event as SubmitEvent));
    }
    document.getElementById("again")?.addEventListener("click", () => device.tapped());
    window.addEventListener("online", () => {
      this.watch.wake();
      device.wake();
    });
    window.addEventListener("pagehide", () => device.leavePage());
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) location.reload();
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.isCapturing) event.preventDefault();
    });
  }

  /** A button of a form was pressed: the same without loading the page. */
  private async submitted(event: SubmitEvent): Promise<void> {
    const button = event.submitter;
    if (!(button instanceof HTMLButtonElement) || (button.name !== "choice" && button.name !== "act")) return;
    event.preventDefault();
    button.disabled = true;
    try {
      // While the tap still counts: the microphone is asked for when it will be needed.
      if (button.value === "records_too" || button.value === "start") await askForMicrophone().catch(() => {});
      const state = button.name === "choice" ? await this.server.choose(button.value as Choice) : await this.server.act(button.value as Act);
      this.watch.take(state);
    } catch (error) {
      this.screen.failed(error instanceof Refused ? error.message : this.texts.network);
    } finally {
      button.disabled = false;
    }
  }

  /** Says aloud what changes. Only the device of who started it, so that two do not speak at once. */
  private spoken(state: State): void {
    const before = this.phase;
    this.phase = state.phase;
    if (state.phase === "ended") {
      this.isEnded = state.fingerprint !== null || state.started_at === null;
      this.leaveWhenDone();
    }
    if (!this.isHost || before === null || before === state.phase) return;
    const { spoken } = this.texts;
    const wasOn = before === "recording" || before === "paused";
    let text: string | null = null;
    if (state.phase === "recording") text = before === "paused" ? spoken.resume : spoken.start;
    else if (state.phase === "paused") text = spoken.pause;
    else if (wasOn) text = spoken.end;
    const aloud = text;
    if (aloud !== null) void speak(aloud, this.lang).then((isSaid) => isSaid || this.screen.sayYourself(aloud));
  }

  private alarm(what: string, isOn: boolean): void {
    if (isOn && !this.alarms.has(what)) beep();
    if (isOn) this.alarms.add(what);
    else this.alarms.delete(what);
  }

  /** The server's page of the end has duration, fingerprint and copy. */
  private leaveWhenDone(): void {
    if (this.isDone && this.isEnded) location.reload();
  }
}

async function enter(root: HTMLElement): Promise<void> {
  const canRecord = "AudioWorkletNode" in window && navigator.mediaDevices !== undefined && crypto.subtle !== undefined;
  if (!canRecord) {
    const device = document.getElementById("device");
    if (device) device.textContent = textsOf(document.documentElement.lang).cannotRecord;
    return;
  }
  new Room(root, await spoolOf(root.dataset["room"] ?? ""), root.dataset["host"] === "yes");
}

const room = document.getElementById("room");
void offerReading(document.documentElement.lang);
if (room) void enter(room);
