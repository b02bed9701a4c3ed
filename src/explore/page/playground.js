// One small map whose every number can be changed.

import { element } from "./pixels.js";
import { corners, keep, numbersIn } from "./pooling.js";

const SIDE = 6;
const START = [
  0, 0, 1, 2, 1, 0,
  0, 2, 5, 5, 3, 0,
  0, 1, 2, 4, 4, 0,
  0, 0, 1, 5, 3, 0,
  0, 0, 4, 5, 1, 0,
  0, 1, 5, 3, 0, 0,
];

const KINDS = {
  max: "max: keeps the largest number of each window",
  average: "average: keeps the mean of each window",
  "global max": "global max: keeps the largest number of the map",
  "global average": "global average: keeps the mean of the map",
};

export function playground(place) {
  const values = START.slice();
  const settings = { kind: "max", kernel: 2, stride: 2 };
  const inputs = values.map((value, index) =>
    element("input", {
      type: "number", step: "any", value, "aria-label": `row ${Math.floor(index / SIDE) + 1}, column ${(index % SIDE) + 1}`,
      oninput: (event) => {
        values[index] = Number(event.target.value) || 0;
        show();
      },
    }),
  );
  const map = element("div", { class: "numbers", role: "group", "aria-label": "The map" }, ...inputs);
  map.style.setProperty("--side", SIDE);
  const output = element("div", { class: "numbers output", role: "group", "aria-label": "What pooling keeps" });
  const words = element("p", { class: "words", role: "status" });
  const choice = (label, name, options) =>
    element("label", {}, `${label} `, element("select", {
      onchange: (event) => {
        settings[name] = name === "kind" ? event.target.value : Number(event.target.value);
        show();
      },
    }, ...options.map(([value, text]) => element("option", { value, selected: value === settings[name] }, text))));
  const sizes = Array.from({ length: SIDE }, (_, index) => [index + 1, `${index + 1}`]);
  const controls = element("p", { class: "controls" },
    choice("Pooling", "kind", Object.entries(KINDS)),
    choice("Kernel size", "kernel", sizes),
    choice("Stride", "stride", sizes));
  place.replaceChildren(controls, element("div", { class: "side-by-side" }, map, output), words);

  function show() {
    const isGlobal = settings.kind.startsWith("global");
    for (const select of controls.querySelectorAll("label:not(:first-child) select")) select.disabled = isGlobal;
    const kernel = isGlobal ? SIDE : settings.kernel;
    const starts = corners(SIDE, kernel, isGlobal ? SIDE : settings.stride);
    output.style.setProperty("--side", starts.length);
    const kind = settings.kind.replace("global ", "");
    output.replaceChildren(...starts.flatMap((row) => starts.map((column) => {
      const numbers = numbersIn(values, [SIDE, SIDE], { row, column, height: kernel, width: kernel });
      const kept = keep(kind, numbers);
      const look = () => light(numbers, kept);
      return element("button", { type: "button", onmouseenter: look, onfocus: look, onclick: look },
        kept.value.toFixed(2).replace("-", "\u2212"));
    })));
    output.querySelector("button").dispatchEvent(new Event("mouseenter"));
  }

  function light(numbers, kept) {
    for (const input of inputs) input.classList.remove("lit", "best");
    for (const { row, column } of numbers) inputs[row * SIDE + column].classList.add("lit");
    if (kept.best) inputs[kept.best.row * SIDE + kept.best.column].classList.add("best");
    words.textContent = kept.words;
  }

  show();
}
