"""Config, metadata, summary and files of several runs side by side. Pure: runs in, table out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import pyarrow as pa

from weir_store.records import Json, Run, Scalar

KINDS = {"config": "config", "meta": "meta", "summary": "summary", "file": "files"}
"""What is compared, and the attribute of a run that has it."""


def compare(runs: Sequence[Run], *, only_different: bool = False) -> pa.Table:
    """Return kind, path, one column of text per run, and `differs`; rows by kind, then path."""
    kinds: list[str] = []
    paths: list[str] = []
    rows: list[list[str | None]] = []
    for kind, attribute in KINDS.items():
        held: list[Mapping[str, Scalar | Json]] = [getattr(run, attribute) for run in runs]
        for path in sorted(set().union(*held)):
            kinds.append(kind)
            paths.append(path)
            rows.append([shown(values[path]) if path in values else None for values in held])
    table = _table(runs, kinds, paths, rows)
    return table.filter(table["differs"]) if only_different else table


def shown(value: Scalar | Json) -> str:
    """Return a value as text, so that equal values look equal and numbers read back exactly."""
    match value:
        case Json(text=text):
            return text
        case str():
            return value
        case float() if not math.isfinite(value):
            return str(value)
    return json.dumps(value)


def _table(
    runs: Sequence[Run], kinds: list[str], paths: list[str], rows: list[list[str | None]]
) -> pa.Table:
    columns = {
        f"{run.project}/{run.run_id}": pa.array([row[i] for row in rows], pa.string())
        for i, run in enumerate(runs)
    }
    return pa.table(
        {
            "kind": pa.array(kinds, pa.string()),
            "path": pa.array(paths, pa.string()),
            **columns,
            "differs": pa.array([len(set(row)) > 1 for row in rows], pa.bool_()),
        }
    )
