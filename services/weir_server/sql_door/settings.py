"""Settings of ClickHouse that drivers send: which are honoured, which mean nothing here, all others refused.

Nothing that a request says can widen a limit, reach another table, or change what a row is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from weir_server.sql_door.faults import SETTING_CONSTRAINT_VIOLATION, Fault
from weir_store.sql.base import Limits

# They say how values are written; name → ClickHouse's default.
WRITING: Final[Mapping[str, str]] = {
    "date_time_output_format": "simple",
    "session_timezone": "",
    "output_format_arrow_string_as_string": "1",
    "output_format_arrow_low_cardinality_as_dictionary": "0",
    "output_format_parquet_string_as_string": "1",
    "output_format_json_quote_64bit_integers": "0",
    "output_format_json_quote_denormals": "0",
    "output_format_json_quote_decimals": "0",
    "output_format_json_named_tuples_as_objects": "1",
    "output_format_json_array_of_rows": "0",
    "output_format_csv_crlf_end_of_line": "0",
    "output_format_pretty_max_rows": "1000",
    "output_format_decimal_trailing_zeros": "0",
    "output_format_native_write_json_as_string": "0",
    "output_format_binary_write_json_as_string": "0",
    "http_headers_progress_interval_ms": "100",
    "send_progress_in_http_headers": "0",
}
# They can make the limits of the gateway narrower.
LIMITS: Final[Mapping[str, str]] = {
    "max_execution_time": "seconds",
    "max_memory_usage": "memory_bytes",
    "max_rows_to_read": "rows_read",
    "max_result_rows": "result_rows",
    "max_result_bytes": "result_bytes",
    "max_threads": "threads",
}
# Drivers send them at every turn; here they change nothing.
IGNORED: Final[Mapping[str, str]] = {
    "readonly": "2",
    "cancel_http_readonly_queries_on_client_close": "1",
    "enable_http_compression": "0",
    "http_zlib_compression_level": "3",
    "connect_timeout": "10",
    "date_time_input_format": "basic",
    "cast_string_to_dynamic_use_inference": "0",
    "log_queries": "1",
    "log_comment": "",
    "result_overflow_mode": "throw",
    "timeout_overflow_mode": "throw",
    "max_block_size": "65409",
    "max_query_size": "262144",
    "extremes": "0",
}
_VALUE: Final = re.compile(r"[A-Za-z0-9_./+\-]{0,64}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a request's settings come to: how values are written, and the limits it runs in."""

    writing: Mapping[str, str]
    limits: Limits


def wishes_of(given: Iterable[tuple[str, str]], limits: Limits) -> Wishes:
    """Read settings. Raises `Fault` for one that cannot be honoured.

    Args:
        given: Name and value, as sent.
        limits: Of the gateway; what is asked for can only be less.
    """
    writing: dict[str, str] = {}
    narrower: dict[str, float] = {}
    for name, value in given:
        if name in WRITING and _VALUE.match(value):
            writing[name] = value
        elif name in LIMITS:
            narrower[LIMITS[name]] = _number(name, value)
        elif name not in IGNORED:
            raise Fault(
                SETTING_CONSTRAINT_VIOLATION,
                f"setting {name[:80]!r} cannot be {value[:80]!r} here: leave it out (docs/sql-tools.md)",
            )
    return Wishes(writing, _narrowed(limits, narrower))


def _narrowed(limits: Limits, wanted: Mapping[str, float]) -> Limits:
    def least(field: str) -> float:
        now: float = getattr(limits, field)
        wish = wanted.get(field, 0)  # 0 = no limit, as ClickHouse has it
        return min(wish, now) if wish > 0 else now

    return Limits(
        seconds=least("seconds"),
        memory_bytes=int(least("memory_bytes")),
        rows_read=int(least("rows_read")),
        result_rows=int(least("result_rows")),
        result_bytes=int(least("result_bytes")),
        threads=max(1, int(least("threads"))),
    )


def _number(name: str, value: str) -> float:
    text = value.strip()
    if not re.fullmatch(r"\d{1,18}(\.\d{1,6})?", text, re.ASCII):
        raise Fault(SETTING_CONSTRAINT_VIOLATION, f"setting {name!r} is no number: {value[:80]!r}")
    return float(text)
