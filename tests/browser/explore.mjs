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
    await page.locator("#source", { hasText: "Drawn by you" }).waitFor(LONG);
    // The test image before it was a 7 too.
    await page.evaluate(() => document.querySelectorAll(".answer").forEach((answer) => (answer.textContent = "")));
    await column(page, "max").locator(".answer", { hasText: "says 7" }).waitFor(LONG);
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
      // Together: an answer that comes meanwhile changes both.
      const [words, value] = await page.locator("#window .words").evaluate((words) => [words.textContent, words.dataset.value]);
      const shown = Number((words.match(/= (−?[\d.]+)/) ?? [])[1]?.replace("−", "-"));
      const pooled = Number(value);
      assert.ok(Math.abs(shown - pooled) < 0.0006, `${name}: computed ${shown}, from the library ${pooled}`);
    }
  },

  async "moving a digit moves its pixels, and every network answers"(page) {
    await page.locator(".slider input").first().fill("4");
    await page.waitForFunction(() => {
      const pixels = (selector) => {
        const canvas = document.querySelector(selector);
        const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return (row, column) => data[4 * (row * width + column)];
      };
      const [before, after] = [pixels("#prepared"), pixels("#move canvas")];
      return Array.from({ length: 28 * 24 }, (_, place) => [Math.floor(place / 24), place % 24])
        .every(([row, column]) => after(row, column + 4) === before(row, column));
    }, null, LONG);
    const rows = page.locator(".strip tr:has(th[scope=row])");
    assert.equal(await rows.count(), 4);
    for (const row of await rows.all()) {
      assert.equal(await row.locator("td").count(), 21);
      assert.equal(await row.locator("td").nth(10).getAttribute("class"), "same", "not moved, it keeps its answer");
    }
  },

  async "a picture can be loaded, and what is none is said so"(page) {
    await page.locator("#train").click();
    await drawSeven(page);
    const picture = await page.evaluate(() => document.getElementById("paper").toDataURL("image/png").split(",")[1]);
    await page.locator("#file").setInputFiles({ name: "seven.png", mimeType: "image/png", buffer: Buffer.from(picture, "base64") });
    await page.locator("#source", { hasText: "seven.png" }).waitFor();
    await column(page, "max").locator(".answer", { hasText: "says 7" }).waitFor(LONG);
    await page.locator("#file").setInputFiles({ name: "no.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
    await page.locator("#error", { hasText: "PNG or JPEG" }).waitFor(); // and the training that goes on does not hide it
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
    await page.locator("#train").focus();
    await page.keyboard.press("Enter");
    await page.locator("#train", { hasText: "Pause" }).waitFor();
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
    const frame = () => page.locator("#window .frame").first().getAttribute("style");
    const before = await frame();
    for (let count = 0; count < 6; count++) await page.keyboard.press("ArrowDown");
    for (let count = 0; count < 6; count++) await page.keyboard.press("ArrowRight");
    assert.notEqual(await frame(), before);
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
