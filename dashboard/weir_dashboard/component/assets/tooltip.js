// What lies under the cursor: nearest runs first, the rest counted.

import { h } from "./dom.js";
import { nonFiniteWords } from "./draw.js";
import { gapAfter, nearest } from "./curves.js";
import { change, num, position, resolution } from "./format.js";
import { isLog } from "./axis.js";

const SHOWN = 12;

/** Rows for the tooltip, nearest to the cursor's y first, as the eye sees it on this axis. Pure. */
export function rowsAt(curves, x, y, logY = false, linear = 0) {
  const height = linear ? (v) => Math.asinh(v / linear) : logY ? (v) => Math.log(Math.max(v, Number.MIN_VALUE)) : (v) => v;
  const rows = [];
  for (const curve of curves) {
    const i = nearest(curve.x, x);
    if (i < 0 || Math.abs(curve.x[i] - x) > gapAfter(curve.gap, i)) continue;
    const value = curve.smoothed[i];
    const spread = curve.spread && curve.hi[i] > curve.lo[i] ? [curve.lo[i], curve.hi[i]] : null;
    rows.push({ curve, i, x: curve.raw?.[i] ?? curve.x[i], value, spread, bad: curve.bad[i], distance: Number.isNaN(value) ? Infinity : Math.abs(height(value) - height(y)) });
  }
  return rows.sort((a, b) => a.distance - b.distance);
}

export class Tooltip {
  constructor() {
    this.el = h("div", { class: "tooltip", role: "status", hidden: true });
  }

  /** Returns the run nearest to the cursor. */
  show(panel, cursor, view, host) {
    const { u } = panel;
    if (cursor.left < 0 || cursor.top < 0) return this.hide();
    const x = u.posToVal(cursor.left, "x");
    const rows = rowsAt(panel.curves, x, u.posToVal(cursor.top, "y"), view.logY, panel.linear);
    if (rows.length === 0) return this.hide();
    const head = h("div", { class: "at" }, position(rows[0].x, view.x, view.xMetric), panel.width ? h("small", {}, resolution(panel.width, view.x, isLog(view))) : null);
    const base = rows.find((row) => row.curve.run === view.baseline)?.value;
    const more = rows.length - SHOWN;
    this.el.replaceChildren(head, ...rows.slice(0, SHOWN).map((row) => line(row, row.curve.run === view.baseline ? undefined : base, row.curve.run === view.baseline)), ...(more > 0 ? [h("div", { class: "more" }, `+${more} more`)] : []));
    this.el.hidden = false;
    this.place(u.over.getBoundingClientRect(), cursor, host.getBoundingClientRect());
    return rows[0].curve.run;
  }

  place(over, cursor, host) {
    const { offsetWidth: width, offsetHeight: height } = this.el;
    const x = over.left - host.left + cursor.left, y = over.top - host.top + cursor.top;
    const left = x + 16 + width > host.width ? x - width - 16 : x + 16;
    this.el.style.left = `${Math.max(0, left)}px`;
    this.el.style.top = `${Math.max(0, Math.min(y + 12, host.height - height - 4))}px`;
  }

  hide() {
    this.el.hidden = true;
  }
}

function line({ curve, i, value, spread, bad }, base, isBaseline) {
  const words = nonFiniteWords(bad);
  return h("div", { class: "row" },
    h("i", { style: `background:${curve.color}` }),
    h("span", { class: "name" }, curve.label),
    h("b", {}, words && Number.isNaN(value) ? words : num(value)),
    h("span", { class: "change" }, isBaseline ? "baseline" : base === undefined ? "" : change(value, base)),
    h("span", { class: "spread" }, curve.told?.(i + (curve.outside ?? 0)) || words || (spread ? `${num(spread[0])} – ${num(spread[1])}` : "")));
}
