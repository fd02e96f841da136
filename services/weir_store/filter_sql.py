"""From a `Condition` to ClickHouse SQL. User text goes into parameters only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from weir_store.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Field,
    HasTag,
    IsNull,
    Kind,
    Like,
    Not,
    Word,
)
from weir_store.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Columns:
    """The SQL of a field: its value as a number and as text, each Nullable or absent."""

    number: str = ""
    text: str = ""


def compile_condition(
    condition: Condition, columns: Mapping[Field, Columns], parameters: Parameters
) -> str:
    """Return a boolean SQL expression over `columns`, `name`, `run_id`, `notes` and `tags`."""

    def sql(part: Condition) -> str:
        match part:
            case Compare():
                return _compare(part, columns[part.field], parameters)
            case Like(field=field, pattern=pattern, any_case=any_case):
                operator = "ILIKE" if any_case else "LIKE"
                return f"{columns[field].text} {operator} {parameters.text(pattern)}"
            case IsNull(field=field):
                return _is_null(field, columns[field])
            case HasTag(tag=tag):
                return f"has(tags, {parameters.text(tag)})"
            case Word(text=text):
                return _word(parameters.text(text))
            case Not(part=inner):
                return f"NOT ({sql(inner)})"
            case AllOf(parts=parts):
                return " AND ".join(f"({sql(each)})" for each in parts) or "true"
            case AnyOf(parts=parts):
                return " OR ".join(f"({sql(each)})" for each in parts) or "false"

    return sql(condition)


def _compare(part: Compare, columns: Columns, parameters: Parameters) -> str:
    if isinstance(part.value, str):
        return f"{columns.text} {part.op} {parameters.text(part.value)}"
    return f"{columns.number} {part.op} {parameters.number(part.value)}"


def _is_null(field: Field, columns: Columns) -> str:
    if field.kind is Kind.TEXT:
        return f"{columns.text} = ''"
    present = [column for column in (columns.number, columns.text) if column]
    return " AND ".join(f"isNull({column})" for column in present)


def _word(word: str) -> str:
    found = [
        f"positionCaseInsensitiveUTF8({place}, {word}) > 0" for place in ("name", "run_id", "notes")
    ]
    tagged = f"arrayExists(tag -> positionCaseInsensitiveUTF8(tag, {word}) > 0, tags)"
    return f"({' OR '.join(found)} OR {tagged})"
