// Walks every page of a running server in a real browser and fails on what a person would trip over.
//
//   node check.mjs --serve PROGRAM [--shots DIR]     starts the example server and stops it
//   node check.mjs --setup LINK [--shots DIR]        a server that runs and has no account yet
//
// It opens the set-up link, makes the first account, and then looks at each page in Dutch and in
// English, light, dark and with forced colours, at 1280 and at 320 pixels: axe-core finds no
// violation of WCAG 2.2 A or AA (nor of its best practices), nothing is wider than the screen,
// nothing is asked of another host, no script runs, the language is stated, and the sound can be
// started with the keyboard. The browser is Debian's Chromium.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { spillOf, violationsOf } from "./lib/axe.mjs";
import { importing } from "./lib/importing.mjs";

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const LOOKS = [
  { name: "wide", width: 1280, height: 900, colorScheme: "light", forcedColors: "none" },
  { name: "dark", width: 1280, height: 900, colorScheme: "dark", forcedColors: "none" },
  { name: "small", width: 320, height: 640, colorScheme: "light", forcedColors: "none" },
  { name: "forced", width: 1280, height: 900, colorScheme: "dark", forcedColors: "active" },
];
const PASSWORD = "paard accu nietje batterij";

const option = (name) => {
  const place = process.argv.indexOf(`--${name}`);
  return place < 0 ? undefined : process.argv[place + 1];
};
const shots = option("shots");
const server = option("serve") && spawn(option("serve"), [], { stdio: ["pipe", "pipe", "inherit"] });
const setup = server ? await firstLine(server) : option("setup");
if (!setup) {
  console.error("usage: node check.mjs --serve PROGRAM | --setup LINK [--shots DIR]");
  process.exit(2);
}
const base = new URL(setup).origin;

// The example server prints its set-up link on the first line.
async function firstLine(child) {
  let text = "";
  for await (const chunk of child.stdout) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0];
}

let passed = 0;
const failures = [];
const expect = (holds, what) => {
  if (holds) passed += 1;
  else failures.push(what);
};

// Holds the page that is open against every look.
async function look(page, name, lang) {
  // The pages of a talk and of an import have one script, which comes from here; all others have none.
  const scripts = await page.locator("script").evaluateAll((all) => all.map((one) => one.getAttribute("src")));
  const isOurs = /^(room|invited-in|import)/.test(name) && scripts.every((src) => /^\/assets\/(room|import)\.js\?v=[0-9a-f]{8}$/.test(src)) && scripts.length <= 1;
  expect((await page.getAttribute("html", "lang")) === lang, `${name} ${lang}: <html lang> is ${lang}`);
  expect((await page.locator("h1").count()) === 1, `${name} ${lang}: one first heading`);
  expect(scripts.length === 0 || isOurs, `${name} ${lang}: no script but that of a talk or an import`);
  for (const view of LOOKS) {
    await page.setViewportSize({ width: view.width, height: view.height });
    await page.emulateMedia({ colorScheme: view.colorScheme, forcedColors: view.forcedColors });
    const place = `${name} ${lang} ${view.name}`;
    const spill = await spillOf(page);
    expect(spill <= 0, `${place}: ${spill} px wider than the screen`);
    if (shots) await page.screenshot({ path: join(shots, `${name}-${lang}-${view.name}.png`), fullPage: true });
    // With forced colours the person's system chooses them; what axe would read then are not those,
    // and the rest of the page is the same.
    if (view.forcedColors === "active") continue;
    const violations = await violationsOf(page);
    expect(violations.length === 0, `${place}: ${violations.join("; ")}`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "light", forcedColors: "none" });
}

// With letters twice as large, as people set it in their browser, nothing is cut off.
async function large(page, name) {
  await page.setViewportSize({ width: 640, height: 800 });
  await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
  const spill = await spillOf(page);
  expect(spill <= 0, `${name} with large letters: ${spill} px wider than the screen`);
  if (shots) await page.screenshot({ path: join(shots, `${name}-large.png`), fullPage: true });
  await page.setViewportSize({ width: 1280, height: 900 });
}

