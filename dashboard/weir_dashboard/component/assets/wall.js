// The chart wall: many metrics × many runs, one zoom, one cursor, one request for all that is visible.
//
// Streamlit mounts it and hands over the spec (charts.py); everything that happens more
// than once a second stays here. The view lives in the address bar (view.js).

import uPlot from "./uPlot.esm.js";
import { h } from "./dom.js";
import { bucketsFor, gapLimit } from "./curves.js";
import { Panel } from "./panel.js";
import { Rail } from "./rail.js";
import { matches, sections } from "./sections.js";
import { LEAD_IN, smooth } from "./smooth.js";
import { SeriesStore, ask } from "./store.js";
import { readTheme } from "./theme.js";
import { Toolbar } from "./toolbar.js";
import { Tooltip } from "./tooltip.js";
import { readView, writeView } from "./view.js";

const POLL_RUNNING_MS = 2000;
const POLL_IDLE_MS = 15000;
const ROOMY_METRICS = 4;
const METRICS_EVERY = 5; // polls
const BATCH_MS = 12; // loads asked for within this time become one request
const NEAR = "250px"; // panels this close to the screen are loaded ahead
const DASHES = [[], [7, 3], [2, 2], [9, 3, 2, 3]];
const MICROSECONDS = 1e6;

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
    this.view = readView(location.search);
    this.store = new SeriesStore(new URL(spec.api, location.origin).pathname);
    this.panels = new Map();
    this.onScreen = new Set();
    this.folded = new Set();
    this.focus = null;
    this.polls = 1;
    this.syncKey = `weir-${Math.random().toString(36).slice(2)}`;
    uPlot.sync(this.syncKey);
    this.metrics = spec.metrics;
    this.toolbar = new Toolbar(this);
    this.rail = new Rail(this);
    this.tooltip = new Tooltip();
    this.main = h("main", { class: "panels", "aria-busy": "true", onmouseleave: () => this.leave() });
    this.el = h("div", { class: spec.rail ? "wall" : "wall no-rail" }, this.toolbar.el, this.rail.el, this.main, this.tooltip.el);
    parent.append(this.el);
    this.watch();
  }

  watch() {
    this.seen = new IntersectionObserver((entries) => this.scrolled(entries), { root: this.main, rootMargin: NEAR });
    this.sized = new ResizeObserver(() => { this.fit(); for (const panel of this.onScreen) panel.resize(); });
    this.sized.observe(this.main);
    this.onKey = (event) => this.key(event);
    this.onPop = () => { this.view = readView(location.search); this.render(); };
    this.onWindow = () => this.fit();
    document.addEventListener("keydown", this.onKey);
    window.addEventListener("popstate", this.onPop);
    window.addEventListener("resize", this.onWindow);
    this.timer = setTimeout(() => this.poll(), POLL_RUNNING_MS);
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.batch);
    this.abort?.abort();
    this.seen.disconnect();
    this.sized.disconnect();
    document.removeEventListener("keydown", this.onKey);
    window.removeEventListener("popstate", this.onPop);
    window.removeEventListener("resize", this.onWindow);
    for (const panel of this.panels.values()) panel.destroy();
    this.el.remove();
  }

  /** A rerun of the page: new runs, states, theme; zoom and selection are not touched. */
  receive(spec) {
    const theme = readTheme(this.el);
    const same = this.received && JSON.stringify(spec) === JSON.stringify(this.spec) && JSON.stringify(theme) === JSON.stringify(this.theme);
    this.received = true;
    if (same) return;
    this.theme = theme;
    if (spec.metrics.length >= this.metrics.length || spec.runs.length !== this.spec.runs.length) this.metrics = spec.metrics;
    this.spec = spec;
    this.el.style.setProperty("color-scheme", theme.dark ? "dark" : "light");
    this.fit();
    this.render();
  }

  /** Fill the window below whatever the page put above. */
  fit() {
    const top = this.el.getBoundingClientRect().top + (this.el.closest("section")?.scrollTop ?? 0);
    this.el.style.setProperty("--wall-height", `${Math.max(420, window.innerHeight - Math.max(0, top) - 8)}px`);
  }

  // ── what is drawn ─────────────────────────────────────────────────────────

  drawn() {
    const { show, hide } = this.view;
    return this.spec.runs.filter((run, i) => (i < this.spec.drawn ? !hide.has(run.id) : show.has(run.id))).map((run) => run.id);
  }

  drawRuns(ids) {
    const on = new Set(ids);
    const show = new Set(), hide = new Set();
    this.spec.runs.forEach((run, i) => {
      if (i < this.spec.drawn && !on.has(run.id)) hide.add(run.id);
      if (i >= this.spec.drawn && on.has(run.id)) show.add(run.id);
    });
    this.focus = null;
    this.set({ show, hide });
  }

  toggle(id) {
    const drawn = this.drawn();
    this.drawRuns(drawn.includes(id) ? drawn.filter((other) => other !== id) : [...drawn, id]);
  }

  only(id) {
    const drawn = this.drawn();
    if (drawn.length === 1 && drawn[0] === id && this.before) { this.drawRuns(this.before); this.before = null; return; }
    this.before = drawn;
    this.drawRuns([id]);
  }

  recolor(id, index) {
    const colors = new Map(this.view.colors);
    if (index === null) colors.delete(id); else colors.set(id, index);
    this.set({ colors });
  }

  color(run) {
    return this.spec.palette[this.view.colors.get(run.id) ?? run.color];
  }

  emphasise(id) {
    if (this.focus === id) return;
    this.focus = id;
    for (const panel of this.onScreen) panel.redraw();
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

  search(text) {
    this.set({ metrics: text });
    if (this.spec.metricsTotal > this.metrics.length || this.searched) this.askMetrics();
  }

  key(event) {
    const typing = event.composedPath()[0]?.matches?.("input, textarea, select, [contenteditable]");
    if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== "Escape")) return;
    if (event.key === "Escape" || event.key === "z") this.zoom(null);
    else if (event.key === "m") { this.toolbar.search.focus(); event.preventDefault(); }
    else if (event.key === "l") this.set({ live: !this.view.live });
  }

  metricNames() {
    return this.metrics.map((metric) => metric.name);
  }

  // ── rendering ─────────────────────────────────────────────────────────────

  render() {
    this.toolbar.render();
    this.rail.render();
    this.layout();
    for (const panel of this.onScreen) this.refresh(panel);
    this.load();
    this.announce();
  }

  layout() {
    const names = this.metricNames().filter((name) => matches(name, this.view.metrics));
    const shape = JSON.stringify([names, [...this.folded]]);
    if (shape === this.shape) return;
    this.shape = shape;
    this.roomy = names.length <= ROOMY_METRICS;
    this.main.classList.toggle("roomy", this.roomy);
    for (const [name, panel] of this.panels) {
      if (!names.includes(name)) { this.seen.unobserve(panel.el); this.onScreen.delete(panel); panel.destroy(); this.panels.delete(name); }
    }
    this.main.replaceChildren(...(names.length ? sections(names).map((s) => this.section(s)) : [this.nothing()]));
    for (const panel of this.panels.values()) panel.resize();
  }

  section({ title, metrics }) {
    const open = !this.folded.has(title);
    const fold = () => { if (open) this.folded.add(title); else this.folded.delete(title); this.layout(); this.load(); };
    const head = h("button", { class: "section-head", "aria-expanded": String(open), onclick: fold },
      h("span", { class: "arrow" }, open ? "▾" : "▸"), title || "metrics", h("small", {}, String(metrics.length)));
    const grid = h("div", { class: "grid" }, ...(open ? metrics.map((name) => this.panel(name).el) : []));
    return h("div", { class: "section" }, head, grid);
  }

  panel(name) {
    if (!this.panels.has(name)) {
      const panel = new Panel(name, this);
      panel.el.classList.add("loading");
      this.panels.set(name, panel);
      this.seen.observe(panel.el);
    }
    return this.panels.get(name);
  }

  nothing() {
    if (this.metrics.length === 0) return h("div", { class: "nothing" }, this.spec.runs.length ? "No points yet: the first curve appears here by itself." : "No run to draw.");
    return h("div", { class: "nothing" }, `No metric matches “${this.view.metrics}”. ${this.metrics.length} metrics in these runs. `,
      h("button", { class: "link", onclick: () => { this.toolbar.search.value = ""; this.search(""); } }, "Clear the search"));
  }

  refresh(panel) {
    const started = performance.now();
    const drawn = this.drawn();
    const key = this.question().key;
    if (drawn.every((run) => !this.store.held.get(panel.metric)?.has(run)) && drawn.length) return;
    panel.update(this.curves(panel.metric, drawn), this.store.widths.get(panel.metric));
    panel.el.classList.toggle("loading", drawn.some((run) => !this.store.has(panel.metric, run, key)));
    performance.measure("weir:draw", { start: started });
  }

  curves(metric, drawn) {
    const runs = new Map(this.spec.runs.map((run) => [run.id, run]));
    const used = new Map();
    return drawn.flatMap((id) => {
      const run = runs.get(id), all = this.store.get(metric, id);
      const manyRanks = this.view.ranks === "each" && all.length > 1;
      return all.map((series) => {
        const color = manyRanks && drawn.length === 1 ? this.spec.palette[series.rank % this.spec.palette.length] : this.color(run);
        const dash = this.dash(used, color, id);
        return this.curve(series, { run: id, color, dash, ranks: run.ranks, label: manyRanks ? `${run.name} · rank ${series.rank}` : run.name });
      });
    });
  }

  /** Runs that share a colour on screen get dashes, the older one first; colours alone never do. */
  dash(used, color, run) {
    const owners = used.get(color) ?? [];
    if (!owners.includes(run)) owners.push(run);
    used.set(color, owners);
    return DASHES[owners.indexOf(run) % DASHES.length];
  }

  curve(series, look) {
    const { smoothing } = this.view;
    if (series.tau !== smoothing) {
      series.tau = smoothing;
      series.smoothed = smooth(series.x, series.y, smoothing);
    }
    series.gap ??= gapLimit(series.x, this.store.widths.get(series.metric)?.width ?? 0);
    return { ...series, ...look };
  }

  // ── asking ────────────────────────────────────────────────────────────────

  question() {
    const { x, xMetric, window, smoothing } = this.view;
    const wide = this.spec.runs.some((run) => run.ranks > 1);
    const ranks = wide ? this.view.ranks : "each"; // one rank each: nothing to reduce, exact last points
    const unit = x === "time" || x === "relative" ? MICROSECONDS : 1;
    const buckets = bucketsFor(this.main.clientWidth / Math.max(1, Math.round(this.main.clientWidth / 460)));
    const params = [["x", x], ["buckets", String(buckets)], ["ranks", ranks]];
    if (x === "metric") params.push(["xm", xMetric]);
    if (window) {
      const lead = LEAD_IN * smoothing;
      const lo = window[0] - lead, hi = window[1];
      const wider = Math.min(8, Math.max(1, (hi - lo) / (window[1] - window[0])));
      params[1][1] = String(Math.round(buckets * wider));
      params.push(["lo", String(x === "step" ? Math.max(0, Math.floor(lo)) : lo * unit)], ["hi", String(x === "step" ? Math.floor(hi) + 1 : hi * unit)]);
    }
    return { params, unit, key: JSON.stringify(params) };
  }

  load() {
    clearTimeout(this.batch);
    this.batch = setTimeout(() => this.loadMissing(), BATCH_MS);
  }

  async loadMissing() {
    const question = this.question(), drawn = this.drawn();
    const panels = [...this.onScreen].filter((panel) => drawn.some((run) => !this.store.has(panel.metric, run, question.key)));
    if (!panels.length || !drawn.length) { this.main.setAttribute("aria-busy", "false"); for (const panel of this.onScreen) if (!drawn.length) panel.update([], null); return; }
    const runs = drawn.filter((run) => panels.some((panel) => !this.store.has(panel.metric, run, question.key)));
    await this.fetch(panels, runs, question);
  }

  async fetch(panels, runs, question) {
    if (this.asking !== question.key) this.abort?.abort();
    this.asking = question.key;
    this.abort = new AbortController();
    const started = performance.now();
    this.main.setAttribute("aria-busy", "true");
    try {
      await this.store.load(panels.map((panel) => panel.metric), runs, question, this.abort.signal);
      performance.measure("weir:fetch", { start: started });
      this.heard();
      for (const panel of panels) this.refresh(panel);
      if (!this.closed) this.load();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.lost(error);
      for (const panel of panels) panel.say(`${error.message} `, () => this.load());
      this.main.setAttribute("aria-busy", "false");
    }
  }

  scrolled(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) { this.onScreen.add(target.weirPanel); this.refresh(target.weirPanel); }
      else this.onScreen.delete(target.weirPanel);
    }
    this.load();
  }

  // ── live ──────────────────────────────────────────────────────────────────

  running() {
    const on = new Set(this.drawn());
    return this.spec.runs.some((run) => run.state === "running" && on.has(run.id));
  }

  async poll() {
    const question = this.question(), drawn = this.drawn(), panels = [...this.onScreen];
    if (this.view.live && !document.hidden && drawn.length && this.main.getAttribute("aria-busy") !== "true") {
      try {
        if (panels.length && await this.store.load(panels.map((p) => p.metric), drawn, question)) {
          if (question.key === this.question().key) for (const panel of panels) if (this.onScreen.has(panel)) this.refresh(panel);
        }
        if (this.running() && this.polls++ % METRICS_EVERY === 0) await this.askMetrics();
        this.heard();
      } catch (error) {
        this.lost(error);
      }
    }
    if (!this.closed) this.timer = setTimeout(() => this.poll(), this.running() ? POLL_RUNNING_MS : POLL_IDLE_MS);
  }

  /** The list of metrics grows while runs are running, and is searched at the server when it is long. */
  async askMetrics() {
    const long = this.spec.metricsTotal > this.spec.metrics.length;
    const search = long ? this.view.metrics : "";
    this.searched = Boolean(search);
    const answer = await ask(`${this.store.api}/metrics`, [...this.spec.runs.map((run) => ["run", run.id]), ["search", search]]);
    const { metrics } = await answer.json();
    if (JSON.stringify(metrics.map((m) => m.name)) === JSON.stringify(this.metricNames())) return;
    this.metrics = metrics;
    this.toolbar.render();
    this.layout();
    this.load();
  }

  heard() {
    this.heardAt = new Date();
    this.lostSince = null;
    this.announce();
  }

  lost(error) {
    this.lostSince ??= error;
    this.announce();
  }

  announce() {
    const at = this.heardAt?.toLocaleTimeString() ?? "";
    if (this.lostSince) this.toolbar.say("stale", `${this.lostSince.message}${at ? `, showing ${at}` : ""}`);
    else if (!this.view.live) this.toolbar.say("paused", "paused");
    else if (this.running()) this.toolbar.say("live", `live ${at}`);
    else this.toolbar.say("done", at ? `read ${at}` : "");
  }

  // ── cursor ────────────────────────────────────────────────────────────────

  point(panel, cursor) {
    this.tooltip.show(panel, cursor, this.view, this.el);
  }

  leave() {
    this.tooltip.hide();
  }
}
