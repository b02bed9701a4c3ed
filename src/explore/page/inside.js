// One map before and after pooling, window by window.

import { poolingName } from "./columns.js";
import { channels, draw, element, light, largest } from "./pixels.js";
import { keep, numbersIn } from "./pooling.js";

/** Builds the section; the returned `choose` and `show` set what is looked at. */
export function inside(place, networks) {
  const at = { network: 0, stage: 0, channel: 0, row: 0, column: 0 };
  let explained = null;

  const option = (value, text) => element("option", { value }, text);
  const select = (label, name) => {
    const made = element("select", { onchange: (event) => choose({ [name]: Number(event.target.value) }) });
    return { made, label: element("label", {}, `${label} `, made) };
  };
  const [network, stage, channel] = [select("Network", "network"), select("Stage", "stage"), select("Map", "channel")];
  network.made.append(...networks.map((one, index) => option(index, one.name)));

  const before = element("canvas", { class: "pixels", role: "img" });
  const frame = element("span", { class: "frame" });
  const after = element("canvas", {
    class: "pixels", tabindex: "0", role: "application", onpointermove: point, onpointerdown: point, onkeydown: step,
  });
  const dot = element("span", { class: "frame" });
  const titles = [element("figcaption"), element("figcaption")];
  const table = element("div", { class: "numbers", role: "group", "aria-label": "The numbers of the window" });
  const words = element("p", { class: "words", role: "status" });
  place.replaceChildren(
    element("p", { class: "controls" }, network.label, stage.label, channel.label),
    element("div", { class: "side-by-side" },
      element("figure", { class: "large" }, titles[0], element("div", { class: "framed" }, before, frame)),
      element("figure", { class: "large" }, titles[1], element("div", { class: "framed" }, after, dot)),
      element("div", {}, table)),
    words);

  const pooling = () => networks[at.network].poolings[at.stage];
  const maps = () => explained[at.network].stages[at.stage];

  /** Offers so many numbers; a list that is open stays as it is. */
  function offer(list, count, chosen) {
    if (list.length !== count) list.replaceChildren(...Array.from({ length: count }, (_, index) => option(index, index + 1)));
    list.value = chosen;
  }

  function choose(changes) {
    // Only what the reader asked for is read out.
    words.setAttribute("aria-live", Object.keys(changes).length ? "polite" : "off");
    Object.assign(at, changes);
    at.stage = Math.min(at.stage, networks[at.network].poolings.length - 1);
    if (!explained) return;
    const [count, rows, columns] = maps().pooled.shape;
    at.channel = Math.min(at.channel, count - 1);
    at.row = Math.min(at.row, rows - 1);
    at.column = Math.min(at.column, columns - 1);
    network.made.value = at.network;
    offer(stage.made, networks[at.network].poolings.length, at.stage);
    offer(channel.made, count, at.channel);
    render();
  }

  function point(event) {
    if (!explained) return;
    const [, rows, columns] = maps().pooled.shape;
    const box = after.getBoundingClientRect();
    const index = (offset, length, count) => Math.min(count - 1, Math.max(0, Math.floor((offset / length) * count)));
    choose({
      row: index(event.clientY - box.top, box.height, rows),
      column: index(event.clientX - box.left, box.width, columns),
    });
  }

  function step(event) {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!move || !explained) return;
    event.preventDefault();
    choose({ row: Math.max(0, at.row + move[0]), column: Math.max(0, at.column + move[1]) });
  }

  function window() {
    const [, height, width] = maps().activation.shape;
    const kind = pooling();
    if (!kind) return { row: at.row, column: at.column, height: 1, width: 1 };
    if (kind === "BlurredMax") return { row: 0, column: 0, height: 0, width: 0 };
    if (typeof kind === "string") return { row: 0, column: 0, height, width };
    const [{ kernel_size: kernel, stride }] = Object.values(kind);
    return { row: at.row * stride[0], column: at.column * stride[1], height: kernel[0], width: kernel[1] };
  }

  function render() {
    const { activation, pooled } = maps();
    const most = largest(activation.values);
    const size = activation.shape.slice(1);
    const [values, kept] = [activation, pooled].map((map) => channels(map)[at.channel]);
    draw(before, values, size, (value) => light(value / most));
    draw(after, kept, pooled.shape.slice(1), (value) => light(value / most));
    titles[0].textContent = `before: ${size.join("x")}`;
    titles[1].textContent = `after ${poolingName(pooling())}: ${pooled.shape.slice(1).join("x")}`;
    before.setAttribute("aria-label", titles[0].textContent);
    after.setAttribute("aria-label", `${titles[1].textContent}; arrow keys move the window`);
    const area = window();
    enclose(frame, area, size);
    enclose(dot, { row: at.row, column: at.column, height: 1, width: 1 }, pooled.shape.slice(1));
    const numbers = numbersIn(values, size, area);
    const kind = /average/i.test(poolingName(pooling())) ? "average" : "max";
    const result = numbers.length ? keep(kind, numbers, 3) : { words: "blurred maxima: not shown number by number" };
    const shown = numbers.length <= 64 ? numbers : [];
    table.style.setProperty("--side", area.width);
    table.replaceChildren(...shown.map((number) =>
      element("span", { class: number === result.best ? "lit best" : "lit" }, number.value.toFixed(3))));
    if (words.textContent !== result.words) words.textContent = result.words;
    words.dataset.value = kept[at.row * pooled.shape[2] + at.column];
  }

  return {
    choose,
    show: (next) => {
      explained = next;
      choose({});
    },
  };
}

/** Puts a frame around a part of a canvas of so many rows and columns. */
function enclose(frame, { row, column, height, width }, [rows, columns]) {
  const share = (part, whole) => `${(100 * part) / whole}%`;
  Object.assign(frame.style, {
    top: share(row, rows), left: share(column, columns), height: share(height, rows), width: share(width, columns),
  });
}
