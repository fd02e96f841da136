// A chart as a table: for readers who hear the page, and for those who want the numbers.

import { h } from "./dom.js";
import { nonFiniteWords } from "./draw.js";
import { num, position, resolution } from "./format.js";
import { isLog } from "./axis.js";

const MOST_ROWS = 500;
const MOST_RUNS = 50;

/** `{heads, rows, more}`: a row for every drawn x inside [from, to] places, a column for every curve; cells are texts. Pure. */
export function tableOf(curves, { from = -Infinity, to = Infinity, most = MOST_ROWS } = {}) {
  const rows = new Map(); // place → {x, cells}
  curves.forEach((curve, column) => {
    for (let i = 0; i < curve.x.length; i++) {
      if (curve.x[i] < from || curve.x[i] > to) continue;
      if (!rows.has(curve.x[i])) rows.set(curve.x[i], { x: curve.raw[i], cells: Array(curves.length).fill("") });
      rows.get(curve.x[i]).cells[column] = told(curve, i);
    }
  });
  const inOrder = [...rows].sort(([one], [other]) => one - other).map(([, row]) => row);
  return { heads: curves.map((curve) => curve.label), rows: inOrder.slice(0, most), more: Math.max(0, inOrder.length - most) };
}

function told({ smoothed, lo, hi, bad }, i) {
  const words = nonFiniteWords(bad[i]), value = Number.isNaN(smoothed[i]) ? "" : num(smoothed[i]);
  const spread = hi[i] > lo[i] ? ` (${num(lo[i])} – ${num(hi[i])})` : "";
  return `${[value, words].filter(Boolean).join(" ")}${spread}`;
}

/** A dialog over the wall with the panel's table; Escape closes it and gives the focus back. */
export function showTable(panel) {
  const { wall } = panel, { view } = wall, [from, to] = panel.x ?? [];
  const curves = panel.curves.slice(0, MOST_RUNS), { heads, rows, more } = tableOf(curves, { from, to });
  const back = wall.el.getRootNode().activeElement;
  const close = () => { dialog.remove(); back?.focus?.(); };
  const left = [
    panel.width && resolution(panel.width, view.x, isLog(view)),
    more && `${more.toLocaleString("en-US")} more rows: take the CSV`,
    panel.curves.length > MOST_RUNS && `the first ${MOST_RUNS} of ${panel.curves.length} curves`,
  ].filter(Boolean).join(" · ");
  const dialog = h("div", { class: "table-place", role: "dialog", "aria-modal": "true", "aria-label": `${panel.metric} as a table`, onkeydown: (event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } } },
    h("div", { class: "table-head" }, h("h3", {}, panel.metric), h("span", { class: "resolution" }, left), h("button", { class: "icon", title: "close (Esc)", "aria-label": "close the table", onclick: close }, "✕")),
    h("div", { class: "table-rows", tabindex: "0" }, h("table", {},
      h("caption", {}, `${panel.metric}: ${wall.groups.on ? wall.groups.note() : "value (lowest – highest) of each run"}`),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, view.x === "metric" ? view.xMetric : view.x), ...heads.map((head, i) => h("th", { scope: "col" }, h("i", { style: `background:${curves[i].color}` }), head)))),
      h("tbody", {}, ...rows.map(({ x, cells }) => h("tr", {}, h("th", { scope: "row" }, position(x, view.x, view.xMetric)), ...cells.map((cell) => h("td", {}, cell))))))));
  wall.el.append(dialog);
  dialog.querySelector("button").focus();
}
