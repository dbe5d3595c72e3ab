// Canonical JSON: one spelling of each value. A reader writes what it read once more and compares.

import { refuse, textOf } from "./bytes";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

const SHORT: Record<string, string> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function writeText(text: string): string {
  const escaped = text.replace(
    // eslint-disable-next-line no-control-regex
    /["\\\u0000-\u001f]/g,
    (character) => SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

const DEPTH_MAX = 127;

/** The one spelling of a value. */
export function writeJson(value: Json): string {
  return writeJsonOf(value, () => null);
}

/** The same, where some values have a spelling of their own, which `other` gives; null for all others. */
export function writeJsonOf(value: Json, other: (value: unknown) => string | null, depth = 1): string {
  const own = other(value);
  if (own !== null) return own;
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return writeText(value);
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? String(value) : refuse("a number that is not whole, or too large");
  }
  if (depth > DEPTH_MAX) refuse("nested too deep");
  if (Array.isArray(value)) return `[${value.map((item) => writeJsonOf(item, other, depth + 1)).join(",")}]`;
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${writeText(name)}:${writeJsonOf(value[name] as Json, other, depth + 1)}`).join(",")}}`;
}

/** Reads canonical JSON; anything else is refused. */
export function readJson(bytes: Uint8Array): Json {
  const text = textOf(bytes);
  let value: Json;
  let again: string;
  try {
    value = JSON.parse(text) as Json;
    again = writeJson(value);
  } catch (error) {
    return refuse(error instanceof RangeError ? "nested too deep" : `no canonical JSON: ${String(error)}`);
  }
  return again === text ? value : refuse("not in its one spelling");
}

/** Reads a member of a document: gives the value, or refuses it. */
export type Reader<T> = (value: Json) => T;

/** Members by name; one that ends in `?` may be left out. */
export function object<T>(members: Record<string, Reader<unknown>>): Reader<T> {
  const known = Object.entries(members).map(([name, reader]) => ({
    name: name.replace("?", ""),
    mayLack: name.endsWith("?"),
    reader,
  }));
  return (value) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return refuse("no object");
    const read: Record<string, unknown> = {};
    let found = 0;
    for (const { name, mayLack, reader } of known) {
      if (!Object.hasOwn(value, name)) {
        if (!mayLack) refuse(`\`${name}\` is missing`);
        continue;
      }
      found += 1;
      read[name] = reader(value[name] as Json);
    }
    if (found !== Object.keys(value).length) refuse("a member that is not known");
    return read as T;
  };
}

export const text: Reader<string> = (value) => (typeof value === "string" ? value : refuse("no text"));
export const flag: Reader<boolean> = (value) => (typeof value === "boolean" ? value : refuse("neither true nor false"));
export const any: Reader<Json> = (value) => value;

export function whole(least: number, most: number): Reader<number> {
  return (value) =>
    typeof value === "number" && value >= least && value <= most ? value : refuse("a number out of its bounds");
}
export const MOST = Number.MAX_SAFE_INTEGER;
export const count = whole(0, MOST);

export function list<T>(reader: Reader<T>, most = Number.POSITIVE_INFINITY): Reader<T[]> {
  return (value) => (Array.isArray(value) && value.length <= most ? value.map(reader) : refuse("no such list"));
}
export function orNull<T>(reader: Reader<T>): Reader<T | null> {
  return (value) => (value === null ? null : reader(value));
}
export function oneOf<T extends string | number>(...values: readonly T[]): Reader<T> {
  return (value) => ((values as readonly Json[]).includes(value) ? (value as T) : refuse("a word that is not known"));
}
export function notEmpty<T>(reader: Reader<T[]>): Reader<T[]> {
  return (value) => {
    const items = reader(value);
    return items.length > 0 ? items : refuse("an empty list that would have been left out");
  };
}
