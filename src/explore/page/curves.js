// Accuracy over the images seen, as lines that grow.

import { svg } from "./pixels.js";

const [WIDTH, HEIGHT] = [560, 260];
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 110, 30, 40];
const LINE = 16;

/** Draws lines `{ name, points: [{ images, accuracy }] }` into `place`. */
export function curves(place, lines, most) {
  const x = (images) => LEFT + ((WIDTH - LEFT - RIGHT) * images) / most;
  const y = (accuracy) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * accuracy;
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label(lines) });
  for (const share of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
    drawing.append(
      svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(share), y2: y(share) }),
      svg("text", { class: "tick", x: LEFT - 6, y: y(share) + 4, "text-anchor": "end" }, `${Math.round(100 * share)} %`));
  }
  for (let tick = 0; tick <= most; tick += round(most / 6)) {
    drawing.append(svg("text", { class: "tick", x: x(tick), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, `${Math.round(tick / 1000)}`));
  }
  drawing.append(svg("text", { class: "tick", x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, "images seen, thousands"));
  drawing.append(svg("text", { class: "tick", x: 0, y: 14 }, "accuracy on at most 500 validation images"));
  const ends = lines.map(({ points }) => (points.length ? y(points.at(-1).accuracy) : HEIGHT - BOTTOM));
  const labels = apart(ends);
  lines.forEach(({ name, points }, index) => {
    if (!points.length) return;
    const path = points.map(({ images, accuracy }) => `${x(images).toFixed(1)},${y(accuracy).toFixed(1)}`).join(" ");
    const last = points.at(-1);
    drawing.append(
      svg("polyline", { class: `line c${index}`, points: path }),
      svg("text", { class: `label c${index}`, x: WIDTH - RIGHT + 6, y: labels[index] + 4 }, `${name} ${(100 * last.accuracy).toFixed(1)} %`));
  });
  place.replaceChildren(drawing);
}

/** The next larger of 1, 2, 5, 10, 20, ... */
function round(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return [1, 2, 5, 10].find((digit) => digit * power >= step) * power;
}

function label(lines) {
  const text = lines.filter(({ points }) => points.length).map(({ name, points }) => `${name} ${(100 * points.at(-1).accuracy).toFixed(1)} %`);
  return `Accuracy on validation images over the images seen: ${text.join(", ")}`;
}

/** Moves labels apart that would lie on each other. */
function apart(ends) {
  const order = ends.map((_, index) => index).sort((one, other) => ends[one] - ends[other]);
  const placed = ends.slice();
  for (let index = 1; index < order.length; index++) {
    placed[order[index]] = Math.max(placed[order[index]], placed[order[index - 1]] + LINE);
  }
  return placed;
}
