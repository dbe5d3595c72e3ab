// What a timeline tells beside its streams: who was there, whose voice, notices, refusals and so on.

import type { Event } from "../journal/events";

const MANY = 1_000;

export class Aside {
  private readonly lists: Record<string, object[]> = {};

  private add(name: string, item: object, most = MANY): void {
    const list = (this.lists[name] ??= []);
    if (list.length < most) list.push(item);
  }

  take(event: Event, at_us: number): void {
    switch (event.type) {
      case "party_joined":
      case "party_left":
        return this.add("presence", { party: event.party, is_there: event.type === "party_joined", at_us });
      case "stream_voice": {
        const { type: _, ...voice } = event;
        return this.add("voices", { ...voice, at_us });
      }
      case "clock_stepped":
        return this.add("clock_steps", { at_us, by_us: event.by_us });
      case "notice_heard": {
        const { stream, length_us, similarity_permille } = event;
        return this.add("notices", { at_us, heard: { stream, length_us, similarity_permille } }, Number.POSITIVE_INFINITY);
      }
      case "notice_missed":
        return this.add("notices", { at_us }, Number.POSITIVE_INFINITY);
      case "refusal_said":
        return this.add("refusals", { party: event.party, by: event.by, at_us });
      case "keep_requested": {
        const { type: _, ...request } = event;
        return this.add("keeps", { kind: "requested", at_us, ...request });
      }
      case "look_back_cut":
        return this.add("keeps", { kind: "cut", at_us, by_us: event.by_us });
      case "source_changed":
        if (event.was_elsewhere) this.add("sources", { stream: event.stream, at_us });
        return;
      default:
    }
  }

  get hasRequest(): boolean {
    return (this.lists["keeps"] ?? []).some((item) => (item as { kind: string }).kind === "requested");
  }

  get hasSources(): boolean {
    return this.lists["sources"] !== undefined;
  }

  members(): Record<string, object[]> {
    return this.lists;
  }
}
