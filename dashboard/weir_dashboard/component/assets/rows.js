// A long list of equal rows: only what is on screen exists. Pure.

const ALWAYS = 300; // rows that exist wherever one scrolled: the browser finds their text
const SPARE = 10; // rows beyond either edge

/** Rows [from, to) to make for a list of `count` rows `height` px high, scrolled to `top`, of which `view` px are seen. */
export function rowsOnScreen({ count, height, top, view }) {
  if (count <= ALWAYS) return { from: 0, to: count };
  const seen = Math.ceil(view / height);
  const first = Math.max(0, Math.min(Math.floor(top / height), count - seen));
  return { from: Math.max(0, first - SPARE), to: Math.min(count, first + seen + SPARE) };
}
