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

/** The distance beyond which two neighbours are not joined: a real gap, not a sparse series. */
export function gapLimit(x, width) {
  if (x.length < 3) return Infinity;
  const spacings = [];
  const stride = Math.max(1, Math.floor(x.length / 128));
  for (let i = stride; i < x.length; i += stride) spacings.push(x[i] - x[i - 1]);
  spacings.sort((a, b) => a - b);
  return Math.max(3 * width, 5 * spacings[spacings.length >> 1]);
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
 * With `outliers` false the range holds the middle 98 % of the centre lines.
 */
export function yExtent(curves, [from, to], { envelope, outliers, logY }) {
  let lo = Infinity, hi = -Infinity;
  const centres = [];
  for (const c of curves) {
    for (let i = lowerBound(c.x, from); i < c.x.length && c.x[i] <= to; i++) {
      const low = envelope ? c.lo[i] : c.y[i], high = envelope ? c.hi[i] : c.y[i];
      if (low < lo && (!logY || low > 0)) lo = low;
      if (high > hi) hi = high;
      if (logY && low <= 0 && high > 0) lo = Math.min(lo, high);
      if (!outliers && Number.isFinite(c.y[i])) centres.push(c.y[i]);
    }
  }
  if (lo > hi || (logY && hi <= 0)) return null;
  if (outliers || centres.length < 20) return { lo, hi, clipped: 0 };
  centres.sort((a, b) => a - b);
  const p1 = centres[Math.floor(centres.length * 0.01)], p99 = centres[Math.floor(centres.length * 0.99)];
  const pad = (p99 - p1) * 0.25;
  const bottom = Math.max(lo, p1 - pad), top = Math.min(hi, p99 + pad);
  const clipped = centres.filter((v) => v < bottom || v > top).length;
  return { lo: logY && bottom <= 0 ? lo : bottom, hi: top, clipped };
}

/** A y range with air around it, so that no curve touches the frame. */
export function padded({ lo, hi }, logY) {
  if (logY) {
    const factor = hi > lo ? (hi / lo) ** 0.05 : 2;
    return [lo / factor, hi * factor];
  }
  const air = hi > lo ? (hi - lo) * 0.06 : Math.abs(hi) * 0.1 || 1;
  return [lo >= 0 ? Math.max(lo - air, -0.3 * air) : lo - air, hi + air];
}

/** How many buckets to ask for: a power of two near the plot's width, so that answers repeat. */
export function bucketsFor(widthPx) {
  return Math.min(2048, Math.max(128, 2 ** Math.round(Math.log2(Math.max(1, widthPx)))));
}
