// Pooling, number by number.

/** The corners of the windows along one side. */
export function corners(length, kernel, stride) {
  const made = [];
  for (let corner = 0; corner + kernel <= length; corner += stride) made.push(corner);
  return made;
}

/** The numbers of one window of `values`, `[height, width]`, with their places. */
export function numbersIn(values, [, width], { row, column, height: rows, width: columns }) {
  const made = [];
  for (let y = row; y < row + rows; y++) {
    for (let x = column; x < column + columns; x++) made.push({ row: y, column: x, value: values[y * width + x] });
  }
  return made;
}

/** What pooling keeps of the numbers of a window: the value, and in words how it comes about. */
export function keep(kind, numbers, digits = 2) {
  const text = (value) => value.toFixed(digits).replace("-", "\u2212");
  const values = numbers.map((number) => number.value);
  if (kind === "max") {
    const best = numbers.reduce((best, other) => (other.value > best.value ? other : best));
    const shown = values.length > 16 ? `the largest of ${values.length} numbers` : `max(${values.map(text).join(", ")})`;
    const where = values.length > 16 ? `, in row ${best.row + 1}, column ${best.column + 1}` : "";
    return { value: best.value, best, words: `${shown} = ${text(best.value)}${where}` };
  }
  const sum = values.reduce((sum, value) => sum + value, 0);
  const value = sum / values.length;
  const shown = values.length > 16 ? `the sum of ${values.length} numbers, ${text(sum)}` : `(${values.map(text).join(" + ")})`;
  return { value, best: null, words: `${shown} / ${values.length} = ${text(value)}` };
}
