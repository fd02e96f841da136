// Charts of a report: panels without a wall around them. Their view is the report's, not the address bar's.
//
// On a page they ask like the wall and look again by themselves; in a file that was taken away
// (offline.js) they draw what the file holds, and zoom into that.

import uPlot from "./uPlot.esm.js";
import { placed } from "./axis.js";
import { h } from "./dom.js";
import { drawnRuns } from "./drawn.js";
import { colorOf, looks } from "./look.js";
import { unpack } from "./packed.js";
import { Panel } from "./panel.js";
import { questionFor } from "./question.js";
import { smooth } from "./smooth.js";
import { SeriesStore } from "./store.js";
import { readTheme } from "./theme.js";
import { Tooltip } from "./tooltip.js";
import { readView } from "./view.js";

const POLL_MS = 15000;
const LISTED = 24; // runs in the legend; the others are counted

const figures = new WeakMap();
const ASSETS = new URL(".", import.meta.url);

/** Streamlit calls this on mount and after every rerun. */
export default async function mount({ parentElement, data }) {
  let figure = figures.get(parentElement);
  if (!figure) {
    const sheets = await Promise.all(["uPlot.css", "wall.css", "figure.css"].map(sheet));
    figure = figures.get(parentElement) ?? new Figure(parentElement, sheets, data);
    figures.set(parentElement, figure);
  }
  figure.receive(data);
  return () => { figure.close(); figures.delete(parentElement); };
}

async function sheet(name) {
  const css = await (await fetch(new URL(name, ASSETS))).text();
  return new CSSStyleSheet().replace(css);
}

/** What a panel needs of a wall, for the charts of one block. `given` holds packed answers by metric. */
export class Figure {
  constructor(parent, sheets, spec, given = null) {
    parent.adoptedStyleSheets = sheets;
    this.given = given;
    this.focus = null;
    this.layout = { roomy: true, onScreen: new Set() };
    this.syncKey = `weir-${Math.random().toString(36).slice(2)}`;
    uPlot.sync(this.syncKey);
    this.tooltip = new Tooltip();
    this.legend = h("div", { class: "legend" });
    this.grid = h("div", { class: "figures", onmouseleave: () => this.tooltip.hide() });
    this.el = h("div", { class: "figure", "aria-busy": "true" }, this.grid, this.legend, this.tooltip.el);
    parent.append(this.el);
    this.panels = [];
    this.sized = new ResizeObserver(() => this.panels.forEach((panel) => panel.resize()));
    this.sized.observe(this.el);
    if (!given) this.timer = setInterval(() => this.poll(), POLL_MS);
    if (given) this.receive(spec);
  }

  close() {
    clearInterval(this.timer);
    this.abort?.abort();
    this.sized.disconnect();
    for (const panel of this.panels) panel.destroy();
    this.el.remove();
  }

  receive(spec) {
    const theme = readTheme(this.el), news = JSON.stringify([spec, theme]);
    if (news === this.received) return;
    this.received = news;
    for (const panel of this.panels) panel.destroy();
    this.theme = theme;
    this.spec = { ...spec, links: [] };
    this.view = readView(spec.search);
    this.store = new SeriesStore(spec.api);
    this.layout.roomy = spec.metrics.length < 3;
    this.el.style.setProperty("color-scheme", theme.dark ? "dark" : "light");
    this.panels = spec.metrics.map(({ name }) => new Panel(name, this));
    if (spec.height) for (const panel of this.panels) panel.height = () => spec.height;
    this.grid.replaceChildren(...this.panels.map((panel) => panel.el));
    this.showLegend();
    if (this.given) this.take(); else this.load();
  }

  drawn() {
    return drawnRuns(this.spec, this.view);
  }

  question() {
    const width = this.panels[0]?.plot.clientWidth || this.el.clientWidth || 600;
    return questionFor(this.given ? { ...this.view, window: null } : this.view, this.spec, width, this.drawn().length);
  }

  /** Ask for all curves; what is shown stays until the answer is there. */
  async load() {
    const question = this.question(), runs = this.drawn();
    this.abort?.abort();
    this.abort = new AbortController();
    if (!runs.length || !this.panels.length) return this.show();
    try {
      const came = await this.store.load(this.panels.map((panel) => panel.metric), runs, question, this.abort.signal);
      if (came) this.show();
    } catch (error) {
      if (error.name === "AbortError") return;
      for (const panel of this.panels) panel.say(`${error.message} `, () => this.load());
      this.el.setAttribute("aria-busy", "false");
    }
  }

  /** Take what the file holds in place of an answer. */
  take() {
    const question = this.question(), runs = this.drawn();
    for (const panel of this.panels) {
      const bytes = this.given.get(panel.metric);
      if (!bytes) continue;
      const { header, series } = unpack(bytes);
      this.store.keep([panel.metric], runs, question, header, series.filter((one) => runs.includes(one.run)));
    }
    this.show();
  }

  poll() {
    if (this.view?.live && !document.hidden && this.el.isConnected && this.spec.runs.some((run) => run.state === "running")) this.load();
  }

  show() {
    const runs = this.drawn();
    for (const panel of this.panels) panel.update(this.curves(panel.metric, runs), this.store.widths.get(panel.metric));
    this.el.setAttribute("aria-busy", "false");
  }

  curves(metric, runs) {
    const { store, view } = this, width = store.widths.get(metric)?.width ?? 0;
    return looks(runs, (id) => store.get(metric, id), this.spec, view).map(({ series, ...look }) => {
      Object.assign(series, { smoothed: smooth(series.x, series.y, view.smoothing, view.kernel) });
      return { ...placed(series, view, width), ...look };
    });
  }

  showLegend() {
    const on = new Set(this.drawn()), runs = this.spec.runs.filter((run) => on.has(run.id));
    const entries = runs.slice(0, LISTED).map((run) => h("span", { class: "entry", title: run.title, onmouseenter: () => this.emphasise(run.id), onmouseleave: () => this.emphasise(null) },
      h("i", { style: `background:${colorOf(run, this.view, this.spec.palette)}` }), run.name));
    const more = runs.length - entries.length;
    this.legend.replaceChildren(...entries, ...(more > 0 ? [h("span", { class: "entry" }, `+${more} more`)] : []));
  }

  // ── what panels ask of a wall ─────────────────────────────────────────────

  zoom(window) {
    this.view = { ...this.view, window };
    if (!this.given) this.load();
    this.show();
  }

  emphasise(id) {
    this.focus = id;
    for (const panel of this.panels) panel.redraw();
  }

  point(panel, cursor) {
    this.tooltip.show(panel, cursor, this.view, this.el);
  }
}
