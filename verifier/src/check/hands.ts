// Who does the heavy parts of a check: sums of files and trees of streams. Each part can be done apart from the others,
// so a page gives them to workers; whoever has none does them here.

import { sumsOf, type Source, type Sums, type SumsTask } from "../base/digest";
import { OriginalFile } from "../journal/original";
import { treeOf, type StreamTree } from "../journal/tree";

/** One heavy part: of the bytes from `from` up to `to` of the bundle. */
export type Task =
  | ({ readonly what: "sums" } & SumsTask)
  | { readonly what: "tree"; readonly from: number; readonly to: number; readonly stream: number; readonly salt: Uint8Array };
export interface Outcome {
  sums: Sums;
  tree: StreamTree;
}

/** Does one task at a time. */
export interface Hand {
  do<T extends Task>(task: T): Promise<Outcome[T["what"]]>;
}

export async function doTask(source: Source, task: Task): Promise<Sums | StreamTree> {
  if (task.what === "sums") return sumsOf(source, task);
  return treeOf(new OriginalFile(await source.read(task.from, task.to), task.stream), task.salt);
}

/** What does everything where it stands. */
export function ownHand(source: Source): Hand {
  return { do: (task) => doTask(source, task) as Promise<never> };
}

/** Does all tasks, the largest first; each hand takes the next one when it has done one. The outcomes stand in the order of the tasks. */
export async function shareOut<T extends Task>(hands: readonly Hand[], tasks: readonly T[], onDone: (task: T) => void = () => {}): Promise<Outcome[T["what"]][]> {
  const outcomes: Outcome[T["what"]][] = [];
  const queue = tasks.map((task, place) => ({ task, place })).sort((a, b) => b.task.to - b.task.from - (a.task.to - a.task.from));
  const work = async (hand: Hand): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      outcomes[next.place] = await hand.do(next.task);
      onDone(next.task);
    }
  };
  await Promise.all(hands.map(work));
  return outcomes;
}
