// A text area that knows SQL: coloured underneath, completed at the caret. The text area stays the one that is typed in,
// so that undo, selection, spelling aids and screen readers work as everywhere.

import { h } from "./dom.js";
import { completions, tokens } from "./sql-words.js";

const LEAST_LINES = 9, MOST_LINES = 22;

export class Editor {
  /** `run` is called with the text on Ctrl+Enter, `changed` after every change. */
  constructor({ run, changed }) {
    this.views = [];
    this.run = run;
    this.changed = changed;
    this.options = [];
    this.at = 0;
    this.colored = h("code", {});
    this.pre = h("pre", { "aria-hidden": "true" }, this.colored);
    this.list = h("ul", { class: "completions", role: "listbox", id: "sql-completions", hidden: true });
    this.area = h("textarea", {
      "aria-label": "SQL", "aria-autocomplete": "list", "aria-controls": "sql-completions", spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off",
      placeholder: "SELECT … FROM runs", oninput: () => this.typed(), onkeydown: (event) => this.pressed(event), onscroll: () => this.scrolled(), onblur: () => this.offer([]),
    });
    this.el = h("div", { class: "editor" }, this.pre, this.area, this.list);
  }

  get text() {
    return this.area.value;
  }

  set text(text) {
    this.area.value = text;
    this.draw();
  }

  know(views) {
    this.views = views;
    this.draw();
  }

  /** Put a text where the caret is; the browser can undo it. */
  insert(text, from = this.area.selectionStart) {
    this.area.focus();
    this.area.setSelectionRange(from, this.area.selectionEnd);
    if (!document.execCommand?.("insertText", false, text)) this.area.setRangeText(text, from, this.area.selectionEnd, "end");
    this.draw();
    this.changed();
  }

  /** Put a text in place of all; the browser can undo it. */
  replace(text) {
    this.area.focus();
    this.area.setSelectionRange(0, this.text.length);
    this.insert(text, 0);
    this.offer([]);
  }

  draw() {
    this.colored.replaceChildren(...tokens(this.text, this.views).map(([kind, text]) => (kind ? h("span", { class: `t-${kind}` }, text) : text)), "\n");
    const lines = Math.min(MOST_LINES, Math.max(LEAST_LINES, this.text.split("\n").length + 1));
    this.el.style.setProperty("--lines", lines);
    this.scrolled();
  }

  scrolled() {
    this.pre.scrollTop = this.area.scrollTop;
    this.pre.scrollLeft = this.area.scrollLeft;
  }

  typed() {
    this.draw();
    this.changed();
    const { from, options } = completions(this.text, this.area.selectionStart, this.views);
    this.from = from;
    this.offer(options);
  }

  offer(options) {
    this.options = options;
    this.at = 0;
    this.list.hidden = !options.length;
    this.list.replaceChildren(...options.map((option, at) =>
      h("li", { role: "option", "aria-selected": String(at === 0), onmousedown: (event) => { event.preventDefault(); this.choose(at); } }, option.text, h("small", {}, option.kind))));
    if (options.length) this.placeList();
  }

  placeList() {
    const line = this.text.slice(0, this.from).split("\n");
    this.list.style.setProperty("--line", line.length);
    this.list.style.setProperty("--column", line.at(-1).length);
    this.list.style.setProperty("--scrolled", `${this.area.scrollTop}px`);
    this.list.style.setProperty("--aside", `${this.area.scrollLeft}px`);
  }

  move(by) {
    this.at = (this.at + by + this.options.length) % this.options.length;
    [...this.list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === this.at)));
    this.list.children[this.at].scrollIntoView({ block: "nearest" });
  }

  choose(at) {
    const { text } = this.options[at];
    this.insert(text, this.from);
    this.offer([]);
  }

  pressed(event) {
    event.stopPropagation(); // the page has keys of its own
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.offer([]);
      this.run(this.text);
    } else if (this.options.length) this.pressedInList(event);
  }

  pressedInList(event) {
    const does = { ArrowDown: () => this.move(1), ArrowUp: () => this.move(-1), Enter: () => this.choose(this.at), Tab: () => this.choose(this.at), Escape: () => this.offer([]) }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  }
}
