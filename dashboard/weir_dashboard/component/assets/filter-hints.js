// Completion under Streamlit's own filter field. The field stays Streamlit's: this listens to it, and writes into it as keys do.
//
// Streamlit mounts it with `{label, project, fields, states, stats}` (filter_hints.py); names are asked for as somebody types.

import { h } from "./dom.js";
import { options, place, wanted } from "./filter-words.js";
import { readTheme } from "./theme.js";

const ASSETS = new URL(".", import.meta.url);
const PAUSE_MS = 120;
let hints = null;

export default async function mount({ parentElement, data }) {
  const css = await (await fetch(new URL("filter-hints.css", ASSETS))).text();
  const sheet = await new CSSStyleSheet().replace(css);
  hints?.end();
  hints = new Hints(parentElement, sheet, data);
  const mine = hints;
  return () => { mine.end(); if (hints === mine) hints = null; };
}

class Hints {
  constructor(parent, sheet, spec) {
    parent.adoptedStyleSheets = [sheet];
    this.spec = spec;
    this.options = [];
    this.known = new Map();
    this.list = h("ul", { class: "completions", role: "listbox", "aria-label": "what may be written here" });
    this.list.popover = "manual"; // above everything, wherever the component stands
    this.said = h("span", { class: "said", role: "status" });
    parent.append(this.list, this.said);
    this.ended = new AbortController();
    const listen = (name, heard, capture = true) => document.addEventListener(name, heard, { capture, signal: this.ended.signal });
    listen("input", (event) => this.isField(event.target) && this.typed(event.target));
    listen("keydown", (event) => this.isField(event.target) && this.pressed(event));
    listen("focusout", (event) => this.isField(event.target) && this.offer([]));
  }

  end() {
    this.ended.abort();
    clearTimeout(this.timer);
    this.list.remove();
    this.said.remove();
  }

  isField(el) {
    return el instanceof HTMLInputElement && el.getAttribute("aria-label") === this.spec.label;
  }

  typed(field) {
    this.field = field;
    clearTimeout(this.timer);
    const where = place(field.value, field.selectionStart, this.spec.fields), asked = wanted(where);
    const key = asked && JSON.stringify(asked);
    this.show(where, (key && this.known.get(key)) ?? []);
    if (asked && !this.known.has(key)) this.timer = setTimeout(() => this.ask(key, asked), PAUSE_MS);
  }

  async ask(key, { search, spaces }) {
    const query = new URLSearchParams([["project", this.spec.project], ["search", search], ...spaces.map((space) => ["space", space])]);
    try {
      const answer = await fetch(`/api/names?${query}`, { signal: this.ended.signal });
      if (!answer.ok) return;
      this.known.set(key, (await answer.json()).names);
    } catch { return; } // names are a help: without them the field is as good as any
    if (document.activeElement === this.field) this.typed(this.field);
  }

  show(where, names) {
    this.from = where.from;
    this.offer(options(where, names, this.spec));
  }

  offer(found) {
    this.options = found;
    this.at = -1; // Enter applies the filter until somebody moves into the list
    this.list.replaceChildren(...found.map((option, at) => h("li", { role: "option", "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); this.choose(at); } }, option.text.trim(), h("small", {}, option.kind))));
    this.said.textContent = found.length ? `${found.length} to choose from, arrow down` : "";
    if (!found.length) { if (this.list.matches(":popover-open")) this.list.hidePopover(); return; }
    this.list.style.setProperty("color-scheme", readTheme(this.said).dark ? "dark" : "light");
    const box = this.field.getBoundingClientRect();
    this.list.style.left = `${Math.max(4, Math.min(box.left + this.caretPx(), window.innerWidth - 264))}px`;
    this.list.style.top = `${box.bottom + 6}px`;
    if (!this.list.matches(":popover-open")) this.list.showPopover();
  }

  caretPx() {
    const look = getComputedStyle(this.field), pen = (this.canvas ??= document.createElement("canvas")).getContext("2d");
    pen.font = look.font;
    return Math.min(pen.measureText(this.field.value.slice(0, this.from)).width, this.field.clientWidth) + parseFloat(look.paddingLeft);
  }

  move(by) {
    const many = this.options.length;
    this.at = this.at < 0 && by < 0 ? many - 1 : (this.at + by + many) % many;
    [...this.list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === this.at)));
    this.list.children[this.at].scrollIntoView({ block: "nearest" });
    this.said.textContent = this.options[this.at].text;
  }

  /** Write as keys do, so that the browser can undo it and Streamlit hears of it. */
  choose(at) {
    const { text } = this.options[at], field = this.field;
    field.focus();
    field.setSelectionRange(this.from, field.selectionStart);
    if (!document.execCommand?.("insertText", false, text)) {
      field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  pressed(event) {
    if (!this.options.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const chosen = this.at >= 0;
    const does = {
      ArrowDown: () => this.move(1), ArrowUp: () => this.move(-1), Escape: () => this.offer([]),
      Tab: () => this.choose(Math.max(0, this.at)), ...(chosen ? { Enter: () => this.choose(this.at) } : {}),
    }[event.key];
    if (event.key === "Enter" && !chosen) this.offer([]);
    if (!does) return;
    event.preventDefault();
    event.stopPropagation();
    does();
  }
}
