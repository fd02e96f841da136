// One run of the rail: eye, name, value, what can be done with it, state.

import { h } from "./dom.js";

const STATE_MARKS = { running: "●", finished: "✓", failed: "✕", crashed: "✕", interrupted: "◼" };

/** A row. `look` is {on, pinned, isBaseline, color, value}: what it shows beside the run itself. */
export function runRow(wall, run, look) {
  const { on, pinned, isBaseline, color, value } = look;
  const press = (event) => (event.altKey ? wall.only(run.id) : wall.toggle(run.id));
  const tool = (mark, what, onclick, pressed) => h("button", {
    class: "icon", title: what, "aria-label": `${what}: ${run.name}`, onclick, ...(pressed == null ? {} : { "aria-pressed": String(pressed) }),
  }, mark);
  return h("li", {
    class: ["run", on && "on", pinned && "pinned", isBaseline && "baseline"].filter(Boolean).join(" "), "data-run": run.id,
    onmouseenter: () => wall.emphasise(on ? run.id : null), onmouseleave: () => wall.emphasise(null),
    onfocusin: () => wall.emphasise(on ? run.id : null), onfocusout: () => wall.emphasise(null),
  },
  h("button", { class: "swatch", style: `--run:${color}`, "aria-pressed": String(on), "aria-label": `draw ${run.name}`, title: "click: draw or hide · alt-click: only this", onclick: press }),
  h("button", { class: "name", title: run.title, onclick: press }, run.name, run.project && wall.spec.manyProjects ? h("small", {}, run.project) : null),
  h("span", { class: "tools" },
    tool("◎", "only this run", () => wall.only(run.id)),
    tool("⚑", isBaseline ? "no baseline" : "make this the baseline (b)", () => wall.setBaseline(run.id), isBaseline),
    tool("↥", pinned ? "unpin" : "pin to the top (p)", () => wall.pin(run.id), pinned),
    tool("◐", "colour", (event) => pickColor(wall, run, event.currentTarget)),
    h("a", { class: "icon", title: "open the run", "aria-label": `open ${run.name}`, href: run.href, target: "_self" }, "↗")),
  h("span", { class: "value" }, isBaseline && !value ? "baseline" : value),
  h("span", { class: `state ${run.state}`, role: "img", title: run.stateText, "aria-label": run.stateText }, STATE_MARKS[run.state] ?? "·"));
}

function pickColor(wall, run, anchor) {
  const close = () => picker.remove();
  const dot = (color, index) => h("button", { class: "dot", style: `background:${color}`, "aria-label": `colour ${index + 1}`, onclick: () => { close(); wall.recolor(run.id, index); } });
  const picker = h("div", { class: "picker", role: "dialog", "aria-label": `colour of ${run.name}`, onmouseleave: close, onkeydown: (event) => event.key === "Escape" && (event.stopPropagation(), close()) },
    ...wall.spec.palette.map(dot), h("button", { class: "link", onclick: () => { close(); wall.recolor(run.id, null); } }, "its own"));
  anchor.closest("li").append(picker);
  picker.firstElementChild.focus();
}
