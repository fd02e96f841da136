// The chart wall: many metrics × many runs, one zoom, one cursor, one request for all that is visible.
//
// Streamlit mounts it and hands over the spec (charts.py); everything that happens more
// than once a second stays here. The view lives in the address bar (view.js).
//
//   wall ── view, what is drawn          layout ── sections, panels ── panel ── uPlot
//    ├── toolbar, rail, tooltip, keys    feed ── /api/series, /api/metrics ── store

import uPlot from "./uPlot.esm.js";
import { Address } from "./address.js";
import { moved, placed } from "./axis.js";
import { lastOf } from "./curves.js";
import { h } from "./dom.js";
import { drawnRuns, exceptions } from "./drawn.js";
import { Feed } from "./feed.js";
import { FullScreen } from "./fullscreen.js";
import { GroupRail } from "./group-rail.js";
import { Groups } from "./groups.js";
import { Keys } from "./keys.js";
import { Layout } from "./layout.js";
import { colorOf, looks } from "./look.js";
import { questionFor } from "./question.js";
import { Rail } from "./rail.js";
import { smooth } from "./smooth.js";
import { readTheme } from "./theme.js";
import { Toolbar } from "./toolbar.js";
import { Tooltip } from "./tooltip.js";
import { Undo } from "./undo.js";
import { readView, writeView } from "./view.js";

const LOWEST_PX = 420;
const SAID_MS = 4000;

const walls = new WeakMap();
const ASSETS = new URL(".", import.meta.url);

