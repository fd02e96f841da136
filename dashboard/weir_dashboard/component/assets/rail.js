// The list of runs: eye toggle, only this, colour, state.

import { h } from "./dom.js";

const STATE_MARKS = { running: "●", finished: "✓", failed: "✕", crashed: "✕", interrupted: "◼" };

const SEARCHED_FROM = 12; // runs

export class Rail {
  constructor(wall) {
    this.wall = wall;
    this.count = h("span", { class: "count" });
    this.search = h("input", { type: "search", placeholder: "Find a run", "aria-label": "find a run", oninput: () => this.render() });
    this.list = h("ul", { class: "runs" });
    this.el = h("aside", { class: "rail", "aria-label": "runs" },
      h("div", { class: "rail-head" }, this.count,
        h("button", { class: "link", onclick: () => wall.draw(wall.spec.runs.map((r) => r.id)) }, "all"),
        h("button", { class: "link", onclick: () => wall.draw([]) }, "none")),
      this.search, this.list);
  }

  render() {
    const { runs, total } = this.wall.spec;
    const drawn = this.wall.drawn();
    this.count.textContent = `${drawn.length} of ${total.toLocaleString("en-US")} ${total === 1 ? "run" : "runs"} drawn`;
    this.count.title = total > runs.length ? `the newest ${runs.length} are listed; filter to reach the others` : "";
    this.search.hidden = runs.length < SEARCHED_FROM;
    const focused = this.focused();
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = runs.filter((run) => words.every((w) => `${run.name} ${run.id}`.toLowerCase().includes(w)));
    const on = new Set(drawn);
    this.list.replaceChildren(...shown.map((run) => this.row(run, on.has(run.id))));
    if (focused) this.focusOn(focused); // the row was made anew
    if (total > runs.length) this.list.append(h("li", { class: "rest" }, `+${(total - runs.length).toLocaleString("en-US")} older runs: filter to reach them`));
  }

  /** Put the cursor into the search; false when there is too little to search. */
  find() {
    if (this.search.hidden || !this.wall.spec.rail) return false;
    this.search.focus();
    return true;
  }

  /** Move the focus by so many rows, from the row it is on. */
  move(by) {
    const ids = [...this.list.querySelectorAll(".run")].map((row) => row.dataset.run);
    if (!ids.length) return;
    const at = ids.indexOf(this.focused());
    this.focusOn(ids[at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by))]);
  }

  /** The run meant by a key: that with the focus, else that under the cursor. */
  current() {
    return this.focused() ?? this.list.querySelector(".run:hover")?.dataset.run;
  }

  focused() {
    return this.list.getRootNode().activeElement?.closest?.(".run")?.dataset.run;
  }

  focusOn(id) {
    const row = [...this.list.querySelectorAll(".run")].find((one) => one.dataset.run === id);
    row?.querySelector(".name").focus();
  }

  row(run, on) {
    const { wall } = this;
    const color = wall.color(run);
    const swatch = h("button", {
      class: "swatch", style: `--run:${color}`, "aria-pressed": String(on), "aria-label": `draw ${run.name}`,
      title: "click: draw or hide · alt-click: only this", onclick: (event) => (event.altKey ? wall.only(run.id) : wall.toggle(run.id)),
    });
    const name = h("button", { class: "name", title: run.title, onclick: (event) => (event.altKey ? wall.only(run.id) : wall.toggle(run.id)) },
      run.name, run.project && wall.spec.manyProjects ? h("small", {}, run.project) : null);
    return h("li", { class: on ? "run on" : "run", "data-run": run.id, onmouseenter: () => wall.emphasise(on ? run.id : null), onmouseleave: () => wall.emphasise(null),
      onfocusin: () => wall.emphasise(on ? run.id : null), onfocusout: () => wall.emphasise(null) },
      swatch, name,
      h("span", { class: "tools" },
        h("button", { class: "icon", title: "only this run", "aria-label": `only ${run.name}`, onclick: () => wall.only(run.id) }, "◎"),
        h("button", { class: "icon", title: "colour", "aria-label": `colour of ${run.name}`, onclick: (event) => this.pick(run, event.currentTarget) }, "◐"),
        h("a", { class: "icon", title: "open the run", "aria-label": `open ${run.name}`, href: run.href, target: "_self" }, "↗")),
      h("span", { class: `state ${run.state}`, title: run.stateText, "aria-label": run.stateText }, STATE_MARKS[run.state] ?? "·"));
  }

  pick(run, anchor) {
    const close = () => picker.remove();
    const dot = (color, index) => h("button", { class: "dot", style: `background:${color}`, "aria-label": `colour ${index + 1}`, onclick: () => { close(); this.wall.recolor(run.id, index); } });
    const picker = h("div", { class: "picker", role: "dialog", "aria-label": `colour of ${run.name}`, onmouseleave: close },
      ...this.wall.spec.palette.map(dot), h("button", { class: "link", onclick: () => { close(); this.wall.recolor(run.id, null); } }, "its own"));
    anchor.closest("li").append(picker);
    picker.firstElementChild.focus();
  }
}
