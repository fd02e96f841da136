// From the view to the parameters of /api/series, metrics and runs apart. Pure.

import { bucketsFor } from "./curves.js";
import { isLog } from "./axis.js";
import { REACH } from "./smooth.js";

const MICROSECONDS = 1e6;
const WIDEST_LEAD = 8; // times the buckets of the window itself

/**
 * `{params, unit, key}`: `unit` turns the answer's x into display units, `key` names the question.
 * A chart is `chartPx` wide and shows `runs` of them; a zoomed one also asks for the points around it that smoothing needs.
 */
export function questionFor(view, spec, chartPx, runs = 1) {
  const { x, xMetric, window, smoothing } = view;
  const wide = spec.runs.some((run) => run.ranks > 1);
  const ranks = wide ? view.ranks : "each"; // one rank each: nothing to reduce, exact last points
  const unit = x === "time" || x === "relative" ? MICROSECONDS : 1;
  let buckets = bucketsFor(chartPx, runs);
  const range = [];
  if (window) {
    const [before, after] = REACH[view.kernel], lo = window[0] - before * smoothing, hi = window[1] + after * smoothing;
    buckets = Math.round(buckets * Math.min(WIDEST_LEAD, width(lo, hi, view) / width(...window, view)));
    const [from, to] = x === "step" ? [Math.max(0, Math.floor(lo)), Math.floor(hi) + 1] : [lo * unit, hi * unit];
    range.push(["lo", String(from)], ["hi", String(to)]);
  }
  const params = [["x", x], ...(isLog(view) ? [["log", "1"]] : []), ["buckets", String(buckets)], ["ranks", ranks], ...(x === "metric" ? [["xm", xMetric]] : []), ...range];
  return { params, unit, key: JSON.stringify(params) };
}

const SMALLEST_PART = 1e-3; // of the end of a window that begins at zero

/** How wide [lo, hi] is on the axis. */
function width(lo, hi, view) {
  return isLog(view) ? Math.log(hi / Math.max(lo, hi * SMALLEST_PART)) : hi - lo;
}
