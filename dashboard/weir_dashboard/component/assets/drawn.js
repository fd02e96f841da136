// Which runs are drawn: the newest, and what somebody added or hid. Pure.
//
// The view keeps exceptions to "the first `drawn` of the list", not a list of its
// own: a link to a project goes on showing its newest runs.

/** Ids of the runs to draw, in the order of the list. */
export function drawnRuns({ runs, drawn }, { show, hide }) {
  return runs.filter((run, i) => (i < drawn ? !hide.has(run.id) : show.has(run.id))).map((run) => run.id);
}

/** The exceptions that make exactly these ids drawn, as a change of the view. */
export function exceptions({ runs, drawn }, ids) {
  const on = new Set(ids);
  return {
    show: new Set(runs.slice(drawn).filter((run) => on.has(run.id)).map((run) => run.id)),
    hide: new Set(runs.slice(0, drawn).filter((run) => !on.has(run.id)).map((run) => run.id)),
  };
}
