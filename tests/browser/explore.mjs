// The page of `burn-pooling explore` in headless Chromium, as a reader uses it. The host is any command that prints its
// address:
//
//     npm ci --prefix tests/browser
//     node tests/browser/explore.mjs FOLDER target/release/burn-pooling explore --no-open --port 0
//     node tests/browser/explore.mjs FOLDER python3 -um http.server --bind 127.0.0.1 --directory web/dist 0
//
// FOLDER gets screenshots.

import assert from "node:assert/strict";
import { join } from "node:path";
import { LONG, checkAccess, checkWidths, finish, open, run, serve } from "./browser.mjs";

const [folder, ...command] = process.argv.slice(2);
const address = await serve(command);
const isShown = (page) => page.locator("#columns article").first().locator(".answer").filter({ hasText: "says" }).waitFor(LONG);

const column = (page, name) => page.locator(`#columns article[aria-label="${name}"]`);

/** Waits until the training has come so far that `max` knows its digits. */
async function trained(page) {
  await page.locator("#curves text.label", { hasText: /max 9[5-9]/ }).waitFor(LONG);
}

async function drawSeven(page) {
  await page.locator("#clear").click(); // which may scroll
  const box = await page.locator("#paper").boundingBox();
  const to = (x, y) => page.mouse.move(box.x + x, box.y + y, { steps: 12 });
  await to(80, 70);
  await page.mouse.down();
  await to(200, 70);
  await to(130, 220);
  await page.mouse.up();
}

const tests = {
  async "a drawn 7 is a 7 for max"(page) {
    await drawSeven(page);
    await column(page, "max").locator(".answer", { hasText: "says 7" }).waitFor(LONG);
    assert.match(await page.locator("#source").textContent(), /Drawn by you/);
    await page.screenshot({ path: join(folder, "seven.png"), fullPage: true });
  },

  async "the number of a window is the library's"(page) {
    await page.locator("#train").click(); // pause: the networks stay as they are
    await page.locator("#train", { hasText: "Train" }).waitFor(LONG);
    await page.locator("#another").click();
    await page.locator("#source", { hasText: "Test image" }).waitFor();
    for (const [network, name] of [[0, "max"], [1, "average"], [2, "gmp"], [3, "gap"]]) {
      await page.locator("#window select").first().selectOption(String(network));
      const after = page.locator("#window canvas").nth(1);
      await after.scrollIntoViewIfNeeded();
      const box = await after.boundingBox();
      await page.mouse.move(box.x + box.width * 0.52, box.y + box.height * 0.48);
      const words = page.locator("#window .words");
      const shown = Number(((await words.textContent()).match(/= (−?[\d.]+)/) ?? [])[1]?.replace("−", "-"));
      const pooled = Number(await words.getAttribute("data-value"));
      assert.ok(Math.abs(shown - pooled) < 0.0006, `${name}: computed ${shown}, from the library ${pooled}`);
    }
  },

  async "moving a digit asks every network"(page) {
    await page.locator(".slider input").first().fill("4");
    const rows = page.locator(".strip th[scope=row]");
    await page.locator(".strip caption", { hasText: "To the right" }).waitFor();
    assert.equal(await rows.count(), 4);
    await page.locator(".slider output").first().filter({ hasText: "4" }).waitFor();
    const kept = async (name) => Number((await rows.filter({ hasText: name }).textContent()).match(/keeps (\d+)/)[1]);
    assert.ok((await kept("gmp")) >= (await kept("max")), "gmp keeps its answer when a digit moves");
  },

  async "a picture can be loaded, and what is none is said so"(page) {
    await drawSeven(page);
    const picture = await page.evaluate(() => document.getElementById("paper").toDataURL("image/png").split(",")[1]);
    await page.locator("#file").setInputFiles({ name: "seven.png", mimeType: "image/png", buffer: Buffer.from(picture, "base64") });
    await page.locator("#source", { hasText: "seven.png" }).waitFor();
    await column(page, "max").locator(".answer", { hasText: "says 7" }).waitFor(LONG);
    await page.locator("#file").setInputFiles({ name: "no.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
    await page.locator("#train").click(); // and the training that goes on does not hide it
    await page.locator("#error", { hasText: "PNG or JPEG" }).waitFor();
    const seen = await page.locator("#curves polyline").first().getAttribute("points");
    await page.waitForFunction((seen) => document.querySelector("#curves polyline").getAttribute("points") !== seen, seen, LONG);
    await page.locator("#error", { hasText: "PNG or JPEG" }).waitFor();
    await page.locator("#train").click();
    await page.locator("#another").click();
    await page.locator("#error").waitFor({ state: "hidden" });
  },

  async "the playground computes"(page) {
    const first = page.locator("#try input").first();
    await first.fill("9");
    assert.equal(await page.locator("#try .output button").first().textContent(), "9.00");
    await page.locator("#try select").first().selectOption("average");
    assert.match(await page.locator("#try .words").textContent(), /^\(9\.00 \+ 0\.00 \+ 0\.00 \+ 2\.00\) \/ 4 = 2\.75$/);
    await page.locator("#try select").first().selectOption("global max");
    assert.match(await page.locator("#try .words").textContent(), /the largest of 36 numbers = 9\.00, in row 1, column 1/);
  },

  async "everything can be done with the keyboard"(page) {
    await page.locator("#paper").focus();
    await page.keyboard.press("Delete");
    for (let count = 0; count < 8; count++) await page.keyboard.press("ArrowUp");
    await page.keyboard.press(" ");
    for (let count = 0; count < 16; count++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press(" ");
    await column(page, "max").locator(".answer", { hasText: "says 1" }).waitFor(LONG);
    const after = page.locator("#window canvas").nth(1);
    await page.locator("#window select").first().selectOption("0");
    await after.focus();
    const before = await page.locator("#window .words").textContent();
    for (let count = 0; count < 6; count++) await page.keyboard.press("ArrowDown");
    for (let count = 0; count < 6; count++) await page.keyboard.press("ArrowRight");
    assert.notEqual(await page.locator("#window .words").textContent(), before);
  },

  "nothing overflows at 390, 1024 and 1600 pixels": (page) => checkWidths(page, folder),
};

const { page, faults } = await open(address);
await isShown(page);
await run("the networks train in front of the reader", () => trained(page));
for (const [name, test] of Object.entries(tests)) await run(name, () => test(page));
await run("no error on the console, no request elsewhere", () => assert.deepEqual(faults, []));
await run("axe finds no serious fault", () => checkAccess(address, folder, isShown));
await finish();
