// The keyboard: one table, obeyed here and shown by `?`; docs/dashboard.md repeats it.

import { h } from "./dom.js";
import { EVERYWHERE } from "./everywhere.js";

export const KEYS = [
  { keys: ["/"], does: "find a run", obey: (wall) => wall.rail.find() || wall.toolbar.search.focus() },
  { keys: ["m"], does: "find metrics", obey: (wall) => wall.toolbar.search.focus() },
  { keys: ["j", "k"], does: "next, previous run", obey: (wall, key) => wall.rail.move(key === "j" ? 1 : -1) },
  { keys: ["Space"], does: "draw or hide the run that has the focus", obey: null }, // it is a button
  { keys: ["o"], does: "draw only this run, and back", obey: (wall) => wall.rail.current() && wall.only(wall.rail.current()) },
  { keys: ["b"], does: "make this run the baseline, and back", obey: (wall) => wall.rail.current() && wall.setBaseline(wall.rail.current()) },
  { keys: ["p"], does: "pin this run to the top, and back", obey: (wall) => wall.rail.current() && wall.pin(wall.rail.current()) },
  { keys: ["←", "→"], does: "move the zoomed window; in full screen the previous, next chart", obey: (wall, key) => (wall.view.full ? wall.full.step(key === "←" ? -1 : 1) : wall.pan(key === "←" ? -0.5 : 0.5)) },
  { keys: ["z", "Esc"], does: "leave full screen; show everything again", obey: (wall) => wall.full.close() || wall.zoom(null) },
  { keys: ["f"], does: "full screen of the chart under the cursor, and back", obey: (wall) => wall.full.close() || (wall.layout.pointed() && wall.full.open(wall.layout.pointed().metric)) },
  { keys: ["Ctrl+Z", "Ctrl+Shift+Z"], does: "take the last change back, and do it again", obey: (wall, key) => wall.takeBack(key !== "Ctrl+Z") },
  { keys: ["l"], does: "pause or follow new points", obey: (wall) => wall.set({ live: !wall.view.live }) },
  { keys: ["?"], does: "these keys", obey: (wall) => wall.keys.toggleHelp() },
];

const NAMES = { ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", " ": "Space" };

export class Keys {
  constructor(wall) {
    this.wall = wall;
    const row = ({ keys, does }) => h("div", {}, h("dt", {}, ...keys.map((key) => h("kbd", {}, key))), h("dd", {}, does));
    this.help = h("div", { class: "help", role: "dialog", "aria-label": "keys", hidden: true, onclick: () => this.toggleHelp() }, h("dl", {}, ...[...KEYS.slice(0, -1), ...EVERYWHERE].map(row)));
    this.listen = (event) => this.pressed(event);
    document.addEventListener("keydown", this.listen);
  }

  close() {
    document.removeEventListener("keydown", this.listen);
  }

  pressed(event) {
    const name = nameOf(event);
    if (!name) return;
    const target = event.composedPath()[0];
    const undoes = name.startsWith("Ctrl") && target?.matches?.("input[type=range], select"); // they have no undo of their own
    if (target?.matches?.("input, textarea, select, [contenteditable]") && !undoes) {
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

/** How the table calls what was pressed; nothing where the browser or a menu is meant. */
function nameOf({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  if (altKey) return "";
  if (!ctrlKey && !metaKey) return NAMES[key] ?? key;
  if (key.toLowerCase() === "y") return "Ctrl+Shift+Z";
  return key.toLowerCase() === "z" ? `Ctrl+${shiftKey ? "Shift+" : ""}Z` : "";
}
