// The page of a talk, once the browser runs scripts.

import { Attendance } from "./attendance";
import { Device } from "./device";
import { Refused, Server } from "./send/server";
import type { Act, Choice, State } from "./send/server";
import { wantOf } from "./send/want";
import { Watch } from "./send/watch";
import { DatabaseSpool, openDatabase } from "./store/database";
import { MemorySpool, PatientSpool } from "./store/spool";
import type { Spool } from "./store/spool";
import { meterOf } from "./sound/level";
import { askForMicrophone } from "./sound/microphone";
import { Announcing } from "./screen/announcing";
import { Fresh } from "./screen/fresh";
import { Screen } from "./screen/screen";
import { canSpeak, hush, playSound, speak } from "./screen/voice";
import { ScreenLock, beep } from "./screen/wake";
import { textsOf } from "./text/index";

/** From this level of the meter on (−40 dB) somebody may be speaking. */
const SPOKEN = meterOf(0.01);
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
  private readonly fresh: Fresh;
  private phase: State["phase"] | null = null;
  private state: State | null = null;
  private readonly attendance = new Attendance(performance.now());
  private isLeftAlone = false;
  private isDone = false;
  private isEnded = false;
  private isCapturing = false;
  private readonly alarms = new Set<string>();
  private readonly announcing: Announcing;

  constructor(
    root: HTMLElement,
    spool: Spool,
    private readonly isHost: boolean,
  ) {
    this.lang = document.documentElement.lang;
    this.texts = textsOf(this.lang);
    this.screen = new Screen(this.texts);
    this.server = new Server(root.dataset["room"] ?? "", root.dataset["token"] ?? "", (address, init) => fetch(address, init));
    this.fresh = new Fresh(Number(root.dataset["version"]), (said) => {
      if (this.state) this.screen.show(this.state);
      if (said !== "") this.screen.say(said, true);
    });
    this.announcing = new Announcing({
      play: () => this.server.notice().then(playSound, () => false),
      onMissed: (why) => {
        beep();
        this.screen.sayYourself(this.texts.spoken.start, this.texts.noticeMissed[why]);
      },
    });
    const patient = new PatientSpool(spool, (isFull) => this.screen.storage(isFull));
    const device = new Device(this.server, patient, root.dataset["capture"] ?? "", {
      onStatus: (status) => {
        this.screen.device(status);
        if (this.isHost) this.announcing.status(status);
        this.screenLock.keep(status.is === "recording" || status.is === "taken");
        this.isCapturing = status.is === "recording" || status.is === "taken";
        this.alarm("microphone", ["taken", "needs_tap", "refused", "connecting"].includes(status.is));
        this.isDone = status.is === "done";
        this.leaveWhenDone();
      },
      onLevel: (level) => {
        this.screen.level(level);
        if (level > SPOKEN) this.attendance.heard(performance.now());
      },
      onSilence: (isSilent) => {
        this.screen.silence(isSilent);
        this.alarm("silence", isSilent);
      },
      onWaiting: (chunks) => this.screen.waiting(chunks),
      onLeft: (left) => this.screen.left(left),
      onSlept: (ms) => this.screen.slept(ms),
      onUnreachable: () => this.screen.network(false),
      onReachable: () => this.screen.network(true),
    });
    this.watch = new Watch(this.server, {
      onState: (state) => {
        this.screen.network(true);
        this.known(true);
        this.screen.show(state);
        this.state = state;
        device.follow(wantOf(state));
        if (this.isHost) this.announcing.follow(state);
        this.spoken(state);
        void this.fresh.follow(state);
      },
      onUnreachable: () => this.screen.network(false),
      onUnknown: () => {
        this.known(false);
        device.unknown();
      },
    });
    setInterval(() => {
      if (this.alarms.size > 0) beep();
    }, BEEP_EACH);
    setInterval(() => this.attended(device), 1_000);
    this.listen(device);
    void this.watch.run();
  }

  private listen(device: Device): void {
    // Forms come and go with the parts that they are in.
    document.addEventListener("submit", (event) => {
      if (event.target instanceof Element && event.target.matches("form[data-room-form]")) void this.submitted(event);
    });
    for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, () => this.touched(device), { capture: true });
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

  /** Whether the server knows us in this talk. Where it does not, somebody may have to sign in. */
  private known(isKnown: boolean): void {
    this.screen.unknown(!isKnown, this.isHost);
    if (isKnown) this.alarm("unknown", false);
    else if (this.isCapturing) this.alarm("unknown", true);
  }

  /** Each second: whether somebody is still with this device, while it records. */
  private attended(device: Device): void {
    const now = performance.now();
    if (!this.isCapturing) {
      this.attendance.rests(now);
      if (!this.isLeftAlone) this.asksAttendance(null);
      return;
    }
    const due = this.attendance.due(now);
    if (due === "ask") {
      this.asksAttendance(this.texts.attend.ask);
      void speak(this.texts.attend.ask, this.lang);
    } else if (due === "stop") {
      this.isLeftAlone = true;
      device.alone(true);
      const { hostStopped, guestStopped } = this.texts.attend;
      this.asksAttendance(this.isHost ? hostStopped : guestStopped);
      void this.goesAway();
    }
  }

  private asksAttendance(text: string | null): void {
    this.screen.attendance(text);
    this.alarm("attend", text !== null && !this.isLeftAlone);
  }

  /**
   * Nobody is here. A guest leaves. The host does not: that could end a talk in which others still are; all of it is paused, and the others
   * can go on. This device records nothing meanwhile, whatever they do.
   */
  private async goesAway(): Promise<void> {
    while (this.isLeftAlone) {
      try {
        this.watch.take(await this.server.act(this.isHost ? "pause" : "leave"));
        return;
      } catch (error) {
        // Paused already, or left, or over.
        if (error instanceof Refused) return;
        await new Promise((resolve) => setTimeout(resolve, 5_000));
      }
    }
  }

  private touched(device: Device): void {
    this.attendance.touched(performance.now());
    this.asksAttendance(null);
    // Whoever is here has heard it; that it is so stays on the screen.
    this.alarm("unknown", false);
    if (!this.isLeftAlone) return;
    this.isLeftAlone = false;
    device.alone(false);
    if (this.state) device.follow(wantOf(this.state));
  }

  /** A button of a form was pressed: the same without loading the page. */
  private async submitted(event: SubmitEvent): Promise<void> {
    const button = event.submitter;
    if (!(button instanceof HTMLButtonElement) || (button.name !== "choice" && button.name !== "act")) return;
    event.preventDefault();
    button.disabled = true;
    this.fresh.press(button);
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
    if (state.phase === "recording") text = before === "paused" ? spoken.resume : state.notice === null ? spoken.start : null;
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
