// Where things are on the parallel axes, in pixels: axes, places, the nearest line. Pure.

export const TOP = 34, BOTTOM = 40; // above and below the axes: names; runs without a value

/** `x` of each axis, evenly from edge to edge; the edges leave room for half a name. */
export function axisXs(width, count, edge) {
  if (count < 2) return count ? [width / 2] : [];
  return Array.from({ length: count }, (_, i) => edge + (i * (width - 2 * edge)) / (count - 1));
}

/** `y` of a place from 0 to 1; of null, below the axis, where runs without a value pass. */
export function yOf(place, height) {
  const bottom = height - BOTTOM;
  return place == null ? bottom + 18 : bottom - place * (bottom - TOP);
}

/** The place at a `y`, from 0 to 1. */
export function placeOf(y, height) {
  const bottom = height - BOTTOM;
  return Math.min(1, Math.max(0, (bottom - y) / (bottom - TOP)));
}

/** The line nearest to a point, `-1` when none is within `reach` pixels. `wanted(i)` says which count. */
export function nearestLine(axes, xs, height, point, wanted, reach = 12) {
  if (!xs.length) return -1;
  let right = xs.findIndex((x) => x >= point.x);
  if (right < 0) right = xs.length - 1;
  const left = Math.max(0, right - 1);
  const part = xs[right] === xs[left] ? 0 : Math.min(1, Math.max(0, (point.x - xs[left]) / (xs[right] - xs[left])));
  let best = -1, away = reach;
  for (let i = 0; i < axes[0].places.length; i++) {
    if (!wanted(i)) continue;
    const from = yOf(axes[left].places[i], height), to = yOf(axes[right].places[i], height);
    const off = Math.abs(from + (to - from) * part - point.y);
    if (off < away) [best, away] = [i, off];
  }
  return best;
}

/** A brush moved by keys: `[low, high]` after one press, null when it was taken away. */
export function pressed(range, key, wide) {
  const [low, high] = range ?? [0, 1], step = 0.05;
  if (key === "Escape" || key === "Delete") return null;
  const up = key === "ArrowUp" ? step : -step;
  if (wide) return [low, Math.min(1, Math.max(low + 0.02, high + up))]; // Shift: the upper end alone
  if (!range) return up > 0 ? [step, 1] : [0, 1 - step];
  const moved = Math.max(-low, Math.min(1 - high, up));
  return [low + moved, high + moved];
}
