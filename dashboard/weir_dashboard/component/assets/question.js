// From the view to the parameters of /api/series, metrics and runs apart. Pure.

import { bucketsFor } from "./curves.js";
import { LEAD_IN } from "./smooth.js";

const MICROSECONDS = 1e6;
const WIDEST_LEAD = 8; // times the buckets of the window itself

/**
 * `{params, unit, key}`: `unit` turns the answer's x into display units, `key` names the question.
 * A chart is `chartPx` wide; a zoomed one also asks for the points that smoothing needs before it.
 */
export function questionFor(view, spec, chartPx) {
  const { x, xMetric, window, smoothing } = view;
  const wide = spec.runs.some((run) => run.ranks > 1);
  const ranks = wide ? view.ranks : "each"; // one rank each: nothing to reduce, exact last points
  const unit = x === "time" || x === "relative" ? MICROSECONDS : 1;
  let buckets = bucketsFor(chartPx);
  const range = [];
  if (window) {
    const [lo, hi] = [window[0] - LEAD_IN * smoothing, window[1]];
    buckets = Math.round(buckets * Math.min(WIDEST_LEAD, (hi - lo) / (window[1] - window[0])));
    const [from, to] = x === "step" ? [Math.max(0, Math.floor(lo)), Math.floor(hi) + 1] : [lo * unit, hi * unit];
    range.push(["lo", String(from)], ["hi", String(to)]);
  }
  const params = [["x", x], ["buckets", String(buckets)], ["ranks", ranks], ...(x === "metric" ? [["xm", xMetric]] : []), ...range];
  return { params, unit, key: JSON.stringify(params) };
}
