// What may be written at the caret of a filter: a field, an operator, a value, what joins conditions. Pure.
//
// `names` of config, summary and metrics are too many to be here: `wanted` says what to ask the store for.

const NAME = String.raw`(?:config|summary|meta|metrics|metric)\.(?:"(?:[^"\\]|\\.)*"?|[\w./:@%+\-]*)|[A-Za-z_]\w*`;
const FIELD = new RegExp(`^(?:${NAME})$`);
const AT_END = new RegExp(`(?:^|[\\s(,])((?:${NAME}))$`);
const PLAIN = /^[^\W\d][\w./:@%+-]*$/;
const BY_KIND = {
  text: ["=", "!=", "LIKE", "ILIKE", "IN", "IS NULL"],
  number: ["<", "<=", ">", ">=", "=", "BETWEEN", "IS NULL", "IS NOT NULL"],
  time: [">=", "<", "BETWEEN", "IS NULL", "IS NOT NULL"],
  any: ["<", "<=", ">", ">=", "=", "!=", "LIKE", "IN", "IS NULL", "IS NOT NULL"],
};
const JOINS = ["AND", "OR"];
const SPACES = ["config", "summary", "metric", "metrics", "meta"];
const ASKED = { config: ["config"], summary: ["summary", "metric"], metrics: ["metric"], metric: ["metric"] };

/** What stands at the caret: `{at: "field"|"operator"|"value"|"join"|"none", from, word, field}`. */
export function place(text, caret, fields) {
  const before = text.slice(0, caret);
  const nothing = { at: "none", from: caret, word: "" };
  const field = AT_END.exec(before)?.[1] ?? "";
  const quoted = /^(?:config|summary|meta|metrics|metric)\."/.test(field);
  const plain = before.replace(new RegExp(`(?:config|summary|meta|metrics|metric)\\."(?:[^"\\\\]|\\\\.)*"?`, "g"), (name) => "n".repeat(name.length));
  const open = (plain.match(/'/g) ?? []).length % 2 === 1;
  if (open) {
    const start = before.lastIndexOf("'"), named = fieldBefore(before.slice(0, start).replace(/\(?\s*(?:'[^']*'\s*,\s*)*$/, ""), fields);
    return named ? { at: "value", from: start, word: before.slice(start + 1), field: named } : nothing;
  }
  if (quoted) return { at: "field", from: caret - field.length, word: field };
  if (/\s$/.test(before)) {
    const trimmed = before.trimEnd();
    const last = AT_END.exec(trimmed)?.[1] ?? "";
    if (last && isField(last, fields)) return { at: "operator", from: caret, word: "", field: last };
    const named = fieldBefore(trimmed, fields);
    if (named) return { at: "value", from: caret, word: "", field: named };
    if (/('|\d|\)|\b(?:null|true|false))$/i.test(trimmed)) return { at: "join", from: caret, word: "" };
    return nothing;
  }
  return field ? { at: "field", from: caret - field.length, word: field } : nothing;
}

/** What to ask the store for at such a place: `{search, spaces}`, or null. */
export function wanted({ at, word }) {
  if (at !== "field" || word.length < 2) return null;
  const [space, ...rest] = word.split(".");
  const low = space.toLowerCase(), search = unquoted(rest.join(".")).split("@")[0];
  if (!rest.length) return { search: word, spaces: ["config", "summary", "metric"] };
  return ASKED[low] ? { search, spaces: ASKED[low] } : null;
}

/** What may be written at such a place: `[{text, kind}]`, best first; `names` came from the store. */
export function options(where, names, { fields, states, stats }) {
  const { at, word, field } = where;
  if (at === "operator") return OPERATORS(field, fields).map((text) => ({ text: `${text} `, kind: "operator" }));
  if (at === "join") return JOINS.map((text) => ({ text: `${text} `, kind: "" }));
  if (at === "value") return field.toLowerCase() === "state" ? states.filter((state) => state.startsWith(word)).map((state) => ({ text: `'${state}' `, kind: "state" })) : [];
  if (at !== "field" || !word) return [];
  const low = word.toLowerCase(), dot = word.indexOf(".");
  const own = Object.entries(fields).filter(([name]) => name.startsWith(low) && name !== low).map(([name, kind]) => ({ text: `${name} `, kind: kind === "tags" ? "list" : kind }));
  const spaces = SPACES.filter((name) => name.startsWith(low) && dot < 0).map((name) => ({ text: `${name}.`, kind: "names" }));
  const said = dot < 0 ? "" : low.slice(0, dot);
  const found = names.map(({ space, name }) => named(said && said !== "metric" ? said : space, name, stats));
  const ofMetric = said === "metric" ? statistics(word, names, stats) : [];
  const same = new Map([...own, ...spaces, ...ofMetric, ...found].filter((option) => option.text.trim() !== word).map((option) => [option.text, option]));
  return [...same.values()].slice(0, 12);
}

function statistics(word, names, stats) {
  const [metric, what] = splitLast(unquoted(word.slice("metric.".length)));
  if (what === null || !names.some(({ name }) => name === metric)) return [];
  return [...stats, "1000"].filter((stat) => stat.startsWith(what)).map((stat) => ({ text: `${written("metric", `${metric}@${stat}`)} `, kind: stat === "1000" ? "at a step" : "statistic" }));
}

function splitLast(text) {
  const at = text.lastIndexOf("@");
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

function named(space, name) {
  return { text: `${written(space, name)} `, kind: space === "metric" ? "metric, last" : space };
}

/** A name as the filter language writes it: in quotes where it needs them. */
export function written(space, name) {
  return PLAIN.test(name) ? `${space}.${name}` : `${space}."${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function OPERATORS(field, fields) {
  const kind = field.includes(".") ? (/^metrics?\./i.test(field) ? "number" : "any") : fields[field.toLowerCase()];
  return BY_KIND[kind] ?? [];
}

function fieldBefore(text, fields) {
  const match = /(\S+|"[^"]*")\s*(?:=|!=|<>|<=?|>=?|\b(?:not\s+)?(?:like|ilike|in|between))\s*\(?\s*$/i.exec(text);
  const name = match && AT_END.exec(text.slice(0, match.index + match[1].length))?.[1];
  return name && isField(name, fields) ? name : null;
}

function isField(name, fields) {
  return FIELD.test(name) && (name.includes(".") || name.toLowerCase() in fields) && !name.endsWith(".");
}

function unquoted(text) {
  return text.startsWith('"') ? text.slice(1).replace(/"$/, "").replace(/\\(.)/g, "$1") : text;
}