/** Streamlit calls this on mount and after every rerun; the first call decides, later ones update. */
export default async function mount({ parentElement, data, setTriggerValue }) {
  let wall = walls.get(parentElement);
  if (!wall) {
    const sheets = await Promise.all(["uPlot.css", "wall.css"].map(sheet));
    wall = walls.get(parentElement) ?? new Wall(parentElement, sheets, data);
    walls.set(parentElement, wall);
  }
  wall.feed.askPage = setTriggerValue && (() => setTriggerValue("news", Date.now()));
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
    this.metricsTotal = spec.metricsTotal;
    this.address = new Address(spec.address);
    this.view = readView(this.address.read());
    this.focus = null; // the run that stands out
    this.syncKey = `weir-${Math.random().toString(36).slice(2)}`;
    uPlot.sync(this.syncKey);
    this.tooltip = new Tooltip();
    this.layout = new Layout(this);
    this.feed = new Feed(this, new URL(spec.api, location.origin).pathname);
    this.toolbar = new Toolbar(this);
    this.groups = new Groups(this);
    this.rails = { runs: new Rail(this), groups: new GroupRail(this) };
    this.keys = new Keys(this);
    this.full = new FullScreen(this);
    this.toast = h("div", { class: "toast", role: "status" });
    this.undo = new Undo();
    this.el = h("div", { class: spec.rail ? "wall" : "wall no-rail" },
      this.toolbar.el, this.rail.el, this.layout.el, this.full.el, this.tooltip.el, this.keys.help, this.toast);
    parent.append(this.el);
    this.onPop = () => this.look(readView(this.address.read()));
    this.onWindow = () => this.fit();
    window.addEventListener("popstate", this.onPop);
    window.addEventListener("resize", this.onWindow);
  }

  close() {
    window.removeEventListener("popstate", this.onPop);
    window.removeEventListener("resize", this.onWindow);
    for (const part of [this.feed, this.layout, this.keys, this.rails.runs, this.address]) part.close();
    this.full.destroy();
    this.el.remove();
  }

  /** A rerun of the page: new runs, states, theme; zoom and selection are not touched. */
  receive(spec) {
    const theme = readTheme(this.el);
    const news = JSON.stringify([spec, theme]);
    if (news === this.received) return;
    this.received = news;
    this.theme = theme;
    const isAnswer = this.feed.searched; // the list answers a search: it stays until the next
    if (!isAnswer && (spec.metrics.length >= this.metrics.length || spec.runs.length !== this.spec.runs.length)) [this.metrics, this.metricsTotal] = [spec.metrics, spec.metricsTotal];
    this.spec = spec;
    this.el.style.setProperty("color-scheme", theme.dark ? "dark" : "light");
    this.fit();
    this.render();
    if (this.view.metrics && !isAnswer) this.feed.search(); // what the address looks for may not be among those listed
  }

  /** The metrics of the runs, or those that fit the search; `total` counts those that are not listed too. */
  receiveMetrics(metrics, total) {
    this.metricsTotal = total;
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

  /** Ids of the runs that are drawn; asked for at every panel, so kept while neither list nor view changes. */
  drawn() {
    if (this.groups.on) return this.groups.drawn();
    if (this.drawnOf !== this.spec || this.drawnFor !== this.view) {
      [this.drawnOf, this.drawnFor, this.drawnIds] = [this.spec, this.view, drawnRuns(this.spec, this.view)];
    }
    return this.drawnIds;
  }

  draw(ids) {
    this.focus = null;
    if (this.groups.on) return this.groups.draw(ids);
    this.set(exceptions(this.spec, ids, this.view));
  }

  drawAll() {
    if (this.groups.on) return this.groups.drawAll();
    this.set({ all: true, show: new Set(), hide: new Set() });
  }

  /** Keep a run on top of the list and drawn, or no longer. */
  pin(id) {
    if (this.groups.on) return;
    const pins = new Set(this.view.pins);
    if (!pins.delete(id)) pins.add(id);
    this.set({ pins });
  }

  /** Tell the other runs as a change against this one; asked again, no longer. */
  setBaseline(id) {
    if (this.groups.on) return;
    this.set({ baseline: this.view.baseline === id ? "" : id });
  }

  /** Keep a metric above all sections, or no longer. */
  pinMetric(name) {
    const { top } = this.view;
    this.set({ top: top.includes(name) ? top.filter((other) => other !== name) : [...top, name] });
  }

  /** What the rail tells of runs: the last value of the first metric on the page, where it is held, and the baseline's. */
  values() {
    const metric = this.view.full || this.layout.first(), of = new Map();
    if (metric) for (const { id } of this.spec.runs) {
      const value = lastOf(this.feed.store.get(metric, id));
      if (value !== undefined) of.set(id, value);
    }
    return { metric: of.size ? metric : "", of, base: of.get(this.view.baseline) };
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
    if (this.groups.on) return this.groups.running();
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
    for (const panel of this.panels()) panel.redraw();
  }

  /** The list at the side: of runs, or of the groups they are in. */
  get rail() {
    return this.groups.on ? this.rails.groups : this.rails.runs;
  }

  // ── the view ──────────────────────────────────────────────────────────────

  set(change) {
    const isEntry = this.undo.note(this.view, change);
    this.show({ ...this.view, ...change }, isEntry);
  }

  /** Take back the last change, or with `forth` what was taken back. */
  takeBack(forth = false) {
    const view = forth ? this.undo.forth(this.view) : this.undo.back(this.view);
    if (view) this.show(view, false);
  }

  /** Look at this view; an entry of the browser's history leads back from it. */
  show(view, isEntry) {
    const put = isEntry ? (url) => history.pushState(history.state, "", url) : undefined;
    this.address.write(writeView(this.address.read(), view), put);
    this.look(view);
  }

  look(view) {
    if (view.metrics !== this.view.metrics) this.feed.search();
    this.view = view;
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
    this.set({ window: moved(this.view, part) });
  }

  search(text) {
    this.set({ metrics: text });
  }

  /** Say something for a while. */
  say(text) {
    this.toast.textContent = text;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => { this.toast.textContent = ""; }, SAID_MS);
  }

  // ── drawing ───────────────────────────────────────────────────────────────

  render() {
    if (this.groups.on) this.groups.follow();
    for (const { el } of Object.values(this.rails)) if (el !== this.rail.el && el.isConnected) el.replaceWith(this.rail.el);
    this.toolbar.render();
    this.layout.render();
    this.full.render();
    for (const panel of this.panels()) this.refresh(panel);
    this.rail.render();
    this.feed.load();
    this.feed.announce();
  }

  /** The panels that are looked at: the one that fills the page, else those on screen. */
  panels() {
    return this.full.panel ? [this.full.panel] : [...this.layout.onScreen];
  }

  question() {
    const ofRuns = questionFor(this.view, this.spec, this.layout.el.clientWidth / (this.view.full ? 1 : this.layout.columns()), this.groups.on ? 1 : this.drawn().length);
    return this.groups.on ? this.groups.question(ofRuns) : ofRuns;
  }

  /** Draw what is held of the panel's metric; curves of another question stay until theirs come. */
  refresh(panel) {
    if (this.groups.waiting) return;
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
    const found = this.groups.on ? this.groups.curves(metric, drawn) : looks(drawn, (id) => store.get(metric, id), this.spec, this.view);
    return found.map(({ series, ...look }) => {
      const { smoothing, kernel } = this.view;
      if (series.tau !== smoothing || series.kernel !== kernel) {
        Object.assign(series, { tau: smoothing, kernel, smoothed: smooth(series.x, series.y, smoothing, kernel) });
      }
      return { ...placed(series, this.view, width), ...look };
    });
  }

  point(panel, cursor) {
    this.tooltip.show(panel, cursor, this.view, this.el);
  }
}
