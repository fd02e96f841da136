// From what the server says of a group to the band that is drawn around its mean. Pure.

import { num } from "./format.js";
import { smooth } from "./smooth.js";

/** Kinds of band, the first is the default; `words` for the note on a chart. */
export const BANDS = {
  std: { name: "± std", words: "± standard deviation" },
  ci: { name: "95 % CI", words: "95 % interval of the mean" },
  minmax: { name: "min–max", words: "lowest to highest point" },
};

/**
 * `{lo, hi, spread, slanted}` of a group's series. A band around the mean is smoothed as the mean is; the lowest and highest points
 * stay what they are. Where there is one run, the band is the line.
 */
export function bandOf(series, kind, tau, kernel) {
  const { x, y, lo, hi } = series;
  if (kind === "minmax") return { lo, hi, spread: hi.some((v, i) => v > lo[i]) };
  const half = kind === "ci" ? series.ci : series.std;
  const edge = (sign) => smooth(x, Float64Array.from(y, (v, i) => (half[i] > 0 ? v + sign * half[i] : v)), tau, kernel);
  return { lo: edge(-1), hi: edge(1), spread: half.some((v) => v > 0), slanted: true };
}

/** What a tooltip says beside the mean: `± 0.02 · n = 22 of 24 runs · 2 with NaN`. `i` is a point of the series. */
export function bandWords(series, i, kind, members, badWords) {
  const half = kind === "ci" ? series.ci[i] : series.std[i];
  const band = kind === "minmax" ? (series.hi[i] > series.lo[i] ? `${num(series.lo[i])} – ${num(series.hi[i])}` : "") : half > 0 ? `± ${num(half)}` : "";
  const count = `n = ${series.n[i].toLocaleString("en-US")} of ${members.toLocaleString("en-US")} ${members === 1 ? "run" : "runs"}`;
  const odd = series.odd[i] ? `${series.odd[i]} with ${badWords}` : "";
  return [band, count, odd].filter(Boolean).join(" · ");
}
