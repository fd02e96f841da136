// Where things lie along x: as they are, or by their logarithm. Pure.
//
// On a logarithmic axis every curve is drawn over log10(x), on a linear scale of
// uPlot: zoom, cursor, gaps and nearness then need not know of it. What is shown
// to people, asked of the server and kept in the address is always x itself.

import { gapLimit } from "./curves.js";
import { tick } from "./format.js";

/** Is x drawn by its logarithm? A date has none. */
export function isLog(view) {
  return view.logX && view.x !== "time";
}

/** From x to its place along the axis, and back. */
export function placeOf(x, view) {
  return isLog(view) ? Math.log10(x) : x;
}

export function atPlace(place, view) {
  return isLog(view) ? 10 ** place : place;
}

/** A zoomed window in places; null when it begins where a logarithmic axis has no place. */
export function windowPlaces(view) {
  if (!view.window || (isLog(view) && view.window[0] <= 0)) return null;
  return view.window.map((x) => placeOf(x, view));
}

/** A window moved by a part of its width, as the eye sees it. */
export function moved(view, part) {
  const places = windowPlaces(view);
  if (!places) return view.window;
  const by = (places[1] - places[0]) * part;
  return places.map((place) => atPlace(place + by, view));
}

/**
 * A series with `x` in places, `raw` in axis units, `gap` in places, and `outside`: points at zero and below, which have no
 * place on a logarithmic axis. `width` is that of a bucket, on a logarithmic axis as a part of x.
 */
export function placed(series, view, width) {
  if (!isLog(view)) return { ...series, raw: series.x, gap: (series.gap ??= gapLimit(series.x, width)), outside: 0 };
  series.log ??= logOf(series, width);
  const { outside, x, gap } = series.log;
  const cut = (column) => (outside ? column.subarray(outside) : column);
  const columns = Object.fromEntries(["y", "lo", "hi", "bad"].map((name) => [name, cut(series[name])]));
  return { ...series, ...columns, x, gap, outside, raw: cut(series.x), smoothed: series.smoothed === series.y ? columns.y : cut(series.smoothed) };
}

function logOf(series, width) {
  const first = series.x.findIndex((x) => x > 0);
  const outside = first < 0 ? series.x.length : first;
  const raw = series.x.subarray(outside);
  return { outside, x: raw.map(Math.log10), gap: gapsOf(raw, width) };
}

/** How far each point may be from the next, in places: three buckets, or five of the usual distances where points lie densest. */
function gapsOf(raw, width) {
  const apart = Float64Array.from(raw.subarray(1), (x, i) => x - raw[i]).sort();
  const usual = apart.length ? apart[apart.length >> 3] : Infinity;
  return raw.map((x) => Math.log10(1 + Math.max(3 * width, (5 * usual) / x)));
}

const ROUND = [[1], [1, 3], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]];

/** Places of ticks on a logarithmic axis: powers of ten, and between them as many as fit; of a narrow window round numbers. */
export function logSplits(lo, hi, most) {
  const first = Math.floor(lo), last = Math.ceil(hi);
  for (const digits of [...ROUND].reverse()) {
    const found = [];
    for (let power = first; power <= last; power++) for (const digit of digits) found.push(power + Math.log10(digit));
    const inside = found.filter((place) => place >= lo - 1e-9 && place <= hi + 1e-9);
    if (inside.length <= most && inside.length >= 3) return inside;
  }
  if (last - first > most) {
    const by = Math.ceil((last - first) / most);
    return Array.from({ length: most + 1 }, (_, i) => Math.ceil(lo / by) * by + i * by).filter((place) => place <= hi);
  }
  return roundPlaces(lo, hi, most);
}

/** Round numbers of a window within a decade or so. */
function roundPlaces(lo, hi, most) {
  const from = 10 ** lo, to = 10 ** hi, rough = (to - from) / most, unit = 10 ** Math.floor(Math.log10(rough));
  const by = [1, 2, 5, 10].map((digit) => digit * unit).find((step) => step >= rough);
  const places = [];
  for (let x = Math.ceil(from / by) * by; x <= to; x += by) places.push(Math.log10(x));
  return places;
}

/** What stands at a tick. */
export function logLabel(place) {
  const x = 10 ** place;
  return tick(Number(x.toPrecision(6)), 0);
}
