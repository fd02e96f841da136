// Everything common in one bar: no drawer, no animation, no rerun of the page.

import { h } from "./dom.js";
import { duration } from "./format.js";
import { MOST_COLUMNS } from "./grid.js";
import { TAUS } from "./smooth.js";

export class Toolbar {
  constructor(wall) {
    this.wall = wall;
    this.search = h("input", { type: "search", class: "metrics", placeholder: "Metrics: words or a glob", "aria-label": "search metrics", oninput: () => wall.search(this.search.value) });
    this.axis = h("div", { class: "choice", role: "group", "aria-label": "x axis" });
    this.metric = h("select", { "aria-label": "metric on the x axis", onchange: () => wall.set({ xMetric: this.metric.value, window: null }) });
    this.smooth = h("input", { type: "range", min: "0", max: String(TAUS.length - 1), step: "1", "aria-label": "smoothing", oninput: () => wall.set({ smoothing: TAUS[this.smooth.value] }) });
    this.tau = h("output", {});
    this.toggles = h("div", { class: "toggles" });
    this.columns = h("div", { class: "choice", role: "group", "aria-label": "columns" });
    this.reset = h("button", { class: "pill", title: "show everything again (Esc)", onclick: () => wall.zoom(null) }, "Reset zoom");
    this.status = h("button", { class: "status", onclick: () => wall.set({ live: !wall.view.live }) });
    this.el = h("div", { class: "bar" }, this.search, h("label", {}, "x", this.axis), this.metric,
      h("label", { class: "smoothing", title: "time-weighted moving average; τ is in axis units" }, "smooth", this.smooth, this.tau), this.toggles,
      h("label", {}, "columns", this.columns), this.reset, h("span", { class: "fill" }), this.status,
      h("button", { class: "pill help-button", title: "keys (?)", "aria-label": "keys", onclick: () => wall.keys.toggleHelp() }, "?"));
  }

  render() {
    const { view, spec } = this.wall;
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
      press("log y", view.logY, () => this.wall.set({ logY: !view.logY })),
      press("min–max", view.envelope, () => this.wall.set({ envelope: !view.envelope }), "band between the lowest and the highest point of each bucket"),
      press("outliers", view.outliers, () => this.wall.set({ outliers: !view.outliers }), "off: the y axis holds the middle 98 %"),
      ...(spec.runs.some((run) => run.ranks > 1) ? [press("each rank", view.ranks === "each", () => this.wall.set({ ranks: view.ranks === "each" ? "mean" : "each" }), "off: mean, lowest and highest over the ranks")] : []));
    this.columns.replaceChildren(...Array.from({ length: MOST_COLUMNS + 1 }, (_, n) => press(n ? String(n) : "auto", view.columns === n, () => this.wall.set({ columns: n }))));
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
