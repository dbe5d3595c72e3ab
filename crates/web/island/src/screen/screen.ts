// What people see: the server made the page, this fills in what changes.

import type { Status } from "../device";
import type { Left } from "../store/spool";
import { meIn } from "../send/want";
import type { PartyState, State } from "../send/server";
import { filled, timeText } from "../text/index";
import type { Texts } from "../text/texts";

export class Screen {
  private readonly baseTitle = document.title;
  private state: State | null = null;
  private stateAt = 0;
  private said = "";

  constructor(private readonly t: Texts) {
    setInterval(() => this.showTime(), 1_000);
  }

  private part(id: string): HTMLElement | null {
    return document.getElementById(id);
  }

  private write(id: string, text: string): void {
    const part = this.part(id);
    if (part && part.textContent !== text) part.textContent = text;
  }

  private notice(id: string, text: string | null): void {
    const part = this.part(id);
    if (!part) return;
    part.hidden = text === null;
    if (text !== null) this.write(`${id}-text`, text);
  }

  /** Tells a change once, also to who listens to the screen. */
  say(text: string, isShownElsewhere = false): void {
    if (text === this.said) return;
    this.said = text;
    const part = this.part("say");
    if (part) part.className = isShownElsewhere ? "hidden" : "said";
    this.write("say", text);
  }

  show(state: State): void {
    const was = this.state?.phase;
    this.state = state;
    this.stateAt = performance.now();
    const sign = state.phase === "recording" || state.phase === "paused" ? state.phase : "off";
    const bar = this.part("sign");
    if (bar) bar.dataset["sign"] = sign;
    this.write("sign-text", this.t.phase[state.phase]);
    document.title = `${this.t.title[sign]} – ${this.baseTitle}`;
    if (was !== undefined && was !== state.phase) this.say(this.t.phase[state.phase], true);
    const me = meIn(state);
    for (const part of document.querySelectorAll<HTMLElement>("[data-phases]")) {
      const fits = (part.dataset["phases"] ?? "").split(" ").includes(state.phase);
      const isChosen = part.dataset["chosen"] === undefined || (part.dataset["chosen"] === "yes") === (me?.choice != null);
      const isThere = me?.is_there !== false || part.dataset["always"] !== undefined;
      part.hidden = !(fits && isChosen && isThere);
    }
    this.write("paused-by", state.paused_by === null ? "" : filled(this.t.pausedBy, { who: this.nameOf(state, state.paused_by) }));
    this.showParties(state);
    this.showGrounds(state);
    this.showTime();
  }

  private showGrounds(state: State): void {
    const list = this.part("grounds");
    if (!list || !state.decision) return;
    list.replaceChildren(
      ...state.decision.grounds.map((ground) => {
        const [line, text, tags] = [document.createElement("li"), document.createElement("p"), document.createElement("ul")];
        text.textContent = document.documentElement.lang === "nl" ? ground.text_nl : ground.text_en;
        tags.className = "tags";
        for (const article of ground.articles) {
          const tag = document.createElement("li");
          tag.className = "tag";
          tag.textContent = article;
          tags.append(tag);
        }
        line.append(text, tags);
        return line;
      }),
    );
  }

  private nameOf(state: State, id: string): string {
    if (id === state.me) return this.t.me;
    const party = state.parties.find((one) => one.id === id);
    return party?.name ?? (id === "p1" ? this.t.host : `${this.t.guest} ${id.slice(1)}`);
  }

  private lineOf(state: State, party: PartyState): string {
    const said = party.is_there ? this.t.choice[party.choice ?? "none"] : this.t.left;
    const parts = [party.id === "p1" && party.is_there && party.choice === null ? null : said];
    for (const track of party.tracks.filter((one) => one.is_open)) {
      if (track.is_interrupted) parts.push(this.t.isInterrupted);
      else if (track.silent_for_s >= 10) parts.push(filled(this.t.silent, { s: track.silent_for_s }));
      else parts.push(this.t.records);
    }
    return [this.nameOf(state, party.id), ...parts.filter((part) => part !== null)].join(" · ");
  }

  private showParties(state: State): void {
    const list = this.part("parties");
    if (!list) return;
    const lines = state.parties.map((party) => this.lineOf(state, party));
    const shown = Array.from(list.children, (line) => line.textContent);
    if (lines.join("\n") === shown.join("\n")) return;
    list.replaceChildren(
      ...lines.map((text) => {
        const line = document.createElement("li");
        line.textContent = text;
        return line;
      }),
    );
  }

  private showTime(): void {
    if (!this.state) return;
    const since = this.state.phase === "recording" ? (performance.now() - this.stateAt) * 1_000 : 0;
    this.write("time", filled(this.t.recorded, { time: timeText(this.state.recorded_us + since) }));
  }

  device(status: Status): void {
    const trouble = this.troubleOf(status);
    this.notice("trouble", trouble);
    const again = this.part("again");
    if (again) again.hidden = status.is === "refused";
    if (status.is === "taken" || status.is === "needs_tap" || status.is === "refused") this.write("device", this.t.device.off);
    else this.write("device", this.t.device[status.is]);
    const meter = this.part("meter");
    if (meter) meter.hidden = !["recording", "held", "taken"].includes(status.is);
  }

  private troubleOf(status: Status): string | null {
    if (status.is === "taken") return this.t.taken[status.reason];
    if (status.is === "needs_tap") return this.tapText(status.reason);
    return status.is === "refused" ? `${this.t.refused}${status.reason}` : null;
  }

  private tapText(reason: string): string {
    if (reason === "NotAllowedError" || reason === "SecurityError") return this.t.denied;
    return reason === "NotFoundError" ? this.t.noMicrophone : this.t.needsTap;
  }

  level(level: number): void {
    const meter = this.part("level");
    if (meter instanceof HTMLMeterElement) meter.value = level;
  }

  silence(isSilent: boolean): void {
    this.notice("silence", isSilent ? this.t.silence : null);
  }

  storage(isFull: boolean): void {
    this.notice("storage", isFull ? this.t.storageFull : null);
  }

  network(isThere: boolean): void {
    const wasAway = this.part("network")?.hidden === false;
    this.notice("network", isThere ? null : this.t.unreachable);
    if (isThere && wasAway) this.say(this.t.reachable);
  }

  waiting(chunks: number): void {
    // One or two are always on their way.
    this.write("waiting", chunks > 3 ? filled(this.t.waiting, { n: chunks }) : "");
  }

  /** What the server did not take: how much, why, and where it is now. */
  left(left: readonly Left[]): void {
    const lines = left.map(({ why, sound }) => filled(this.t.notTaken[why], { s: Math.ceil(sound / 1_000_000) }));
    this.notice("left", [...lines, this.t.staysHere].join(" "));
  }

  unknown(isUnknown: boolean, isHost: boolean): void {
    this.notice("unknown", isUnknown ? (isHost ? this.t.unknownHost : this.t.unknown) : null);
  }

  slept(ms: number): void {
    this.say(filled(this.t.slept, { s: Math.round(ms / 1_000) }));
  }

  /** Whether somebody is there: the question, that nobody answered, or nothing. */
  attendance(text: string | null): void {
    this.notice("attend", text);
  }

  failed(text: string): void {
    this.say(`${this.t.failed}${text}`);
  }

  /** Somebody has to say it; and why, where that is not plain. */
  sayYourself(text: string, why = ""): void {
    this.notice("aloud", `${why} ${this.t.sayYourself} “${text}”`.trim());
  }
}
