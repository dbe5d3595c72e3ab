// What axe-core finds on the page that is open, and whether it is wider than the screen.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];

/** Each violation of WCAG 2.2 A and AA and of axe's best practices, in a line. */
export async function violationsOf(page) {
  // Evaluating does not pass through the page, so the page's own policy stays as it is.
  await page.evaluate(AXE);
  const found = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags, resultTypes: ["violations"] }), TAGS);
  return found.violations.map((v) => `${v.id} (${v.help}): ${v.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

/** How many pixels the page is wider than the screen. */
export const spillOf = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
