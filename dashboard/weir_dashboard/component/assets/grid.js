// How panels fill rows: no row is left half empty. Pure.

export const UNITS = 12; // of a row; rows of 1, 2, 3 and 4 panels divide it
export const MOST_COLUMNS = 4;
const NARROWEST_PX = 420;

/** Panels side by side: as chosen, else as many as fit. */
export function columnsFor(chosen, widthPx) {
  return chosen || Math.min(MOST_COLUMNS, Math.max(1, Math.floor(widthPx / NARROWEST_PX)));
}

/** The width in UNITS of each of `count` panels: 4 over 3 columns become 2 + 2, 7 become 3 + 2 + 2. */
export function spans(count, columns) {
  const rows = Math.ceil(count / columns);
  return Array.from({ length: rows }, (_, row) => Math.floor(count / rows) + (row < count % rows ? 1 : 0))
    .flatMap((across) => Array(across).fill(UNITS / across));
}
