// What else can be done with a chart: its SQL, an alert on it. Only what this dashboard offers.

import { h } from "./dom.js";
import { projectOf, ruleAddress, sqlAddress, sqlOf } from "./sql-of.js";

export class Menu {
  constructor(panel) {
    const { metric, wall } = panel;
    this.panel = panel;
    this.metric = metric;
    this.wall = wall;
    this.list = h("div", { class: "menu", role: "menu", hidden: true });
    const open = h("button", { class: "icon", title: "SQL of this chart, alerts", "aria-label": `more about ${metric}`, "aria-haspopup": "menu", onclick: () => this.toggle() }, "⋯");
    this.el = h("span", { class: "menu-place", onfocusout: (event) => this.left(event), onkeydown: (event) => event.key === "Escape" && this.close(event) },
      open, this.list);
    this.el.hidden = !(wall.spec.links ?? []).length;
  }

  async toggle() {
    if (!this.list.hidden) return this.close();
    const links = await this.links();
    this.list.replaceChildren(...links.map(([text, href]) => h("a", { role: "menuitem", href, target: "_self" }, text)));
    this.list.hidden = false;
    this.list.firstElementChild?.focus();
  }

  close(event) {
    event?.stopPropagation();
    this.list.hidden = true;
  }

  left(event) {
    if (!this.el.contains(event.relatedTarget)) this.close();
  }

  async links() {
    const { spec, view } = this.wall, drawn = this.wall.drawn(), offered = new Set(spec.links);
    const wide = spec.runs.some((run) => run.ranks > 1);
    const links = [];
    if (offered.has("sql") && drawn.length) links.push(["SQL of this chart", await sqlAddress(sqlOf(this.metric, drawn, view, { wide, width: this.panel.width?.width }))]);
    const project = drawn.length ? projectOf(drawn[0]) : spec.runs[0]?.project;
    if (offered.has("rules") && project) links.push(["Alert on this …", ruleAddress(this.metric, project)]);
    return links;
  }
}
