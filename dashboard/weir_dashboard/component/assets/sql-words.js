// A SQL statement as tokens, and what may follow at the caret. Pure.

const KEYWORDS = `all and anti any array as asc asof between by case cross desc distinct else end except exists final first
following from full group having ilike in inner intersect interval into is join last lateral left like limit not null nulls offset
on or order outer over partition preceding prewhere qualify range right rollup row rows sample select semi then ties to totals
unbounded union using values when where window with`.split(/\s+/);

export const FUNCTIONS = `abs any anyLast argMax argMin arrayJoin arrayMap avg avgIf ceil coalesce corr count countIf dateDiff
exponentialTimeDecayedAvg floor formatDateTime greatest groupArray if ifNull isFinite isNaN lagInFrame leadInFrame least lower
log max maxIf median min minIf multiIf now quantile quantiles round row_number stddevSamp substring sum sumIf toDate
toFloat64 toInt64 toStartOfHour toStartOfInterval toStartOfMinute toString uniqExact upper`.split(/\s+/);

const KNOWN = new Set(KEYWORDS);
const TOKEN = /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^'\\]|\\.|'')*(?:'|$)|"(?:[^"\\]|\\.)*(?:"|$)|`[^`]*(?:`|$))|(\{\s*\w+\s*:[^{}]*\})|(\b\d[\w.]*)|([A-Za-z_]\w*)/g;
const MOST = 12;

/** Cut a text into `[kind, text]`; put together again they are the text. */
export function tokens(text, views) {
  const names = new Set(views.map((view) => view.name));
  const found = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > end) found.push(["", text.slice(end, match.index)]);
    const [whole, comment, string, parameter, number] = match;
    const kind = comment ? "comment" : string ? "string" : parameter ? "parameter" : number ? "number"
      : KNOWN.has(whole.toLowerCase()) ? "keyword" : names.has(whole) ? "view" : text[match.index + whole.length] === "(" ? "function" : "";
    found.push([kind, whole]);
    end = match.index + whole.length;
  }
  if (end < text.length) found.push(["", text.slice(end)]);
  return found;
}

/** What may be written at the caret: `{from, options: [{text, kind}]}`, best first; none inside strings and comments. */
export function completions(text, caret, views) {
  const before = text.slice(0, caret);
  const word = /[A-Za-z_]\w*$/.exec(before)?.[0] ?? "";
  const none = { from: caret, options: [] };
  if (word.length < 2 || inQuotes(before)) return none;
  const used = new Set(text.match(/[A-Za-z_]\w*/g));
  const named = views.filter((view) => used.has(view.name) && view.name !== word);
  const afterFrom = /\b(from|join)\s+\w*$/i.test(before);
  const columns = (named.length ? named : views).flatMap((view) => view.columns.map((column) => ({ text: column.name, kind: `${column.type} · ${view.name}` })));
  const all = [
    ...(afterFrom ? [] : columns),
    ...views.map((view) => ({ text: view.name, kind: "view" })),
    ...(afterFrom ? [] : [...FUNCTIONS.map((name) => ({ text: `${name}(`, kind: "function" })), ...KEYWORDS.map((name) => ({ text: name.toUpperCase(), kind: "" }))]),
  ];
  const low = word.toLowerCase(), options = new Map();
  for (const option of all) {
    if (option.text.toLowerCase().startsWith(low) && option.text.toLowerCase() !== low && !options.has(option.text)) options.set(option.text, option);
  }
  return { from: caret - word.length, options: [...options.values()].slice(0, MOST) };
}

function inQuotes(before) {
  const last = tokens(before, []).at(-1);
  if (!last) return false;
  const [kind, text] = last;
  if (kind === "comment") return !text.endsWith("*/") || text.length < 4;
  return kind === "string" && (text.length < 2 || text.at(-1) !== text[0]);
}
