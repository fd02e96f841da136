"""Rows for every table that is exported, and two Weirs on one engine: one that has them, and a fresh one."""

from __future__ import annotations

import math
import struct
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

import weir
from tests.integration.fixtures_gateway import RunningGateway
from weir_server.gateway.export import export_service
from weir_server.stream.memory import MemoryStream
from weir_store.clickhouse import ClickHouse
from weir_store.export.base import of_artifacts, of_runs, stored_in, stored_shape
from weir_store.inserter import ClickHouseInserter
from weir_store.reader import ClickHouseReader
from weir_store.records import RunRef

BORN_US = 1_700_000_000_123_456
NAN_WITH_A_PAYLOAD = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_BEEF))[0]
VALUES = (0.1, -0.0, math.inf, -math.inf, NAN_WITH_A_PAYLOAD, 5e-324)
_WORDS = {
    "ns": "config", "type": "float", "severity": "warn", "account": "sent", "stream": "stdout",
    ("text_points", "kind"): "text", ("events", "kind"): "alert", ("ledger", "kind"): "points",
    ("ledger_changes", "kind"): "points", ("dead_letters", "state"): "kept",
    ("artifact_versions", "state"): "live", ("sessions", "state"): "finished",
    ("aliases", "kind"): "artifact",
}  # fmt: skip


def rows_of(table: str, run: RunRef, count: int = 6) -> pa.Table:
    """Return rows as they are stored, of a table of runs or artifacts; every column says something."""
    shape = stored_shape(table)
    columns = [
        pa.array(
            [_value(table, field, run, n) for n in range(count)],
            field.type.value_type if pa.types.is_dictionary(field.type) else field.type,
        ).cast(field.type)
        for field in shape
    ]
    return pa.table(columns, schema=shape)


def _value(table: str, field: pa.Field, run: RunRef, n: int) -> Any:
    known = {
        "project": run.project, "artifact_project": run.project, "run_id": run.run_id,
        "parent_run_id": "", "created_at": BORN_US, "is_deleted": 0, "run_date": 19_700,
        "name": "weights", "artifact": "weights", "model": "best", "digest": "d" * 64,
        "version": 3, "artifact_version": 3, "is_output": 1, "sha256": "", "rewrite": n % 2,
    }  # fmt: skip
    if (word := _WORDS.get((table, field.name), _WORDS.get(field.name))) is not None:
        return word
    if field.name in known and not (table == "ledger" and field.name == "digest"):
        return 0 if table == "ledger_changes" and "digest" in field.name else known[field.name]
    return _by_type(field, n)


def _by_type(field: pa.Field, n: int) -> Any:
    kind = field.type
    if kind == pa.binary(16):
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{field.name}{n}").bytes
    if pa.types.is_map(kind):
        return [("k", f"v{n}"), ("ü", "")]
    if pa.types.is_list(kind):
        return ["a", f"b{n}"]
    if pa.types.is_floating(kind):
        return VALUES[n % len(VALUES)]
    if pa.types.is_binary(kind):
        return bytes([0xFF, n, 0x00])
    if pa.types.is_timestamp(kind):
        return BORN_US // (1 if kind.unit == "us" else 1_000) + n
    if pa.types.is_integer(kind):
        return n + 1
    return f"{field.name} ü {n}"


def fill(connection: ClickHouse, database: str, run: RunRef, *, artifacts: bool = False) -> None:
    """Store rows in every table that belongs to a run."""
    inserter = ClickHouseInserter(connection, database)
    for table in (*(of_artifacts() if artifacts else ()), *of_runs()):
        if stored_in(table) == table:
            inserter.insert({table: rows_of(table, run)}, uuid.uuid4().hex)


def stored(connection: ClickHouse, database: str, table: str, run: RunRef) -> list[tuple[Any, ...]]:
    """Return a run's rows as they lie, bit for bit."""
    columns = ", ".join(
        f"reinterpretAsUInt64({f.name})" if pa.types.is_floating(f.type) else f"toString({f.name})"
        for f in stored_shape(table)
        if f.name not in ("project", "run_id", "artifact_project")
    )
    return sorted(
        connection.query_rows(
            f"SELECT {columns} FROM {database}_raw.{table} FINAL"
            f" WHERE project = '{run.project}'"
            + (f" AND run_id = '{run.run_id}'" if "run_id" in stored_shape(table).names else "")
        )
    )


@contextmanager
def exporting(
    connection: ClickHouse, database: str, tokens_file: Path | None = None
) -> Iterator[RunningGateway]:
    """Run a gateway that exports from a database and imports into it."""
    inserter = ClickHouseInserter(connection, database)
    gateway = RunningGateway(
        MemoryStream(shards=1, max_bytes=1 << 20).appender,
        reader=ClickHouseReader(connection, database),
        services=lambda auth: [export_service(connection, database, inserter, auth)],
        **({"tokens_file": tokens_file} if tokens_file else {}),
    )
    try:
        yield gateway
    finally:
        gateway.stop()


@contextmanager
def api_of(connection: ClickHouse, database: str) -> Iterator[weir.Api]:
    """Lend an api to such a gateway."""
    with exporting(connection, database) as gateway, weir.Api(gateway.address) as api:
        yield api
