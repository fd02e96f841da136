"""Logs: what a run's processes printed, searched and followed, across its ranks."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Final

import pyarrow as pa
import streamlit as st

from weir_dashboard import ansi, data, words
from weir_dashboard.views import states
from weir_store.console.base import LinesQuery, Stream
from weir_store.records import Run, RunQuery, RunState

_SHOWN: Final = 500
_MOST_RUNS: Final = 1_000
_LEVELS: Final = {"any": 0, "info": 20, "warning": 30, "error": 40}
_NEWEST, _OLDEST = "newest", "oldest"
_CSS: Final = """
<style>
.weir-log { font: 12px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; max-height: 68vh;
  overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; display: flex; }
.weir-log.newest { flex-direction: column-reverse; }
.weir-log div > div:hover { background: rgba(128,128,128,.12); }
.weir-log small { opacity: .55; font-size: inherit; user-select: none; }
.weir-log .stderr { border-left: 2px solid #d0402b; padding-left: 4px; }
.weir-log .logging { border-left: 2px solid #3b78d8; padding-left: 4px; }
.weir-log .stdout { border-left: 2px solid transparent; padding-left: 4px; }
</style>
"""


def show(run: Run) -> None:
    """Draw the controls and the lines; a running run's newest lines are followed."""
    query, everywhere = _controls(run)
    if everywhere:
        runs = states.value(data.ask().runs(RunQuery(run.project, limit=_MOST_RUNS, columns=())))
        query = replace(query, runs=tuple(each.ref for each in runs.runs))
    follow = run.state is RunState.RUNNING and query.newest
    st.fragment(_lines, run_every=2 if follow else None)(query, everywhere, follow)


def _controls(run: Run) -> tuple[LinesQuery, bool]:
    columns = st.columns([4, 2, 2, 1.2, 1.2, 1.4], vertical_alignment="bottom")
    with columns[0]:
        search = st.text_input(
            "Search", key="log_q", bind="query-params", placeholder="words that are in the line"
        )
    with columns[1]:
        ranks = st.multiselect(
            "Ranks",
            range(max(run.ranks, run.world_size, 1)),
            key="log_ranks",
            bind="query-params",
            placeholder="all",
        )
    with columns[2]:
        streams = st.multiselect(
            "Streams", list(Stream), key="log_streams", bind="query-params", placeholder="all"
        )
    with columns[3]:
        level = st.selectbox("Level", list(_LEVELS), key="log_level", bind="query-params")
    with columns[4]:
        end = st.selectbox("Show the", [_NEWEST, _OLDEST], key="log_end", bind="query-params")
    with columns[5]:
        everywhere = st.toggle(
            "in all runs", key="log_all", bind="query-params", help="of the project, newest first"
        )
    query = LinesQuery(
        (run.ref,),
        search=(search or "").strip(),
        ranks=tuple(ranks) or None,
        streams=tuple(streams),
        min_level=_LEVELS[level],
        limit=_SHOWN,
        newest=end == _NEWEST,
    )
    return query, everywhere


def _lines(query: LinesQuery, everywhere: bool, follow: bool) -> None:
    with states.failures():
        table = states.value(data.ask().nodes.lines(query))
        total = _total(query, table.num_rows)
    if not table.num_rows:
        st.caption(
            "no line matches"
            if query.search or query.ranks or query.streams or query.min_level
            else "nothing was printed yet, or `console` was switched off in the run's settings"
        )
        return
    end = "newest" if query.newest else "oldest"
    shown = f"the {end} {table.num_rows:,} of " if total > table.num_rows else ""
    st.caption(f"{shown}{words.count(total, 'line')}{' · following' if follow else ''}")
    st.html(_CSS + _block(table, everywhere, newest=query.newest))


def _total(query: LinesQuery, shown: int) -> int:
    """Count the lines that match; counting reads them all, so it is done only when more may match."""
    if shown < query.limit:
        return shown
    return max(shown, states.value(data.ask().nodes.count_lines(query)))


def _block(table: pa.Table, everywhere: bool, *, newest: bool) -> str:
    """Return lines as HTML; the newest are scrolled to by the order of a reversed column."""
    rows = "".join(_row(row, everywhere) for row in table.to_pylist())
    return f'<div class="weir-log {"newest" if newest else ""}"><div>{rows}</div></div>'


def _row(row: dict[str, object], everywhere: bool) -> str:
    when = words.instant(int(str(row["time_unix_us"]))).removesuffix(" UTC")
    where = f"{row['run_id']} r{row['rank']}" if everywhere else f"r{row['rank']}"
    title = escape(f"{row['node']} · {row['stream']} · {when} UTC")
    return (
        f'<div class="{row["stream"]}" title="{title}"><small>{when[11:]} {escape(where)} </small>'
        f"{ansi.to_html(str(row['line']))}</div>"
    )
