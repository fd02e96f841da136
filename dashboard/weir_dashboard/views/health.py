"""Health: does everything come, is everything kept, how much room is left — of this Weir itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import pandas as pd
import streamlit as st

from weir_dashboard import data, health, health_tables, theme, units, words
from weir_dashboard.health import Finding, Level, Part, Seen
from weir_dashboard.last_good import Answer
from weir_dashboard.views import health_nodes, states
from weir_store.errors import StoreError
from weir_store.health.base import Book, DeadReason, Loss, NodeHeard, StoreState

T = TypeVar("T")

_EVERY_S: Final = 5
_ROW_PX: Final = 31
_MOST_PX: Final = 330
_SHOWN_FINDINGS: Final = 8
_ICONS: Final = {
    Level.ACT: ":red[**✕**]",
    Level.WATCH: ":orange[**▲**]",
    Level.FINE: ":green[**✓**]",
}
_SETTING: Final = "dashboard.metrics"


def render() -> None:
    """Show how this Weir fares."""
    if not data.ask().health.offered:
        st.html(theme.head("Health"))
        st.info(
            "This dashboard was started without what says how Weir fares.", icon=":material/info:"
        )
        return
    st.fragment(_page, run_every=_EVERY_S)()


def _page() -> None:
    asked = data.ask().health
    problems: dict[str, str] = {}
    with states.failures():
        books = states.value(asked.books())  # of all that is asked, the one nothing can do without
    nodes: list[NodeHeard] = _or_none("nodes", asked.nodes, problems) or []
    dead: list[DeadReason] = _or_none("dead letters", asked.dead, problems) or []
    losses: list[Loss] = _or_none("losses", asked.losses, problems) or []
    store = _or_none("the store", asked.store, problems) if asked.whole else None
    parts = asked.parts()
    seen = Seen(parts, books, dead, nodes, store.disks if store else (), time.time(), problems)
    _head(health.findings(seen), parts)
    _figures(parts, books, store)
    _parts(parts)
    _books(books, losses, dead)
    health_nodes.show(nodes)
    if store:
        _store(store)


def _or_none(name: str, ask: Callable[[], Answer[T]], problems: dict[str, str]) -> T | None:
    """Return an answer; where there is none, say why and go on with the rest of the page."""
    try:
        return ask().value
    except StoreError as error:
        problems[name] = str(error)
        return None


def _head(found: Sequence[Finding], parts: Sequence[Part]) -> None:
    releases = sorted({part.label("weir_build_info", "version") for part in parts} - {""})
    facts = {"release": ", ".join(releases), "looked at": words.instant(int(time.time() * 1e6))}
    st.html(theme.head("Health", facts))
    if not found:
        st.markdown(f"{_ICONS[Level.FINE]} Everything that was looked at is well.")
    for one in found[:_SHOWN_FINDINGS]:
        advice = f" — {one.advice}" if one.advice else ""
        st.markdown(f"{_ICONS[one.level]} {words.plain(one.text)}{advice}")
    if len(found) > _SHOWN_FINDINGS:
        st.caption(f"and {len(found) - _SHOWN_FINDINGS:,} more")


def _figures(parts: Sequence[Part], books: Sequence[Book], store: StoreState | None) -> None:
    asked = data.ask().health
    looks = asked.looks() if asked.whole else []
    lost = sum(book.lost for book in books)
    lag_s = health.lag_s(parts)
    figures = [
        _rate("Accepted", looks, "accepted"),
        _rate("Stored", looks, "stored"),
        ("Waiting for the writer", "—" if math.isnan(lag_s) else f"{lag_s:.2f} s", []),
        ("Newest frame accepted", _newest(), []),
        ("Lost", f"{lost:,}", []),
        ("Room left", _room(store), []),
    ]
    st.html(theme.figures(figures))


def _rate(name: str, looks: Sequence[health.Look], of: str) -> tuple[str, str, list[float]]:
    found = [value for _, value in health.rates(looks, of)]
    text = f"{words.number(found[-1])} /s" if found else "—"
    return f"{name}, points", text, found if len(found) > 1 else []


def _newest() -> str:
    if not data.ask().health.whole:
        return "—"
    try:
        return words.ago(data.ask().health.accepted_unix_us().value, time.time())
    except StoreError:
        return "—"


def _room(store: StoreState | None) -> str:
    disks = store.disks if store else ()
    least = min(disks, key=lambda one: one.free_bytes / max(1, one.total_bytes), default=None)
    return units.size(least.free_bytes) if least else "—"


def _parts(parts: Sequence[Part]) -> None:
    st.html(theme.head("Parts", {"": words.count(len(parts), "process", "processes")}, level=2))
    if not data.ask().health.whole:
        st.caption("Processes and the store as a whole are shown to who may see every project.")
    elif not parts:
        st.caption(
            f"Nobody said where the others show /metrics, so rates, lag and the stream are not known here: set"
            f" `{_SETTING}`, e.g. `gateway=http://gateway:7710/metrics,writer=http://writer:7711/metrics`."
        )
    else:
        _table(health_tables.parts(parts, time.time()), "health_parts")
        shards = health.shards(parts)
        if shards:
            st.html(theme.head("Stream", {"": words.count(len(shards), "shard")}, level=2))
            _table(health_tables.shards(shards), "health_shards")


def _books(books: Sequence[Book], losses: Sequence[Loss], dead: Sequence[DeadReason]) -> None:
    sent, lost = sum(book.sent for book in books), sum(book.lost for book in books)
    st.html(theme.head("Ledger", {"sent": f"{sent:,}", "lost": f"{lost:,}"}, level=2))
    if not books:
        st.caption("Nobody has sent anything yet.")
        return
    st.caption(
        "What clients say they sent, and what is known to be lost of it, over all runs. Whether the rest is stored,"
        " once and unchanged, is counted for each run on its Ledger tab, or by `weir verify`."
    )
    _table(health_tables.books(books), "health_books")
    if losses:
        st.caption(f"{words.count(len(losses), 'run')} lost something, the most first")
        _table(health_tables.losses(losses), "health_losses", column_config=health_tables.LINK)
    if dead:
        st.html(theme.head("Dead letters", {"": f"{sum(d.letters for d in dead):,}"}, level=2))
        st.caption(
            "Set aside with their reason; `weir deadletter list` shows them, `retry` stores them after all."
        )
        _table(health_tables.dead(dead), "health_dead")


def _store(store: StoreState) -> None:
    size = sum(table.bytes for table in store.tables)
    facts = {
        "ClickHouse": store.version,
        "up for": words.span(store.uptime_s),
        "schema": store.schema,
        "size": units.size(size),
        "parts": f"{sum(table.parts for table in store.tables):,}",
    }
    st.html(theme.head("Store", facts, level=2))
    left, right = st.columns([3, 2])
    with left:
        _table(health_tables.sizes(store.tables), "health_tables")
    with right:
        if store.disks:
            _table(
                health_tables.disks(store.disks), "health_disks", column_config=health_tables.LEFT
            )
    st.caption("As the server that answered sees itself.")


def _table(frame: pd.DataFrame, key: str, **more: Any) -> None:
    height = min(38 + _ROW_PX * len(frame), _MOST_PX)
    more["column_config"] = health_tables.NUMBERS | more.get("column_config", {})
    st.dataframe(frame, hide_index=True, height=height, row_height=_ROW_PX, key=key, **more)
