// What the tests in headless Chromium share.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

export const LONG = { timeout: 120_000 };

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const children = [];
let failures = 0;

/** Starts a server, and returns the address that it prints. */
export async function serve([command, ...words]) {
  const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let errors = "";
  child.stderr.on("data", (data) => (errors += data));
  for await (const line of createInterface({ input: child.stdout })) {
    const found = line.match(/http:\/\/[^\s)]+/);
    if (found) return found[0];
  }
  throw new Error(`${command} printed no address: ${errors}`);
}

/** Opens a page, and counts what must not happen: errors, and requests that leave the host. */
export async function open(address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => message.type() === "error" && faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    const isHere = ["data:", "blob:"].includes(protocol) || host === new URL(address).host;
    if (!isHere) faults.push(`left the host: ${request.url()}`);
  });
  await page.goto(address);
  return { page, faults };
}

/** Checks at several widths that nothing overflows, and takes a picture of each. */
export async function checkWidths(page, folder) {
  for (const width of [390, 1024, 1600]) {
    await page.setViewportSize({ width, height: 900 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(overflow, 0, `at ${width} pixels`);
    await page.screenshot({ path: join(folder, `${width}.png`), fullPage: true });
  }
}

/** Checks with axe, in light and dark, that everybody can read and use the page. */
export async function checkAccess(address, folder, isShown = async () => {}) {
  for (const colorScheme of ["light", "dark"]) {
    // Only to run axe: the page itself allows no script from elsewhere.
    const { page } = await open(address, { bypassCSP: true, colorScheme });
    await isShown(page);
    await page.addScriptTag({ path: axe });
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
    const found = serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).slice(0, 5).join("; ")}`);
    assert.deepEqual(found, [], colorScheme);
    await page.screenshot({ path: join(folder, `${colorScheme}.png`), fullPage: true });
  }
}

/** Runs a test, and goes on if it fails. */
export async function run(name, test) {
  try {
    await test();
    console.log(`ok: ${name}`);
  } catch (error) {
    failures += 1;
    console.log(`FAILED: ${name}\n${error.stack}`);
  }
}

/** Ends what was started, and the process. */
export async function finish() {
  await browser.close();
  for (const child of children) child.kill();
  process.exit(failures ? 1 : 0);
}
