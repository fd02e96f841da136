// One chart over the whole wall, and the way to its neighbours.

import { h } from "./dom.js";
import { Panel } from "./panel.js";

export class FullScreen {
  constructor(wall) {
    this.wall = wall;
    this.panel = null;
    this.place = h("span", { class: "place" });
    const step = (mark, by, what) => h("button", { class: "icon", title: what, "aria-label": what, onclick: () => this.step(by) }, mark);
    this.bar = h("div", { class: "full-bar" }, step("←", -1, "previous chart"), this.place, step("→", 1, "next chart"),
      h("button", { class: "icon", title: "close (Esc)", "aria-label": "close the chart", onclick: () => this.close() }, "✕"));
    this.host = h("div", { class: "full-host" });
    this.el = h("div", { class: "full", role: "dialog", hidden: true }, this.bar, this.host);
    this.sized = new ResizeObserver(() => this.panel?.resize());
    this.sized.observe(this.host);
  }

  /** Show the metric the view names; the panel goes when it names none. */
  render() {
    const { full } = this.wall.view;
    if (this.panel?.metric !== full) this.change(full);
    this.el.hidden = !full;
    if (!full) return;
    const order = this.wall.layout.order(), at = order.indexOf(full);
    this.place.textContent = at < 0 ? "" : `${(at + 1).toLocaleString("en-US")} of ${order.length.toLocaleString("en-US")}`;
    this.el.setAttribute("aria-label", full);
    this.panel.resize();
  }

  change(metric) {
    this.panel?.destroy();
    this.panel = metric ? new Panel(metric, this.wall, { full: true }) : null;
    this.host.replaceChildren(...(this.panel ? [this.panel.el] : []));
  }

  open(metric) {
    this.wall.set({ full: metric });
    this.panel?.el.focus();
  }

  close() {
    if (!this.wall.view.full) return false;
    this.wall.set({ full: "" });
    return true;
  }

  /** The chart so many places further, round the ends. */
  step(by) {
    const order = this.wall.layout.order(), at = order.indexOf(this.wall.view.full);
    if (order.length) this.open(order[(Math.max(at, 0) + by + order.length) % order.length]);
  }

  destroy() {
    this.sized.disconnect();
    this.panel?.destroy();
  }
}
