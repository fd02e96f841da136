// The statement that asks for what a chart shows, every point of it, and the addresses of pages that take it up. Pure.

const PLAIN_CHARS = 1_000; // as statement.py
const MOST_ROWS = 200_000;

/**
 * A SELECT over the view `metrics`: the drawn runs, this metric, the zoomed window. Over steps it puts together what the chart
 * does: `width` steps to a bucket (0 = every point), and the ranks where the chart shows their mean. Rows end at `most`; null = never.
 */
export function sqlOf(metric, ids, view, { wide = false, width = 0, most = MOST_ROWS } = {}) {
  const overSteps = view.x === "step", mean = wide && view.ranks === "mean";
  const bucket = overSteps && width > 1 ? `intDiv(step, ${width}) * ${width}` : "";
  const run = new Set(ids.map(projectOf)).size > 1 ? "concat(project, '/', run_id) AS run" : "run_id";
  const keys = [run, ...(wide && !mean ? ["rank"] : []), bucket ? `${bucket} AS bucket` : "step"];
  const grouped = Boolean(bucket) || mean;
  const values = grouped
    ? ["min(value) AS lowest", "max(value) AS highest", ...(mean ? ["argMax(rank, value) AS highest_rank"] : []), mean ? "avg(value) AS mean" : "argMax(value, step) AS last"]
    : ["value"];
  const moment = overSteps ? [] : [grouped ? "max(time) AS at" : "time"];
  const by = ["project", "run_id", ...(wide && !mean ? ["rank"] : []), bucket ? "bucket" : "step"];
  return [
    `SELECT ${[...keys, ...moment, ...values].join(", ")}`,
    "FROM metrics",
    `WHERE ${whereRuns(ids)}`,
    `  AND metric = ${quoted(metric)}${whereWindow(view)}`,
    ...(grouped ? [`GROUP BY ${by.join(", ")}`] : []),
    `ORDER BY ${bucket ? "bucket" : "step"}, run_id`,
    ...(most ? [`LIMIT ${most}`] : []),
  ].join("\n");
}

/** The SQL page with this statement; a long one is packed, as statement.py does. */
export async function sqlAddress(sql) {
  return `/sql?${new URLSearchParams(await packed(sql))}`;
}

/** The download of every row of its answer. */
export async function downloadAddress(sql) {
  return `/api/sql?${new URLSearchParams({ format: "csv", ...(await packed(sql)) })}`;
}

async function packed(sql) {
  if (sql.length <= PLAIN_CHARS) return { sql };
  const deflated = new Blob([sql]).stream().pipeThrough(new CompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(deflated).arrayBuffer());
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return { sqlz: text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "") };
}

/** The form of a new rule over this metric. */
export function ruleAddress(metric, project) {
  const name = `nan-${metric}`.replace(/[^A-Za-z0-9_.-]+/g, "-").slice(0, 128);
  return `/rules?${new URLSearchParams({ project, new: "nan", "with.metric": metric, name })}`;
}

export function projectOf(id) {
  return id.slice(0, id.lastIndexOf("/"));
}

function whereRuns(ids) {
  const parts = [...new Set(ids.map(projectOf))].map((project) => {
    const mine = ids.filter((id) => projectOf(id) === project);
    return `project = ${quoted(project)} AND run_id IN (${mine.map((id) => quoted(id.slice(project.length + 1))).join(", ")})`;
  });
  return parts.length > 1 ? `(${parts.join(" OR ")})` : parts[0] ?? "1 = 0";
}

function whereWindow(view) {
  if (!view.window || (view.x !== "step" && view.x !== "time")) return "";
  const [lo, hi] = view.window;
  if (view.x === "step") return ` AND step BETWEEN ${Math.ceil(lo)} AND ${Math.floor(hi)}`;
  return ` AND time BETWEEN fromUnixTimestamp64Milli(${Math.round(lo * 1e3)}) AND fromUnixTimestamp64Milli(${Math.round(hi * 1e3)})`;
}

function quoted(text) {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
