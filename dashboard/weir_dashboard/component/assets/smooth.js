// Smoothing in the browser; its width is in axis units. Pure.
//
// Weights depend on distances along the axis, so the curve depends neither on how
// many points there are nor on how they were thinned (TensorBoard #1518, #6829 do).
//
//   twema   time-weighted EMA: exp(-Δx/τ) over what came before
//   gauss   exp(-Δx²/2τ²), on both sides
//   mean    the plain mean of what lies within τ/2 on either side

/** Values of τ the slider offers, in axis units (steps, seconds). 0 = off. */
export const TAUS = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6];

/** Points before and after a zoomed window that still move its values by a percent, in multiples of τ. */
export const REACH = { twema: [5, 0], gauss: [3, 3], mean: [0.5, 0.5] };

const KERNELS = { twema, gauss, mean };

/** Smooth `y` over `x` (ascending); what is not finite stays where it was and moves nothing. */
export function smooth(x, y, tau, kernel = "twema") {
  return tau > 0 ? KERNELS[kernel](x, y, tau) : y;
}

function twema(x, y, tau) {
  const out = new Float64Array(y.length);
  let sum = 0, weight = 0, last = x[0];
  for (let i = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i])) { out[i] = y[i]; continue; }
    const keep = Math.exp(-(x[i] - last) / tau);
    sum = sum * keep + y[i];
    weight = weight * keep + 1;
    last = x[i];
    out[i] = sum / weight;
  }
  return out;
}

function mean(x, y, tau) {
  const out = new Float64Array(y.length), half = tau / 2;
  let sum = 0, count = 0, from = 0, to = 0;
  for (let i = 0; i < y.length; i++) {
    for (; to < y.length && x[to] <= x[i] + half; to++) if (Number.isFinite(y[to])) { sum += y[to]; count++; }
    for (; x[from] < x[i] - half; from++) if (Number.isFinite(y[from])) { sum -= y[from]; count--; }
    out[i] = Number.isFinite(y[i]) ? sum / count : y[i];
  }
  return out;
}

const CELLS = 16; // to a τ: points of one cell are weighed together, at their mean x
const WIDEST = 3; // τ; what lies beyond weighs nothing
const TABLE = Float64Array.from({ length: 4096 }, (_, i) => Math.exp(-((((i + 0.5) * WIDEST) / 4096) ** 2) / 2));

function gauss(x, y, tau) {
  const { at, sums, counts } = cells(x, y, tau / CELLS);
  const out = new Float64Array(y.length), scale = TABLE.length / (WIDEST * tau);
  for (let i = 0, from = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i])) { out[i] = y[i]; continue; }
    while (at[from] <= x[i] - WIDEST * tau) from++;
    let sum = 0, weight = 0;
    for (let c = from; c < at.length; c++) {
      const place = Math.floor(Math.abs(at[c] - x[i]) * scale);
      if (place >= TABLE.length) break;
      sum += TABLE[place] * sums[c];
      weight += TABLE[place] * counts[c];
    }
    out[i] = sum / weight;
  }
  return out;
}

/** Neighbouring points put together, so that the cost does not grow with τ. */
function cells(x, y, width) {
  const at = [], sums = [], counts = [];
  let cell = NaN;
  for (let i = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i])) continue;
    if (Math.floor(x[i] / width) !== cell) {
      cell = Math.floor(x[i] / width);
      at.push(0); sums.push(0); counts.push(0);
    }
    const last = at.length - 1;
    at[last] += x[i]; sums[last] += y[i]; counts[last]++;
  }
  return { at: at.map((sum, c) => sum / counts[c]), sums, counts };
}
