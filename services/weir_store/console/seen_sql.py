"""The SQL of a cursor: whether a row's frame is among those that were seen."""

from __future__ import annotations

from typing import Final

from weir_store.console.cursor import Life, Marks
from weir_store.parameters import Parameters

_FEW: Final = 8


def seen_sql(marks: Marks, parameters: Parameters) -> str:
    """Return the condition that a row of `console` lies within `marks`."""
    runs: dict[tuple[str, str], dict[Life, int]] = {}
    for life, seq in marks.items():
        runs.setdefault((life.project, life.run_id), {})[life] = seq
    parts = [
        f"(project = {parameters.text(project)} AND run_id = {parameters.text(run_id)}"
        f" AND ({_of_lives(lives, parameters)}))"
        for (project, run_id), lives in runs.items()
    ]
    return " OR ".join(parts) or "false"


def _of_lives(lives: Marks, parameters: Parameters) -> str:
    if len(lives) <= _FEW:
        return " OR ".join(
            f"(agent_rank = {life.rank} AND ver BETWEEN {life.born_s << 32} AND {_ver(life, seq)})"
            for life, seq in lives.items()
        )
    # A life as one number, looked up: many times as fast as asking for each.
    keys = parameters.rows([(life.rank << 32 | life.born_s,) for life in lives], "Tuple(UInt64)")
    vers = parameters.rows([(_ver(*each),) for each in lives.items()], "Tuple(UInt64)")
    key = "bitOr(bitShiftLeft(toUInt64(agent_rank), 32), bitShiftRight(ver, 32))"
    return f"ver <= transform({key}, {_bare(keys)}, {_bare(vers)}, toUInt64(0))"


def _bare(rows: str) -> str:
    return f"arrayMap(row -> row.1, {rows})"


def _ver(life: Life, seq: int) -> int:
    return life.born_s << 32 | seq
