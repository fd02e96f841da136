// The SQL desk: what there is on the left, the statement on the right, and what this browser remembers.
//
// Streamlit mounts it with `{text, version, views}` (sql_desk.py); it sends back `run`, the statement to ask. A new version
// puts a text in place of the one that is there; the same version leaves what is being typed alone.

import { h } from "./dom.js";
import { Editor } from "./editor.js";
import { readTheme } from "./theme.js";
import { Shelf } from "./shelf.js";

const desks = new WeakMap();
const ASSETS = new URL(".", import.meta.url);

export default async function mount({ parentElement, data, setTriggerValue }) {
  let desk = desks.get(parentElement);
  if (!desk) {
    const css = await (await fetch(new URL("desk.css", ASSETS))).text();
    const sheet = await new CSSStyleSheet().replace(css);
    desk = desks.get(parentElement) ?? new Desk(parentElement, sheet);
    desks.set(parentElement, desk);
  }
  desk.ask = (text) => setTriggerValue("run", text);
  desk.receive(data);
  return () => { desk.el.remove(); desks.delete(parentElement); };
}

class Desk {
  constructor(parent, sheet) {
    parent.adoptedStyleSheets = [sheet];
    this.shelf = new Shelf(window.localStorage);
    this.editor = new Editor({ run: (text) => this.run(text), changed: () => this.shelf.keepDraft(this.editor.text) });
    this.search = h("input", { type: "search", placeholder: "Find a view or column", "aria-label": "find a view or column", oninput: () => this.drawViews(), onkeydown: quiet });
    this.views = h("div", { class: "views" });
    this.remembered = h("select", { "aria-label": "statements of this browser", title: "kept in this browser alone", onchange: () => this.recall() });
    this.name = h("input", { type: "text", placeholder: "name it to keep it", "aria-label": "name of the statement", maxlength: "80", oninput: () => this.drawShelf(), onkeydown: (event) => { quiet(event); if (event.key === "Enter") this.keep(); } });
    this.save = h("button", { class: "press", onclick: () => this.keep() }, "Save");
    this.forget = h("button", { class: "press", onclick: () => this.drop() }, "Forget");
    this.go = h("button", { class: "press go", title: "Ctrl+Enter", onclick: () => this.run(this.editor.text) }, "Run", h("kbd", {}, "Ctrl ↵"));
    this.el = h("div", { class: "desk" },
      h("aside", {}, this.search, this.views),
      h("main", {}, this.editor.el, h("div", { class: "bar" }, this.go, this.remembered, h("span", { class: "fill" }), this.name, this.save, this.forget)));
    parent.append(this.el);
  }

  receive(data) {
    this.el.style.setProperty("color-scheme", readTheme(this.el).dark ? "dark" : "light");
    if (this.version !== data.version) {
      this.editor.text = data.text || (this.version === undefined ? this.shelf.draft() : "") || data.first;
      this.version = data.version;
      if (data.text) this.shelf.asked(data.text);
    }
    if (JSON.stringify(data.views) !== JSON.stringify(this.known)) {
      this.known = data.views;
      this.editor.know(data.views);
      this.drawViews();
    }
    this.drawShelf();
  }

  run(text) {
    if (!text.trim()) return;
    this.shelf.asked(text.trim());
    this.drawShelf();
    this.ask(text.trim());
  }

  // ── what there is ─────────────────────────────────────────────────────────

  drawViews() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (text) => words.every((word) => text.toLowerCase().includes(word));
    const shown = this.known.map((view) => ({ view, columns: view.columns.filter((column) => fits(`${view.name} ${column.name}`)) }))
      .filter(({ view, columns }) => columns.length || fits(view.name));
    const wasOpen = new Set([...this.views.querySelectorAll("details[open]")].map((el) => el.dataset.view));
    this.views.replaceChildren(...shown.map(({ view, columns }) => this.view(view, columns, words.length ? true : wasOpen.has(view.name))));
    if (!shown.length) this.views.replaceChildren(h("p", { class: "faded" }, "no view or column of that name"));
  }

  view(view, columns, open) {
    return h("details", { open, "data-view": view.name },
      h("summary", { title: view.about }, view.name, h("small", {}, String(view.columns.length))),
      h("p", { class: "faded" }, view.about),
      h("button", { class: "link", title: view.example, onclick: () => this.editor.replace(view.example) }, "example →"),
      h("ul", {}, ...columns.map((column) => h("li", {},
        h("button", { class: "column", title: column.about, onclick: () => this.editor.insert(column.name) },
          h("b", {}, column.name), h("small", {}, column.unit ? `${column.type} · ${column.unit}` : column.type))))));
  }

  // ── what is remembered ────────────────────────────────────────────────────

  drawShelf() {
    const named = this.shelf.named(), history = this.shelf.history();
    const option = (value, label) => h("option", { value }, label);
    const groups = [
      named.length ? h("optgroup", { label: "Saved" }, ...named.map(([name], at) => option(`n${at}`, name))) : null,
      history.length ? h("optgroup", { label: "Asked before" }, ...history.map((text, at) => option(`h${at}`, oneLine(text)))) : null,
    ];
    this.remembered.replaceChildren(option("", named.length ? "Saved and asked before" : "Asked before"), ...groups.filter(Boolean));
    this.remembered.disabled = !named.length && !history.length;
    const name = this.name.value.trim();
    this.save.disabled = !name || !this.editor.text.trim();
    this.forget.hidden = !named.some(([other]) => other === name);
  }

  recall() {
    const kind = this.remembered.value[0], at = Number(this.remembered.value.slice(1));
    if (kind === "h") this.editor.replace(this.shelf.history()[at]);
    if (kind === "n") {
      const [name, text] = this.shelf.named()[at];
      this.editor.replace(text);
      this.name.value = name;
    }
    this.drawShelf();
  }

  keep() {
    if (this.save.disabled) return;
    this.shelf.name(this.name.value.trim(), this.editor.text.trim());
    this.drawShelf();
  }

  drop() {
    this.shelf.forget(this.name.value.trim());
    this.name.value = "";
    this.drawShelf();
  }
}

/** Keep a key from the page, which reruns on `r`. */
function quiet(event) {
  event.stopPropagation();
}

function oneLine(text) {
  const line = text.replace(/\s+/g, " ");
  return line.length > 90 ? `${line.slice(0, 89)}…` : line;
}
