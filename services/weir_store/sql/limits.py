"""Limits as ClickHouse's settings, and what it says when one of them is reached."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from weir_store.codes import CREDENTIAL_CODES, SCHEMA_CODES
from weir_store.errors import InvalidQuery, StoreError
from weir_store.sql.base import LimitReached, Limits, Question

T = TypeVar("T")

LATE: Final = "the statement failed behind its first rows"
"""All that is told of such a failure to whom the reason may tell of rows of others."""

# What ends a query without being the statement's fault; everything else with a code is.
_NOT_THE_STATEMENT: Final = {
    32: "ATTEMPT_TO_READ_AFTER_EOF",
    74: "CANNOT_READ_FROM_FILE_DESCRIPTOR",
    76: "CANNOT_OPEN_FILE",
    107: "FILE_DOESNT_EXIST",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    209: "SOCKET_TIMEOUT",
    210: "NETWORK_ERROR",
    225: "NO_ZOOKEEPER",
    236: "ABORTED",
    243: "NOT_ENOUGH_SPACE",
    279: "ALL_CONNECTION_TRIES_FAILED",
    394: "QUERY_WAS_CANCELLED",
    410: "ALL_REPLICAS_ARE_STALE",
    439: "CANNOT_SCHEDULE_TASK",
    497: "ACCESS_DENIED",
    999: "KEEPER_EXCEPTION",
    1000: "POCO_EXCEPTION",
    1002: "UNKNOWN_EXCEPTION",
}
_BEFORE_ROWS: Final = frozenset(
    [
        *(
            20,
            34,
            35,
            42,
            46,
            47,
            48,
            50,
            60,
            62,
            63,
            81,
            115,
            158,
            162,
            164,
            167,
            168,
            179,
            184,
            206,
        ),
        *(207, 215, 241, 307, 386, 396, 403, 452, 456, 457),
    ]
)
_SAID: Final = re.compile(r"DB::Exception: (.*?)(?:\(([A-Z_0-9]+)\) \(version|\(version|$)", re.S)
_SCOPE: Final = re.compile(r"[:.]? In scope |: while executing|: In query ")
_TIMES: Final = {159: "TIMEOUT_EXCEEDED", 160: "TOO_SLOW"}
_MEMORY: Final = 241
_ROWS_READ: Final = 158
_RESULT: Final = 396
_TEMPORARY: Final = frozenset([307, 191, 162, 167, 168])
_TEMPORARY_BYTES: Final = 20 << 30  # of files for sorting and grouping what memory cannot hold

# Without these ClickHouse joins the predicate on the project with the statement's own conditions, and
# may ask those of other people's rows before: an error would tell what was in them.
BARRIER: Final[Mapping[str, int]] = {
    "query_plan_merge_filters": 0,
    "optimize_move_to_prewhere": 0,
    "enable_join_runtime_filters": 0,  # they merge filters whatever query_plan_merge_filters says
}
# ClickHouse 26.9 loses NaNs from `ORDER BY x NULLS FIRST LIMIT n` with it.
TRUTH: Final[Mapping[str, int]] = {"use_top_k_dynamic_filtering": 0}


def settings_of(
    limits: Limits, *, seconds: float, restricted: bool
) -> Mapping[str, str | int | float]:
    """Return the settings under which a statement runs; it cannot change them.

    Args:
        limits: What it may take.
        seconds: As long as it may run: no longer than the connection waits.
        restricted: Whether it sees some projects only; then their predicate comes first, always.
    """
    rows = limits.result_rows + 1 if limits.cut else limits.result_rows
    return {
        "readonly": 1,
        "max_execution_time": seconds,
        "timeout_overflow_mode": "throw",
        "max_memory_usage": limits.memory_bytes,
        "max_temporary_data_on_disk_size_for_query": _TEMPORARY_BYTES,
        "max_rows_to_read": limits.rows_read,
        "read_overflow_mode": "throw",
        "max_result_rows": rows,
        # where an answer may be cut, the reader cuts it: ClickHouse would not say that it did
        "max_result_bytes": 0 if limits.cut else limits.result_bytes,
        "result_overflow_mode": "break" if limits.cut else "throw",
        "max_threads": limits.threads,
        **(BARRIER if restricted else {}),
        **TRUTH,
    }


def explain(error: StoreError, limits: Limits, seconds: float) -> StoreError:
    """Return the error for the asker: which limit was reached, or whose fault it was.

    A code nobody has thought of is the statement's: repeating it would not help.
    """
    code = getattr(error.__cause__, "code", None)
    if code is None or code in SCHEMA_CODES or code in CREDENTIAL_CODES:
        return error
    if (reached := _limit(code, limits, seconds)) is not None:
        return reached
    if code in _NOT_THE_STATEMENT:
        return error
    return InvalidQuery(plainly(str(error)))


def believed(ask: Callable[[bool], T], question: Question, seconds: float) -> T:
    """Return what asking brings; an error that rows may have caused is believed from our own rows only.

    Args:
        ask: Asks; whether behind the wall, where no row of others is read.
        question: What is asked.
        seconds: How long the statement may run.

    Raises:
        StoreError: As the asker may see it.
    """
    try:
        return ask(False)
    except StoreError as error:
        if question.rights.projects is None or not depends_on_rows(error):
            raise explain(error, question.limits, seconds) from error
    try:
        return ask(True)
    except StoreError as error:
        raise explain(error, question.limits, seconds) from error


def plainly(message: str) -> str:
    """Return what ClickHouse says about a statement, without addresses, versions and what the gate wrote."""
    found = _SAID.search(message)
    if found is None:
        return message
    name = f" ({found.group(2)})" if found.group(2) else ""
    return _SCOPE.split(found.group(1).strip(), maxsplit=1)[0].rstrip(".: ") + name


def depends_on_rows(error: StoreError) -> bool:
    """Whether rows may have caused the error: neither a limit nor what is known before any is read."""
    code = getattr(error.__cause__, "code", None)
    return code is not None and code not in _BEFORE_ROWS | _TIMES.keys() | _NOT_THE_STATEMENT.keys()


def _limit(code: int, limits: Limits, seconds: float) -> LimitReached | None:
    if code in _TIMES:
        return LimitReached(
            f"the statement ran longer than {seconds:g} s (limit: seconds; setting: gateway.sql_seconds)",
            hint="ask for less, e.g. fewer runs, or with step % 100 = 0",
        )
    if code == _MEMORY:
        return LimitReached(
            f"the statement needs more than {limits.memory_bytes >> 20} MiB of memory"
            " (limit: memory_bytes; setting: gateway.sql_memory_bytes)",
            hint="group by less, sort less, or join the smaller side last",
        )
    if code == _ROWS_READ:
        return LimitReached(
            f"the statement reads more than {limits.rows_read} rows (limit: rows_read; setting: gateway.sql_rows_read)",
            hint="name the runs and the metrics you want in WHERE",
        )
    if code == _RESULT:
        return LimitReached(
            f"the answer has more than {limits.result_rows} rows or {limits.result_bytes} bytes"
            " (limits: result_rows, result_bytes; settings: gateway.sql_result_…)",
            hint="add LIMIT, or aggregate",
        )
    if code in _TEMPORARY:
        return LimitReached("the statement is too big or too deep for ClickHouse")
    return None
