// The languages that there are.

import { en } from "./en";
import { nl } from "./nl";
import type { Texts } from "./texts";

const LANGUAGES: Record<string, Texts> = { nl, en };

/** The texts of a language, by its tag; English where there are none. */
export function textsOf(lang: string): Texts {
  return LANGUAGES[lang] ?? en;
}

/** `{name}` replaced by what it stands for. */
export function filled(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** µs as minutes and seconds, or with hours. */
export function timeText(us: number): string {
  const seconds = Math.floor(us / 1_000_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const two = (number: number) => String(number).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