// Asks for an address in both languages and looks at it.
async function visit(page, name, path, status = 200) {
  for (const lang of ["nl", "en"]) {
    const address = `${base}${path}${path.includes("?") ? "&" : "?"}lang=${lang}`;
    const response = await page.goto(address);
    expect(response.status() === status, `${name} ${lang}: status ${response.status()}, not ${status}`);
    await look(page, name, lang);
  }
}

// The language switch changes the language and stays on the page.
async function switchLanguage(page) {
  await page.goto(`${base}/log?lang=nl`);
  await page.getByRole("link", { name: "English" }).click();
  expect((await page.getAttribute("html", "lang")) === "en", "the switch leads to English");
  expect(new URL(page.url()).pathname === "/log", "the switch stays on the page");
}

// With the keyboard alone: the skip link is the first stop and leads to the content.
async function keyboard(page) {
  await page.goto(`${base}/?lang=en`);
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement.getAttribute("href"));
  expect(first === "#main", `the first stop of Tab is the skip link, not ${first}`);
  await page.keyboard.press("Enter");
  expect(await page.evaluate(() => document.activeElement.id === "main"), "the skip link moves the focus");
}

// Opens a recording to listen, starts the sound with the keyboard, and looks at the player.
async function player(page, recording) {
  await page.goto(`${base}${recording}?lang=en`);
  await page.getByLabel("Why do you need to listen to this?").fill("checking the pages");
  await page.getByRole("button", { name: "Listen" }).click();
  expect(/\/listen\/[\w-]{43}$/.test(new URL(page.url()).pathname), "a reason opens the player");
  const own = new URL(page.url()).pathname;
  await page.locator("audio").focus();
  await page.keyboard.press("Space");
  const started = await page
    .waitForFunction(() => document.querySelector("audio").currentTime > 0.05, null, { timeout: 10_000 })
    .then(() => true, () => false);
  expect(started, "space starts the sound");
  await page.keyboard.press("Space");
  await visit(page, "player", own);
}

// A form that is sent without what it needs says so, and points at the field.
async function mistakes(page, recording) {
  for (const [name, form] of [["listen", "reason"], ["copy", "recipient"], ["destroy", "confirm"]]) {
    await page.goto(`${base}${recording}/${name}?lang=en`);
    await page.locator("main form").evaluate((element) => (element.noValidate = true));
    await page.locator("main form button").click();
    const target = await page.locator(".errors a").first().getAttribute("href");
    expect(target === `#${form}`, `${name}: the summary points at the field, not at ${target}`);
    expect((await page.locator(`#${form}[aria-invalid=true]`).count()) === 1, `${name}: the field is marked`);
    await look(page, `${name}-wrong`, "en");
  }
}

// From the first question to the answer with the keyboard alone, looking at every page.
async function interview(page, path, lang) {
  // Record, for myself, with a company; I take part; nothing out of the ordinary.
  const answers = ["record", "private_person", "company", "participant", null];
  const response = await page.goto(`${base}${path}`);
  expect(response.status() === 200, `${path}: status ${response.status()}`);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await look(page, "interview-1", lang);
  await page.getByRole("button", { name: lang === "nl" ? "Verder" : "Next", exact: true }).click();
  await look(page, "interview-wrong", lang);
  for (const [place, answer] of answers.entries()) {
    if (place > 0) await look(page, `interview-${place + 1}`, lang);
    if (answer !== null) {
      for (let stop = 0; stop < 40; stop += 1) {
        await page.keyboard.press("Tab");
        if (await page.evaluate(() => document.activeElement.name === "c")) break;
      }
      for (let step = 0; step < 40; step += 1) {
        if (await page.evaluate((id) => document.activeElement.value === id, answer)) break;
        const isRadio = await page.evaluate(() => document.activeElement.type === "radio");
        await page.keyboard.press(isRadio ? "ArrowDown" : "Tab");
      }
      const checked = await page.evaluate(() => document.activeElement.checked);
      if (!checked) await page.keyboard.press("Space");
    } else {
      await page.getByRole("button", { name: /Verder|Next/ }).first().focus();
    }
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  }
  const answer = lang === "nl" ? "Het antwoord" : "The answer";
  expect((await page.getByRole("heading", { name: answer }).count()) === 1, `${path}: the keyboard leads to the answer`);
  await look(page, "interview-answer", lang);
  await documents(page, path, lang);
}

