// The networks side by side, stage by stage.

import { channels, draw, element, largest, light, signed, winner } from "./pixels.js";

const ACROSS = 8;

/** Builds the columns; `choose(network, stage, channel)` is called when a map is clicked. */
export function columns(place, networks, choose) {
  const stages = Math.max(...networks.map((network) => network.poolings.length));
  const built = networks.map((network, index) => column(network, index, stages, choose));
  place.style.setProperty("--rows", 2 * stages + 4);
  place.style.setProperty("--networks", networks.length);
  place.replaceChildren(...built.map((one) => one.article));
  return { show: (explained) => show(built, explained), cost: (index, text) => (built[index].time.textContent = text) };
}

function column(network, index, stages, choose) {
  const answer = element("p", { class: "answer" });
  const rows = [element("header", {}, element("h3", { class: `c${index}` }, network.name), answer)];
  const sheets = [];
  for (let stage = 0; stage < stages; stage++) {
    if (stage >= network.poolings.length) {
      rows.push(element("div", { class: "none" }, "no second stage"), element("div", { class: "none" }));
      continue;
    }
    const part = (what, name) => {
      const canvas = element("canvas", {
        class: "pixels sheet", role: "img",
        onclick: (event) => choose(index, stage, channelAt(event, canvas)),
      });
      const caption = element("p", { class: "shape" });
      rows.push(element("figure", {}, element("figcaption", {}, what), canvas, caption));
      return { canvas, caption, name };
    };
    const layer = (kind) => network.layers.find((layer) => layer.path === `stage${stage + 1}.${kind}`);
    sheets.push({
      activation: part("convolution and ReLU", "activation"),
      pooled: part(poolingName(network.poolings[stage]), "pooled"),
      convolution: layer("conv"),
    });
  }
  const bars = element("div", { class: "bars", role: "img" });
  const looks = ["relevance", "gradient_times_input"].map(() => element("canvas", { class: "pixels", role: "img" }));
  const time = element("span", { class: "time" });
  const linear = network.layers.filter((layer) => layer.kind === "Linear");
  rows.push(
    element("figure", {}, element("figcaption", {}, "probabilities"), bars,
      element("p", { class: "shape" }, `${linear.map((layer) => layer.output.join("x")).join(" hidden units, then ")} classes; ${sum(linear).toLocaleString("en")} parameters`)),
    element("figure", { class: "looks" }, element("figcaption", {}, "what it looks at: places, pixels"), ...looks),
    element("p", { class: "shape" }, `${network.multiply_adds.toLocaleString("en")} multiply-adds, ${Math.round(network.memory / 1000)} KB, ${network.parameters.toLocaleString("en")} parameters. `, time));
  return { article: element("article", { "aria-label": network.name }, ...rows), answer, sheets, bars, looks, time };
}

const sum = (layers) => layers.reduce((sum, layer) => sum + layer.parameters, 0);

/** As in "max pooling 2x2, stride 2". */
export function poolingName(pooling) {
  if (!pooling) return "no pooling";
  if (pooling === "GlobalMax") return "global max pooling";
  if (pooling === "GlobalAverage") return "global average pooling";
  if (pooling === "BlurredMax") return "blurred max pooling";
  const [[kind, { kernel_size: kernel, stride }]] = Object.entries(pooling);
  return `${kind.toLowerCase()} pooling ${kernel.join("x")}, stride ${stride[0]}`;
}

function channelAt(event, canvas) {
  const box = canvas.getBoundingClientRect();
  const { count, across } = canvas.dataset;
  const column = Math.floor(((event.clientX - box.left) / box.width) * across);
  const row = Math.floor(((event.clientY - box.top) / box.height) * Math.ceil(count / across));
  return Math.min(count - 1, row * across + column);
}

function show(built, explained) {
  const stages = Math.max(...built.map((column) => column.sheets.length));
  for (let stage = 0; stage < stages; stage++) {
    // One scale across the row, before and after pooling.
    const most = largest(explained.flatMap((one) => (one.stages[stage] ? [largest(one.stages[stage].activation.values)] : [])));
    built.forEach((column, index) => {
      const maps = explained[index].stages[stage];
      if (!maps) return;
      const { activation, pooled, convolution } = column.sheets[stage];
      sheet(activation.canvas, maps.activation, most, maps.winners);
      sheet(pooled.canvas, maps.pooled, most);
      activation.caption.textContent = `${maps.activation.shape.join("x")}; ${convolution.parameters.toLocaleString("en")} parameters`;
      pooled.caption.textContent = `${maps.pooled.shape.join("x")}; no parameters`;
      activation.canvas.setAttribute("aria-label", `${maps.activation.shape[0]} maps before pooling`);
      pooled.canvas.setAttribute("aria-label", `${maps.pooled.shape[0]} maps after pooling`);
    });
  }
  built.forEach((column, index) => answers(column, explained[index]));
}

function answers(column, { probabilities, class: best, relevance, gradient_times_input: pixels }) {
  const percent = (probability) => `${(100 * probability).toFixed(probability < 0.1 ? 1 : 0)} %`;
  column.answer.textContent = `says ${best} (${percent(probabilities[best])})`;
  column.bars.replaceChildren(...probabilities.map((probability, label) => {
    const bar = element("span", { class: label === best ? "bar best" : "bar" });
    bar.style.setProperty("--share", probability);
    return element("span", { class: "row" }, `${label}`, bar, element("span", { class: "percent" }, percent(probability)));
  }));
  column.bars.setAttribute("aria-label", probabilities.map((probability, label) => `${label}: ${percent(probability)}`).join(", "));
  [relevance, pixels].forEach((map, index) => {
    const most = largest(map.values);
    draw(column.looks[index], map.values, map.shape.slice(1), (value) => signed(value / most));
    column.looks[index].setAttribute("aria-label", `${index ? "pixels" : "places"} that speak for ${best}, orange, and against it, blue`);
  });
}

/** All channels on one canvas, with a line of one pixel around each. */
function sheet(canvas, map, most, winners) {
  const [count, height, width] = map.shape;
  const across = Math.min(ACROSS, count);
  const down = Math.ceil(count / across);
  Object.assign(canvas.dataset, { count, across });
  canvas.width = across * (width + 1) + 1;
  canvas.height = down * (height + 1) + 1;
  const context = canvas.getContext("2d");
  context.fillStyle = "rgb(128 128 128)";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const image = context.createImageData(width, height);
  const perChannel = winners ? winners.length / count : 0;
  channels(map).forEach((values, channel) => {
    values.forEach((value, place) => image.data.set([...light(value / most), 255], 4 * place));
    for (let index = channel * perChannel; index < (channel + 1) * perChannel; index++) {
      const place = winners[index];
      image.data.set([...winner(values[place] / most), 255], 4 * place);
    }
    context.putImageData(image, 1 + (channel % across) * (width + 1), 1 + Math.floor(channel / across) * (height + 1));
  });
}
