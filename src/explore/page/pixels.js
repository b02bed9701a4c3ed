// Numbers as colours on a canvas.

/** From 0 (black) to 1 (white). */
export function grey(share) {
  const value = Math.round(255 * clamp(share));
  return [value, value, value];
}

/** From 0 (black) to 1 (white) by the square root: small values beside one large value stay visible. */
export function light(share) {
  return grey(Math.sqrt(clamp(share)));
}

const clamp = (share) => Math.min(1, Math.max(0, share));

/** From -1 (blue) over 0 (white) to 1 (orange). */
export function signed(share) {
  const end = share < 0 ? [33, 102, 172] : [217, 95, 2];
  const part = Math.min(1, Math.abs(share));
  return end.map((colour) => Math.round(255 + (colour - 255) * part));
}

/** The colour of a maximum: black to orange. */
export function winner(share) {
  return [255, 140, 0].map((colour) => Math.round(colour * Math.sqrt(clamp(share))));
}

/** Draws a map of `width` columns, a canvas pixel for each value. */
export function draw(canvas, values, [height, width], colour) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let place = 0; place < values.length; place++) {
    image.data.set([...colour(values[place], place), 255], 4 * place);
  }
  context.putImageData(image, 0, 0);
}

/** Draws an image of bytes, `[channel, row, column]`, grey or in colour; as on paper, if it is `printed`: dark on light. */
export function picture(canvas, pixels, [channels, height, width], printed = false) {
  const plane = height * width;
  const colour = (_, place) => [0, 1, 2].map((channel) => {
    const value = pixels[(channels === 3 ? channel : 0) * plane + place];
    return printed && channels !== 3 ? 255 - value : value;
  });
  draw(canvas, pixels.subarray(0, plane), [height, width], colour);
}

/** The channels of a map: views of its values. */
export function channels({ shape: [count, height, width], values }) {
  const plane = height * width;
  return Array.from({ length: count }, (_, channel) => values.subarray(channel * plane, (channel + 1) * plane));
}

export function largest(values) {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most || 1;
}

/** An element with attributes and children; `on...` attributes are listeners. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** An SVG element. */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
