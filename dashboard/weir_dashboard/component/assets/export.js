// Taking a chart away: as CSV of what is drawn, as a picture with its title and legend, as a link.

import { csvOfGroups } from "./groups-csv.js";

const COLUMNS = ["project", "run_id", "run", "rank", "x", "value", "smoothed", "lowest", "highest", "not_finite"];

/** What is drawn as CSV, a row for every drawn point inside [from, to] places; x in axis units. Pure. */
export function csvOf(curves, { metric, axis, from = -Infinity, to = Infinity }) {
  const lines = [COLUMNS.map((name) => (name === "x" ? axis : name === "value" ? metric : name)).map(field).join(",")];
  for (const curve of curves) {
    const cut = curve.run.lastIndexOf("/"), head = [curve.run.slice(0, cut), curve.run.slice(cut + 1), curve.label, curve.rank].map(field);
    for (let i = 0; i < curve.x.length; i++) {
      if (curve.x[i] < from || curve.x[i] > to) continue;
      const smoothed = curve.smoothed === curve.y ? "" : cell(curve.smoothed[i]);
      lines.push([...head, cell(curve.raw[i]), cell(curve.y[i]), smoothed, cell(curve.lo[i]), cell(curve.hi[i]), words(curve.bad[i])].join(","));
    }
  }
  return `${lines.join("\r\n")}\r\n`;
}

function words(bits) {
  return ["NaN", "+Inf", "-Inf"].filter((_, i) => bits & (1 << i)).join(" ");
}

/** A number as it is; float32 columns are told with the digits they have. */
export function cell(v) {
  return Number.isNaN(v) ? "" : String(Math.fround(v) === v ? Number(v.toPrecision(9)) : v);
}

/** Text for a spreadsheet: quoted where it must be, and never a formula. */
export function field(value) {
  const text = String(value), safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A file name for a metric. */
export function fileName(metric, kind) {
  return `${metric.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+/, "").slice(0, 80) || "chart"}.${kind}`;
}

/** Let the browser keep a file. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob), link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}

/** `csv` writes the text from the curves, as csvOf does. */
export function saveCsv(panel, csv = csvOf) {
  const { view } = panel.wall, [from, to] = panel.x ?? [];
  const text = csv(panel.curves, { metric: panel.metric, axis: view.x === "metric" ? view.xMetric : view.x, from, to });
  save(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }), fileName(panel.metric, "csv"));
}

/** The chart as it stands on the page. */
export function linkOf(panel) {
  const q = new URLSearchParams(panel.wall.address.read());
  q.set("full", panel.metric);
  return `${location.origin}${location.pathname}?${q}`;
}

const PICTURE = { width: 1200, height: 560 };
const LEGEND = { rows: 40, line: 18, swatch: 22, pad: 14 };

/** A picture: title, resolution, the plot, and a legend in the runs' colours. */
export async function pngOf(panel) {
  const canvas = await panel.canvas(PICTURE.width, PICTURE.height), ratio = devicePixelRatio, { theme } = panel.wall;
  const entries = legendOf(panel.curves), columns = Math.min(3, Math.ceil(entries.length / 4));
  const width = canvas.width, top = 44 * ratio, rows = Math.ceil(Math.min(entries.length, LEGEND.rows) / columns);
  const rest = entries.length - LEGEND.rows, below = (rows + (rest > 0 ? 1 : 0)) * LEGEND.line * ratio + LEGEND.pad * ratio * 2;
  const picture = Object.assign(document.createElement("canvas"), { width, height: top + canvas.height + below });
  const ctx = picture.getContext("2d"), at = (size, weight = 400) => `${weight} ${size * ratio}px ${theme.font}`;
  ctx.fillStyle = theme.background;
  ctx.fillRect(0, 0, picture.width, picture.height);
  ctx.textBaseline = "top";
  const write = (text, font, color, x, y, room) => { ctx.font = font; ctx.fillStyle = color; ctx.fillText(fitted(ctx, text, room), x, y); };
  write(panel.metric, at(14, 600), theme.text, 12 * ratio, 8 * ratio, width - 24 * ratio);
  write(panel.note.textContent, at(11), theme.faded, 12 * ratio, 26 * ratio, width - 24 * ratio);
  ctx.drawImage(canvas, 0, top);
  entries.slice(0, LEGEND.rows).forEach(({ color, dash, label }, i) => {
    const x = (12 + LEGEND.pad) * ratio + (i % columns) * (width / columns), y = top + canvas.height + (LEGEND.pad + Math.floor(i / columns) * LEGEND.line) * ratio;
    ctx.strokeStyle = color;
    ctx.lineWidth = 2.5 * ratio;
    ctx.setLineDash(dash.map((d) => d * ratio));
    ctx.beginPath();
    ctx.moveTo(x, y + 7 * ratio);
    ctx.lineTo(x + LEGEND.swatch * ratio, y + 7 * ratio);
    ctx.stroke();
    write(label, at(12), theme.text, x + (LEGEND.swatch + 8) * ratio, y, width / columns - (LEGEND.swatch + 44) * ratio);
  });
  if (rest > 0) write(`and ${rest} more`, at(12), theme.faded, (12 + LEGEND.pad) * ratio, top + canvas.height + (LEGEND.pad + rows * LEGEND.line) * ratio, width);
  return new Promise((done) => picture.toBlob(done, "image/png"));
}

export async function savePng(panel) {
  save(await pngOf(panel), fileName(panel.metric, "png"));
}

/** One line of the legend for every look: ranks that share it are one. Pure. */
export function legendOf(curves) {
  const lines = new Map(curves.map(({ run, label, color, dash }) => [`${run} ${label} ${color} ${dash}`, { color, dash, label }]));
  return [...lines.values()];
}

function fitted(ctx, text, room) {
  if (ctx.measureText(text).width <= room) return text;
  let [short, long] = [0, Math.min(text.length, 500)];
  while (short < long) {
    const mid = (short + long + 1) >> 1;
    if (ctx.measureText(`${text.slice(0, mid)}…`).width <= room) short = mid; else long = mid - 1;
  }
  return `${text.slice(0, short)}…`;
}
