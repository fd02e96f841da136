// One chart: uPlot for axes, cursor and zoom; our curves on top.

import uPlot from "./uPlot.esm.js";
import { h } from "./dom.js";
import { drawCurves } from "./draw.js";
import { atPlace, isLog, windowPlaces } from "./axis.js";
import { padded, xExtent, yExtent } from "./curves.js";
import { duration, num, resolution } from "./format.js";
import { Menu } from "./menu.js";
import { horizontal, vertical } from "./ticks.js";

const CHART_HEIGHT = 200;
const ROOMY_HEIGHT = 320; // when few metrics are left
const HEADER_PX = 34; // above the plot of a full page
const KERNEL_WORDS = { twema: "smoothed", gauss: "Gaussian", mean: "running mean" };

export class Panel {
  /** `wall` gives view, theme, sync and the answers to what happens here; `full` fills the page. */
  constructor(metric, wall, { full = false, empty = false } = {}) {
    this.metric = metric;
    this.wall = wall;
    this.curves = [];
    this.u = null;
    this.full = full;
    this.empty = empty; // nothing to draw for the drawn runs
    this.note = h("span", { class: "resolution" });
    this.clipped = h("button", { class: "badge", title: "points above or below this chart; click to show them", hidden: true, onclick: () => wall.set({ outliers: true }) });
    this.plot = h("div", { class: "plot" });
    this.message = h("div", { class: "message" });
    const grow = full ? null : h("button", { class: "icon", title: "full screen (f); double-click the chart resets the zoom", "aria-label": `full screen of ${metric}`, onclick: () => wall.full.open(metric) }, "⤢");
    this.el = h("section", { class: empty ? "panel loading empty" : "panel loading", tabindex: "0", "data-metric": metric, "aria-label": metric },
      h("header", {}, h("h3", { title: metric }, metric), this.note, this.clipped, new Menu(this).el, grow), this.plot, this.message);
    this.el.weirPanel = this;
  }

  /** Be `span` units of a row wide (grid.js). */
  place(span) {
    this.el.style.setProperty("--span", span);
  }

  /** Draw these curves, keeping the zoom; `width` says what one point stands for. */
  update(curves, width) {
    this.curves = curves;
    const points = curves.reduce((n, c) => n + c.x.length, 0);
    this.el.classList.remove("loading", "failed");
    this.empty = points === 0;
    this.el.classList.toggle("empty", this.empty);
    this.el.dataset.points = points;
    if (this.empty) return this.say("No points for the drawn runs");
    this.message.replaceChildren();
    this.width = width;
    this.draw();
  }

  /** Say something in place of a chart; a chart that already shows curves keeps them. */
  say(text, retry) {
    if (retry && this.u && this.curves.length) return;
    this.destroy();
    this.note.textContent = "";
    this.clipped.hidden = true;
    this.el.classList.remove("loading");
    this.el.classList.toggle("failed", Boolean(retry));
    this.message.replaceChildren(text, ...(retry ? [h("button", { class: "link", onclick: retry }, "Retry")] : []));
  }

  draw() {
    const { view } = this.wall;
    this.x = windowPlaces(view) ?? this.everything();
    const found = yExtent(this.curves, this.x, view);
    this.linear = found?.linear ?? 0;
    this.y = found ? padded(found, view.logY) : view.logY ? [0.1, 1] : [0, 1];
    this.note.textContent = this.describe();
    this.note.title = this.note.textContent;
    this.clipped.hidden = !found?.clipped;
    this.clipped.textContent = `clipped ${(found?.clipped ?? 0).toLocaleString("en-US")}`;
    this.el.dataset.x = this.x.map((v) => Number(atPlace(v, view).toPrecision(8))).join(",");
    this.el.setAttribute("aria-label", `${this.metric}, ${this.curves.length} curves, ${this.note.textContent}`);
    const shape = JSON.stringify([view.x, isLog(view), view.logY, this.linear, this.wall.theme]);
    if (this.u && this.shape !== shape) this.destroy();
    this.shape = shape;
    if (!this.u) this.u = new uPlot(this.options(), this.frame(), this.plot);
    else this.u.setData(this.frame());
  }

