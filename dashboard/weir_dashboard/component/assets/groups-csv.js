// What is drawn of groups, as CSV: a row for every bucket of every group. Pure.

import { cell, field } from "./export.js";

const COLUMNS = ["group", "runs", "x", "mean", "std", "ci95", "n", "lowest", "highest", "runs_not_finite"];

/** Rows inside [from, to] places; x in axis units. `curves` as Groups.curves makes them. */
export function csvOfGroups(curves, { metric, axis, from = -Infinity, to = Infinity }) {
  const lines = [COLUMNS.map((name) => (name === "x" ? axis : name === "mean" ? metric : name)).map(field).join(",")];
  for (const { label, members, x, raw, whole, outside } of curves) {
    for (let i = 0; i < x.length; i++) {
      if (x[i] < from || x[i] > to) continue;
      const figures = ["y", "std", "ci", "n", "lo", "hi", "odd"].map((name) => cell(whole[name][i + outside]));
      lines.push([field(label), members, cell(raw[i]), ...figures].join(","));
    }
  }
  return `${lines.join("\r\n")}\r\n`;
}
