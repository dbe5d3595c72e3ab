// What each stream was in from when on, as events tell it. Step 1 of the document.

import type { Event, Reason } from "../journal/events";
import type { Cause } from "../journal/cause";
import type { Pause, State } from "./model";

type Permission =
  | { readonly kind: "undecided" }
  | { readonly kind: "permitted" }
  | { readonly kind: "refused" | "ended"; readonly reasons: readonly Reason[] };

/** What holds for all streams alike. */
export class Permissions {
  permission: Permission = { kind: "undecided" };
  wasPermitted = false;
  /** The reasons of each `not_permitted`, in order. */
  readonly refusals: (readonly Reason[])[] = [];
  private pause: Pause | null = null;
  private privacy: Pause | null = null;

  take(event: Event): void {
    switch (event.type) {
      case "permitted":
        this.permission = { kind: "permitted" };
        this.wasPermitted = true;
        break;
      case "not_permitted":
        this.permission = { kind: "refused", reasons: event.reasons };
        this.refusals.push(event.reasons);
        break;
      case "permit_ended":
        this.permission = { kind: "ended", reasons: event.reasons };
        break;
      case "recording_paused":
        this.pause = pauseOf(event.reason, event);
        break;
      case "recording_resumed":
        this.pause = null;
        break;
      case "private_began":
        this.privacy = pauseOf("private_call", event);
        break;
      case "private_ended":
        this.privacy = null;
        break;
      default:
    }
  }

  /** What an announced stream is in, paused or refused for itself or not. */
  state(notTaken: Cause | null, pausedBy: Cause | null): State {
    const { permission } = this;
    if (permission.kind === "refused" || permission.kind === "ended") return permission;
    if (permission.kind === "undecided") return { kind: "undecided" };
    if (notTaken) return { kind: "not_taken", cause: notTaken };
    const pause = this.privacy ?? this.pause;
    if (pause) return { kind: "withheld", pause };
    return pausedBy ? { kind: "paused", cause: pausedBy } : { kind: "active" };
  }
}

function pauseOf(reason: string, event: { by: string; party?: string }): Pause {
  return event.party === undefined ? { reason, by: event.by } : { reason, by: event.by, party: event.party };
}

export interface StateFrom {
  readonly state: State;
  readonly start: number;
}

/** The states of one stream. */
export class States {
  readonly list: StateFrom[] = [{ state: { kind: "absent" }, start: 0 }];
  private lastText = JSON.stringify(this.list[0].state);

  set(state: State, at: number): void {
    const text = JSON.stringify(state);
    if (text === this.lastText) return;
    this.lastText = text;
    this.list.push({ state, start: Math.max(at, (this.list.at(-1) as StateFrom).start) });
  }

  /** The stretch of a packet: the place of its active state in the list; null where it is outside. */
  stretch(arrival: number): number | null {
    if (arrival < 0) return null;
    const last = this.list.length - 1;
    let at = last;
    while (at > 0 && this.list[at].start > arrival) at -= 1;
    const { state, start } = this.list[at];
    switch (state.kind) {
      case "active":
        return at;
      case "absent":
      case "undecided":
        return this.list[last].state.kind === "active" ? last : null;
      case "paused":
      case "not_taken":
        return arrival - start <= 200_000 && at > 0 && this.list[at - 1].state.kind === "active" ? at - 1 : null;
      default:
        return null;
    }
  }
}
