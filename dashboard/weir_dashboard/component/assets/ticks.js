// Both axes of a chart: where ticks are and what stands at them.

import { isLog, logLabel, logSplits } from "./axis.js";
import { symlogSplits } from "./curves.js";
import { duration, logTick, tick } from "./format.js";

const TIME_STEPS_S = [1e-3, 1e-2, 0.1, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800];
const APART_PX = { x: 70, y: 28 }; // ticks

/** What uPlot is told of the x axis. */
export function horizontal(view) {
  const axis = view.x;
  if (axis === "time") return {};
  if (isLog(view)) {
    const label = axis === "relative" ? (place) => duration(Number((10 ** place).toPrecision(3))) : logLabel;
    return { splits: (u, i, lo, hi) => logSplits(lo, hi, Math.max(3, u.width / APART_PX.x)), values: (u, splits) => splits.map(label) };
  }
  const values = axis === "relative"
    ? (u, splits) => splits.map((v) => duration(v))
    : (u, splits, i, space, incr) => splits.map((v) => tick(v, incr));
  return axis === "relative" ? { values, incrs: TIME_STEPS_S } : { values };
}

/** What uPlot is told of the y axis; `linear` is where a symmetric logarithmic scale is straight, 0 = it is none. */
export function vertical(view, linear) {
  const common = { space: APART_PX.y, size: (u, texts) => 14 + 6.4 * longest(texts) };
  const most = (u) => Math.max(3, u.bbox.height / devicePixelRatio / APART_PX.y);
  if (linear) return { ...common, filter: every, splits: (u, i, lo, hi) => symlogSplits(lo, hi, linear, most(u)), values: (u, splits) => splits.map(logTick) };
  if (!view.logY) return { ...common, values: (u, splits, i, space, incr) => splits.map((v) => tick(v, incr)) };
  const splits = (u, i, lo, hi) => logSplits(Math.log10(lo), Math.log10(hi), most(u)).map((place) => 10 ** place);
  return { ...common, splits, filter: every, values: (u, values) => values.map((v) => logLabel(Math.log10(v))) };
}

/** uPlot would leave out what is no power of ten. */
function every(u, splits) {
  return splits;
}

function longest(texts) {
  return Math.max(1, ...(texts ?? []).map((text) => (text ?? "").length));
}
