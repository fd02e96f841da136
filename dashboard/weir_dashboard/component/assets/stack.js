// Where every row of every section lies, in pixels, without asking the page. Pure; wall.css has the same heights.

import { UNITS, spans } from "./grid.js";

export const HEAD_PX = 29;
const GAP_PX = 8; // below every row
const PANEL_PX = 236, ROOMY_PX = 356, EMPTY_PX = 56;

/** `[{top, rows: [{metrics, widths, top, height}], height}]` for `[[metrics with points, metrics without], …]`. */
export function stacked(sections, columns, roomy) {
  let top = 0;
  return sections.map(([full, empty]) => {
    const rows = [...rowsOf(full, columns, roomy ? ROOMY_PX : PANEL_PX), ...rowsOf(empty, columns, EMPTY_PX)];
    let height = 0;
    for (const row of rows) { row.top = height; height += row.height; }
    const section = { top: top + HEAD_PX, rows, height };
    top = section.top + height;
    return section;
  });
}

function rowsOf(metrics, columns, px) {
  const widths = spans(metrics.length, columns), rows = [];
  for (let i = 0, filled = 0; i < metrics.length; i++) {
    if (filled === 0) rows.push({ metrics: [], widths: [], height: px + GAP_PX });
    rows.at(-1).metrics.push(metrics[i]);
    rows.at(-1).widths.push(widths[i]);
    filled = (filled + widths[i]) % UNITS;
  }
  return rows;
}

/** The rows of a section that touch [from, to) px of the page, and how much empty space stands for the others. */
export function near({ top, rows, height }, from, to) {
  const inside = rows.filter((row) => top + row.top + row.height > from && top + row.top < to);
  if (!inside.length) return { rows: [], above: height, below: 0 };
  const last = inside.at(-1);
  return { rows: inside, above: inside[0].top, below: height - last.top - last.height };
}
