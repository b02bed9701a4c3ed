// A page that `burn-pooling report` wrote, in headless Chromium.
//
//     node tests/browser/report.mjs FOLDER REPORT.html
//
// FOLDER gets screenshots.

import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { checkAccess, checkWidths, finish, open, run } from "./browser.mjs";

const [folder, report] = process.argv.slice(2);
const address = pathToFileURL(resolve(report)).href;
const { page, faults } = await open(address);

await run("it has every part, and every picture says what it shows", async () => {
  const headings = await page.locator("h3").allTextContents();
  for (const part of ["Configuration", "Layers", "Which class", "Classes", "Calibration", "Mistakes", "Filters", "One image"]) {
    assert.ok(headings.some((heading) => heading.startsWith(part)), part);
  }
  const silent = await page.evaluate(() =>
    [...document.querySelectorAll("svg:not(:has(title)):not([aria-hidden]), img:not([alt])")].filter((one) => !one.ariaLabel && !one.closest("[aria-label], [role=img], svg svg")).length);
  assert.equal(silent, 0, "pictures without words");
  assert.equal(await page.evaluate(() => [...document.images].filter((image) => !image.naturalWidth).length), 0, "broken pictures");
});
await run("nothing overflows at 390, 1024 and 1600 pixels", () => checkWidths(page, folder));
await run("it can be printed", async () => {
  assert.ok((await page.pdf({ path: join(folder, "report.pdf") })).length > 10_000);
});
await run("no error on the console, no request elsewhere", () => assert.deepEqual(faults, []));
await run("axe finds no serious fault", () => checkAccess(address, folder));
await finish();
