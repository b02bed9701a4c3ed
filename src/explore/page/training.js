// Training in front of the reader: some steps of each network in turn.

import { curves } from "./curves.js";

/** How long one request may take, in milliseconds: short, so that the page answers meanwhile. */
const PATIENCE = 150;
const MOST_STEPS = 500;
const EPOCHS = 5;

/** Builds the section and begins; `train(network, steps)` asks the engine, `trained` is called after each round. */
export function training({ button, status, place }, networks, train, trained, tell) {
  const lines = networks.map(({ name, progress }) => ({ name, points: progress.curve.slice() }));
  const steps = networks.map(() => 10);
  const epoch = networks[0].progress.epoch_images;
  const seen = (index) => lines[index].points.at(-1)?.images ?? 0;
  const least = () => Math.min(...networks.map((_, index) => seen(index)));
  const most = () => Math.max(...networks.map((_, index) => seen(index)));
  let goal = EPOCHS * epoch;
  let wanted = false;
  let working = false;

  function show() {
    curves(place, lines, Math.max(goal, most()));
    button.textContent = wanted ? "Pause" : "Train";
    const words = wanted ? `epoch ${Math.floor(least() / epoch) + 1} of ${goal / epoch}` : least() >= goal ? "trained" : "";
    if (status.textContent !== words) status.textContent = words;
  }

  async function work() {
    working = true;
    try {
      while (wanted && least() < goal) {
        for (const [index] of networks.entries()) {
          if (wanted && seen(index) < goal) await round(index);
        }
        show();
        await trained();
      }
      tell(null);
    } catch (error) {
      tell(error);
    }
    working = wanted = false;
    show();
  }

  async function round(index) {
    const start = performance.now();
    const { figures } = await train(index, steps[index]);
    const time = performance.now() - start;
    steps[index] = Math.min(MOST_STEPS, Math.max(1, Math.round((steps[index] * PATIENCE) / Math.max(1, time))));
    lines[index].points.push(figures);
  }

  function toggle() {
    wanted = !wanted;
    if (wanted && least() >= goal) goal += EPOCHS * epoch;
    show();
    if (wanted && !working) work();
  }

  button.addEventListener("click", toggle);
  if (least() < goal) toggle();
  else show();
}
