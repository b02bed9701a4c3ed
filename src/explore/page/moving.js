// A digit that is moved, turned, scaled, disturbed: which answers survive.

import { encode, bytes, numbers } from "./host.js";
import { element, picture } from "./pixels.js";

const STEPS = 21;
const CHANGES = {
  right: { label: "To the right, pixels", range: [-10, 10], step: 0.5, rest: 0 },
  down: { label: "Down, pixels", range: [-10, 10], step: 0.5, rest: 0 },
  rotation: { label: "Rotation, degrees", range: [-90, 90], step: 1, rest: 0 },
  scale: { label: "Scale", range: [0.4, 1.6], step: 0.02, rest: 1 },
  noise: { label: "Noise, standard deviation (white: 1)", range: [0, 0.6], step: 0.01, rest: 0 },
};

/** Builds the section; `survey(pixels, changes)` asks the engine. Returns what is to be called with every new image. */
export function moving(place, networks, shape, survey, tell) {
  const values = Object.fromEntries(Object.entries(CHANGES).map(([name, { rest }]) => [name, rest]));
  let along = "right";
  let pixels = null;

  const image = element("canvas", { class: "pixels", role: "img", "aria-label": "The changed image" });
  const sliders = Object.entries(CHANGES).map(([name, { label, range, step, rest }]) => {
    const output = element("output", {}, String(rest));
    const input = element("input", {
      type: "range", min: range[0], max: range[1], step, value: rest,
      oninput: (event) => {
        values[name] = Number(event.target.value);
        output.textContent = event.target.value;
        along = name;
        refresh();
      },
    });
    return element("label", { class: "slider" }, element("span", {}, label), input, output);
  });
  const reset = element("button", {
    type: "button",
    onclick: () => {
      for (const [index, [name, { rest }]] of Object.entries(CHANGES).entries()) {
        values[name] = rest;
        sliders[index].querySelector("input").value = rest;
        sliders[index].querySelector("output").textContent = rest;
      }
      refresh();
    },
  }, "Reset");
  const caption = element("caption");
  const strip = element("tbody");
  place.replaceChildren(
    element("div", { class: "side-by-side" },
      element("figure", {}, image, element("figcaption", {}, "the changed image")),
      element("div", { class: "sliders" }, ...sliders, reset)),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Answers over the change" },
      element("table", { class: "strip" }, caption, strip)));

  const unchanged = { ...values };
  const change = (values) => ({
    transform: { down: values.down, right: values.right, rotation: values.rotation, scale: values.scale },
    noise: values.noise,
  });

  let waiting = false;
  let again = false;
  async function refresh() {
    if (!pixels) return;
    if (waiting) return void (again = true);
    waiting = true;
    try {
      do {
        again = false;
        await ask();
      } while (again);
      tell(null);
    } catch (error) {
      tell(error);
    } finally {
      waiting = false;
    }
  }

  async function ask() {
    const { range, label } = CHANGES[along];
    const ticks = Array.from({ length: STEPS }, (_, index) => range[0] + ((range[1] - range[0]) * index) / (STEPS - 1));
    const changes = [change(values), change(unchanged), ...ticks.map((tick) => change({ ...values, [along]: tick }))];
    const answer = await survey(encode(pixels), changes);
    picture(image, bytes(answer.images[0]), shape);
    caption.textContent = `Answers along \u201c${label}\u201d; blue: the same answer as for the unchanged image, right or wrong; orange: another.`;
    const digits = (value) => (Math.abs(value) < 1 && value !== 0 ? value.toFixed(2) : String(Math.round(value * 100) / 100)).replace("-", "\u2212");
    const header = element("tr", {}, element("td"), ...ticks.map((tick) => element("th", { scope: "col" }, digits(tick))));
    const rows = networks.map((network, index) => {
      const probabilities = numbers(answer.networks[index]);
      const classes = probabilities.length / changes.length;
      const best = Array.from({ length: changes.length }, (_, image) => {
        const row = probabilities.subarray(image * classes, (image + 1) * classes);
        return row.indexOf(Math.max(...row));
      });
      const [, first, ...others] = best;
      const cells = others.map((label) => element("td", { class: label === first ? "same" : "other" }, label));
      const kept = others.filter((label) => label === first).length;
      return element("tr", {}, element("th", { scope: "row", class: `c${index}` }, `${network.name}, keeps ${kept} of ${STEPS}`), ...cells);
    });
    strip.replaceChildren(header, ...rows);
  }

  return {
    show: (next) => {
      pixels = next;
      refresh();
    },
    refresh,
  };
}
