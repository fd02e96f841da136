// From series to what is drawn: scales, gaps, ranges, nearest points. Pure.

/** First index whose x is ≥ v, in ascending `x`. */
export function lowerBound(x, v) {
  let lo = 0, hi = x.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (x[mid] < v) lo = mid + 1; else hi = mid;
  }
  return lo;
}

/** Index of the point nearest to v; -1 when there is none. */
export function nearest(x, v) {
  if (x.length === 0) return -1;
  const i = lowerBound(x, v);
  if (i === 0) return 0;
  if (i === x.length) return i - 1;
  return v - x[i - 1] <= x[i] - v ? i - 1 : i;
}

/** The last finite value of a run's series, the mean over them when ranks are apart; undefined when it has none. */
export function lastOf(series) {
  const lasts = series.map(({ y }) => y.findLast(Number.isFinite)).filter((v) => v !== undefined);
  return lasts.length ? lasts.reduce((sum, v) => sum + v, 0) / lasts.length : undefined;
}

/** The distance beyond which two neighbours are not joined: a real gap, not a sparse series. */
export function gapLimit(x, width) {
  if (x.length < 3) return Infinity;
  const spacings = [];
  const stride = Math.max(1, Math.floor(x.length / 128));
  for (let i = stride; i < x.length; i += stride) spacings.push(x[i] - x[i - 1]);
  spacings.sort((a, b) => a - b);
  return Math.max(3 * width, 5 * spacings[spacings.length >> 1]);
}

/** How far the next neighbour of point i may be to be joined; `gap` is one distance, or one for every point. */
export function gapAfter(gap, i) {
  return typeof gap === "number" ? gap : gap[i];
}

/** Lowest and highest x over all curves, or null when nothing is drawn. */
export function xExtent(curves) {
  let lo = Infinity, hi = -Infinity;
  for (const { x } of curves) {
    if (x.length === 0) continue;
    lo = Math.min(lo, x[0]);
    hi = Math.max(hi, x[x.length - 1]);
  }
  return lo <= hi ? [lo, hi] : null;
}

/**
 * Lowest and highest finite value inside [from, to], and how many points are left outside.
 * With `outliers` false the range holds the middle 98 % of the centre lines. A logarithmic range that holds zero or less is
 * `linear` near zero: within plus and minus this the scale is straight.
 */
export function yExtent(curves, [from, to], { envelope, outliers, logY }) {
  let lo = Infinity, hi = -Infinity, smallest = Infinity;
  const centres = [];
  for (const c of curves) {
    for (let i = lowerBound(c.x, from); i < c.x.length && c.x[i] <= to; i++) {
      const low = envelope ? c.lo[i] : c.y[i], high = envelope ? c.hi[i] : c.y[i];
      if (low < lo) lo = low;
      if (high > hi) hi = high;
      if (logY) smallest = Math.min(smallest, Math.abs(low) || Infinity, Math.abs(high) || Infinity);
      if (!outliers && Number.isFinite(c.y[i])) centres.push(c.y[i]);
    }
  }
  if (lo > hi) return null;
  const linear = logY && lo <= 0 ? { linear: nearZero(smallest, Math.max(-lo, hi)) } : {};
  if (outliers || centres.length < 20) return { lo, hi, clipped: 0, ...linear };
  centres.sort((a, b) => a - b);
  const p1 = centres[Math.floor(centres.length * 0.01)], p99 = centres[Math.floor(centres.length * 0.99)];
  const pad = (p99 - p1) * 0.25;
  const bottom = Math.max(lo, p1 - pad), top = Math.min(hi, p99 + pad);
  const clipped = centres.filter((v) => v < bottom || v > top).length;
  return { lo: logY && bottom <= 0 ? lo : bottom, hi: top, clipped, ...linear };
}

const MOST_DECADES = 6; // on either side of zero

/** Where a symmetric logarithmic scale becomes straight: below the smallest value, a power of ten. */
function nearZero(smallest, largest) {
  if (!(largest > 0)) return 1;
  return 10 ** Math.floor(Math.log10(Math.max(Math.min(smallest, largest), largest * 10 ** -MOST_DECADES)));
}

/** A y range with air around it, so that no curve touches the frame. */
export function padded({ lo, hi, linear }, logY) {
  if (linear) {
    const ends = [lo, hi].map((v) => Math.asinh(v / linear)), air = (ends[1] - ends[0]) * 0.05 || 1;
    return [lo < 0 ? linear * Math.sinh(ends[0] - air) : -linear / 4, linear * Math.sinh(ends[1] + air)];
  }
  if (logY) {
    const factor = hi > lo ? (hi / lo) ** 0.05 : 2;
    return [lo / factor, hi * factor];
  }
  const air = hi > lo ? (hi - lo) * 0.06 : Math.abs(hi) * 0.1 || 1;
  return [lo >= 0 ? Math.max(lo - air, -0.3 * air) : lo - air, hi + air];
}

/** Ticks of a symmetric logarithmic scale: zero, and powers of ten as many as fit. */
export function symlogSplits(lo, hi, linear, most) {
  const place = (v) => Math.asinh(v / linear), apart = (place(hi) - place(lo)) / Math.max(2, most);
  const found = [0];
  for (const sign of [1, -1]) {
    let last = 0;
    for (let v = linear; v <= Math.max(hi, -lo); v *= 10) {
      if (place(v) - last < apart) continue;
      last = place(v);
      found.push(sign * v);
    }
  }
  return found.filter((v) => v >= lo && v <= hi).sort((a, b) => a - b);
}

const MANY_RUNS = 100; // curves that may each have a bucket to a pixel

/** How many buckets to ask for: a power of two near the plot's width, so that answers repeat; fewer for hundreds of runs. */
export function bucketsFor(widthPx, runs = 1) {
  const crowd = 2 ** Math.max(0, Math.ceil(Math.log2(runs / MANY_RUNS)));
  return Math.min(2048, Math.max(128, 2 ** Math.round(Math.log2(Math.max(1, widthPx))))) / Math.min(8, crowd);
}
