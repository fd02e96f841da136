// Which runs are drawn: the newest, what is pinned, and what somebody added or hid. Pure.
//
// The view keeps exceptions to "the first `drawn` of the list", not a list of its
// own: a link to a project goes on showing its newest runs.

/** Ids of the runs to draw, in the order of the list. */
export function drawnRuns(spec, view) {
  const isOurs = byItself(spec, view);
  return spec.runs.filter((run, i) => (isOurs(run, i) ? !view.hide.has(run.id) : view.show.has(run.id))).map((run) => run.id);
}

/** The exceptions that make exactly these ids drawn, as a change of the view. */
export function exceptions(spec, ids, view) {
  const on = new Set(ids), isOurs = byItself(spec, view);
  return {
    show: new Set(spec.runs.filter((run, i) => !isOurs(run, i) && on.has(run.id)).map((run) => run.id)),
    hide: new Set(spec.runs.filter((run, i) => isOurs(run, i) && !on.has(run.id)).map((run) => run.id)),
  };
}

/** Runs as the rail lists them: the baseline, what is pinned, the others. */
export function listedRuns(runs, view) {
  const place = (run) => (run.id === view.baseline ? 0 : view.pins.has(run.id) ? 1 : 2);
  return [...runs].sort((a, b) => place(a) - place(b));
}

/** Is a run drawn unless it is hidden? */
function byItself({ drawn }, { all, pins, baseline }) {
  return (run, i) => all || i < drawn || pins.has(run.id) || run.id === baseline;
}
