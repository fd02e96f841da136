"""Runs that were brushed, and what to do with them. What is brushed lives in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import streamlit as st

from weir_dashboard import compare_ranges, data, navigation, selection, words
from weir_dashboard.compare_columns import HOW, Column, Results, column, label, metric_of
from weir_dashboard.compare_ranges import Range
from weir_dashboard.selection import Selection
from weir_dashboard.views import pick, states
from weir_store.records import Run, RunRef

_RANGES: Final = "cmp_in"
_LASSO: Final = "cmp_run"
_CLEARED: Final = "cmp_cleared"
_LISTED: Final = 200


def ranges() -> dict[str, Range]:
    """Return the ranges that the address holds."""
    return compare_ranges.parse(st.query_params.get_all(_RANGES))


def lasso() -> frozenset[RunRef]:
    """Return the runs that a lasso caught; none = there was no lasso."""
    refs = (selection.parse_ref(text) for text in st.query_params.get_all(_LASSO))
    return frozenset(ref for ref in refs if ref)


def keep(changed: Mapping[str, Range | None], caught: Sequence[RunRef] = ()) -> None:
    """Put ranges into the address; None takes a range away. A lasso replaces the one before."""
    known = {**ranges(), **changed}
    _write(_RANGES, compare_ranges.build({n: r for n, r in known.items() if r is not None}))
    _write(_LASSO, [selection.format_ref(ref) for ref in caught])


def kept(columns: Sequence[Column], runs: Sequence[Run]) -> list[bool]:
    """Tell for each run whether it lies inside of everything that was brushed."""
    caught = lasso()
    inside = compare_ranges.inside(columns, ranges(), len(runs))
    if caught:
        inside &= np.array([run.ref in caught for run in runs], dtype=bool)
    return [bool(each) for each in inside]


def columns_of(names: Sequence[str], runs: Sequence[Run]) -> dict[str, Column]:
    """Read the columns of these names and of everything that is brushed."""
    wanted = list(dict.fromkeys([*names, *ranges()]))
    asked = [found for name in wanted if (found := metric_of(name))]
    results: Results = {}
    if asked:
        refs = [run.ref for run in runs]
        mean = any(how == HOW[-1] for _, how in asked)
        with states.loading():
            answer = data.ask().compare.results(refs, [metric for metric, _ in asked], mean=mean)
        results = states.value(answer)
    return {name: column(name, runs, results) for name in wanted}


def show(runs: Sequence[Run], inside: Sequence[bool], columns: Mapping[str, Column]) -> None:
    """Say what was brushed and lead on with these runs; nothing when nothing was brushed."""
    brushed = ranges()
    caught = lasso()
    if not brushed and not caught:
        st.caption("nothing chosen: drag over an axis, or a box or lasso over dots, to choose runs")
        return
    chosen = [run for run, each in zip(runs, inside, strict=True) if each]
    told = [compare_ranges.text(label(name), each) for name, each in sorted(brushed.items())]
    told += [f"a lasso of {len(caught):,}"] if caught else []
    st.markdown(
        f"**{len(chosen):,} of {words.count(len(runs), 'run')}** · " + words.plain("; ".join(told))
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        refs = tuple(run.ref for run in chosen)
        none = not chosen
        st.button(
            "Compare these",
            key="cmp_these",
            type="primary",
            disabled=none,
            on_click=_only,
            args=(refs,),
        )
        if st.button("Open in workspace", key="cmp_workspace", disabled=none):
            navigation.go("workspace", Selection(runs=refs))
        if st.button("Pick in the table", key="cmp_pick", disabled=none):
            pick.repick([], refs)
            project = chosen[0].project
            navigation.go("runs", Selection(project=project))
        st.button("Choose none", key="cmp_none", type="tertiary", on_click=_clear)
    _list(runs, [at for at, each in enumerate(inside) if each], columns)


def _list(runs: Sequence[Run], places: Sequence[int], columns: Mapping[str, Column]) -> None:
    """Say in a table what the picture says: for those who cannot see or drag it."""
    if not places:
        return
    with st.expander(f"Show the {words.count(len(places), 'run')} as a table"):
        listed = places[:_LISTED]
        rows = {
            "run": [runs[at].name or runs[at].run_id for at in listed],
            "project": [runs[at].project for at in listed],
            **{name: [each.texts[at] for at in listed] for name, each in columns.items()},
        }
        st.dataframe(rows, hide_index=True, key="cmp_list")
        if len(places) > _LISTED:
            st.caption(f"{_LISTED} of {len(places):,} are listed")


def times_cleared() -> int:
    """Count how often everything was let go: part of the key of charts that remember what was brushed."""
    return int(st.session_state.get(_CLEARED, 0))


def _only(refs: Sequence[RunRef]) -> None:
    """Compare these runs alone: the address names them, and nothing is brushed any more."""
    _clear()
    for key in ("project", "q"):
        _write(key, [])
    _write("run", [selection.format_ref(ref) for ref in refs])


def _clear() -> None:
    st.session_state[_CLEARED] = times_cleared() + 1
    _write(_RANGES, [])
    _write(_LASSO, [])


def _write(key: str, texts: Sequence[str]) -> None:
    if texts:
        st.query_params[key] = list(texts)
    elif key in st.query_params:
        del st.query_params[key]
