// The chart wall: many metrics × many runs, one zoom, one cursor, one request for all that is visible.
//
// Streamlit mounts it and hands over the spec (charts.py); everything that happens more
// than once a second stays here. The view lives in the address bar (view.js).
//
//   wall ── view, what is drawn          layout ── sections, panels ── panel ── uPlot
//    ├── toolbar, rail, tooltip, keys    feed ── /api/series, /api/metrics ── store

import uPlot from "./uPlot.esm.js";
import { gapLimit } from "./curves.js";
import { h } from "./dom.js";
import { drawnRuns, exceptions } from "./drawn.js";
import { Feed } from "./feed.js";
import { Keys } from "./keys.js";
import { Layout } from "./layout.js";
import { colorOf, looks } from "./look.js";
import { questionFor } from "./question.js";
import { Rail } from "./rail.js";
import { smooth } from "./smooth.js";
import { readTheme } from "./theme.js";
import { Toolbar } from "./toolbar.js";
import { Tooltip } from "./tooltip.js";
import { readView, writeView } from "./view.js";

const LOWEST_PX = 420;

const walls = new WeakMap();
const ASSETS = new URL(".", import.meta.url);

/** Streamlit calls this on mount and after every rerun; the first call decides, later ones update. */
export default async function mount({ parentElement, data }) {
  let wall = walls.get(parentElement);
  if (!wall) {
    const sheets = await Promise.all(["uPlot.css", "wall.css"].map(sheet));
    wall = walls.get(parentElement) ?? new Wall(parentElement, sheets, data);
    walls.set(parentElement, wall);
  }
  wall.receive(data);
  return () => { wall.close(); walls.delete(parentElement); };
}

async function sheet(name) {
  const css = await (await fetch(new URL(name, ASSETS))).text();
  return new CSSStyleSheet().replace(css);
}

class Wall {
  constructor(parent, sheets, spec) {
    parent.adoptedStyleSheets = sheets;
    this.spec = spec;
    this.metrics = spec.metrics;
    this.view = readView(location.search);
    this.focus = null; // the run that stands out
    this.syncKey = `weir-${Math.random().toString(36).slice(2)}`;
    uPlot.sync(this.syncKey);
    this.tooltip = new Tooltip();
    this.layout = new Layout(this);
    this.feed = new Feed(this, new URL(spec.api, location.origin).pathname);
    this.toolbar = new Toolbar(this);
    this.rail = new Rail(this);
    this.keys = new Keys(this);
    this.el = h("div", { class: spec.rail ? "wall" : "wall no-rail" },
      this.toolbar.el, this.rail.el, this.layout.el, this.tooltip.el, this.keys.help);
    parent.append(this.el);
    this.onPop = () => { this.view = readView(location.search); this.render(); };
    this.onWindow = () => this.fit();
    window.addEventListener("popstate", this.onPop);
    window.addEventListener("resize", this.onWindow);
  }

  close() {
    window.removeEventListener("popstate", this.onPop);
    window.removeEventListener("resize", this.onWindow);
    for (const part of [this.feed, this.layout, this.keys]) part.close();
    this.el.remove();
  }

  /** A rerun of the page: new runs, states, theme; zoom and selection are not touched. */
  receive(spec) {
    const theme = readTheme(this.el);
    const news = JSON.stringify([spec, theme]);
    if (news === this.received) return;
    this.received = news;
    this.theme = theme;
    if (spec.metrics.length >= this.metrics.length || spec.runs.length !== this.spec.runs.length) this.metrics = spec.metrics;
    this.spec = spec;
    this.el.style.setProperty("color-scheme", theme.dark ? "dark" : "light");
    this.fit();
    this.render();
  }

  receiveMetrics(metrics) {
    if (JSON.stringify(metrics.map((metric) => metric.name)) === JSON.stringify(this.metricNames())) return;
    this.metrics = metrics;
    this.render();
  }

  metricNames() {
    return this.metrics.map((metric) => metric.name);
  }

