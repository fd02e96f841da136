"""The tables of the health page as data frames. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from weir_dashboard import units, words
from weir_dashboard.health import Part
from weir_dashboard.rule_words import run_link
from weir_store.health.base import Book, DeadReason, Disk, Loss, NodeHeard, TableSize

LINK: Final = {"run": st.column_config.LinkColumn("run", display_text=r"#(.*)$")}
NUMBERS: Final = {
    name: st.column_config.NumberColumn(name, format="localized")
    for name in (
        "sent", "rows", "parts", "frames", "entries waiting", "dropped by clients", "refused by the gateway",
        "dead letters", "frames that never came", "no value (not sent)",
    )
}  # fmt: skip
LEFT: Final = {"free": st.column_config.ProgressColumn("free", format="percent")}
BEHIND: Final = "behind"


def parts(found: Sequence[Part], now_unix_s: float) -> pd.DataFrame:
    """List the processes that show /metrics."""
    return pd.DataFrame(
        {
            "part": [part.name for part in found],
            "answers": ["✕ " + part.problem if part.problem else "✓" for part in found],
            "release": [part.label("weir_build_info", "version") for part in found],
            "up for": [_up(part, now_unix_s) for part in found],
            "memory": [_or_blank(part, "process_resident_memory_bytes") for part in found],
            "does": [_does(part) for part in found],
            "address": [part.url for part in found],
        }
    )


def shards(found: Sequence[tuple[str, int, int, float, str]]) -> pd.DataFrame:
    """List the shards of the stream."""
    return pd.DataFrame(
        {
            "shard": [shard for shard, *_ in found],
            "entries waiting": [entries for _, entries, _, _, _ in found],
            "bytes": [units.size(size) for _, _, size, _, _ in found],
            "oldest": [f"{lag:.2f} s" for _, _, _, lag, _ in found],
            "written by": [writer or "nobody" for _, _, _, _, writer in found],
        }
    )


def books(found: Sequence[Book]) -> pd.DataFrame:
    """List the accounts by kind of thing."""
    return pd.DataFrame(
        {
            "what": [book.kind.value for book in found],
            "sent": [book.sent for book in found],
            "dropped by clients": [book.dropped for book in found],
            "refused by the gateway": [book.rejected for book in found],
            "dead letters": [book.dead for book in found],
            "frames that never came": [book.gap_frames for book in found],
            "no value (not sent)": [book.refused for book in found],
        }
    )


def losses(found: Sequence[Loss]) -> pd.DataFrame:
    """List the runs that lost something."""
    return pd.DataFrame(
        {
            "run": [run_link(one.ref.project, one.ref.run_id) for one in found],
            "project": [one.ref.project for one in found],
            "dropped by clients": [one.dropped for one in found],
            "refused by the gateway": [one.rejected for one in found],
            "dead letters": [one.dead for one in found],
            "frames that never came": [one.gap_frames for one in found],
        }
    )


def dead(found: Sequence[DeadReason]) -> pd.DataFrame:
    """List why frames could not be stored."""
    return pd.DataFrame(
        {
            "project": [one.project for one in found],
            "frames": [one.letters for one in found],
            "why": [one.reason for one in found],
            "newest": [words.instant(one.newest_unix_us) for one in found],
        }
    )


def nodes(found: Sequence[NodeHeard], now_unix_s: float) -> pd.DataFrame:
    """List the nodes that run something, the longest silent first."""
    return pd.DataFrame(
        {
            "node": [one.node for one in found],
            "state": [_node_state(one) for one in found],
            "last heard": [words.ago(one.heard_unix_us, now_unix_s) for one in found],
            BEHIND: [_behind(one.behind_s) for one in found],
            "runs": [one.runs for one in found],
            "processes": [one.processes for one in found],
        }
    )


def sizes(found: Sequence[TableSize]) -> pd.DataFrame:
    """List the tables, largest first."""
    return pd.DataFrame(
        {
            "table": [one.name for one in found],
            "rows": [one.rows for one in found],
            "size": [units.size(one.bytes) for one in found],
            "parts": [one.parts for one in found],
            "bytes a row": [
                words.number(one.bytes / one.rows) if one.rows and one.bytes else ""
                for one in found
            ],
        }
    )


def disks(found: Sequence[Disk]) -> pd.DataFrame:
    """List the disks of the store."""
    return pd.DataFrame(
        {
            "disk": [one.name for one in found],
            "left": [units.size(one.free_bytes) for one in found],
            "of": [units.size(one.total_bytes) for one in found],
            "free": [one.free_bytes / max(1, one.total_bytes) for one in found],
            "path": [one.path for one in found],
        }
    )


def _up(part: Part, now_unix_s: float) -> str:
    started = part.total("process_start_time_seconds")
    return words.span(now_unix_s - started) if started else ""


def _or_blank(part: Part, name: str) -> str:
    size = part.total(name)
    return units.size(size) if size else ""


def _does(part: Part) -> str:
    """Say what a part has under way, by what it is called."""
    if part.problem:
        return ""
    if part.name.startswith("gateway"):
        streams = words.count(int(part.total("weir_ingest_streams")), "stream")
        refused = part.total("weir_ingest_points_total", outcome="rejected")
        return f"{streams}" + (f", {refused:,.0f} points refused" if refused else "")
    if part.name.startswith("writer"):
        held = words.count(int(part.total("weir_writer_lease")), "shard")
        tries = part.total("weir_writer_retries_total")
        return f"{held}, {_mean(part, 'weir_writer_insert_seconds')} an insert" + (
            f", {tries:,.0f} tried again" if tries else ""
        )
    if part.name.startswith("rules"):
        waiting = words.count(
            int(part.total("weir_rules_deliveries_waiting")), "delivery", "deliveries"
        )
        return (
            f"{words.count(int(part.total('weir_rules_alerts_total')), 'alert')}, {waiting} waiting"
        )
    if part.name.startswith("engine"):
        failed = part.total("weir_engine_failures_total")
        return f"{_mean(part, 'weir_engine_seconds')} a statement" + (
            f", {failed:,.0f} failed" if failed else ""
        )
    return ""


def _mean(part: Part, histogram: str) -> str:
    count = part.total(f"{histogram}_count")
    return f"{part.total(f'{histogram}_sum') / count * 1e3:.0f} ms" if count else "—"


def _node_state(one: NodeHeard) -> str:
    if one.silent == one.processes:
        return "◌ silent"
    return f"◌ {one.silent} of {one.processes} silent" if one.silent else "● running"


def _behind(seconds: float | None) -> str:
    if seconds is None or not math.isfinite(seconds):
        return "not measured"
    return words.span(seconds) if seconds >= 1 else "< 1 s"
