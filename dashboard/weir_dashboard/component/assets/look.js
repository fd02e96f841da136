// Colour, dash and name of every curve. Pure.
//
// A run has its colour everywhere. Of one run alone, each rank takes a colour of its
// own; among several runs, ranks are shades of their run's.

export const DASHES = [[], [7, 3], [2, 2], [9, 3, 2, 3]];
const SHADE = 0.45; // the first rank this far towards black, the last towards white

/** The colour somebody chose for the run, else its own. */
export function colorOf(run, view, palette) {
  return palette[view.colors.get(run.id) ?? run.color];
}

/** `[{series, run, color, dash, label, ranks}]` for the drawn ids; `seriesOf(id)` lists a run's series. */
export function looks(drawn, seriesOf, spec, view) {
  const runs = new Map(spec.runs.map((run) => [run.id, run]));
  const owners = new Map(); // colour → runs that have it on screen
  return drawn.flatMap((id) => {
    const run = runs.get(id), all = seriesOf(id);
    const color = colorOf(run, view, spec.palette), dash = dashOf(owners, color, id);
    const look = { run: id, ranks: run.ranks, color, dash, label: run.name };
    if (view.ranks !== "each" || all.length < 2) return all.map((series) => ({ series, ...look }));
    return all.map((series, i) => ({
      series, ...look, label: `${run.name} · rank ${series.rank}`,
      ...(drawn.length === 1 ? ofRank(series.rank, spec.palette) : { color: shade(color, (2 * i) / (all.length - 1) - 1) }),
    }));
  });
}

/** Runs that share a colour on screen get dashes, all but the first. */
function dashOf(owners, color, run) {
  const mine = owners.get(color) ?? owners.set(color, []).get(color);
  mine.push(run);
  return DASHES[(mine.length - 1) % DASHES.length];
}

function ofRank(rank, palette) {
  return { color: palette[rank % palette.length], dash: DASHES[Math.floor(rank / palette.length) % DASHES.length] };
}

/** Mix `#rrggbb` towards black (place -1) or white (place 1). */
export function shade(hex, place) {
  const end = place < 0 ? 0 : 255, part = Math.abs(place) * SHADE;
  const mixed = [1, 3, 5].map((i) => Math.round(parseInt(hex.slice(i, i + 2), 16) * (1 - part) + end * part));
  return `#${mixed.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}
