// What else can be done with a chart: take it away, see its numbers, keep it on top, its SQL, an alert on it.

import { isLog } from "./axis.js";
import { h } from "./dom.js";
import { linkOf, saveCsv, savePng } from "./export.js";
import { csvOfGroups } from "./groups-csv.js";
import { downloadAddress, projectOf, ruleAddress, sqlAddress, sqlOf } from "./sql-of.js";
import { reportAddress } from "./report-of.js";
import { showTable } from "./table.js";

export class Menu {
  constructor(panel) {
    const { metric, wall } = panel;
    this.panel = panel;
    this.metric = metric;
    this.wall = wall;
    this.list = h("div", { class: "menu", role: "menu", "aria-label": metric, hidden: true, onkeydown: (event) => this.moved(event) });
    this.open = h("button", { class: "icon", title: "table, CSV, picture, link, SQL, alerts", "aria-label": `more about ${metric}`, "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => this.toggle() }, "⋯");
    this.el = h("span", { class: "menu-place", onfocusout: (event) => this.left(event), onkeydown: (event) => event.key === "Escape" && !this.list.hidden && this.close(event) },
      this.open, this.list);
  }

  async toggle() {
    if (!this.list.hidden) return this.close();
    const links = await this.links();
    this.list.replaceChildren(
      ...this.acts().map(([text, act]) => h("button", { role: "menuitem", onclick: () => { this.close(); act(); } }, text)),
      ...links.map(([text, href, file]) => h("a", { role: "menuitem", href, target: "_self", ...(file ? { download: file } : {}), onclick: () => this.close() }, text)));
    this.list.hidden = false;
    this.open.setAttribute("aria-expanded", "true");
    this.list.firstElementChild?.focus();
  }

  close(event) {
    event?.stopPropagation();
    if (event) this.open.focus();
    this.list.hidden = true;
    this.open.setAttribute("aria-expanded", "false");
  }

  left(event) {
    if (!this.el.contains(event.relatedTarget)) this.close();
  }

  /** Arrow keys walk the entries. */
  moved(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    const entries = [...this.list.children], at = entries.indexOf(event.composedPath()[0]);
    entries[(at + by + entries.length) % entries.length].focus();
    event.preventDefault();
    event.stopPropagation();
  }

  /** What is done here and now. */
  acts() {
    const { panel, wall, metric } = this, drawn = Boolean(panel.u), isTop = wall.view.top.includes(metric);
    return [
      ...(drawn ? [["Show as table", () => showTable(panel)], ["CSV of what is drawn", () => saveCsv(panel, wall.groups.on ? csvOfGroups : undefined)], ["Picture (PNG)", () => savePng(panel)]] : []),
      ["Copy link of this chart", () => this.copy()],
      [isTop ? "Unpin" : "Pin to the top", () => wall.pinMetric(metric)],
    ];
  }

  /** The link into the clipboard; where the browser forbids that, to be copied by hand. */
  async copy() {
    const link = linkOf(this.panel);
    try {
      await navigator.clipboard.writeText(link);
      this.wall.say("The link is in the clipboard.");
    } catch {
      prompt("The link of this chart", link);
    }
  }

  async links() {
    const { spec, view, groups } = this.wall, drawn = groups.on ? [] : this.wall.drawn(), offered = new Set(spec.links);
    const wide = spec.runs.some((run) => run.ranks > 1);
    const links = [];
    if (offered.has("sql") && drawn.length) {
      links.push(["CSV of every point", await downloadAddress(sqlOf(this.metric, drawn, { ...view, ranks: "each" }, { wide, most: null }))]);
      links.push(["SQL of this chart", await sqlAddress(sqlOf(this.metric, drawn, view, { wide, width: isLog(view) ? 0 : this.panel.width?.width }))]);
    }
    const project = drawn.length ? projectOf(drawn[0]) : spec.runs[0]?.project;
    if (offered.has("reports") && project && !groups.on) links.push(["Add to a report …", reportAddress(this.metric, project, this.wall.address.read())]);
    if (offered.has("rules") && project) links.push(["Alert on this …", ruleAddress(this.metric, project)]);
    return links;
  }
}