// Every document that goes with the answer: its form, and the document in its own tab.
async function documents(page, path, lang) {
  const offers = await page.locator("button[value^='document:']").evaluateAll((all) => all.map((one) => one.value));
  expect(offers.length >= 3, `${path}: documents go with the answer`);
  for (const offer of offers) {
    const name = offer.split(":")[1];
    await Promise.all([page.waitForNavigation(), page.locator(`button[value='${offer}']`).click()]);
    await look(page, `document-form-${name}`, lang);
    const opened = page.context().waitForEvent("page");
    await page.locator(`button[value='make:${name}']`).click();
    const document = await opened;
    await document.waitForLoadState();
    await look(document, `document-${name}`, lang);
    await document.close();
    await Promise.all([page.waitForNavigation(), page.locator("button[value='stay']").last().click()]);
  }
}

async function walk(page, guests) {
  await interview(page, "/mag-ik-opnemen", "nl");
  await interview(page, "/may-i-record", "en");
  await visit(page, "setup", new URL(setup).pathname);
  await visit(page, "setup-gone", "/setup/AAAA", 410);
  await visit(page, "authority", "/authority");
  await visit(page, "login", "/login");
  await page.getByLabel("Name").fill("nobody");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await look(page, "login-wrong", "en");
  await page.goto(`${setup}?lang=en`);
  await page.getByLabel("Name to sign in with").fill("beheer");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Password once more").fill(`${PASSWORD} `);
  await page.getByRole("button", { name: "Make the account" }).click();
  await look(page, "setup-wrong", "en");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Password once more").fill(PASSWORD);
  await page.getByRole("button", { name: "Make the account" }).click();
  expect(new URL(page.url()).pathname === "/", `the set-up link signs in, not ${page.url()}`);

  await visit(page, "recordings", "/");
  await visit(page, "recordings-none", "/?state=destroying");
  await page.goto(`${base}/?lang=en`);
  const links = await page.locator("table.list a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
  expect(links.length > 0, "there are recordings to look at");
  let sealed;
  let declared;
  for (const [place, link] of links.slice(0, 12).entries()) {
    await visit(page, `recording-${place + 1}`, link);
    if (!sealed && (await page.locator("#reason").count()) > 0) sealed = link;
    if (!declared && (await page.locator('a[href$="/declaration"]').count()) > 0) declared = `${link}/declaration`;
  }
  expect(declared !== undefined, "one of them is destroyed, and has its declaration");
  if (declared) await visit(page, "declaration", declared);
  expect(sealed !== undefined, "one of them can be listened to");
  if (sealed) {
    for (const name of ["listen", "copy", "destroy", "receipt"]) await visit(page, name, `${sealed}/${name}`);
    await visit(page, "copy-duties", `${sealed}/copy?recipient=data_subject`);
    await part(page, sealed);
    await mistakes(page, sealed);
    await player(page, sealed);
    await refusal(page, sealed);
  }
  await importing(page, base, { look: (name, lang) => look(page, name, lang), expect });
  await talks(page, guests);
  await counter(page, guests);
  await requests(page);
  await colleagues(page, links);
  await visit(page, "holds", "/holds");
  await visit(page, "retention", "/retention");
  await visit(page, "log", "/log");
  await visit(page, "health", "/health");
  await visit(page, "not-found", "/nowhere", 404);
  await switchLanguage(page);
  await keyboard(page);
}

// One person asks, another one is invited, reads why, and can confirm.
async function colleagues(page, links) {
  await visit(page, "accounts", "/accounts");
  await visit(page, "password", "/accounts/password");
  await page.getByLabel("Your present password").fill("not the password");
  await page.getByLabel("Password", { exact: true }).fill("short and simple");
  await page.getByLabel("Password once more").fill("short and simple");
  await page.getByRole("button", { name: "Change" }).click();
  await look(page, "password-wrong", "en");
  await page.goto(`${base}/accounts?lang=en`);
  await page.getByLabel("Name to sign in with").fill("beheer");
  await page.getByRole("button", { name: "Make the link" }).click();
  await look(page, "accounts-wrong", "en");
  await page.getByLabel("Name to sign in with").fill("anna");
  await page.getByRole("button", { name: "Make the link" }).click();
  await look(page, "invited", "en");
  const link = await page.locator("main pre").innerText();
  await visit(page, "accounts-invited", "/accounts");
  const proposal = await propose(page, links);
  await page.getByRole("button", { name: "Sign out" }).click();
  await visit(page, "invitation-gone", "/invitation/AAAA", 410);
  await visit(page, "invitation", new URL(link).pathname);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Password once more").fill(`${PASSWORD} `);
  await page.getByRole("button", { name: "Make the account" }).click();
  await look(page, "invitation-wrong", "en");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Password once more").fill(PASSWORD);
  await page.getByRole("button", { name: "Make the account" }).click();
  expect(new URL(page.url()).pathname === "/", `the invitation signs in, not ${page.url()}`);
  await visit(page, "recordings-proposed", "/");
  await visit(page, "retention-proposed", "/retention");
  await visit(page, "proposal", proposal);
  await page.locator("#no ~ form").evaluate((element) => (element.noValidate = true));
  await page.getByRole("button", { name: "Decline" }).click();
  await look(page, "proposal-wrong", "en");
  await page.goto(`${base}/accounts?lang=en`);
  await page.getByRole("button", { name: "End… beheer" }).click();
  await look(page, "account-end", "en");
}

// Asks to destroy what no statute keeps: that one person may not do alone.
async function propose(page, links) {
  for (const link of links) {
    await page.goto(`${base}${link}/destroy?lang=en`);
    if ((await page.getByRole("checkbox").count()) === 0) continue;
    await page.getByRole("checkbox").check();
    await Promise.all([page.waitForNavigation(), page.getByRole("button", { name: "Destroy for good" }).click()]);
    if ((await page.locator('a[href$="/propose"]').count()) === 0) continue;
    await look(page, "refused-alone", "en");
    await visit(page, "propose", `${link}/propose`);
    await page.locator("main form").evaluate((element) => (element.noValidate = true));
    await page.getByRole("button", { name: "Put it to a colleague" }).click();
    await look(page, "propose-wrong", "en");
    await page.getByLabel("Why must the recording go?").fill("the customer asked for it");
    await page.getByRole("button", { name: "Put it to a colleague" }).click();
    const own = new URL(page.url()).pathname;
    expect(own.startsWith("/proposals/"), `a reason makes a proposal, not ${own}`);
    await visit(page, "proposal-own", own);
    await visit(page, "recording-proposed", link);
    return own;
  }
  failures.push("nothing here needs a second person to be destroyed");
  return "/retention";
}

// Fills in a part of a copy wrongly, with the keyboard, and asks for more room.
async function part(page, recording) {
  await page.goto(`${base}${recording}/copy?recipient=data_subject&lang=en`);
  await page.locator("#from_1").focus();
  for (const text of ["0:01", "later", "", "a third person"]) {
    await page.keyboard.type(text);
    await page.keyboard.press("Tab");
  }
  const [wrong] = await Promise.all([
    page.waitForNavigation(),
    page.getByRole("button", { name: "Get the copy" }).click(),
  ]);
  expect(wrong.status() === 422, `a part with mistakes is not made, status ${wrong.status()}`);
  await look(page, "copy-part-wrong", "en");
  await page.getByRole("link", { name: "fill in up to where" }).click();
  const at = await page.evaluate(() => document.activeElement.id);
  expect(at === "to_1", `the link leads to the field, not to ${at}`);
  const [more] = await Promise.all([
    page.waitForNavigation(),
    page.getByRole("button", { name: "Leave out more" }).click(),
  ]);
  expect(more.status() === 200, `more room is given, status ${more.status()}`);
  expect((await page.locator("#reason_1").inputValue()) === "a third person", "what was filled in stays");
  expect((await page.locator("#reason_4").count()) === 1, "there is room for more");
  await look(page, "copy-part-more", "en");
}

// A talk in a room: an employer's questions, a code, a guest who chooses, and the end of it.
async function talks(page, guests) {
  await visit(page, "rooms", "/rooms");
  await page.locator("form:has(input[value=functioneren])").evaluate((element) => (element.noValidate = true));
  await page.getByRole("button", { name: /Open the talk.*Functioneringsgesprek/ }).click();
  await look(page, "rooms-wrong", "en");
  await page.getByRole("link", { name: /less intrusive way you considered/ }).click();
  const at = await page.evaluate(() => document.activeElement.id);
  expect(at === "other-functioneren", `the link leads to the question, not to ${at}`);
  await page.keyboard.type("minutes, but we disagree on what was said before");
  await page.getByLabel("Why do you want to record this talk?").fill("earlier agreements are disputed");
  await page.getByRole("button", { name: /Open the talk.*Functioneringsgesprek/ }).click();
  await look(page, "room-of-employer", "en");
  await page.goto(`${base}/rooms?lang=en`);
  await page.locator("#name-beoordeling").fill("Anna de Vries");
  await page.getByRole("button", { name: /Open the talk.*Beoordelingsgesprek/ }).click();
  const talk = new URL(page.url()).pathname;
  const code = (await page.locator("#way .code-large, [aria-labelledby=way] .code-large").innerText()).replace(" ", "");
  await visit(page, "room-host", talk);
  await large(page, "room-host");
  await visit(page, "rooms-open", "/rooms");

  const guest = await (await guests.newContext()).newPage();
  guest.setDefaultTimeout(30_000);
  const elsewhere = await guest.goto(`${base}${talk}`);
  expect(elsewhere.status() === 404, `to who is not in it there is no such talk, status ${elsewhere.status()}`);
  await visit(guest, "join", "/join");
  await guest.locator("#code").fill("2222 2222");
  await guest.getByRole("button", { name: "Next" }).click();
  await look(guest, "join-wrong", "en");
  await guest.locator("#code").fill(`${code.slice(0, 4).toLowerCase()} ${code.slice(4)}`);
  await Promise.all([guest.waitForNavigation(), guest.keyboard.press("Enter")]);
  await visit(guest, "invited-in", `/join/${code}`);
  await large(guest, "invited-in");
  await guest.getByLabel("Your name (optional)").fill("Bram");
  await Promise.all([guest.waitForNavigation(), guest.keyboard.press("Enter")]);
  expect(new URL(guest.url()).pathname === talk, `the button leads to the talk, not to ${guest.url()}`);
  await visit(guest, "room-guest", talk);
  await large(guest, "room-guest");
  await page.goto(`${base}${talk}?lang=en`);
  await guest.goto(`${base}${talk}?lang=en`);
  await guest.getByRole("button", { name: "I agree" }).focus();
  await guest.keyboard.press("Enter");
  await page.getByText("Bram · agrees").waitFor();
  await page.getByRole("button", { name: "Start recording" }).waitFor();
  await look(page, "room-ready", "en");
  await look(guest, "room-guest-agreed", "en");
  await guest.getByRole("button", { name: "Rather not" }).click();
  await page.getByText("Bram · rather not").waitFor();
  await look(page, "room-not-agreed", "en");

  // Without script everything but recording works, by the forms themselves.
  const plain = await (await guests.newContext({ javaScriptEnabled: false })).newPage();
  await plain.goto(`${base}/join/${code}?lang=nl`);
  await plain.getByRole("button", { name: "Naar het gesprek" }).click();
  await plain.getByRole("button", { name: "Ik vind het goed" }).click();
  expect(await plain.getByText("U heeft gekozen").isVisible(), "without script one can choose");
  await plain.getByRole("button", { name: "Ik ga weg uit het gesprek" }).click();
  expect(await plain.getByText("U bent weg uit dit gesprek").isVisible(), "without script one can leave");
  await minutes(page, guest, talk);
  await page.goto(`${base}${talk}?lang=en`);
  await guest.goto(`${base}${talk}?lang=en`);
  await guest.getByRole("button", { name: "I leave the talk" }).click();
  await page.getByText("Nothing of this talk was recorded").waitFor();
  await visit(page, "room-nothing", talk);
}

// Minutes of a talk that is not recorded: written by one, remarked on by the other, signed by both. The page of the talk
// shows it by itself.
async function minutes(page, guest, talk) {
  const at = `${talk}/minutes`;
  const there = await page.context().newPage();
  await there.goto(`${base}${talk}?lang=en`);
  await there.locator("#minutes").getByText("There are no minutes yet").waitFor();
  await there.getByRole("link", { name: /Minutes of this talk/ }).focus();
  await visit(page, "minutes-none", at);
  await page.getByLabel("Text").fill("We agreed to call tomorrow.");
  await page.getByRole("button", { name: "Put this text down" }).click();
  await there.locator("#minutes").getByText("There are minutes, version 1 by you.").waitFor();
  const [focused, said] = await there.evaluate(() => [document.activeElement?.getAttribute("href"), document.getElementById("say").textContent]);
  expect(focused === at, `the focus stays where it was, not on ${focused}`);
  expect(said.includes("You have not signed yet."), `it is said to who listens: ${said}`);
  await look(there, "room-minutes", "en");
  await visit(guest, "minutes-written", at);
  await guest.getByLabel("Is something not right?").fill("Not tomorrow, but on Friday.");
  await guest.getByRole("button", { name: "Add the remark" }).click();
  await there.locator("#minutes").getByText("Remarks: 1.").waitFor();
  await visit(page, "minutes-remark", at);
  for (const one of [page, guest]) {
    await one.goto(`${base}${at}?lang=en`);
    await one.getByRole("button", { name: "I sign this version" }).click();
  }
  await there.locator("#minutes").getByText("The minutes are kept.").waitFor();
  await there.close();
  await visit(guest, "minutes-kept", at);
  await later(guest, (await guest.locator("#copy-code").innerText()).replaceAll(" ", ""));
}

// The copy later, by the code of a guest.
async function later(page, code) {
  await visit(page, "copy", "/copy");
  await page.locator("#code").fill("2222 2222 2222");
  await page.getByRole("button", { name: "Next" }).click();
  await look(page, "copy-wrong", "en");
  await visit(page, "copy-link", `/copy/${code}`);
  await large(page, "copy-link");
}

// A citizen asks an official in a talk: the pages of both show it by themselves.
async function counter(page, guests) {
  await page.goto(`${base}/rooms?lang=en`);
  await page.getByRole("button", { name: /Open the talk.*Gesprek aan de balie/ }).click();
  const code = (await page.locator("[aria-labelledby=way] .code-large").innerText()).replace(" ", "");
  const guest = await (await guests.newContext()).newPage();
  guest.setDefaultTimeout(30_000);
  await guest.goto(`${base}/join/${code}?lang=en`);
  await guest.getByRole("button", { name: "To the talk" }).click();
  await guest.getByRole("button", { name: "I record too" }).click();
  await page.locator("#requests").getByText("guest 2 asks to record too.").waitFor();
  await guest.locator("#requests").getByText("You asked to record too. There is no answer yet.").waitFor();
  await look(page, "room-asked", "en");
  const [answer] = await Promise.all([page.context().waitForEvent("page"), page.getByRole("link", { name: /^Answer/ }).click()]);
  await answer.getByRole("button", { name: "The other person may record" }).click();
  await page.locator("#requests").getByText("guest 2 may record too: you allowed it.").waitFor();
  await guest.locator("#requests").getByText("You may record too.").waitFor();
  await look(guest, "room-allowed", "en");
  // Another code, and the door closed, without loading the page.
  await page.evaluate(() => (window.isSame = true));
  await page.getByRole("button", { name: "Make a new code" }).click();
  await page.waitForFunction((code) => document.querySelector("[aria-labelledby=way] .code-large").textContent.replace(" ", "") !== code, code);
  await page.getByRole("button", { name: "Close the door" }).click();
  await page.getByText("The door is closed").waitFor();
  expect(await page.evaluate(() => window.isSame && document.activeElement?.id === "way"), "the page is the same, and the focus is on what changed");
  await page.getByRole("button", { name: "End the talk" }).click();
  await page.getByText("Nothing of this talk was recorded").waitFor();
}

// A citizen asks to record: what is missing, and a refusal with its letter.
async function requests(page) {
  await visit(page, "requests", "/requests");
  await page.goto(`${base}/requests?lang=en`);
  await page.locator("form:has(#reason)").evaluate((element) => (element.noValidate = true));
  await page.getByRole("button", { name: "Refuse, with a letter" }).click();
  await look(page, "requests-wrong", "en");
  await page.locator("#reason").selectOption("earlier_misuse");
  await page.locator("#alternative").selectOption("minutes_both_sign");
  await page.getByRole("button", { name: "Refuse, with a letter" }).click();
  const refused = new URL(page.url()).pathname;
  await visit(page, "request-refused", refused);
  await visit(page, "requests-counted", "/requests");
  await page.goto(`${base}/requests?lang=en`);
  await page.getByRole("button", { name: "The other person may record" }).click();
  await look(page, "request-allowed", "en");
}

// Asks for destruction before the term is over: the whole refusal is shown.
async function refusal(page, recording) {
  await page.goto(`${base}${recording}/destroy?lang=en`);
  await page.getByRole("checkbox").check();
  const [response] = await Promise.all([
    page.waitForNavigation(),
    page.getByRole("button", { name: "Destroy for good" }).click(),
  ]);
  expect(response.status() === 403, `destroying before the term is refused, status ${response.status()}`);
  await look(page, "refused", "en");
}

const executablePath = BROWSERS.find((path) => existsSync(path));
if (!executablePath) {
  console.error("no Chromium here: apt-get install chromium");
  process.exit(2);
}
if (shots) mkdirSync(shots, { recursive: true });
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--mute-audio"];
const profile = mkdtempSync(join(tmpdir(), "voicelog-pages-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  args: ARGUMENTS,
});
// Others than who is signed in, each with cookies of their own.
const guests = await chromium.launch({ executablePath, headless: true, args: ARGUMENTS });
try {
  const page = browser.pages()[0] ?? (await browser.newPage());
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== base) failures.push(`asked another host: ${request.url()}`);
  });
  page.on("console", (message) => {
    // A line that is lost on purpose is told as well.
    if (message.type() === "error" && !/status of 4\d\d|ERR_INTERNET_DISCONNECTED/.test(message.text())) {
      failures.push(`the browser complains at ${page.url()}: ${message.text()}`);
    }
  });
  page.setDefaultTimeout(90_000);
  await walk(page, guests);
} catch (error) {
  failures.push(`stopped halfway: ${error.message}`);
} finally {
  await guests.close();
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
  server?.stdin.end();
}
for (const failure of failures) console.error(`FAILED ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
