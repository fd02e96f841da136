// Sections of panels: which are there, which are on screen, how wide each is.
//
// Only panels near the screen exist: of ten thousand metrics a few dozen elements. Rows are equally
// high, so where everything lies is arithmetic (stack.js), and what lies elsewhere is empty space.

import { h, put } from "./dom.js";
import { columnsFor } from "./grid.js";
import { Panel } from "./panel.js";
import { isOpen, matches, ordered } from "./sections.js";
import { near, stacked } from "./stack.js";

const ROOMY_METRICS = 4;
const NEAR = "250px"; // panels this close to the screen are loaded ahead

export class Layout {
  /** `wall` gives view and metrics; it hears which panels came on screen. */
  constructor(wall) {
    this.wall = wall;
    this.panels = new Map(); // metric → panel, of those near the screen
    this.onScreen = new Set();
    this.empty = new Set(); // metrics known to have nothing for the drawn runs
    this.groups = []; // {key, title, metrics, el, head, grid}
    this.roomy = false;
    this.more = h("div", { class: "more-metrics" });
    this.el = h("main", { class: "panels", "aria-busy": "true", onmouseleave: () => wall.tooltip.hide(), onscroll: () => this.fill() });
    this.seen = new IntersectionObserver((entries) => this.scrolled(entries), { root: this.el, rootMargin: NEAR });
    this.sized = new ResizeObserver(() => { wall.fit(); this.arrange(); });
    this.sized.observe(this.el);
  }

  close() {
    this.seen.disconnect();
    this.sized.disconnect();
    for (const panel of this.panels.values()) panel.destroy();
  }

  columns() {
    return columnsFor(this.wall.view.columns, this.el.clientWidth);
  }

  /** Build the sections when the metrics, the search or a fold changed; panels that stay keep their chart. */
  render() {
    const { view } = this.wall, all = this.wall.metricNames();
    const sought = (names) => (view.metrics.trim() ? names.filter((name) => matches(name, view.metrics)) : names);
    const names = sought(all), top = sought(view.top);
    const shape = JSON.stringify([names, top, [...view.folded]]);
    if (shape !== this.shape) this.rebuild(names, top);
    this.shape = shape;
    this.arrange();
  }

  rebuild(names, top) {
    this.roomy = names.length <= ROOMY_METRICS;
    this.el.classList.toggle("roomy", this.roomy);
    this.groups = ordered(names, top).map((section) => this.section(section));
    const { metricsTotal, metrics } = this.wall, [listed, all] = [metrics.length, metricsTotal].map((n) => n.toLocaleString("en-US"));
    this.more.textContent = metricsTotal > metrics.length ? `${listed} of ${all} metrics are listed: search to reach the others.` : "";
    this.el.replaceChildren(...(this.groups.length ? this.groups.map((group) => group.el) : [this.nothing()]), this.more);
  }

  section({ key, title, metrics }) {
    const open = isOpen(key, this.wall.view);
    const head = h("button", { class: "section-head", "aria-expanded": String(open), onclick: () => this.fold(key, open) },
      h("span", { class: "arrow" }, open ? "▾" : "▸"), title, h("small", {}, metrics.length.toLocaleString("en-US")));
    const grid = h("div", { class: "grid" });
    return { key, open, metrics, grid, el: h("div", { class: "section" }, head, grid) };
  }

  fold(key, closed) {
    const folded = new Set(this.wall.view.folded);
    if (closed) folded.add(key); else folded.delete(key);
    this.wall.set({ folded });
  }

  /** Metrics in the order of the page, those without points behind the others of their section. */
  order() {
    return this.groups.filter((group) => group.open).flatMap((group) => this.split(group.metrics).flat());
  }

  /** The first metric that has points. */
  first() {
    for (const { open, metrics } of this.groups) {
      const found = open && metrics.find((metric) => !this.empty.has(metric));
      if (found) return found;
    }
    return undefined;
  }

  split(metrics) {
    return [metrics.filter((metric) => !this.empty.has(metric)), metrics.filter((metric) => this.empty.has(metric))];
  }

  /** Say where every row lies; panels without points come last in their section, in rows of their own. */
  arrange() {
    const columns = this.columns();
    this.stack = stacked(this.groups.map(({ open, metrics }) => (open ? this.split(metrics) : [[], []])), columns, this.roomy);
    this.fill();
    for (const panel of this.panels.values()) panel.resize();
  }

  /** Make the panels near the screen and let go of the others. */
  fill() {
    if (!this.stack) return;
    const { scrollTop, clientHeight } = this.el, wanted = new Set();
    this.stack.forEach((section, i) => {
      const { rows, above, below } = near(section, scrollTop - clientHeight, scrollTop + 2 * clientHeight);
      const { grid } = this.groups[i];
      grid.style.paddingTop = `${above}px`;
      grid.style.paddingBottom = `${below}px`;
      put(grid, rows.flatMap((row) => row.metrics.map((metric, n) => {
        wanted.add(metric);
        const panel = this.panel(metric);
        panel.place(row.widths[n]);
        return panel.el;
      })));
    });
    for (const panel of [...this.panels.values()]) if (!wanted.has(panel.metric)) this.drop(panel);
  }

  panel(name) {
    if (!this.panels.has(name)) {
      const panel = new Panel(name, this.wall, { empty: this.empty.has(name) });
      this.panels.set(name, panel);
      this.seen.observe(panel.el);
    }
    return this.panels.get(name);
  }

  drop(panel) {
    this.seen.unobserve(panel.el);
    this.onScreen.delete(panel);
    this.panels.delete(panel.metric);
    panel.destroy();
  }

  /** Let a panel show these curves; the rows are filled again when it became empty or no longer is. */
  show(panel, curves, width) {
    const was = this.empty.has(panel.metric);
    panel.update(curves, width);
    if (panel.empty) this.empty.add(panel.metric); else this.empty.delete(panel.metric);
    if (panel.empty !== was) this.arrangeSoon();
  }

  /** Several panels become empty together: their rows are filled once. */
  arrangeSoon() {
    this.arranging ??= requestAnimationFrame(() => { this.arranging = null; this.arrange(); });
  }

  scrolled(entries) {
    for (const { target, isIntersecting } of entries) {
      const panel = target.weirPanel;
      if (isIntersecting && this.panels.get(panel.metric) === panel) this.onScreen.add(panel); else this.onScreen.delete(panel);
      if (this.onScreen.has(panel)) this.wall.refresh(panel);
    }
    this.wall.feed.load();
  }

  /** The panel under the cursor or with the focus. */
  pointed() {
    return [...this.onScreen].find((panel) => panel.el.matches(":hover, :focus-within"));
  }

  nothing() {
    const { metrics, spec, view } = this.wall;
    const known = Math.max(metrics.length, spec.metricsTotal);
    const text = known ? `No metric matches “${view.metrics}”. ${known.toLocaleString("en-US")} metrics in these runs. `
      : spec.runs.length ? "No points yet: the first curve appears here by itself." : "No run to draw.";
    return h("div", { class: "nothing" }, text, known ? h("button", { class: "link", onclick: () => this.wall.toolbar.clearSearch() }, "Clear the search") : null);
  }
}
