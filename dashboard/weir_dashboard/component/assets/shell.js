// What every page has around it: `g` and a letter go to a page, `/` to its first field, `?` lists the keys.
//
// Streamlit mounts it with `{pages: [{key, title, path}]}` (shell.py), on each page once. A page with keys of its own,
// the chart wall, obeys first: what it took is not looked at again.

import { h } from "./dom.js";
import { EVERYWHERE } from "./everywhere.js";

const WAIT_MS = 1500; // for the letter behind `g`

export default function mount({ data }) {
  const shell = new Shell(data.pages, document);
  return () => shell.close();
}

export class Shell {
  constructor(pages, page) {
    this.pages = pages;
    this.page = page;
    this.goes = 0; // until when a letter names a page, ms
    this.listen = (event) => this.pressed(event);
    // Before everybody else: the letter behind `g` is nobody else's.
    page.addEventListener("keydown", this.listen, true);
    performance.mark("weir-shell");
  }

  close() {
    this.page.removeEventListener("keydown", this.listen, true);
    this.list?.remove();
  }

  pressed(event) {
    if (this.list?.open) {
      event.stopImmediatePropagation(); // nothing below hears of keys while the list is above it
      if (event.key === "Escape" || event.key === "?") this.list.close();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    const waited = this.goes > Date.now();
    this.goes = 0;
    const there = waited && this.pages.find(({ key }) => key === event.key);
    if (there) {
      event.preventDefault();
      event.stopImmediatePropagation();
      this.go(there.path);
    } else if (event.key === "g") {
      this.goes = Date.now() + WAIT_MS;
    } else if (event.key === "?" || event.key === "/") {
      setTimeout(() => event.defaultPrevented || (event.key === "?" ? this.show() : this.find()));
    }
  }

  /** Leave by the link of the menu where there is one: Streamlit then keeps the session. */
  go(path) {
    const links = [...this.page.querySelectorAll("a[data-testid=stTopNavLink], a[data-testid=stSidebarNavLink]")];
    const link = links.find((one) => new URL(one.href).pathname === path);
    if (link) link.click();
    else this.page.defaultView.location.assign(path);
  }

  find() {
    this.page.querySelector("[data-testid=stMain] input[type=text], [data-testid=stMain] textarea")?.focus();
  }

  show() {
    this.list?.remove();
    const rows = [
      { keys: ["/"], does: "the first field of the page" },
      ...this.pages.map(({ key, title }) => ({ keys: ["g", key], does: title })),
      ...EVERYWHERE.slice(1),
    ];
    const row = ({ keys, does }) => h("div", {}, h("dt", {}, ...keys.map((key) => h("kbd", {}, key))), h("dd", {}, does));
    this.list = h("dialog", { class: "weir-keys", "aria-label": "keys", onclick: () => this.list.close(), onclose: () => this.list.remove() },
      h("h2", {}, "Keys"), h("dl", {}, ...rows.map(row)), h("button", { type: "button" }, "Close"));
    (this.page.querySelector(".stApp") ?? this.page.body).append(this.list);
    this.list.showModal();
  }
}

function isTyping(event) {
  return !!event.composedPath()[0]?.matches?.("input, textarea, select, [contenteditable], [contenteditable] *");
}
