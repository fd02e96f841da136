// Curves onto uPlot's canvas: envelope, line, markers for NaN and ±Inf.
//
// uPlot keeps axes, grid, cursor and zoom; the curves are drawn from their own
// typed arrays, so runs need not share x values and nothing is copied per frame.

import { gapAfter, lowerBound } from "./curves.js";
import { drawRibbon } from "./ribbon.js";

const NAN = 1, POSITIVE_INF = 2, NEGATIVE_INF = 4;

/** Draw all curves inside the plot's frame. */
export function drawCurves(u, curves, { envelope, focus, ink }) {
  const { ctx, bbox } = u;
  const toX = linear(u.scales.x.min, u.scales.x.max, bbox.left, bbox.left + bbox.width);
  const toY = vertical(u.scales.y, bbox);
  if (!toX || !toY) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const band = ink.band * Math.min(1, Math.sqrt(2 / curves.length)); // many bands on one another stay light
  const ordered = focus ? [...curves].sort((a, b) => (a.run === focus) - (b.run === focus)) : curves;
  for (const curve of ordered) {
    const range = visible(curve.x, u.scales.x.min, u.scales.x.max);
    const dim = focus && curve.run !== focus ? 0.18 : 1;
    if (envelope && curve.spread) (curve.slanted ? drawRibbon : drawEnvelope)(ctx, curve, range, toX, toY, band * dim);
    if (curve.smoothed !== curve.y) drawLine(ctx, curve, curve.y, range, toX, toY, 0.3 * dim, 1);
    drawLine(ctx, curve, curve.smoothed, range, toX, toY, dim, curve.run === focus ? 2.5 : 1.6);
  }
  for (const curve of ordered) drawNonFinite(ctx, curve, toX, bbox);
  ctx.restore();
}

function linear(min, max, from, to) {
  if (min == null || max == null || !(max > min)) return null;
  const scale = (to - from) / (max - min);
  return (v) => from + (v - min) * scale;
}

function vertical(scale, bbox) {
  const bottom = bbox.top + bbox.height;
  if (scale.distr === 4) {
    const place = (v) => Math.asinh(v / scale.asinh), map = linear(place(scale.min), place(scale.max), bottom, bbox.top);
    return map && ((v) => map(place(v)));
  }
  if (scale.distr !== 3) return linear(scale.min, scale.max, bottom, bbox.top);
  const map = linear(Math.log10(scale.min), Math.log10(scale.max), bottom, bbox.top);
  return map && ((v) => (v > 0 ? map(Math.log10(v)) : bottom + 1));
}

/** Indices to draw: one beyond each edge, so that lines leave the frame instead of ending in it. */
function visible(x, min, max) {
  return [Math.max(0, lowerBound(x, min) - 1), Math.min(x.length, lowerBound(x, max) + 2)];
}

function drawLine(ctx, curve, y, [from, to], toX, toY, alpha, width) {
  ctx.globalAlpha = alpha;
  ctx.strokeStyle = curve.color;
  ctx.fillStyle = curve.color;
  ctx.lineWidth = width * devicePixelRatio;
  ctx.lineJoin = "round";
  ctx.setLineDash(curve.dash.map((d) => d * devicePixelRatio));
  ctx.beginPath();
  let pen = false, alone = -1;
  const dot = (i) => { ctx.moveTo(toX(curve.x[i]), toY(y[i])); ctx.lineTo(toX(curve.x[i]) + 0.01, toY(y[i])); };
  for (let i = from; i < to; i++) {
    if (Number.isNaN(y[i])) { if (alone >= 0) dot(alone); pen = false; alone = -1; continue; }
    if (pen && curve.x[i] - curve.x[i - 1] > gapAfter(curve.gap, i - 1)) { if (alone >= 0) dot(alone); pen = false; }
    if (pen) { ctx.lineTo(toX(curve.x[i]), toY(y[i])); alone = -1; }
    else { ctx.moveTo(toX(curve.x[i]), toY(y[i])); pen = true; alone = i; }
  }
  if (alone >= 0) dot(alone);
  ctx.lineCap = "round";
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

/** Stepped, not slanted: a spike one step wide is one bucket wide. */
function drawEnvelope(ctx, curve, [from, to], toX, toY, alpha) {
  const { x, lo, hi, gap } = curve;
  ctx.globalAlpha = alpha;
  ctx.fillStyle = curve.color;
  ctx.beginPath();
  for (let i = from; i < to; i++) {
    if (!(hi[i] > lo[i])) continue;
    const before = i > 0 ? Math.min(x[i] - x[i - 1], gapAfter(gap, i - 1)) : 0;
    const after = i + 1 < x.length ? Math.min(x[i + 1] - x[i], gapAfter(gap, i)) : before;
    const left = Math.floor(toX(x[i] - before / 2)), right = Math.ceil(toX(x[i] + after / 2));
    const top = toY(hi[i]), bottom = toY(lo[i]);
    ctx.rect(left, top, right - left, Math.max(bottom - top, 1));
  }
  ctx.fill();
  ctx.globalAlpha = 1;
}

function drawNonFinite(ctx, curve, toX, bbox) {
  if (!curve.anyBad) return;
  const size = 5 * devicePixelRatio, bottom = bbox.top + bbox.height - 1, top = bbox.top + 1;
  ctx.fillStyle = curve.color;
  for (let i = 0; i < curve.x.length; i++) {
    if (!curve.bad[i]) continue;
    const x = toX(curve.x[i]);
    if (curve.bad[i] & NAN) triangle(ctx, x, bottom, -size);
    if (curve.bad[i] & POSITIVE_INF) triangle(ctx, x, top + size * 1.6, -size);
    if (curve.bad[i] & NEGATIVE_INF) triangle(ctx, x, bottom - size * 1.6, size);
  }
}

function triangle(ctx, x, base, height) {
  ctx.beginPath();
  ctx.moveTo(x - Math.abs(height) * 0.8, base);
  ctx.lineTo(x + Math.abs(height) * 0.8, base);
  ctx.lineTo(x, base + height * 1.6);
  ctx.fill();
}

/** What is not finite in a bucket, in words. */
export function nonFiniteWords(bits) {
  return [[NAN, "NaN"], [POSITIVE_INF, "+∞"], [NEGATIVE_INF, "−∞"]]
    .filter(([bit]) => bits & bit).map(([, word]) => word).join(" ");
}
