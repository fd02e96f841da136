"""Kept tables brought back into a ClickHouse, and everything a reader says about them."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from string import Template
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa

from tests.integration.fixtures_engine import EngineProcess
from weir_store.clickhouse import connect
from weir_store.migrate import migrate
from weir_store.reader import ClickHouseReader
from weir_store.records import RunQuery, RunRef, SeriesQuery

RUN = RunRef("vision", "m2x8c4q1zz")


def restore_tables(engine: EngineProcess, folder: Path) -> str:
    """Make the tables as they were made then, fill them, and bring them to this release.

    Returns:
        The database's name.
    """
    database = f"kept{uuid4().hex[:8]}"
    client = engine.client()
    client.command(f"CREATE DATABASE {database}_raw")
    text = Template((folder / "tables.sql").read_text()).safe_substitute(db=f"{database}_raw")
    for statement in text.split(";\n"):
        if statement.strip():
            client.command(statement)
    for number, name, sha256 in json.loads((folder / "migrations.json").read_text()):
        client.command(
            f"INSERT INTO {database}_raw.schema_versions (number, name, sha256)"
            f" VALUES ({number}, '{name}', '{sha256}')"
        )
    for path in sorted(folder.glob("*.native")):
        # Views fill some of these too: their aggregates do not mind a row twice.
        client.raw_insert(
            f"{database}_raw.{path.stem}", insert_block=path.read_bytes(), fmt="Native"
        )
    clickhouse = connect(engine.url)
    migrate(clickhouse, database)
    clickhouse.close()
    return database


def answers(engine: EngineProcess, database: str) -> dict[str, Any]:
    """Return what the reader says of the kept run, as JSON knows it."""
    clickhouse = connect(engine.url)
    try:
        reader = ClickHouseReader(clickhouse, database)
        told = {
            "projects": reader.list_projects(),
            "runs": reader.list_runs(RunQuery(project=RUN.project)),
            "run": reader.get_run(RUN),
            "sessions": reader.list_sessions(RUN),
            "events": reader.list_events(RUN),
            "metrics": reader.list_metrics([RUN]),
            "series": reader.read_series(SeriesQuery((RUN,), ("loss", "val/acc"))),
            "thinned": reader.read_series(SeriesQuery((RUN,), ("loss",), max_points=2)),
            "text": reader.read_text(RUN, "sample"),
            "media": reader.read_media(RUN, "image"),
            "latest": reader.read_latest([RUN]),
            "comparison": reader.compare_runs([RUN]),
            "ledger": reader.read_ledger(RUN),
        }
        return {name: _plain(answer) for name, answer in told.items()}
    finally:
        clickhouse.close()


def is_within(kept: Any, now: Any) -> bool:
    """Whether all that was said then is still said; more may be said now."""
    if isinstance(kept, dict):
        return isinstance(now, dict) and all(
            k in now and is_within(v, now[k]) for k, v in kept.items()
        )
    if isinstance(kept, list):
        return isinstance(now, list) and len(now) == len(kept) and all(map(is_within, kept, now))
    return bool(kept == now)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, pa.Table):
        return _plain(value.to_pylist())
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (UUID, datetime, date)):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(map(_plain, value))
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(item) for item in value]
    return value.hex() if isinstance(value, bytes) else value
