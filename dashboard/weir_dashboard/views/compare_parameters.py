"""Hyper-parameters: parallel coordinates to brush, and which parameters a metric depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from weir_dashboard import (
    compare_columns,
    compare_importance,
    compare_parallel,
    data,
    theme,
    words,
)
from weir_dashboard.compare_columns import HOW, Column, label
from weir_dashboard.compare_importance import Importance
from weir_dashboard.compare_scatter import lacking
from weir_dashboard.compare_seeds import is_seed
from weir_dashboard.component.parallel_axes import parallel_axes
from weir_dashboard.views import compare_chosen, compare_results, states
from weir_store.records import Run

_AXES_AT_FIRST: Final = 7
_METHOD: Final = (
    "Importance: how much worse a model predicts the metric of runs it never saw when a parameter is"
    " scrambled (permutation importance, Gaussian process over ranks, pairs of parameters included,"
    " each run left out in turn). It says what the metric depends on among these runs, not what causes"
    " it; parameters that were varied together share. Correlation is Spearman's, of numbers alone."
)


def show(runs: Sequence[Run]) -> None:
    """Draw the axes, what is brushed, and the importance of what is on the axes."""
    metrics = offered_metrics(runs)
    telling = compare_columns.telling_config(runs)
    every = [name for name in compare_columns.offered(runs, ()) if name.startswith("config.")]
    left, right = st.columns([5, 3], vertical_alignment="bottom")
    with left:
        asked = st.query_params.get_all("cmp_axes")
        chosen = st.multiselect(
            "Parameters",
            list(dict.fromkeys([*telling, *every, *asked])),
            key="cmp_axes",
            bind="query-params",
            max_selections=compare_parallel.MOST_AXES,
            placeholder="chosen for you: what differs between these runs",
        )
    with right:
        metric = choose_metric("Metric", "cmp_y", metrics)
    first = [name for name in telling if not is_seed(name.partition(".")[2])] or telling
    names = chosen or first[:_AXES_AT_FIRST]
    if not names:
        st.info("The config of these runs does not differ.", icon=":material/equal:")
        return
    found = compare_chosen.columns_of([*names, *([metric] if metric else [])], runs)
    axes = [found[name] for name in names]
    last = found[metric] if metric else None
    inside = compare_chosen.kept([*found.values()], runs)
    spec = compare_parallel.spec(axes, last, runs, compare_chosen.ranges(), inside)
    parallel_axes(
        spec, lambda name, low, high: _brushed(found, name, low, high), key="cmp_parallel"
    )
    st.caption(_honestly(runs, axes, last, len(first) - len(names) if not chosen else 0))
    compare_chosen.show(runs, inside, found)
    if last is not None:
        _importance(axes, last)


def offered_metrics(runs: Sequence[Run]) -> list[str]:
    """List reductions of the metrics that these runs have, the likeliest first."""
    page = states.value(data.ask().metrics([run.ref for run in runs]))
    names = [metric.name for metric in page.metrics]
    first = compare_results.first_metrics(names, {})
    hows = HOW if data.ask().compare.has_means else HOW[:-1]
    return [f"metric.{name}@{how}" for name in dict.fromkeys([*first, *names]) for how in hows]


def choose_metric(title: str, key: str, options: Sequence[str]) -> str:
    """Let the user choose a reduction of a metric; "" when there is none."""
    asked = st.query_params.get(key, "")
    every = list(dict.fromkeys([*options, *([asked] if asked else [])]))
    if not every:
        return ""
    chosen: str = st.selectbox(title, every, key=key, bind="query-params")
    return chosen


def _brushed(columns: Mapping[str, Column], name: str, low: float, high: float) -> None:
    if name in columns:
        range_ = compare_parallel.brushed(columns[name], low, high) if low >= 0 else None
        compare_chosen.keep({name: range_}, tuple(compare_chosen.lasso()))


def _honestly(runs: Sequence[Run], axes: Sequence[Column], metric: Column | None, more: int) -> str:
    parts = [words.count(len(runs), "run")]
    parts += [
        f"{label(each.name)}: {lacking(each)}"
        for each in (*axes, *([metric] if metric else []))
        if lacking(each)
    ]
    if more > 0:
        parts.append(f"{more:,} more parameters differ: choose them above")
    return words.plain(" · ".join(parts)) + " · lines below the axes have no value there"


def _importance(axes: Sequence[Column], metric: Column) -> None:
    st.html(theme.head("Importance", {"for": label(metric.name)}, level=2))
    with states.loading(120):
        found = data.ask().compare.derived(
            _digest(axes, metric), lambda: compare_importance.importance(axes, metric)
        )
    if found.reason:
        st.info(f"No importance: {found.reason}.", icon=":material/info:")
    if found.weights:
        _weights(found)
    st.caption(_METHOD)


def _weights(found: Importance) -> None:
    shown = pd.DataFrame(
        {
            "parameter": [label(each.name) for each in found.weights],
            "importance": [100 * each.share for each in found.weights],
            "correlation": [
                "–" if np.isnan(each.correlation) else f"{each.correlation:+.2f}"
                for each in found.weights
            ],
        }
    )
    if found.reason:
        shown = shown.drop(columns="importance")
    else:
        drawn = (
            f"{found.runs:,} runs"
            if found.runs == found.of
            else f"{found.runs:,} of {found.of:,} runs"
        )
        told = (
            f"the parameters predict **{found.explained:.0%}** of the differences between {drawn}"
        )
        st.markdown(
            told
            + (" · few runs for so many parameters: take this as a guess" if found.guess else "")
        )
    st.dataframe(
        shown,
        hide_index=True,
        width=760,
        column_config={
            "importance": st.column_config.ProgressColumn(
                format="%.0f %%", min_value=0, max_value=100
            )
        },
        key="cmp_weights",
    )


def _digest(axes: Sequence[Column], metric: Column) -> str:
    digest = blake2b(digest_size=16)
    for each in (*axes, metric):
        digest.update(repr((each.name, each.categories)).encode())
        digest.update(each.numbers.tobytes())
    return digest.hexdigest()
