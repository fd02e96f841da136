// One chart: uPlot for axes, cursor and zoom; our curves on top.

import uPlot from "./uPlot.esm.js";
import { h } from "./dom.js";
import { drawCurves } from "./draw.js";
import { padded, xExtent, yExtent } from "./curves.js";
import { duration, logTick, resolution, tick } from "./format.js";
import { Menu } from "./menu.js";

const CHART_HEIGHT = 200;
const ROOMY_HEIGHT = 320; // when few metrics are left
const TALL_HEIGHT = 460;
const TIME_STEPS_S = [1e-3, 1e-2, 0.1, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800];

export class Panel {
  /** `wall` gives view, theme, sync and the answers to what happens here. */
  constructor(metric, wall) {
    this.metric = metric;
    this.wall = wall;
    this.curves = [];
    this.u = null;
    this.tall = false;
    this.empty = false; // nothing to draw for the drawn runs
    this.note = h("span", { class: "resolution" });
    this.plot = h("div", { class: "plot" });
    this.message = h("div", { class: "message" });
    const grow = h("button", { class: "icon", title: "expand (f); double-click the chart resets the zoom", "aria-label": `expand ${metric}`, onclick: () => this.toggleTall() }, "⤢");
    this.el = h("section", { class: "panel loading", tabindex: "0", "data-metric": metric, "aria-label": metric },
      h("header", {}, h("h3", { title: metric }, metric), this.note, new Menu(this).el, grow), this.plot, this.message);
    this.el.weirPanel = this;
  }

  /** Take this place of the section, `span` units of a row wide (grid.js). */
  place(order, span) {
    this.el.style.order = order;
    this.el.style.setProperty("--span", span);
  }

  toggleTall() {
    this.tall = !this.tall;
    this.el.classList.toggle("tall", this.tall);
    this.resize();
    this.el.scrollIntoView({ block: "nearest" });
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
    this.el.classList.remove("loading");
    this.el.classList.toggle("failed", Boolean(retry));
    this.message.replaceChildren(text, ...(retry ? [h("button", { class: "link", onclick: retry }, "Retry")] : []));
  }

  draw() {
    const { view } = this.wall;
    this.x = view.window ?? this.everything();
    const found = yExtent(this.curves, this.x, view);
    this.y = found ? padded(found, view.logY) : view.logY ? [0.1, 1] : [0, 1];
    this.note.textContent = this.describe(found);
    this.el.dataset.x = this.x.map((v) => Number(v.toPrecision(8))).join(",");
    this.el.setAttribute("aria-label", `${this.metric}, ${this.curves.length} curves, ${this.note.textContent}`);
    const shape = JSON.stringify([view.x, view.logY, this.wall.theme]);
    if (this.u && this.shape !== shape) this.destroy();
    this.shape = shape;
    if (!this.u) this.u = new uPlot(this.options(), this.frame(), this.plot);
    else this.u.setData(this.frame());
  }

  /** All there is; over steps it begins where the first bucket begins. */
  everything() {
    const [lo, hi] = xExtent(this.curves) ?? [0, 1];
    const width = this.wall.view.x === "step" ? this.width?.width ?? 0 : 0;
    const start = width > 1 ? Math.floor(lo / width) * width : lo;
    return hi > start ? [start, hi] : [lo - 0.5, lo + 0.5];
  }

  describe(found) {
    const { view } = this.wall;
    const parts = this.width ? [resolution(this.width, view.x)] : [];
    if (view.smoothing > 0) parts.push(`smoothed τ ${view.x === "step" ? view.smoothing.toLocaleString("en-US") : duration(view.smoothing)}`);
    if (this.curves.some((c) => c.ranks > 1) && view.ranks === "mean") parts.push("mean of ranks");
    if (found?.clipped) parts.push(`${found.clipped} points outside`);
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
        y: { distr: view.logY ? 3 : 1, range: () => this.y },
      },
      axes: [{ ...axis, size: 24, space: 64, ...horizontal(view.x) }, { ...axis, space: 28, size: (u, texts) => 14 + 6.4 * longest(texts), values: (u, splits, i, space, incr) => splits.map((v) => (v == null ? "" : view.logY ? logTick(v) : tick(v, incr))) }],
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
    const window = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
    u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.wall.zoom(window);
  }

  hover(u) {
    if (this.plot.matches(":hover")) this.wall.point(this, u.cursor);
  }

  redraw() {
    this.u?.redraw(false, false);
  }

  height() {
    return this.tall ? TALL_HEIGHT : this.wall.layout.roomy ? ROOMY_HEIGHT : CHART_HEIGHT;
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

function longest(texts) {
  return Math.max(1, ...(texts ?? []).map((text) => (text ?? "").length));
}

function horizontal(axis) {
  if (axis === "time") return {};
  const values = axis === "relative"
    ? (u, splits) => splits.map((v) => duration(v))
    : (u, splits, i, space, incr) => splits.map((v) => tick(v, incr));
  return axis === "relative" ? { values, incrs: TIME_STEPS_S } : { values };
}
