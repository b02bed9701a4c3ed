// The page: what is shown, and what the engine is asked.

import { columns } from "./columns.js";
import { ask, bytes, encode, numbers } from "./host.js";
import { inside } from "./inside.js";
import { moving } from "./moving.js";
import { paper } from "./paper.js";
import { picture } from "./pixels.js";
import { playground } from "./playground.js";
import { training } from "./training.js";

const at = (id) => document.getElementById(id);

function failed(error) {
  at("error").textContent = error.message;
  at("error").hidden = false;
}

/** Calls `work` with the latest value, one call after the other; values in between are left out. */
function latest(work) {
  let waiting = null;
  let busy = false;
  return async (value) => {
    waiting = { value };
    if (busy) return;
    busy = true;
    while (waiting) {
      const { value } = waiting;
      waiting = null;
      try {
        await work(value);
        at("error").hidden = true;
      } catch (error) {
        failed(error);
      }
    }
    busy = false;
  };
}

function decoded(map) {
  return { ...map, values: numbers(map.values) };
}

function explanation(network) {
  return {
    ...network,
    relevance: decoded(network.relevance),
    gradient_times_input: decoded(network.gradient_times_input),
    stages: network.stages.map((stage) => ({ ...stage, activation: decoded(stage.activation), pooled: decoded(stage.pooled) })),
  };
}

async function start() {
  const described = await ask({ request: "describe" });
  const { networks, classes, image, test_images: tests } = described;
  let pixels = null;

  const view = columns(at("columns"), networks, (network, stage, channel) => {
    look.choose({ network, stage, channel });
    at("inside").scrollIntoView({ behavior: "smooth" });
  });
  const look = inside(at("window"), networks);
  playground(at("try"));
  const move = moving(at("move"), networks, { classes, shape: image }, (pixels, changes) => ask({ request: "survey", pixels, changes }), failed);

  const explain = latest(async () => {
    if (!pixels) return;
    const answer = await ask({ request: "explain", pixels: encode(pixels) });
    const explained = answer.networks.map(explanation);
    view.show(explained);
    look.show(explained);
  });

  async function show(answer, source) {
    pixels = bytes(answer.pixels);
    picture(at("prepared"), pixels, image);
    at("source").textContent = source;
    move.show(pixels);
    await explain();
  }

  const prepare = latest(async ({ file, source }) => {
    await show(await ask({ request: "prepare", picture: file }), source);
  });
  const sheet = paper(at("paper"), () => prepare({ file: sheet.picture(), source: "Drawn by you." }));
  at("clear").addEventListener("click", sheet.clear);
  at("file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    await prepare({ file: encode(new Uint8Array(await file.arrayBuffer())), source: file.name });
    await createImageBitmap(file).then(sheet.lay, sheet.clear);
  });
  const testImage = latest(async (index) => {
    const answer = await ask({ request: "test-image", index });
    await show(answer, `Test image ${index}, a ${answer.label}.`);
    const print = document.createElement("canvas");
    picture(print, pixels, image, true);
    sheet.lay(print);
  });
  at("another").addEventListener("click", () => testImage(Math.floor(Math.random() * tests)));
  await testImage(0);

  await measure(networks, view);
  if (networks.every((network) => network.progress)) {
    const section = { button: at("train"), status: at("trained"), place: at("curves") };
    const train = (network, steps) => ask({ request: "train", network, steps });
    const run = training(section, networks, train, async () => {
      await explain();
      move.refresh();
    }, failed);
    run();
  } else {
    at("training").hidden = true;
  }
}

async function measure(networks, view) {
  for (const [network] of networks.entries()) {
    const { microseconds } = await ask({ request: "measure", network });
    view.cost(network, `One image takes ${microseconds.toFixed(0)} microseconds here.`);
  }
}

start().catch(failed);
