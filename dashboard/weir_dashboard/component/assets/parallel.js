// Parallel coordinates: a line for every run, an axis for every column, brushes on the axes.
//
// Streamlit mounts it with what compare_parallel.py describes; when a brush is let go it tells
// `brush`: {axis, low, high, at}, places from 0 to 1, −1 when it was taken away. A run is chosen
// by Python, which sends `kept` back: what is inside of a brush is decided in one place.

import { h } from "./dom.js";
import { axisXs, BOTTOM, nearestLine, placeOf, pressed, TOP, yOf } from "./parallel-places.js";

const HEIGHT = 380, FEWEST_PX = 118; // an axis takes at least this much; narrower pages scroll
const SHORTEST = 0.012; // a press without a drag takes the brush away
const charts = new WeakMap();
const ASSETS = new URL(".", import.meta.url);

export default async function mount({ parentElement, data, setStateValue }) {
  let chart = charts.get(parentElement);
  if (!chart) {
    const css = await (await fetch(new URL("parallel.css", ASSETS))).text();
    const sheet = await new CSSStyleSheet().replace(css);
    chart = charts.get(parentElement) ?? new Parallel(parentElement, sheet);
    charts.set(parentElement, chart);
  }
  chart.tell = (axis, range) => setStateValue("brush", { axis, low: range?.[0] ?? -1, high: range?.[1] ?? -1, at: Date.now() });
  chart.receive(data);
  return () => { chart.close(); charts.delete(parentElement); };
}

class Parallel {
  constructor(parent, sheet) {
    parent.adoptedStyleSheets = [sheet];
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.stage = h("div", { class: "stage", onpointermove: (event) => this.point(event), onpointerleave: () => this.hover(-1), onclick: (event) => this.follow(event) }, this.canvas);
    this.tip = h("div", { class: "tip", hidden: true });
    this.legend = h("div", { class: "legend" });
    this.el = h("div", { class: "parallel", role: "group" }, this.legend, this.stage, this.tip);
    parent.append(this.el);
    this.near = -1;
    this.sized = new ResizeObserver(() => this.layout());
    this.sized.observe(this.el);
  }

  close() {
    this.sized.disconnect();
    this.el.remove();
  }

  receive(spec) {
    this.spec = spec;
    this.ranges = spec.axes.map((axis) => axis.range);
    this.near = -1;
    this.tip.hidden = true;
    const kept = spec.lines.filter((line) => line.kept).length;
    this.el.setAttribute("aria-label", `${kept} of ${spec.lines.length} runs over ${spec.axes.map((axis) => axis.label).join(", ")}`);
    this.drawLegend();
    this.layout();
  }

