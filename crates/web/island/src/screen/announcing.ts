// The notice that the host's device plays when recording begins.

import type { Status } from "../device";
import type { State } from "../send/server";

export interface AnnouncingEvents {
  /** Plays the notice; false where this device cannot. */
  play(): Promise<boolean>;
  /** It was not played, or not heard: somebody has to say it. */
  onMissed(why: "not_played" | "not_heard"): void;
}

/** Has the notice played once, as soon as this device records what it plays; and tells where it was not heard. */
export class Announcing {
  private isPlayed = false;
  private isMissed = false;
  private isRecording = false;
  private notice: State["notice"] = null;

  constructor(private readonly events: AnnouncingEvents) {}

  status(status: Status): void {
    this.isRecording = status.is === "recording";
    void this.play();
  }

  follow(state: State): void {
    this.notice = state.phase === "recording" ? state.notice : null;
    if (state.notice === "missed" && state.phase !== "ended") this.missed("not_heard");
    void this.play();
  }

  private async play(): Promise<void> {
    if (this.isPlayed || !this.isRecording || this.notice !== "awaited") return;
    this.isPlayed = true;
    if (!(await this.events.play())) this.missed("not_played");
  }

  private missed(why: "not_played" | "not_heard"): void {
    if (this.isMissed) return;
    this.isMissed = true;
    this.events.onMissed(why);
  }
}
