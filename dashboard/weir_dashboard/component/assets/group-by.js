// "Group by" in the toolbar: what to group by, found by search, and which band is drawn.

import { BANDS } from "./bands.js";
import { h } from "./dom.js";
import { ask } from "./store.js";

const LABELS = { tag: "tag", group: "group", job_type: "job type", user: "user" };
const TYPED_MS = 150;

/** What people call a key: a path of config without `config.`. */
export function keyLabel(key) {
  return LABELS[key] ?? key.replace(/^config\./, "");
}

export class GroupBy {
  constructor(wall) {
    this.wall = wall;
    this.button = h("button", { class: "press", "aria-haspopup": "listbox", "aria-expanded": "false", title: "one line and one band for all runs that have a value in common", onclick: () => this.toggle() });
    this.search = h("input", { type: "search", placeholder: "Find a config path", "aria-label": "find what to group by", oninput: () => this.typed() });
    this.list = h("div", { class: "keys", role: "listbox", "aria-label": "group by" });
    this.menu = h("div", { class: "menu group-menu", hidden: true }, this.search, this.list);
    this.bands = h("select", { "aria-label": "band around the mean", onchange: () => wall.set({ band: this.bands.value }) },
      ...Object.entries(BANDS).map(([kind, { name, words }]) => h("option", { value: kind, title: words }, name)));
    this.el = h("span", { class: "group-by", onfocusout: (event) => this.left(event), onkeydown: (event) => this.pressed(event) },
      h("span", { class: "menu-place" }, this.button, this.menu), this.bands);
  }

  render() {
    const { view, spec, groups } = this.wall;
    this.el.hidden = !spec.grouping;
    this.button.textContent = groups.on ? `by ${keyLabel(view.groupBy)} ▾` : "group by ▾";
    this.button.setAttribute("aria-pressed", String(groups.on));
    this.bands.hidden = !groups.on || !view.envelope;
    this.bands.value = view.band;
  }

  toggle() {
    if (!this.menu.hidden) return this.close();
    this.menu.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.search.value = "";
    this.search.focus();
    this.read();
  }

  close() {
    this.menu.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  typed() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.read(), TYPED_MS);
  }

  async read() {
    const search = this.search.value;
    try {
      const answer = await ask(`${this.wall.feed.store.api}/groups/keys`, [...this.wall.spec.grouping.whose, ["search", search]]);
      const { keys, total } = await answer.json();
      if (search === this.search.value) this.fill(keys, total);
    } catch (error) {
      this.list.replaceChildren(h("div", { class: "rest" }, error.message));
    }
  }

  fill(keys, total) {
    const { groups, view } = this.wall, more = total - keys.length;
    const none = groups.on ? [this.entry("", "no groups", "every run apart")] : [];
    const entries = keys.map(({ key, label, values }) => this.entry(key, label, values === undefined ? "" : values === 1 ? "1 value" : `${values.toLocaleString("en-US")} values`));
    const rest = more > 0 ? `+${more.toLocaleString("en-US")} more: search` : keys.length ? "" : `Nothing is called “${this.search.value}”.`;
    this.list.replaceChildren(...none, ...entries, ...(rest ? [h("div", { class: "rest" }, rest)] : []));
    for (const entry of this.list.querySelectorAll("[role=option]")) entry.setAttribute("aria-selected", String(entry.dataset.key === view.groupBy));
  }

  entry(key, label, told) {
    return h("button", { role: "option", "data-key": key, title: label, onclick: () => { this.close(); this.button.focus(); this.wall.groups.by(key); } },
      h("span", { class: "name" }, label), h("small", {}, told));
  }

  left(event) {
    if (!this.el.contains(event.relatedTarget)) this.close();
  }

  /** Arrow keys walk the entries, Escape leaves. */
  pressed(event) {
    if (this.menu.hidden) return;
    if (event.key === "Escape") {
      this.close();
      this.button.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const entries = [...this.list.querySelectorAll("[role=option]")], at = entries.indexOf(event.composedPath()[0]);
      entries[Math.max(0, Math.min(entries.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))]?.focus();
    } else if (event.key === "Enter" && event.composedPath()[0] === this.search) {
      this.list.querySelector("[role=option]:not([data-key=''])")?.click();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
