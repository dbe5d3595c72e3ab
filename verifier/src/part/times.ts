// Sets of time: stretches in order that neither touch nor overlap.

export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Stretches in any order, put together. */
export function united(stretches: readonly Stretch[]): Stretch[] {
  const sorted = stretches.filter(({ from, to }) => from < to).sort((a, b) => a.from - b.from);
  const set: { from: number; to: number }[] = [];
  for (const { from, to } of sorted) {
    const last = set.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else set.push({ from, to });
  }
  return set;
}

/** What of a set lies between two moments. */
export function between(set: readonly Stretch[], from: number, to: number): Stretch[] {
  return united(set.map((stretch) => ({ from: Math.max(from, stretch.from), to: Math.min(to, stretch.to) })));
}

/** How much of a set lies outside another one. */
export function lengthOutside(set: readonly Stretch[], other: readonly Stretch[]): number {
  let length = 0;
  let next = 0;
  for (const { from, to } of set) {
    let at = from;
    while (next < other.length && other[next].to <= from) next += 1;
    for (let i = next; i < other.length && other[i].from < to; i += 1) {
      length += Math.max(0, other[i].from - at);
      at = Math.max(at, other[i].to);
    }
    length += Math.max(0, to - at);
  }
  return length;
}