  /** Fill the window below whatever the page put above. */
  fit() {
    const top = this.el.getBoundingClientRect().top + (this.el.closest("section")?.scrollTop ?? 0);
    this.el.style.setProperty("--wall-height", `${Math.max(LOWEST_PX, window.innerHeight - Math.max(0, top) - 8)}px`);
  }

  // ── runs ──────────────────────────────────────────────────────────────────

  drawn() {
    return drawnRuns(this.spec, this.view);
  }

  draw(ids) {
    this.focus = null;
    this.set(exceptions(this.spec, ids));
  }

  toggle(id) {
    const drawn = this.drawn();
    this.draw(drawn.includes(id) ? drawn.filter((other) => other !== id) : [...drawn, id]);
  }

  /** Draw only this run; asked again, all that were drawn before. */
  only(id) {
    const drawn = this.drawn();
    const back = drawn.length === 1 && drawn[0] === id && this.before;
    this.before = back ? null : drawn;
    this.draw(back || [id]);
  }

  running() {
    const on = new Set(this.drawn());
    return this.spec.runs.some((run) => run.state === "running" && on.has(run.id));
  }

  color(run) {
    return colorOf(run, this.view, this.spec.palette);
  }

  recolor(id, index) {
    const colors = new Map(this.view.colors);
    if (index === null) colors.delete(id); else colors.set(id, index);
    this.set({ colors });
  }

  emphasise(id) {
    if (this.focus === id) return;
    this.focus = id;
    for (const panel of this.layout.onScreen) panel.redraw();
  }

  // ── the view ──────────────────────────────────────────────────────────────

  set(change) {
    this.view = { ...this.view, ...change };
    const search = writeView(location.search, this.view);
    history.replaceState(history.state, "", search ? `?${search}` : location.pathname);
    this.render();
  }

  setAxis(x) {
    this.set({ x, window: null, smoothing: 0, xMetric: x === "metric" ? this.view.xMetric || this.metricNames()[0] || "" : "" });
  }

  zoom(window) {
    if (window || this.view.window) this.set({ window });
  }

  /** Move the zoomed window by a part of its width. */
  pan(part) {
    if (!this.view.window) return;
    const [lo, hi] = this.view.window, by = (hi - lo) * part;
    this.set({ window: [lo + by, hi + by] });
  }

  search(text) {
    this.set({ metrics: text });
    this.feed.search();
  }

  // ── drawing ───────────────────────────────────────────────────────────────

  render() {
    this.toolbar.render();
    this.rail.render();
    this.layout.render();
    for (const panel of this.layout.onScreen) this.refresh(panel);
    this.feed.load();
    this.feed.announce();
  }

  question() {
    return questionFor(this.view, this.spec, this.layout.el.clientWidth / this.layout.columns());
  }

  /** Draw what is held of the panel's metric; curves of another question stay until theirs come. */
  refresh(panel) {
    const started = performance.now();
    const { store } = this.feed;
    const drawn = this.drawn(), { key } = this.question();
    if (drawn.length && !drawn.some((run) => store.holds(panel.metric, run))) return;
    this.layout.show(panel, this.curves(panel.metric, drawn), store.widths.get(panel.metric));
    panel.el.classList.toggle("loading", drawn.some((run) => !store.has(panel.metric, run, key)));
    performance.measure("weir:draw", { start: started });
  }

  curves(metric, drawn) {
    const { store } = this.feed;
    const width = store.widths.get(metric)?.width ?? 0;
    return looks(drawn, (id) => store.get(metric, id), this.spec, this.view).map(({ series, ...look }) => {
      if (series.tau !== this.view.smoothing) {
        series.tau = this.view.smoothing;
        series.smoothed = smooth(series.x, series.y, series.tau);
      }
      series.gap ??= gapLimit(series.x, width);
      return { ...series, ...look };
    });
  }

  point(panel, cursor) {
    this.tooltip.show(panel, cursor, this.view, this.el);
  }
}
