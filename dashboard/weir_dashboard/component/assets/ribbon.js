// A band around a mean: slanted, because it says how sure the line is, and no point of it is a spike.

import { gapAfter } from "./curves.js";

/** Fill between `lo` and `hi` over [from, to); broken where the line is. */
export function drawRibbon(ctx, { x, lo, hi, gap, color }, [from, to], toX, toY, alpha) {
  ctx.globalAlpha = alpha;
  ctx.fillStyle = color;
  ctx.beginPath();
  for (const [first, end] of pieces(x, lo, hi, gap, from, to)) {
    ctx.moveTo(toX(x[first]), toY(hi[first]));
    for (let i = first + 1; i < end; i++) ctx.lineTo(toX(x[i]), toY(hi[i]));
    for (let i = end - 1; i >= first; i--) ctx.lineTo(toX(x[i]), toY(lo[i]));
    ctx.closePath();
    if (end < to) ctx.moveTo(toX(x[end]), toY(hi[end]));
  }
  ctx.fill();
  ctx.globalAlpha = 1;
}

/** `[first, end)` of what hangs together: finite, and no neighbours further apart than `gap`. Pure. */
export function pieces(x, lo, hi, gap, from, to) {
  const found = [];
  let first = -1;
  for (let i = from; i < to; i++) {
    const there = Number.isFinite(lo[i]) && Number.isFinite(hi[i]);
    if (first >= 0 && (!there || x[i] - x[i - 1] > gapAfter(gap, i - 1))) { found.push([first, i]); first = -1; }
    if (there && first < 0) first = i;
  }
  if (first >= 0) found.push([first, to]);
  return found;
}
