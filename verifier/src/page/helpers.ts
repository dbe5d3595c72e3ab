// Helpers of the worker: workers of the same script, which read the same file. Without them the worker does all of it.
//
// The page starts them and hands over a port to each: from a file on disk a worker may not start workers.

import type { Source } from "../base/digest";
import { ownHand, type Hand, type Task } from "../check/hands";
import type { Answer, Request } from "./messages";

/** A port to a helper: what a `MessagePort` has. */
export interface HelperPort {
  onmessage: ((message: MessageEvent<Answer>) => void) | null;
  postMessage(request: Request): void;
}

interface Waiting {
  readonly resolve: (outcome: never) => void;
  readonly reject: (error: Error) => void;
}

/** One helper. Where it cannot do a task, the task is done here. */
class Helper implements Hand {
  private waiting: Waiting | null = null;
  private isLost = false;

  constructor(private readonly port: HelperPort, private readonly file: Blob, private readonly own: Hand) {
    port.onmessage = ({ data }) => {
      const { waiting } = this;
      this.waiting = null;
      if (data.kind === "helped") waiting?.resolve(data.outcome as never);
      else waiting?.reject(new Error("the helper could not do it"));
    };
  }

  /** It does not answer any more. */
  lose(): void {
    this.isLost = true;
    this.waiting?.reject(new Error("the helper is lost"));
  }

  async do<T extends Task>(task: T): Promise<never> {
    if (this.isLost) return this.own.do(task) as Promise<never>;
    try {
      return await new Promise<never>((resolve, reject) => {
        this.waiting = { resolve, reject };
        this.port.postMessage({ kind: "help", file: this.file, task });
      });
    } catch {
      return this.own.do(task) as Promise<never>;
    }
  }
}

/** The hands of one check: the helpers', and those of the worker itself. */
export class Crew {
  readonly hands: readonly Hand[];
  private readonly helpers: readonly Helper[];

  constructor(file: Blob, source: Source, ports: readonly HelperPort[]) {
    const own = ownHand(source);
    this.helpers = ports.map((port) => new Helper(port, file, own));
    this.hands = [...this.helpers, own];
  }

  /** One of them is lost, and nobody knows which: the worker goes on alone. */
  lose(): void {
    for (const helper of this.helpers) helper.lose();
  }
}
