// Paper to draw on with a mouse, a finger or the keyboard: black ink on white.

const WIDTH = 22;
const STEP = 8;

/** Makes a canvas into paper; `changed` is called after every bit of ink, `cleared` when the reader clears it. */
export function paper(canvas, changed, cleared) {
  const context = canvas.getContext("2d");
  const pen = { x: canvas.width / 2, y: canvas.height / 2, down: false };
  const marker = document.createElement("span");
  marker.className = "pen";
  marker.hidden = true;
  canvas.after(marker);

  function blank() {
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
  }

  function line(from, to) {
    context.strokeStyle = "black";
    context.lineWidth = WIDTH;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    changed();
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  }

  let last = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    line(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = place(event);
    line(last, next);
    last = next;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (last = null));

  function showPen() {
    marker.hidden = document.activeElement !== canvas;
    marker.classList.toggle("down", pen.down);
    marker.style.left = `${canvas.offsetLeft + (pen.x * canvas.offsetWidth) / canvas.width}px`;
    marker.style.top = `${canvas.offsetTop + (pen.y * canvas.offsetHeight) / canvas.height}px`;
  }
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (move) {
      const [x, y] = [pen.x + STEP * move[0], pen.y + STEP * move[1]];
      const next = { x: Math.min(canvas.width, Math.max(0, x)), y: Math.min(canvas.height, Math.max(0, y)) };
      if (pen.down) line(pen, next);
      Object.assign(pen, next);
    } else if (event.key === " ") {
      pen.down = !pen.down;
      if (pen.down) line(pen, pen);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      clear();
    } else {
      return;
    }
    event.preventDefault();
    showPen();
  });
  canvas.addEventListener("focus", () => (marker.hidden = !canvas.matches(":focus-visible")) || showPen());
  canvas.addEventListener("blur", () => (marker.hidden = true));

  function clear() {
    blank();
    cleared();
  }

  /** Shows a picture (anything that a canvas can draw) as large as fits, to be drawn over. */
  function lay(picture) {
    blank();
    const scale = Math.min(canvas.width / picture.width, canvas.height / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    context.drawImage(picture, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
  }

  blank();
  return { clear, lay, picture: () => canvas.toDataURL("image/png").split(",")[1] };
}
