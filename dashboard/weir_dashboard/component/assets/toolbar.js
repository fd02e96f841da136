// Everything common in one bar: no drawer, no animation, no rerun of the page.

import { h } from "./dom.js";
import { duration } from "./format.js";
import { GroupBy } from "./group-by.js";
import { MOST_COLUMNS } from "./grid.js";
import { TAUS } from "./smooth.js";

const KERNEL_NAMES = { twema: "moving average", gauss: "Gaussian", mean: "running mean" };

export class Toolbar {
  constructor(wall) {
    this.wall = wall;
    this.search = h("input", { type: "search", class: "metrics", placeholder: "Metrics: words or a glob", "aria-label": "search metrics", oninput: () => wall.search(this.search.value) });
    this.axis = h("div", { class: "choice", role: "group", "aria-label": "x axis" });
    this.metric = h("select", { "aria-label": "metric on the x axis", onchange: () => wall.set({ xMetric: this.metric.value, window: null }) });
    this.smooth = h("input", { type: "range", min: "0", max: String(TAUS.length - 1), step: "1", "aria-label": "smoothing", oninput: () => wall.set({ smoothing: TAUS[this.smooth.value] }) });
    this.tau = h("output", {});
    this.kernel = h("select", { class: "kernel", "aria-label": "kind of smoothing", onchange: () => wall.set({ kernel: this.kernel.value }) },
      ...Object.entries(KERNEL_NAMES).map(([value, text]) => h("option", { value }, text)));
    const step = (mark, what, forth) => h("button", { class: "icon", title: what, "aria-label": what, onclick: () => wall.takeBack(forth) }, mark);
    this.back = step("↶", "take the last change back (Ctrl+Z)", false);
    this.forth = step("↷", "do it again (Ctrl+Shift+Z)", true);
    this.groupBy = new GroupBy(wall);
    this.toggles = h("div", { class: "toggles" });
    this.columns = h("div", { class: "choice", role: "group", "aria-label": "columns" });
    this.reset = h("button", { class: "pill", title: "show everything again (Esc)", onclick: () => wall.zoom(null) }, "Reset zoom");
    this.status = h("button", { class: "status", onclick: () => wall.set({ live: !wall.view.live }) });
    this.el = h("div", { class: "bar" }, this.search, h("label", {}, "x", this.axis), this.metric, this.groupBy.el,
      h("label", { class: "smoothing", title: "τ is in axis units: the curve is the same at any zoom" }, "smooth", this.smooth, this.tau), this.kernel, this.toggles,
      h("label", {}, "columns", this.columns), this.reset, h("span", { class: "fill" }), h("span", { class: "ends" }, this.back, this.forth, this.status,
      h("button", { class: "pill help-button", title: "keys (?)", "aria-label": "keys", onclick: () => wall.keys.toggleHelp() }, "?")));
  }

  render() {
    const { view, spec } = this.wall;
    this.groupBy.render();
    if (this.search.value !== view.metrics && !this.search.matches(":focus")) this.search.value = view.metrics;
    const axes = [["step", "step"], ["relative", "time since start"], ["time", "wall time"], ["metric", "metric"]];
    this.axis.replaceChildren(...axes.map(([axis, text]) => press(text, view.x === axis, () => this.wall.setAxis(axis))));
    this.metric.hidden = view.x !== "metric";
    const names = this.wall.metricNames();
    if (this.metric.dataset.names !== names.join("\n")) {
      this.metric.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
      this.metric.dataset.names = names.join("\n");
    }
    this.metric.value = view.xMetric;
    const index = TAUS.findLastIndex((tau) => tau <= view.smoothing);
    this.smooth.value = index;
    this.tau.textContent = view.smoothing ? `τ ${view.x === "relative" || view.x === "time" ? duration(view.smoothing) : view.smoothing.toLocaleString("en-US")}` : "off";
    this.toggles.replaceChildren(
      ...(view.x === "time" ? [] : [press("log x", view.logX, () => this.wall.set({ logX: !view.logX }), "buckets grow with x")]),
      press("log y", view.logY, () => this.wall.set({ logY: !view.logY })),
      press(this.wall.groups.on ? "band" : "min–max", view.envelope, () => this.wall.set({ envelope: !view.envelope }), this.wall.groups.on ? "band around the mean" : "band between the lowest and the highest point of each bucket"),
      press("outliers", view.outliers, () => this.wall.set({ outliers: !view.outliers }), "off: the y axis holds the middle 98 %"),
      ...(spec.runs.some((run) => run.ranks > 1) && !this.wall.groups.on ? [press("each rank", view.ranks === "each", () => this.wall.set({ ranks: view.ranks === "each" ? "mean" : "each" }), "off: mean, lowest and highest over the ranks")] : []));
    this.columns.replaceChildren(...Array.from({ length: MOST_COLUMNS + 1 }, (_, n) => press(n ? String(n) : "auto", view.columns === n, () => this.wall.set({ columns: n }))));
    this.kernel.value = view.kernel;
    this.kernel.hidden = !view.smoothing;
    this.back.disabled = !this.wall.undo.done.length;
    this.forth.disabled = !this.wall.undo.undone.length;
    this.reset.hidden = !view.window;
  }

  clearSearch() {
    this.search.value = "";
    this.wall.search("");
  }

  /** kind: live, paused, stale, done */
  say(kind, text) {
    this.status.className = `status ${kind}`;
    this.status.textContent = text;
    this.status.setAttribute("aria-label", `${text}; click to ${this.wall.view.live ? "pause" : "resume"}`);
  }
}

function press(text, on, onclick, title) {
  return h("button", { class: "press", "aria-pressed": String(on), title, onclick }, text);
}
