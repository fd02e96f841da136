// The list of groups in place of the list of runs: eye, only this, how many runs, and which.

import { lastOf } from "./curves.js";
import { h } from "./dom.js";
import { num } from "./format.js";
import { keyLabel } from "./group-by.js";
import { ask } from "./store.js";

const SEARCHED_FROM = 12; // groups
const LISTED = 500; // rows; the search reaches the others

export class GroupRail {
  constructor(wall) {
    this.wall = wall;
    this.open = new Map(); // id of a group that is expanded → its runs, or null until they come
    this.count = h("span", { class: "count" });
    this.all = h("button", { class: "link", onclick: () => wall.drawAll() }, "draw all");
    this.search = h("input", { type: "search", placeholder: "Find a group", "aria-label": "find a group", oninput: () => this.render() });
    this.metric = h("div", { class: "rail-metric" });
    this.list = h("ul", { class: "runs" });
    this.el = h("aside", { class: "rail", "aria-label": "groups" },
      h("div", { class: "rail-head" }, this.count, this.all, h("button", { class: "link", title: "draw no group", onclick: () => wall.draw([]) }, "none")),
      this.search, this.metric, this.list);
  }

  close() {}

  render() {
    const { groups: held, view, layout, feed } = this.wall, { groups, runs } = held.shown();
    const drawn = held.drawn(), on = new Set(drawn), words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.count.textContent = held.waiting ? "…" : `${drawn.length.toLocaleString("en-US")} of ${plural(groups.length, "group")} drawn`;
    this.count.title = `${plural(runs, "run")} by ${keyLabel(view.groupBy)}`;
    this.all.hidden = drawn.length === groups.length;
    this.search.hidden = groups.length < SEARCHED_FROM;
    const metric = view.full || layout.first();
    this.metric.textContent = metric ?? "";
    this.metric.title = metric ? `the last mean of ${metric}` : "";
    const found = groups.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
    const focused = this.focused();
    this.list.replaceChildren(...found.slice(0, LISTED).flatMap((group) => this.rows(group, on.has(group.id), lastOf(feed.store.get(metric, group.id)))));
    const more = found.length - LISTED;
    if (more > 0) this.list.append(h("li", { class: "rest" }, `+${plural(more, "group")}: search to reach them`));
    else if (!found.length && groups.length) this.list.append(h("li", { class: "rest" }, `No group is called “${this.search.value}”.`));
    if (focused) this.focusOn(focused); // the row was made anew
  }

  rows(group, on, last) {
    const row = this.row(group, on, last);
    if (!this.open.has(group.id)) return [row];
    const held = this.open.get(group.id);
    if (!held) return [row, h("li", { class: "rest member" }, "…")];
    const more = held.total - held.runs.length;
    return [row, ...held.runs.map(({ id, name, href }) => h("li", { class: "member" }, h("a", { href, target: "_self", title: id }, name))),
      ...(more > 0 ? [h("li", { class: "rest member" }, `+${plural(more, "older run")}`)] : [])];
  }

  row(group, on, last) {
    const { wall } = this, { color, dash } = wall.groups.look(group.id), isOpen = this.open.has(group.id);
    const pick = (event) => (event.altKey ? wall.only(group.id) : wall.toggle(group.id));
    return h("li", { class: on ? "run group on" : "run group", "data-run": group.id, onmouseenter: () => wall.emphasise(on ? group.id : null), onmouseleave: () => wall.emphasise(null),
      onfocusin: () => wall.emphasise(on ? group.id : null), onfocusout: () => wall.emphasise(null) },
    h("button", { class: dash.length ? "swatch dashed" : "swatch", style: `--run:${color}`, "aria-pressed": String(on), "aria-label": `draw ${group.label}`, title: "click: draw or hide · alt-click: only this", onclick: pick }),
    h("button", { class: "name", title: `${keyLabel(wall.view.groupBy)} ${group.label}`, onclick: pick }, group.label),
    h("span", { class: "value" }, last === undefined || Number.isNaN(last) ? "" : num(last)),
    h("span", { class: "tools" }, h("button", { class: "icon", title: "only this group", "aria-label": `only ${group.label}`, onclick: () => wall.only(group.id) }, "◎")),
    h("button", { class: "members", "aria-expanded": String(isOpen), "aria-label": `${plural(group.runs, "run")} of ${group.label}`, title: `${plural(group.runs, "run")}${group.running ? `, ${group.running} running` : ""}; click to list them`, onclick: () => this.expand(group.id) },
      `${group.runs.toLocaleString("en-US")} ${isOpen ? "▾" : "▸"}`));
  }

  /** List the runs of a group below it, or no longer. */
  async expand(id) {
    if (this.open.delete(id)) return this.render();
    this.open.set(id, null);
    this.render();
    try {
      const answer = await ask(`${this.wall.feed.store.api}/groups/runs`, [...this.wall.groups.params(), ["group", id]]);
      if (this.open.has(id)) this.open.set(id, await answer.json());
    } catch (error) {
      this.open.delete(id);
      this.wall.feed.lost(error);
    }
    this.render();
  }

  find() {
    if (this.search.hidden) return false;
    this.search.focus();
    return true;
  }

  move(by) {
    const ids = [...this.list.querySelectorAll(".run")].map((row) => row.dataset.run);
    if (!ids.length) return;
    const at = ids.indexOf(this.focused());
    this.focusOn(ids[at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by))]);
  }

  current() {
    return this.focused() ?? this.list.querySelector(".run:hover")?.dataset.run;
  }

  focused() {
    return this.list.getRootNode().activeElement?.closest?.(".run")?.dataset.run;
  }

  focusOn(id) {
    [...this.list.querySelectorAll(".run")].find((row) => row.dataset.run === id)?.querySelector(".name").focus();
  }
}

function plural(count, word) {
  return `${count.toLocaleString("en-US")} ${word}${count === 1 ? "" : "s"}`;
}
