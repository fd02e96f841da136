"""sqlglot, asked for the shape of a statement and nothing else. The one place that calls it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.parsers.clickhouse import ClickHouseParser
from sqlglot.tokenizer_core import TokenType

from weir_store.sql.base import Refused
from weir_store.sql.reading import Reading

LIMIT_BY: Final = "limit_by"
_LINE: Final = re.compile(r"Line (\d+)")


class _Parser(ClickHouseParser):
    """ClickHouse's grammar without sqlglot's knowledge of functions."""

    FUNCTIONS: ClassVar[Any] = {}
    FUNCTION_PARSERS: ClassVar[Any] = {"CAST": ClickHouseParser.FUNCTION_PARSERS["CAST"]}
    NO_PAREN_FUNCTIONS: ClassVar[Any] = {}
    NO_PAREN_FUNCTION_PARSERS: ClassVar[Any] = {
        "CASE": ClickHouseParser.NO_PAREN_FUNCTION_PARSERS["CASE"],
    }
    QUERY_MODIFIER_PARSERS: ClassVar[Any] = {
        **ClickHouseParser.QUERY_MODIFIER_PARSERS,
        TokenType.LIMIT: lambda self: self._limit(),
    }

    @classmethod
    def _resolve_clickhouse_agg(cls, name: str) -> tuple[str, Sequence[str]] | None:
        return name, ()  # any function may have parameters: quantile(0.9)(x)

    def _limit(self) -> tuple[str, Any]:
        """Tell `LIMIT n BY x` from `LIMIT n`: ClickHouse takes both in one SELECT."""
        limit = self._parse_limit()
        return (LIMIT_BY if limit and limit.expressions else "limit"), limit


class _Dialect(ClickHouse):
    INDEX_OFFSET = 0  # else `a[1]` becomes `a[0]` here and `a[1]` again elsewhere
    Parser = _Parser


_DIALECT: Final = _Dialect()


def shape(reading: Reading) -> exp.Expr:
    """Return the tree of a statement, in stand-ins.

    Raises:
        Refused: No sense can be made of it, or it is nested too deeply.
    """
    text = "\n".join(reading.lines)
    try:
        found = _DIALECT.parser(error_level=ErrorLevel.IMMEDIATE).parse(
            _DIALECT.tokenize(text), text
        )
    except SqlglotError as error:
        raise Refused(_said(reading, error), hint="see docs/sql-limits.md") from None
    except RecursionError:
        raise Refused("the statement is nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - the text is a stranger's: sqlglot may fail in any way
        raise Refused(f"the statement cannot be read ({type(error).__name__})") from None
    if len(found) != 1 or found[0] is None:
        raise Refused("more than one statement", hint="send one SELECT at a time")
    return found[0]


def _said(reading: Reading, error: SqlglotError) -> str:
    errors = getattr(error, "errors", [])
    line = errors[0].get("line") if errors else None
    if line is None:
        found = _LINE.search(str(error))
        line = int(found.group(1)) if found else len(reading.tokens)
    near = reading.tokens[min(line, len(reading.tokens)) - 1].text[:40]
    return f"the statement makes no sense at {near!r} ({reading.place(line - 1)})"
