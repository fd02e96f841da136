// The list of runs: which are drawn, what they came to. Thousands of rows are only a few elements.

import { h, put } from "./dom.js";
import { listedRuns } from "./drawn.js";
import { change, num } from "./format.js";
import { rowsOnScreen } from "./rows.js";
import { runRow } from "./run-row.js";

const SEARCHED_FROM = 12; // runs
const ROW_PX = 26; // as wall.css

export class Rail {
  constructor(wall) {
    this.wall = wall;
    this.shown = []; // runs that fit the search, in order
    this.rows = new Map(); // id → {look, el}
    this.count = h("span", { class: "count" });
    this.all = h("button", { class: "link", onclick: () => wall.drawAll() }, "draw all");
    this.search = h("input", { type: "search", placeholder: "Find a run", "aria-label": "find a run", oninput: () => { this.list.scrollTop = 0; this.render(); } });
    this.metric = h("div", { class: "rail-metric" });
    this.list = h("ul", { class: "runs", onscroll: () => this.fill() });
    this.el = h("aside", { class: "rail", "aria-label": "runs" },
      h("div", { class: "rail-head" }, this.count, this.all,
        h("button", { class: "link", title: "draw no run", onclick: () => wall.draw([]) }, "none")),
      this.search, this.metric, this.list);
    this.sized = new ResizeObserver(() => this.fill());
    this.sized.observe(this.list);
  }

  close() {
    this.sized.disconnect();
  }

  render() {
    const { spec, view } = this.wall, { runs, total } = spec;
    const drawn = this.wall.drawn();
    this.on = new Set(drawn);
    this.count.textContent = `${drawn.length} of ${total.toLocaleString("en-US")} ${total === 1 ? "run" : "runs"} drawn`;
    this.count.title = total > runs.length ? `the newest ${runs.length} are listed; filter to reach the others` : "";
    this.all.hidden = drawn.length === runs.length;
    this.all.textContent = total > runs.length ? `draw ${runs.length.toLocaleString("en-US")}` : "draw all";
    this.search.hidden = runs.length < SEARCHED_FROM;
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.shown = listedRuns(runs, view).filter((run) => words.every((w) => `${run.name} ${run.id}`.toLowerCase().includes(w)));
    this.fill();
  }

  /** Make the rows that are on screen; a row that says the same as before stays, and keeps the focus. */
  fill() {
    const { wall } = this, values = wall.values();
    this.metric.textContent = values.metric;
    this.metric.hidden = !values.metric;
    this.metric.title = values.metric && `the last value of ${values.metric}${wall.view.baseline ? ", and its change against the baseline" : ""}`;
    const { from, to } = rowsOnScreen({ count: this.shown.length, height: ROW_PX, top: this.list.scrollTop, view: this.list.clientHeight });
    const focused = this.focused(), kept = new Map();
    const rows = this.shown.slice(from, to).map((run) => {
      const look = this.look(run, values), words = JSON.stringify([run, look]), old = this.rows.get(run.id);
      const row = old?.words === words ? old : { words, el: runRow(wall, run, look) };
      kept.set(run.id, row);
      return row.el;
    });
    this.rows = kept;
    put(this.list, [space(from), ...rows, space(this.shown.length - to), this.rest()].filter(Boolean));
    if (focused && this.focused() !== focused) this.focusOn(focused); // its row was made anew
  }

  look(run, { of, base }) {
    const { view } = this.wall, value = of.get(run.id), isBaseline = run.id === view.baseline;
    const told = value === undefined ? "" : base !== undefined && !isBaseline ? change(value, base) || num(value) : num(value);
    return { on: this.on.has(run.id), pinned: view.pins.has(run.id), isBaseline, color: this.wall.color(run), value: told };
  }

  rest() {
    const { runs, total } = this.wall.spec;
    if (!this.shown.length && runs.length) return h("li", { class: "rest" }, `No run is called “${this.search.value}”.`);
    return total > runs.length ? h("li", { class: "rest" }, `+${(total - runs.length).toLocaleString("en-US")} older runs: filter to reach them`) : null;
  }

  /** Put the cursor into the search; false when there is too little to search. */
  find() {
    if (this.search.hidden || !this.wall.spec.rail) return false;
    this.search.focus();
    return true;
  }

  /** Move the focus by so many rows, from the row it is on. */
  move(by) {
    if (!this.shown.length) return;
    const at = this.shown.findIndex((run) => run.id === this.focused());
    this.focusOn(this.shown[at < 0 ? 0 : Math.min(this.shown.length - 1, Math.max(0, at + by))].id);
  }

  /** The run meant by a key: that with the focus, else that under the cursor. */
  current() {
    return this.focused() ?? this.list.querySelector(".run:hover")?.dataset.run;
  }

  focused() {
    return this.list.getRootNode().activeElement?.closest?.(".run")?.dataset.run;
  }

  focusOn(id) {
    if (!this.rows.has(id)) {
      const at = this.shown.findIndex((run) => run.id === id);
      if (at < 0) return;
      this.list.scrollTop = Math.max(0, at * ROW_PX - this.list.clientHeight / 2);
      this.fill();
    }
    this.rows.get(id)?.el.querySelector(".name").focus();
  }
}

function space(rows) {
  return rows > 0 ? h("li", { class: "space", "aria-hidden": "true", style: `height:${rows * ROW_PX}px` }) : null;
}
