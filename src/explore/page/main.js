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

const problems = new Map();

/** Shows what went wrong in a part of the page, until that part works again. */
function tell(part, error) {
  if (error) problems.set(part, error.message);
  else problems.delete(part);
  at("error").textContent = [...problems.values()].join(" ");
  at("error").hidden = !problems.size;
}

/** Calls `work` with the latest value, one call after the other; values in between are left out. */
function latest(part, work) {
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
        tell(part, null);
      } catch (error) {
        tell(part, error);
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
  const { networks, image, placement, test_images: tests } = described;
  let pixels = null;
  let source = 0;

  const view = columns(at("columns"), networks, (network, stage, channel) => {
    look.choose({ network, stage, channel });
    at("inside").scrollIntoView();
  });
  const look = inside(at("window"), networks);
  playground(at("try"));
  const survey = (pixels, changes) => ask({ request: "survey", pixels, changes });
  const move = moving(at("move"), networks, image, survey, (error) => tell("moving", error));
  const placed = placement === "digit" ? "white ink on black, in the middle" : "the whole picture";
  at("placed").textContent = `${placed}, ${image[2]} by ${image[1]} pixels.`;

  const explain = latest("networks", async () => {
    if (!pixels) return;
    const answer = await ask({ request: "explain", pixels: encode(pixels) });
    const explained = answer.networks.map(explanation);
    view.show(explained);
    look.show(explained);
  });

  /** Takes the image that `load` brings, as the newest of all that were asked for. */
  const take = latest("image", async (load) => {
    const asked = ++source;
    const { answer, words, paint } = await load();
    if (asked !== source) return; // the paper was cleared
    pixels = bytes(answer.pixels);
    picture(at("prepared"), pixels, image);
    at("source").textContent = words;
    paint?.(pixels);
    move.show(pixels);
    await explain();
  });
  const prepared = async (file, words, paint) => ({ answer: await ask({ request: "prepare", picture: file }), words, paint });

  const sheet = paper(at("paper"), () => take(() => prepared(sheet.picture(), "Drawn by you.")), () => {
    source += 1;
    at("source").textContent = "Draw another; until then this one stays.";
  });
  at("clear").addEventListener("click", sheet.clear);
  at("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    take(async () => {
      const loaded = await prepared(encode(new Uint8Array(await file.arrayBuffer())), file.name);
      const drawn = await createImageBitmap(file);
      return { ...loaded, paint: () => sheet.lay(drawn) };
    });
  });
  const testImage = (index) => take(async () => {
    const answer = await ask({ request: "test-image", index });
    const print = document.createElement("canvas");
    const paint = (pixels) => {
      picture(print, pixels, image, true);
      sheet.lay(print);
    };
    return { answer, words: `Test image ${index}, a ${answer.label}.`, paint };
  });
  at("another").addEventListener("click", () => testImage(Math.floor(Math.random() * tests)));
  await testImage(0);
  at("main").inert = false;
  at("loading").hidden = true;

  await measure(networks, view);
  if (networks.every((network) => network.progress)) {
    at("count").textContent = networks[0].progress.epoch_images.toLocaleString("en");
    const section = { button: at("train"), status: at("trained"), place: at("curves") };
    const train = (network, steps) => ask({ request: "train", network, steps });
    const trained = async () => {
      await explain();
      move.refresh();
    };
    training(section, networks, train, trained, (error) => tell("training", error));
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

start().catch((error) => tell("page", error));
