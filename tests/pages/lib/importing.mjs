// The page on which a file is imported: the questions, the refusal, and a file of which the line is lost in its midst, that goes
// on after a reload, is given up, and is imported at last.

/** So many seconds of noise as WAV: larger than a piece that is sent at once. */
function soundOf(seconds) {
  const samples = seconds * 48_000;
  const bytes = Buffer.alloc(44 + 2 * samples);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(36 + 2 * samples, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  for (const [place, value] of [[20, 1], [22, 1], [32, 2], [34, 16]]) bytes.writeUInt16LE(value, place);
  bytes.writeUInt32LE(48_000, 24);
  bytes.writeUInt32LE(96_000, 28);
  bytes.write("data", 36);
  bytes.writeUInt32LE(2 * samples, 40);
  for (let place = 0, seed = 1; place < samples; place += 1) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    bytes.writeInt16LE((seed >>> 20) - 2_048, 44 + 2 * place);
  }
  return bytes;
}

const NEXT = { nl: "Verder", en: "Next" };

/** Answers each question by the first choice, and those that count as told; up to the question when. */
async function answer(page, base, lang, told, look) {
  await page.goto(`${base}/import?lang=${lang}`);
  await look("import", lang);
  await page.locator("main form button").click();
  for (let asked = 0; asked < 60 && (await page.locator("#clock").count()) === 0; asked += 1) {
    if (asked === 0) await look("import-question", lang);
    const key = await page.locator("input[name=ask]").inputValue();
    if (told[key]) await page.locator(`#c-${told[key]}`).check();
    else if ((await page.locator("input[type=radio]").count()) > 0) await page.locator("input[type=radio]").first().check();
    await page.getByRole("button", { name: NEXT[lang] }).first().click();
  }
}

async function ask(page) {
  await page.locator("#day").fill("2026-11-20");
  await page.locator("#clock").fill("11:00");
  await page.locator("button[value=ask]").click();
}

export async function importing(page, base, { look, expect }) {
  for (const lang of ["nl", "en"]) {
    await answer(page, base, lang, { recorder: "private_person", origin: "unlawful" }, look);
    await look("import-moment", lang);
    await page.locator("main form").evaluate((form) => (form.noValidate = true));
    await page.locator("button[value=ask]").click();
    await look("import-moment-wrong", lang);
    await ask(page);
    expect((await page.locator("#upload-file").count()) === 0, `import ${lang}: what is refused cannot be sent`);
    await look("import-refused", lang);
  }
  const told = { recorder: "private_person", origin: "participant" };
  await answer(page, base, "nl", told, async () => {});
  await ask(page);
  await look("import-send", "nl");
  await answer(page, base, "en", told, async () => {});
  await ask(page);
  await look("import-send", "en");
  await sent(page, base, { look, expect });
}

async function sent(page, base, { look, expect }) {
  const file = { name: "memo.wav", mimeType: "audio/wav", buffer: soundOf(100) };
  const status = page.locator("#upload-status");
  await page.locator("#upload-send").click();
  expect((await status.innerText()) === "Choose a file first.", "import: without a file it says so");
  // The line is lost after the first piece.
  let pieces = 0;
  await page.route("**/import/uploads/*", (route) => {
    if (route.request().method() === "PATCH") pieces += 1;
    return pieces > 1 ? route.abort("internetdisconnected") : route.continue();
  });
  await page.locator("#upload-file").setInputFiles(file);
  await page.locator("#upload-send").click();
  await status.filter({ hasText: "The connection is gone" }).waitFor();
  const lost = Number(await page.locator("#upload-bar").getAttribute("value"));
  expect(lost > 10 && lost < 100, `import: part of it is there (${lost} %)`);
  await look("import-waiting", "en");
  // After a reload it asks for the same file, and takes no other.
  await page.unroute("**/import/uploads/*");
  await page.goto(`${base}/import?lang=en`);
  await page.locator("#upload-note").filter({ hasText: "memo.wav" }).waitFor();
  await look("import-resume", "en");
  await page.locator("#upload-file").setInputFiles({ ...file, buffer: soundOf(99) });
  await page.locator("#upload-send").click();
  await status.filter({ hasText: "This is another file" }).waitFor();
  let again = 0;
  page.on("request", (request) => (again += request.method() === "PATCH" ? 1 : 0));
  await page.locator("#upload-file").setInputFiles(file);
  await Promise.all([page.waitForURL(/\/import\/[0-9a-f]{32}$/, { timeout: 60_000 }), page.locator("#upload-send").click()]);
  expect(again >= 1 && again < 3, `import: it goes on where it was cut off (${again} pieces)`);
  await page.reload();
  await page.getByText("The recording was imported").waitFor();
  await look("import-done", "en");
  await page.getByRole("link", { name: "Look at the recording" }).click();
  expect(new URL(page.url()).pathname.startsWith("/recordings/"), "import: the recording is there");
  // The next one is given up.
  await answer(page, base, "en", { recorder: "private_person", origin: "participant" }, async () => {});
  await ask(page);
  await page.route("**/import/uploads/*", (route) =>
    route.request().method() === "PATCH" ? route.abort("internetdisconnected") : route.continue(),
  );
  await page.locator("#upload-file").setInputFiles({ ...file, buffer: soundOf(50) });
  await page.locator("#upload-send").click();
  await status.filter({ hasText: "The connection is gone" }).waitFor();
  await page.locator("#upload-cancel").click();
  await status.filter({ hasText: "Cancelled" }).waitFor();
  await page.unroute("**/import/uploads/*");
  await page.goto(`${base}/import?lang=en`);
  expect(await page.locator("#upload").isHidden(), "import: what was given up does not come back");
}
