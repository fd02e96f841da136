// Sections of panels: which are there, which are on screen, how wide each is.

import { h } from "./dom.js";
import { columnsFor, spans } from "./grid.js";
import { Panel } from "./panel.js";
import { matches, sections } from "./sections.js";

const ROOMY_METRICS = 4;
const NEAR = "250px"; // panels this close to the screen are loaded ahead

export class Layout {
  /** `wall` gives view and metrics; it hears which panels came on screen. */
  constructor(wall) {
    this.wall = wall;
    this.panels = new Map(); // metric → panel
    this.onScreen = new Set();
    this.folded = new Set(); // titles
    this.groups = []; // panels of each open section
    this.roomy = false;
    this.el = h("main", { class: "panels", "aria-busy": "true", onmouseleave: () => wall.tooltip.hide() });
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
    const names = this.wall.metricNames().filter((name) => matches(name, this.wall.view.metrics));
    const shape = JSON.stringify([names, [...this.folded]]);
    if (shape !== this.shape) this.rebuild(names);
    this.shape = shape;
    this.arrange();
  }

  rebuild(names) {
    this.roomy = names.length <= ROOMY_METRICS;
    this.el.classList.toggle("roomy", this.roomy);
    const kept = new Set(names);
    for (const panel of this.panels.values()) if (!kept.has(panel.metric)) this.drop(panel);
    this.groups = [];
    this.el.replaceChildren(...(names.length ? sections(names).map((s) => this.section(s)) : [this.nothing()]));
  }

  section({ title, metrics }) {
    const open = !this.folded.has(title);
    const head = h("button", { class: "section-head", "aria-expanded": String(open), onclick: () => this.fold(title, open) },
      h("span", { class: "arrow" }, open ? "▾" : "▸"), title || "metrics", h("small", {}, String(metrics.length)));
    const panels = open ? metrics.map((name) => this.panel(name)) : [];
    this.groups.push(panels);
    return h("div", { class: "section" }, head, h("div", { class: "grid" }, ...panels.map((panel) => panel.el)));
  }

  fold(title, closed) {
    if (closed) this.folded.add(title); else this.folded.delete(title);
    this.wall.render();
  }

  panel(name) {
    if (!this.panels.has(name)) {
      const panel = new Panel(name, this.wall);
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

  /** Fill the rows of every section; panels without points come last, in rows of their own. */
  arrange() {
    const columns = this.columns();
    for (const panels of this.groups) {
      const [empty, full] = [true, false].map((kind) => panels.filter((panel) => panel.empty === kind));
      const widths = [...spans(full.length, columns), ...spans(empty.length, columns)];
      [...full, ...empty].forEach((panel, i) => panel.place(i, widths[i]));
    }
    for (const panel of this.panels.values()) panel.resize();
  }

  /** Let a panel show these curves; the rows are filled again when it became empty or no longer is. */
  show(panel, curves, width) {
    const before = panel.empty;
    panel.update(curves, width);
    if (panel.empty !== before) this.arrange();
  }

  scrolled(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.onScreen.add(target.weirPanel); else this.onScreen.delete(target.weirPanel);
      if (isIntersecting) this.wall.refresh(target.weirPanel);
    }
    this.wall.feed.load();
  }

  /** The panel under the cursor or with the focus. */
  pointed() {
    return [...this.onScreen].find((panel) => panel.el.matches(":hover, :focus-within"));
  }

  nothing() {
    const { metrics, spec, view } = this.wall;
    const text = metrics.length ? `No metric matches “${view.metrics}”. ${metrics.length} metrics in these runs. `
      : spec.runs.length ? "No points yet: the first curve appears here by itself." : "No run to draw.";
    return h("div", { class: "nothing" }, text, metrics.length ? h("button", { class: "link", onclick: () => this.wall.toolbar.clearSearch() }, "Clear the search") : null);
  }
}
