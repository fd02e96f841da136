// Smoothing in the browser: a time-weighted EMA whose constant is in axis units. Pure.
//
// The weight of a point is exp(-Δx/τ), so the curve depends neither on how many
// points there are nor on how they were thinned (TensorBoard #1518, #6829 do).

/** Values of τ the slider offers, in axis units (steps, seconds). 0 = off. */
export const TAUS = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6];

/** Points before a zoomed window that still move its first value, in multiples of τ. */
export const LEAD_IN = 3;

/** Smooth `y` over `x` (ascending); NaN stays NaN and does not move the mean. */
export function smooth(x, y, tau) {
  if (!(tau > 0)) return y;
  const out = new Float64Array(y.length);
  let sum = 0, weight = 0, last = x[0];
  for (let i = 0; i < y.length; i++) {
    if (Number.isNaN(y[i])) { out[i] = NaN; continue; }
    const keep = Math.exp(-(x[i] - last) / tau);
    sum = sum * keep + y[i];
    weight = weight * keep + 1;
    last = x[i];
    out[i] = sum / weight;
  }
  return out;
}
