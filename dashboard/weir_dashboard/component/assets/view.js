// What the wall shows ⇄ the address bar. Pure; selection.py reads the same keys.
//
// Defaults never appear. Keys of the page (project, q, run, id …) are left alone.

export const AXES = ["step", "relative", "time", "metric"];

export const KERNELS = ["twema", "gauss", "mean"]; // of smoothing; the first is the default

export const BANDS = ["std", "ci", "minmax"]; // around the mean of a group; the first is the default

export const DEFAULTS = Object.freeze({
  metrics: "", x: "step", xMetric: "", smoothing: 0, kernel: "twema", logX: false, logY: false, envelope: true, outliers: true,
  ranks: "mean", window: null, live: true, columns: 0, all: false, baseline: "", top: [], full: "",
  groupBy: "", band: "std",
});

const KEYS = ["m", "x", "xm", "s", "lx", "ly", "sk", "b", "o", "r", "win", "live", "cols", "base", "pin", "top", "fold", "full", "g", "gs", "gshow", "ghide", "show", "hide", "color"];

/** Read a view from `location.search`; what cannot be understood counts as the default. */
export function readView(search) {
  const q = new URLSearchParams(search);
  const axis = q.get("x");
  return {
    metrics: q.get("m") ?? "",
    x: AXES.includes(axis) ? axis : "step",
    xMetric: q.get("xm") ?? "",
    smoothing: positive(q.get("s")),
    kernel: KERNELS.includes(q.get("sk")) ? q.get("sk") : KERNELS[0],
    logX: q.get("lx") === "1",
    logY: q.get("ly") === "1",
    envelope: q.get("b") !== "0",
    outliers: q.get("o") !== "0",
    ranks: q.get("r") === "each" ? "each" : "mean",
    window: readWindow(q.get("win")),
    live: q.get("live") !== "0",
    columns: Math.min(4, Math.floor(positive(q.get("cols")))),
    all: q.get("all") === "1",
    baseline: q.get("base") ?? "",
    pins: named(q, "pin"),
    top: [...named(q, "top")],
    folded: named(q, "fold"),
    full: q.get("full") ?? "",
    groupBy: isGroupKey(q.get("g")) ? q.get("g") : "",
    band: BANDS.includes(q.get("gs")) ? q.get("gs") : BANDS[0],
    groupShow: named(q, "gshow"),
    groupHide: named(q, "ghide"),
    show: new Set(q.getAll("show")),
    hide: new Set(q.getAll("hide")),
    colors: readColors(q.getAll("color")),
  };
}

/** Write a view into `search`; returns the new search without `?`. */
export function writeView(search, view) {
  const q = new URLSearchParams(search);
  for (const key of KEYS) q.delete(key);
  if (q.get("all") === "1") q.delete("all"); // another page writes `all=true`
  if (view.metrics) q.set("m", view.metrics);
  if (view.x !== "step") q.set("x", view.x);
  if (view.xMetric) q.set("xm", view.xMetric);
  if (view.smoothing > 0) q.set("s", String(view.smoothing));
  if (view.kernel !== KERNELS[0]) q.set("sk", view.kernel);
  if (view.logX) q.set("lx", "1");
  if (view.logY) q.set("ly", "1");
  if (!view.envelope) q.set("b", "0");
  if (!view.outliers) q.set("o", "0");
  if (view.ranks === "each") q.set("r", "each");
  if (view.window) q.set("win", view.window.map((v) => Number(v.toPrecision(12))).join(","));
  if (!view.live) q.set("live", "0");
  if (view.columns) q.set("cols", String(view.columns));
  if (view.all) q.set("all", "1");
  if (view.baseline) q.set("base", view.baseline);
  for (const id of [...view.pins].sort()) q.append("pin", id);
  for (const name of view.top) q.append("top", name);
  for (const title of [...view.folded].sort()) q.append("fold", title);
  if (view.full) q.set("full", view.full);
  if (view.groupBy) q.set("g", view.groupBy);
  if (view.band !== BANDS[0]) q.set("gs", view.band);
  for (const id of [...view.groupShow].sort()) q.append("gshow", id);
  for (const id of [...view.groupHide].sort()) q.append("ghide", id);
  for (const id of [...view.show].sort()) q.append("show", id);
  for (const id of [...view.hide].sort()) q.append("hide", id);
  for (const id of [...view.colors.keys()].sort()) q.append("color", `${id}:${view.colors.get(id)}`);
  return q.toString();
}

function isGroupKey(text) {
  return ["tag", "group", "job_type", "user"].includes(text) || /^config\.[^]/.test(text ?? "");
}

function named(q, key) {
  return new Set(q.getAll(key).filter(Boolean));
}

function positive(text) {
  const v = Number(text ?? 0);
  return Number.isFinite(v) && v > 0 ? v : 0;
}

function readWindow(text) {
  const [lo, hi] = (text ?? "").split(",").map((part) => (part === "" ? NaN : Number(part)));
  return Number.isFinite(lo) && Number.isFinite(hi) && lo < hi ? [lo, hi] : null;
}

function readColors(texts) {
  const colors = new Map();
  for (const text of texts) {
    const cut = text.lastIndexOf(":");
    const index = Number(text.slice(cut + 1));
    if (cut > 0 && /^\d+$/.test(text.slice(cut + 1)) && index < 16) colors.set(text.slice(0, cut), index);
  }
  return colors;
}
