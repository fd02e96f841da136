// From a chart of the wall to the page that puts it into a report. Pure.

/** The address of that page; `search` is the view's, without `?`. */
export function reportAddress(metric, project, search) {
  return `/reports?${new URLSearchParams([["project", project], ["metric", metric], ["add", search]])}`;
}
