// The keyboard: one table, obeyed here and shown by `?`; docs/dashboard.md repeats it.

import { h } from "./dom.js";

export const KEYS = [
  { keys: ["/"], does: "find a run", obey: (wall) => wall.rail.find() || wall.toolbar.search.focus() },
  { keys: ["m"], does: "find metrics", obey: (wall) => wall.toolbar.search.focus() },
  { keys: ["j", "k"], does: "next, previous run", obey: (wall, key) => wall.rail.move(key === "j" ? 1 : -1) },
  { keys: ["Space"], does: "draw or hide the run that has the focus", obey: null }, // it is a button
  { keys: ["o"], does: "draw only this run, and back", obey: (wall) => wall.rail.current() && wall.only(wall.rail.current()) },
  { keys: ["←", "→"], does: "move the zoomed window", obey: (wall, key) => wall.pan(key === "←" ? -0.5 : 0.5) },
  { keys: ["z", "Esc"], does: "show everything again", obey: (wall) => wall.zoom(null) },
  { keys: ["f"], does: "expand the chart under the cursor", obey: (wall) => wall.layout.pointed()?.toggleTall() },
  { keys: ["l"], does: "pause or follow new points", obey: (wall) => wall.set({ live: !wall.view.live }) },
  { keys: ["?"], does: "these keys", obey: (wall) => wall.keys.toggleHelp() },
];

const NAMES = { ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", " ": "Space" };

export class Keys {
  constructor(wall) {
    this.wall = wall;
    const row = ({ keys, does }) => h("div", {}, h("dt", {}, ...keys.map((key) => h("kbd", {}, key))), h("dd", {}, does));
    this.help = h("div", { class: "help", role: "dialog", "aria-label": "keys", hidden: true, onclick: () => this.toggleHelp() }, h("dl", {}, ...KEYS.map(row)));
    this.listen = (event) => this.pressed(event);
    document.addEventListener("keydown", this.listen);
  }

  close() {
    document.removeEventListener("keydown", this.listen);
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const name = NAMES[event.key] ?? event.key;
    const target = event.composedPath()[0];
    if (target?.matches?.("input, textarea, select, [contenteditable]")) {
      if (name === "Esc" && this.wall.el.contains(target)) {
        target.blur();
        event.preventDefault(); // the browser would empty a search
      }
      return;
    }
    if (name === "Esc" && !this.help.hidden) return this.toggleHelp();
    const known = KEYS.find(({ keys, obey }) => obey && keys.includes(name));
    if (!known) return;
    known.obey(this.wall, name);
    event.preventDefault();
  }

  toggleHelp() {
    this.help.hidden = !this.help.hidden;
  }
}