  layout() {
    if (!this.spec) return;
    const { axes } = this.spec, inside = this.el.clientWidth;
    if (!inside) return;
    this.width = Math.max(inside, FEWEST_PX * axes.length);
    this.edge = Math.min(70, this.width / (2 * axes.length + 1));
    this.xs = axisXs(this.width, axes.length, 24);
    this.stage.style.width = `${this.width}px`;
    this.stage.style.height = `${HEIGHT}px`;
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = this.width * scale;
    this.canvas.height = HEIGHT * scale;
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${HEIGHT}px`;
    this.drawAxes();
    this.drawLines();
  }

  // ── what is drawn ─────────────────────────────────────────────────────────

  drawAxes() {
    const { axes } = this.spec, focused = this.stage.querySelector(".axis:focus")?.dataset.name;
    const room = axes.length > 1 ? this.xs[1] - this.xs[0] - 10 : this.width;
    for (const old of this.stage.querySelectorAll(".axis")) old.remove();
    this.axes = axes.map((axis, i) => {
      const place = i === 0 ? " first" : i === axes.length - 1 ? " last" : "";
      const rule = h("span", { class: "rule", style: `top:${TOP}px;bottom:${BOTTOM}px` });
      const brush = h("span", { class: "brush", hidden: true });
      const el = h("div", {
        class: `axis${place}`, style: `left:${this.xs[i]}px;--room:${room}px`, "data-name": axis.name, tabindex: "0",
        role: "slider", "aria-orientation": "vertical", "aria-label": `${axis.label}: drag to choose runs; arrows move, Shift widens, Escape clears`,
        "aria-valuemin": "0", "aria-valuemax": "100",
        onpointerdown: (event) => this.begin(event, i), onkeydown: (event) => this.press(event, i),
      }, rule, brush, h("span", { class: "name", title: axis.label }, axis.label + (axis.log ? " · log" : "")),
        ...this.ticks(axis).map(([at, text]) => h("span", { class: "tick", style: `top:${yOf(at, HEIGHT)}px`, title: text }, text)),
        axis.without ? h("span", { class: "without", title: "no value, NaN or infinite" }, `${axis.without} without`) : null);
      this.stage.append(el);
      if (focused === axis.name) el.focus({ preventScroll: true });
      return { el, brush };
    });
    this.axes.forEach((_, i) => this.drawBrush(i));
  }

  /** Ticks with room between them; the ends stay. */
  ticks(axis) {
    const room = 15 / (HEIGHT - TOP - BOTTOM), shown = [];
    for (const tick of axis.ticks) if (!shown.length || tick[0] - shown.at(-1)[0] >= room) shown.push(tick);
    return shown;
  }

  drawBrush(i) {
    const range = this.ranges[i], { el, brush } = this.axes[i];
    brush.hidden = !range;
    const whole = range ?? [0, 1];
    el.setAttribute("aria-valuenow", Math.round(whole[0] * 100));
    el.setAttribute("aria-valuetext", range ? `from ${Math.round(whole[0] * 100)} to ${Math.round(whole[1] * 100)} percent of the axis` : "everything");
    if (!range) return;
    brush.style.top = `${yOf(range[1], HEIGHT)}px`;
    brush.style.height = `${Math.max(2, yOf(range[0], HEIGHT) - yOf(range[1], HEIGHT))}px`;
  }

  drawLines() {
    const began = performance.now(), { axes, lines, colors, noColor } = this.spec, scale = window.devicePixelRatio || 1;
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, this.width, HEIGHT);
    const some = lines.some((line) => !line.kept), many = lines.length > 150;
    pen.lineJoin = "round";
    for (const kept of [false, true]) {
      pen.lineWidth = kept ? (many ? 1.1 : 1.6) : 1;
      pen.globalAlpha = kept ? (many ? 0.62 : 0.85) : some ? 0.1 : 1;
      lines.forEach((line, i) => { if (line.kept === kept) this.trace(pen, axes, i, kept ? colors[i] : noColor); });
    }
    if (this.near >= 0) {
      pen.globalAlpha = 1;
      pen.lineWidth = 3.2;
      this.trace(pen, axes, this.near, colors[this.near]);
    }
    if (this.near < 0) performance.measure("weir-parallel", { start: began, end: performance.now() });
  }

  trace(pen, axes, i, color) {
    pen.strokeStyle = color;
    pen.beginPath();
    axes.forEach((axis, at) => pen[at ? "lineTo" : "moveTo"](this.xs[at], yOf(axis.places[i], HEIGHT)));
    pen.stroke();
  }

  drawLegend() {
    const { legend } = this.spec;
    this.legend.hidden = !legend;
    if (!legend) return;
    const bar = h("i", { style: `background:linear-gradient(90deg, ${legend.colors.join(",")})`, "aria-hidden": "true" });
    this.legend.replaceChildren(h("span", {}, legend.label), h("span", {}, legend.low), bar, h("span", {}, legend.high));
  }

  // ── pointing ──────────────────────────────────────────────────────────────

  point(event) {
    if (this.dragging) return;
    const box = this.stage.getBoundingClientRect();
    const at = { x: event.clientX - box.left, y: event.clientY - box.top };
    const { axes, lines } = this.spec;
    this.hover(nearestLine(axes, this.xs, HEIGHT, at, (i) => lines[i].kept), at);
  }

  hover(i, at) {
    if (i !== this.near) {
      this.near = i;
      this.stage.style.cursor = i >= 0 ? "pointer" : "";
      this.drawLines();
    }
    this.tip.hidden = i < 0;
    if (i < 0) return;
    const { axes, lines } = this.spec;
    this.tip.replaceChildren(h("b", {}, lines[i].name), h("dl", {}, ...axes.flatMap((axis) => [h("dt", {}, axis.label), h("dd", {}, axis.texts[i] || "–")])));
    const left = at.x - this.el.scrollLeft, over = left > this.el.clientWidth - 260;
    this.tip.style.left = `${Math.max(0, over ? left - this.tip.offsetWidth - 14 : left + 14) + this.el.scrollLeft}px`;
    this.tip.style.top = `${Math.max(0, Math.min(at.y, HEIGHT - this.tip.offsetHeight) + this.stage.offsetTop)}px`;
  }

  follow(event) {
    if (this.near < 0 || event.target.closest(".axis")) return;
    window.open(this.spec.lines[this.near].href, "_blank", "noopener");
  }

  // ── brushing ──────────────────────────────────────────────────────────────

  begin(event, i) {
    if (event.button !== 0) return;
    const { el } = this.axes[i], top = this.stage.getBoundingClientRect().top;
    const start = placeOf(event.clientY - top, HEIGHT);
    this.dragging = true;
    this.hover(-1);
    el.setPointerCapture(event.pointerId);
    const move = (moved) => {
      const end = placeOf(moved.clientY - top, HEIGHT);
      this.ranges[i] = [Math.min(start, end), Math.max(start, end)];
      this.drawBrush(i);
    };
    const done = (ended) => {
      for (const kind of ["pointermove", "pointerup", "pointercancel"]) el.removeEventListener(kind, kind === "pointermove" ? move : done);
      this.dragging = false;
      if (ended.type === "pointercancel") this.ranges[i] = this.spec.axes[i].range;
      else {
        const range = this.ranges[i];
        if (!range || Math.abs(placeOf(ended.clientY - top, HEIGHT) - start) < SHORTEST) this.ranges[i] = null;
        this.told(i);
      }
      this.drawBrush(i);
    };
    el.addEventListener("pointermove", move);
    el.addEventListener("pointerup", done);
    el.addEventListener("pointercancel", done);
  }

  press(event, i) {
    if (!["ArrowUp", "ArrowDown", "Escape", "Delete"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    this.ranges[i] = pressed(this.ranges[i], event.key, event.shiftKey);
    this.drawBrush(i);
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.told(i), 250); // a held key tells once
  }

  told(i) {
    if (!this.ranges[i] && !this.spec.axes[i].range) return;
    this.tell(this.spec.axes[i].name, this.ranges[i]);
  }
}