  /** All there is; over steps it begins where the first bucket begins. In places (axis.js). */
  everything() {
    const { view } = this.wall;
    const [lo, hi] = xExtent(this.curves) ?? [0, 1];
    const width = view.x === "step" && !isLog(view) ? this.width?.width ?? 0 : 0;
    const start = width > 1 ? Math.floor(lo / width) * width : lo;
    return hi > start ? [start, hi] : [lo - 0.5, lo + 0.5];
  }

  describe() {
    const { view } = this.wall;
    const parts = this.width ? [resolution(this.width, view.x, isLog(view))] : [];
    const outside = this.curves.reduce((n, c) => n + (c.outside ?? 0), 0);
    if (outside) parts.push(`${view.x === "step" ? "step" : "x"} ≤ 0 not on a log axis`);
    if (this.linear) parts.push(`symlog, straight within ±${num(this.linear)}`);
    if (view.smoothing > 0) parts.push(`${KERNEL_WORDS[view.kernel]} τ ${view.x === "step" ? view.smoothing.toLocaleString("en-US") : duration(view.smoothing)}`);
    if (this.curves.some((c) => c.members)) parts.push(this.wall.groups.note());
    if (this.curves.some((c) => c.ranks > 1) && view.ranks === "mean") parts.push("mean of ranks");
    return parts.join(" · ");
  }

  /** uPlot scales itself on two corner points; the curves are ours. */
  frame() {
    return [this.x.slice(), this.y.slice()];
  }

  options() {
    const { theme, view } = this.wall;
    const axis = { stroke: theme.faded, font: `11px ${theme.font}`, grid: { stroke: theme.grid, width: 1 }, ticks: { show: false }, gap: 4 };
    return {
      width: this.plot.clientWidth || 400,
      height: this.height(),
      padding: [6, 16, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: view.x === "time", range: () => this.x },
        y: { ...(this.linear ? { distr: 4, asinh: this.linear } : { distr: view.logY ? 3 : 1 }), range: () => this.y },
      },
      axes: [{ ...axis, size: 24, space: 64, ...horizontal(view) }, { ...axis, ...vertical(view, this.linear) }],
      series: [{}, { paths: () => null, points: { show: false } }],
      cursor: {
        points: { show: false },
        drag: { x: true, y: false, setScale: false },
        // the cursor is shared, a drag is not: one zoom, not one per chart
        sync: { key: this.wall.syncKey, scales: ["x", null], filters: { pub: (type) => type !== "mousedown" && type !== "mouseup" && type !== "dblclick" } },
        bind: { dblclick: () => () => { this.wall.zoom(null); return null; } },
      },
      hooks: {
        draw: [(u) => drawCurves(u, this.curves, { envelope: view.envelope, focus: this.wall.focus, ink: theme })],
        setSelect: [(u) => this.zoomTo(u)],
        setCursor: [(u) => this.hover(u)],
      },
    };
  }

  zoomTo(u) {
    const { left, width } = u.select;
    if (width < 4) return;
    const window = [left, left + width].map((px) => atPlace(u.posToVal(px, "x"), this.wall.view));
    u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.wall.zoom(window);
  }

  hover(u) {
    if (this.plot.matches(":hover")) this.wall.point(this, u.cursor);
  }

  redraw() {
    this.u?.redraw(false, false);
  }

  /** The chart on a canvas of its own, so many px wide, whatever room it has on the page. */
  async canvas(width, height) {
    const { hooks, ...options } = this.options(), host = h("div", {});
    const u = new uPlot({ ...options, width, height, cursor: { show: false }, hooks: { draw: hooks.draw } }, this.frame(), host);
    await new Promise(requestAnimationFrame); // it draws in a microtask
    const { canvas } = u.ctx;
    u.destroy();
    return canvas;
  }

  height() {
    if (this.full) return Math.max(CHART_HEIGHT, this.el.clientHeight - HEADER_PX);
    return this.wall.layout.roomy ? ROOMY_HEIGHT : CHART_HEIGHT;
  }

  resize() {
    const width = this.plot.clientWidth;
    if (this.u && width > 0 && (this.u.width !== width || this.u.height !== this.height())) this.u.setSize({ width, height: this.height() });
  }

  destroy() {
    this.u?.destroy();
    this.u = null;
  }
}
