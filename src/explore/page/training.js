// Training in front of the reader: some steps of each network in turn.

import { curves } from "./curves.js";

/** How long one request may take, in milliseconds: short, so that the page answers meanwhile. */
const PATIENCE = 150;
const MOST_STEPS = 500;
const EPOCHS = 5;

/** Builds the section; `train(network, steps)` asks the engine, `trained` is called after each round. */
export function training({ button, status, place }, networks, train, trained, failed) {
  const lines = networks.map(({ name, progress }) => ({ name, points: progress.curve.slice() }));
  const steps = networks.map(() => 10);
  const epoch = networks[0].progress.epoch_images;
  let goal = EPOCHS * epoch;
  let running = false;

  const seen = (index) => lines[index].points.at(-1)?.images ?? 0;
  const isDone = () => networks.every((_, index) => seen(index) >= goal);

  function show() {
    curves(place, lines, Math.max(goal, ...networks.map((_, index) => seen(index))));
    button.textContent = running ? "Pause" : "Train";
    button.setAttribute("aria-pressed", running);
    const epochs = Math.min(...networks.map((_, index) => seen(index))) / epoch;
    status.textContent = running ? `epoch ${Math.floor(epochs) + 1} of ${goal / epoch}` : isDone() ? "trained" : "";
  }

  async function run() {
    if (isDone()) goal += EPOCHS * epoch;
    running = true;
    show();
    try {
      while (running && !isDone()) {
        for (const [index] of networks.entries()) {
          if (seen(index) >= goal) continue;
          const start = performance.now();
          const { figures } = await train(index, steps[index]);
          const time = performance.now() - start;
          steps[index] = Math.min(MOST_STEPS, Math.max(1, Math.round((steps[index] * PATIENCE) / Math.max(1, time))));
          lines[index].points.push(figures);
        }
        show();
        await trained();
      }
    } catch (error) {
      failed(error);
    }
    running = false;
    show();
  }

  button.addEventListener("click", () => (running ? (running = false) : run()));
  show();
  return run;
}
