"""SQL: write a statement over the views, look at the answer, draw it, take it away, share it."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

import streamlit as st

from weir_dashboard import data, statement, words
from weir_dashboard.asking import Asking
from weir_dashboard.component.sql_desk import sql_desk
from weir_dashboard.views import sql_answer, states
from weir_store.errors import StoreUnavailable

_ASKED: Final = "sql_asked"  # the Asking that is on its way, or was shown last
_GOOD: Final = "sql_good"  # the last one with an answer
_VERSION: Final = "sql_version"
_ASKER: Final = "sql_asker"
_QUICK_S: Final = 0.4  # answers as fast as this come without a word about waiting


def render() -> None:
    """Show the desk, and the answer to what the address asks."""
    if not data.ask().sql.offered:
        st.info("This dashboard was started without SQL.", icon=":material/database_off:")
        return
    with states.failures(), states.loading():
        views = data.ask().sql.views()
    asked = statement.parse(_query())
    typed = sql_desk(asked, _version(asked), views, key="sql_desk")
    if typed:
        _show_in_address(typed)
        asked = typed
    if not asked:
        st.caption(
            "Every view has the column `project`; what each column says is on the left."
            " The same statements work in `weir sql`, in `weir.Api().sql()` and in rules."
        )
        return
    values = _values(asked)
    if values is None:
        return
    _answer(_asking(asked, values, again=bool(typed)))


def _query() -> dict[str, list[str]]:
    return {key: st.query_params.get_all(key) for key in st.query_params}


def _version(asked: str) -> int:
    """A statement that came by address, not from the desk, is put into the desk."""
    text, version = _known()
    if text != asked:
        version += 1
        st.session_state[_VERSION] = (asked, version)
    return version


def _known() -> tuple[str, int]:
    """Return the statement that the desk holds as far as we know, and its version."""
    known: tuple[str, int] = st.session_state.get(_VERSION, ("", 0))
    return known


def _show_in_address(typed: str) -> None:
    """Write the statement into the address: the link is the view. The desk has it already."""
    for key in ("sql", "sqlz"):
        if key in st.query_params:
            del st.query_params[key]
    for key, texts in statement.build(typed).items():
        st.query_params[key] = texts
    st.session_state[_VERSION] = (typed, _known()[1])


def _values(asked: str) -> dict[str, str] | None:
    """Ask for the values of parameters; None while one is missing."""
    wanted = statement.parameters(asked)
    if not wanted:
        return {}
    given: dict[str, str] = {}
    columns = st.columns(max(4, len(wanted)))
    for column, (name, kind) in zip(columns, wanted.items(), strict=False):
        label = f"{name}  ·  {kind}"
        key = statement.value_key(name)
        given[name] = column.text_input(label, key=key, bind="query-params") or ""
    missing = [name for name, value in given.items() if not value]
    if missing:
        st.info(f"Give a value for {', '.join(missing)}.", icon=":material/edit:")
        return None
    return given


def _asking(asked: str, values: dict[str, str], *, again: bool) -> Asking:
    """Return what is on its way for this statement, or was shown; ask when there is nothing, or again."""
    known: Asking | None = st.session_state.get(_ASKED)
    if known is not None and not again and _is_of(known, asked, values):
        return known
    if known is not None:
        known.cancel()
    asker = st.session_state.setdefault(_ASKER, f"{data.ask().me.by} {uuid4().hex[:8]}")
    fresh = data.ask().sql.start(asked, values, asker)
    st.session_state[_ASKED] = fresh
    return fresh


def _is_of(asking: Asking, asked: str, values: dict[str, str]) -> bool:
    return asking.question.text == asked and dict(asking.question.parameters) == values


def _answer(asking: Asking) -> None:
    if not asking.wait(_QUICK_S):
        _wait(asking)
        return
    if asking.cancelled:
        st.info("Cancelled.", icon=":material/cancel:")
        _again()
        return
    if asking.error is not None:
        _failed(asking)
        return
    st.session_state[_GOOD] = asking
    sql_answer.show(asking)


@st.fragment(run_every=0.5)
def _wait(asking: Asking) -> None:
    """Look whether the answer is there; the page waits, nobody else does."""
    if asking.done:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"asking for {asking.took_s:.0f} s · {asking.rows:,} rows so far")
        if st.button("Cancel", key="sql_cancel"):
            asking.cancel()
            st.rerun()


def _failed(asking: Asking) -> None:
    """Say why there is no answer; the last good one stays, with its time."""
    if isinstance(asking.error, StoreUnavailable):
        st.error("The store does not answer. Training goes on and keeps its points until it does.")
    st.error(words.plain(str(asking.error)), icon=":material/error:")
    _again()
    good: Asking | None = st.session_state.get(_GOOD)
    if good is not None:
        sql_answer.show(good, old=True)


def _again() -> None:
    if st.button("Ask again", key="sql_again"):
        st.session_state.pop(_ASKED, None)
        st.rerun()
