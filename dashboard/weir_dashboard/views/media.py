"""Media: what a run logged beside numbers, one row per name, at a step one can slide."""

from __future__ import annotations

from typing import Final

import streamlit as st

from weir_dashboard import data, media_picture, theme, words
from weir_dashboard.data_media import LISTED_POINTS
from weir_dashboard.media_points import Shown, mapping_in, pages_of, ranks_in, shown_at, steps_of
from weir_dashboard.views import media_view, states
from weir_dashboard.views.media_view import Look
from weir_store.records import Run

_NAMES_PER_PAGE: Final = 6
_SHOWN_AT_ONCE: Final = 24
_SMALL: Final = frozenset({"image"})  # several of them stand side by side
_ACROSS: Final = 4


def show(run: Run) -> None:
    """Draw the media of a run."""
    names = states.value(data.ask().media.names(run.ref))
    if not names:
        st.caption("this run logged no media")
        st.code('run.log({"sample": weir.Image(array, caption="epoch 3")})', width=640)
        return
    for name in _chosen(names):
        with st.container(border=True):
            _row(run, name)


def _chosen(names: list[str]) -> list[str]:
    """Let the user search and turn pages; returns the names of this page."""
    if len(names) <= _NAMES_PER_PAGE:
        return names
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        search = st.text_input(
            "Find", key="media_q", placeholder="part of a name", label_visibility="collapsed"
        )
    found = [name for name in names if (search or "").strip().lower() in name.lower()]
    pages = pages_of(len(found), _NAMES_PER_PAGE)
    with right:
        page = st.number_input(f"Page of {pages}", 1, pages, key=f"media_p{pages}")
    if not found:
        st.caption("no media has such a name")
    return found[(page - 1) * _NAMES_PER_PAGE : page * _NAMES_PER_PAGE]


def _row(run: Run, name: str) -> None:
    points = states.value(data.ask().media.points(run.ref, name))
    steps = steps_of(points)
    if not steps:
        return
    step = _step(name, steps)
    shown = shown_at(points, step)
    facts = {"step": f"{step:,}", "": _how_many(shown)}
    if points.num_rows == LISTED_POINTS:
        facts[" "] = f"the first {LISTED_POINTS:,} points"
    st.html(theme.head(name, facts, level=2))
    ranks = ranks_in(shown)
    if len(ranks) > 1:
        rank = st.segmented_control(
            "rank", ["all", *map(str, ranks)], default="all", key=f"media_r/{name}"
        )
        shown = [one for one in shown if rank in (None, "all", str(one.rank))]
    _grid(run.project, name, shown[:_SHOWN_AT_ONCE], _look(name, shown))
    if len(shown) > _SHOWN_AT_ONCE:
        st.caption(f"{_SHOWN_AT_ONCE} of {len(shown)} values")


def _step(name: str, steps: list[int]) -> int:
    """Let the user slide; who stays at the newest step follows the run."""
    if len(steps) == 1:
        return steps[0]
    key, newest_key = f"media_s/{name}", f"media_n/{name}"
    chosen = st.session_state.get(key)
    if chosen not in steps or chosen == st.session_state.get(newest_key):
        st.session_state[key] = steps[-1]
    st.session_state[newest_key] = steps[-1]
    return int(
        st.select_slider(
            f"step of {name}",
            steps,
            key=key,
            format_func="{:,}".format,
            label_visibility="collapsed",
        )
    )


def _how_many(shown: list[Shown]) -> str:
    kinds = {one.type for one in shown}
    kind = kinds.pop() if len(kinds) == 1 else "value"
    return words.count(len(shown), kind)


def _look(name: str, shown: list[Shown]) -> Look:
    """Let the user choose what is drawn over pictures, where there is anything to draw."""
    masks = sorted({mask for one in shown for mask in mapping_in(one.facts, "masks")})
    boxes = any(one.facts.get("boxes") or one.facts.get("extra") for one in shown)
    small = len(shown) > 1
    if not (masks or boxes):
        return Look(small=small)
    left, middle, right = st.columns([1, 2, 2], vertical_alignment="bottom")
    least = 0.0
    with left:
        on = st.toggle("boxes", value=True, key=f"media_b/{name}") if boxes else False
    with middle:
        drawn = (
            st.pills("masks", masks, selection_mode="multi", default=masks, key=f"media_m/{name}")
            if masks
            else []
        )
    with right:
        if on and media_picture.has_scores([one.facts for one in shown]):
            least = st.slider("score from", 0.0, 1.0, 0.0, 0.05, key=f"media_c/{name}")
    return Look(boxes=on, masks=tuple(drawn), least_score=least, small=small)


def _grid(project: str, name: str, shown: list[Shown], look: Look) -> None:
    across = min(len(shown), _ACROSS) if all(one.type in _SMALL for one in shown) else 1
    several_ranks = len(ranks_in(shown)) > 1
    columns = st.columns(max(1, across))
    for at, one in enumerate(shown):
        with columns[at % max(1, across)]:
            if several_ranks:
                st.caption(f"rank {one.rank}")
            media_view.show(project, one, f"media/{name}/{one.rank}/{one.index}", look)
