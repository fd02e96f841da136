"""Asking what a rule asks: its question with the parameters bound, and its rows as groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import pyarrow as pa

from weir_store.errors import InvalidQuery
from weir_store.rules.records import Check, Definition, Findings, Found, Group
from weir_store.rules.templates import template_of
from weir_store.sql.base import Limits, Question, Rights, SqlReader

MOST_GROUPS: Final = 10_000
COLUMNS: Final = ("run_id", "rank", "node", "value", "message")
_MOST_MESSAGE: Final = 1_000
_MOST_NAME_BYTES: Final = 512


class HangFinder(Protocol):
    """Finds what stands still; weir_store/ranks has it."""

    def find_hangs(self, project: str, now_unix_us: int) -> list[Found]:
        """Return one finding for each run that hangs."""
        ...


@dataclass(frozen=True, slots=True)
class Asking:
    """How rules are asked. Safe from any thread.

    Attributes:
        sql: Asks the SELECTs.
        limits: Of each.
        hangs: Asks the check `hang`; None = it cannot be asked here.
    """

    sql: SqlReader
    limits: Limits
    hangs: HangFinder | None = None

    def find(self, project: str, definition: Definition, now_unix_us: int) -> Findings:
        """Evaluate a rule once: return what fires now, at most `MOST_GROUPS` groups.

        Raises:
            InvalidQuery: The rule is wrong, or takes more than it may.
            StoreUnavailable: No definite answer; says nothing about the rule.
        """
        if definition.unreadable:
            raise InvalidQuery(definition.unreadable, hint="put it again")
        if definition.check is Check.HANG:
            return self._hangs(project, now_unix_us)
        question = Question(
            text=sql_of(definition),
            rights=Rights((project,)),
            parameters=parameters_of(definition, now_unix_us),
            asker=f"rule {project}/{definition.name}",
            limits=self.limits,
        )
        answer = self.sql.ask(question)
        check_columns(answer.schema)
        found: dict[Group, Found] = {}
        for batch in answer.batches:
            for row in batch.to_pylist():
                each = found_of(row)
                found.setdefault(each.group, each)
        return _findings(list(found.values()), is_cut=answer.cut)

    def _hangs(self, project: str, now_unix_us: int) -> Findings:
        if self.hangs is None:
            raise InvalidQuery("the check hang cannot be asked here")
        return _findings(self.hangs.find_hangs(project, now_unix_us), is_cut=False)


def _findings(found: list[Found], *, is_cut: bool) -> Findings:
    return Findings(tuple(found[:MOST_GROUPS]), is_cut or len(found) > MOST_GROUPS)


def limits_of(seconds: float, memory_bytes: int, rows_read: int) -> Limits:
    """Return what one evaluation may take; an answer that is too long is cut, not refused."""
    return Limits(
        seconds=seconds,
        memory_bytes=memory_bytes,
        rows_read=rows_read,
        result_rows=MOST_GROUPS,
        result_bytes=32 << 20,
        threads=2,
        cut=True,
    )


def sql_of(definition: Definition) -> str:
    """Return the SELECT of a rule, its template's where it has one."""
    return template_of(definition.template).sql if definition.template else definition.sql


def parameters_of(definition: Definition, now_unix_us: int) -> Mapping[str, Any]:
    """Return what stands for each `{name:Type}`: defaults, what the rule sets, the window, the moment."""
    known = template_of(definition.template).parameters if definition.template else {}
    moment = datetime.fromtimestamp(now_unix_us // 1_000_000, UTC)
    return {
        **{name: each.default for name, each in known.items()},
        **definition.parameters,
        "window": max(1, round(definition.window_s)),
        "now": f"{moment:%Y-%m-%d %H:%M:%S}.{now_unix_us % 1_000_000:06d}",
    }


def check_columns(schema: pa.Schema) -> None:
    """Raise `InvalidQuery` unless these columns can name groups."""
    strange = [name for name in schema.names if name not in COLUMNS]
    if strange or len(set(schema.names)) < len(schema.names):
        raise InvalidQuery(
            f"a rule selects {', '.join(schema.names)}",
            hint=f"only {', '.join(COLUMNS)}, each once (… AS value), all of them optional",
        )


def found_of(row: Mapping[str, Any]) -> Found:
    """Return a row as what fires. Raises `InvalidQuery` for values that are not of their column."""
    rank, value = row.get("rank"), row.get("value")
    try:
        group = Group(
            run_id=_name(row.get("run_id")),
            rank=-1 if rank is None else int(rank),
            node=_name(row.get("node")),
        )
        number = math.nan if value is None else float(value)
    except (TypeError, ValueError) as error:
        raise InvalidQuery(
            f"a row says rank {rank!r}, value {value!r}", hint="rank and value are numbers"
        ) from error
    if not -1 <= group.rank < 1 << 32:
        raise InvalidQuery(f"a row says rank {group.rank}", hint="0 or more")
    message = row.get("message")
    return Found(group, number, "" if message is None else str(message)[:_MOST_MESSAGE])


def _name(value: Any) -> str:
    name = "" if value is None else str(value)
    if len(name.encode()) > _MOST_NAME_BYTES:
        raise InvalidQuery(f"a row names {name[:80]!r}…", hint="run_id and node are short")
    return name
