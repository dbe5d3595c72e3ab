// verify.html as a person opens it: from disk, in Debian's Chromium, with no network.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const PAGE = new URL("../../verify.html", import.meta.url).href;

export async function openBrowser() {
  const executablePath = BROWSERS.find((path) => existsSync(path));
  if (!executablePath) throw new Error("no Chromium: apt-get install chromium");
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** A page with verify.html, and what went wrong in it: errors, and requests to anywhere else. */
export async function openVerifier(browser, { at = PAGE, ...options } = {}) {
  const context = await browser.newContext({ locale: "en-GB", offline: true, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(message.text());
  });
  page.on("request", (request) => {
    if (!/^(file|blob|data):/.test(request.url())) faults.push(`asked for ${request.url()}`);
  });
  await page.goto(at);
  return { page, faults, close: () => context.close() };
}

/** Gives the page a file and waits for its answer. */
export async function check(page, path, { key = "", timeout = 120_000 } = {}) {
  await page.locator("#key").fill(key);
  await page.locator("#verdict").evaluate((element) => (element.hidden = true));
  await page.locator("#file").setInputFiles(path);
  await page.locator("#verdict").waitFor({ state: "visible", timeout });
}

export const pathOf = (url) => fileURLToPath(url);
