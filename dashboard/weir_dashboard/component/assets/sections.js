// Metrics into sections by their prefix; loss first, system last. Pure.

/** Does the metric's name hold every word of `search` (any case), or fit it as a glob? */
export function matches(name, search) {
  const text = search.trim().toLowerCase();
  if (!text) return true;
  const low = name.toLowerCase();
  if (/[*?]/.test(text)) return glob(text).test(low);
  return text.split(/\s+/).every((word) => low.includes(word));
}

function glob(text) {
  return new RegExp(`^${text.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".")}$`);
}

/** `[{title, metrics}]`: metrics without a slash form a section after train, val and test. */
export function sections(names) {
  const byPrefix = new Map();
  for (const name of names) {
    const cut = name.indexOf("/");
    const prefix = cut > 0 ? name.slice(0, cut) : "";
    if (!byPrefix.has(prefix)) byPrefix.set(prefix, []);
    byPrefix.get(prefix).push(name);
  }
  return [...byPrefix].map(([title, metrics]) => ({ title, metrics: metrics.sort(byInterest) }))
    .sort((a, b) => place(a.title) - place(b.title) || a.title.localeCompare(b.title));
}

/** Sections in the order of the page, `[{key, title, metrics}]`: what was pinned, whether it is listed or not, then by prefix. */
export function ordered(names, top) {
  const rest = top.length ? names.filter((name) => !top.includes(name)) : names;
  const found = sections(rest).map(({ title, metrics }) => ({ key: `${title}/`, title: title || "metrics", metrics }));
  return top.length ? [{ key: PINNED, title: "pinned", metrics: top }, ...found] : found;
}

/** The key of the section above all others; the others' are their prefixes with a slash. */
export const PINNED = "pinned";

/** Is a section open? One that is folded has its key in the view. */
export function isOpen(key, view) {
  return !view.folded.has(key);
}

const FIRST = ["train", "val", "valid", "validation", "eval", "test", ""];

function place(title) {
  if (/^(sys|system|gpu|cpu)/.test(title)) return 100;
  const i = FIRST.indexOf(title);
  return i < 0 ? 50 : i;
}

function byInterest(a, b) {
  return isLoss(b) - isLoss(a) || a.localeCompare(b, undefined, { numeric: true });
}

function isLoss(name) {
  return Number(/(^|\/)(total_)?loss$/.test(name)) * 2 || Number(/loss/.test(name));
}
