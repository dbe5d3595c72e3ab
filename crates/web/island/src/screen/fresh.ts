// Parts of the page that the server makes anew when what they show is another: requests, minutes, the code and its picture.

import type { State } from "../send/server";

/** Longest that the page may take, in ms. */
const PAGE_MAX = 15_000;

/** What of the state such parts show. */
export function newsOf(state: State): string {
  const asked = state.parties.map((party) => [party.id, party.is_there, party.request ?? null]);
  return JSON.stringify([asked, state.minutes, state.code ?? null]);
}

/** The same element in a part that was made anew. */
function twinOf(part: Element, focused: Element): HTMLElement | null {
  const isTwin = (one: HTMLElement) =>
    one.id === focused.id && one.getAttribute("href") === focused.getAttribute("href") && one.getAttribute("value") === focused.getAttribute("value");
  return [...part.querySelectorAll<HTMLElement>(focused.tagName)].find(isTwin) ?? part.querySelector("h2");
}

export class Fresh {
  private shown: string | null = null;
  private wanted = "";
  private isBusy = false;
  /** The button that was pressed last: while its answer is on the way it has no focus. */
  private pressed: Element | null = null;

  constructor(
    /** Of the state that the page was made from. */
    private readonly version: number,
    private readonly onMade: (said: string) => void,
  ) {}

  press(button: Element): void {
    this.pressed = button;
  }

  /** Where it does not work, the next state tries again. */
  async follow(state: State): Promise<void> {
    this.wanted = newsOf(state);
    if (this.shown === null && state.version === this.version) this.shown = this.wanted;
    if (this.isBusy || state.phase === "ended") return;
    this.isBusy = true;
    try {
      while (this.shown !== this.wanted) {
        const { wanted } = this;
        const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(PAGE_MAX) });
        if (!answer.ok) return;
        this.take(new DOMParser().parseFromString(await answer.text(), "text/html"));
        this.shown = wanted;
      }
    } catch {
      // The network is away; what watches the state says so.
    } finally {
      this.isBusy = false;
    }
  }

  private take(page: Document): void {
    const said: string[] = [];
    for (const part of document.querySelectorAll<HTMLElement>("[data-fresh]")) {
      const made = page.getElementById(part.id);
      // Who left the talk has no such part any more.
      if (!made) part.hidden = true;
      if (!made || made.innerHTML === part.innerHTML) continue;
      const { activeElement } = document;
      const isPressed = this.pressed !== null && part.contains(this.pressed) && (activeElement === null || activeElement === document.body);
      const focused = isPressed ? this.pressed : part.contains(activeElement) ? activeElement : null;
      const text = made.dataset["say"] ?? "";
      if (text !== "" && text !== part.dataset["say"]) said.push(text);
      part.dataset["say"] = text;
      part.replaceChildren(...made.childNodes);
      if (focused) twinOf(part, focused)?.focus();
    }
    this.onMade(said.join(" "));
  }
}
