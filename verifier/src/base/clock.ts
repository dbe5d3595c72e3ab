// Places in a call, in words for people.

/** A place in a call: `07:05`, or `1:07:05` after an hour. Parts of a second are cut off. */
export function clock(us: number): string {
  const seconds = Math.floor(us / 1_000_000);
  const two = (n: number): string => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3_600);
  return `${hours > 0 ? `${hours}:` : ""}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** Which side of a time a place is. */
export type Edge = "start" | "end";

/** An edge of a time, to so many microseconds: a start is rounded down and an end up, so that what is told covers what is meant. */
export function rounded(us: number, edge: Edge, step: number): number {
  return (edge === "start" ? Math.floor(us / step) : Math.ceil(us / step)) * step;
}

/** An edge of a time as it is told, in sound files too: with tenths where it is no whole second. */
export function edgeText(us: number, edge: Edge, point: string): string {
  const told = rounded(us, edge, 100_000);
  const tenths = (told / 100_000) % 10;
  return tenths === 0 ? clock(told) : `${clock(told)}${point}${tenths}`;
}
