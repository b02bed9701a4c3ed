// Exported networks in Netron, in headless Chromium: it shows the graph.
//
//     node tests/browser/netron.mjs FOLDER PYTHON MODEL.onnx OPERATIONS
//
// FOLDER gets a screenshot; OPERATIONS are those expected, in order, such as Conv,Relu,GlobalMaxPool,Flatten,Gemm.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { LONG, finish, open, run, serve } from "./browser.mjs";

const [folder, python, model, operations] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const address = await serve([python, "-uc",
  "import sys, netron; host, port = netron.serve(sys.argv[1], None, ('127.0.0.1', None)); " +
  "print(f'http://{host}:{port}/'); netron.wait()", model]);

await run(`Netron shows ${basename(model)}`, async () => {
  const { page } = await open(address);
  const { host } = new URL(address);
  await page.route((url) => url.host !== host, (route) => route.abort()); // its reports of use
  await page.getByRole("button", { name: "Accept" }).click(LONG);
  await page.locator("#canvas .node-item-type").first().waitFor({ ...LONG, state: "attached" });
  const graph = await page.locator("#canvas").innerHTML();
  const labels = [...graph.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, label]) => label);
  assert.deepEqual(labels, ["images", ...operations.split(","), "logits"]);
  await page.screenshot({ path: join(folder, "netron.png") });
});
await finish();
