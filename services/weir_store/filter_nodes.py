"""From sqlglot's tree to a `Condition`: an allow-list, one case per construct."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from sqlglot import exp

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
    Operand,
)
from weir_store.errors import InvalidQuery

FieldOf: TypeAlias = Callable[[exp.Column], Field]

_OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_MAX_UNIX_US = 1 << 62


def condition_of(node: exp.Expr, field_of: FieldOf) -> Condition:
    """Take a tree over.

    Args:
        node: What sqlglot made of the text.
        field_of: Names the field a column means; raises `InvalidQuery`.

    Raises:
        InvalidQuery: A construct the language does not have, or operands that do not fit.
    """
    match node:
        case exp.Paren():
            return condition_of(node.this, field_of)
        case exp.And():
            return AllOf(tuple(condition_of(part, field_of) for part in node.flatten()))
        case exp.Or():
            return AnyOf(tuple(condition_of(part, field_of) for part in node.flatten()))
        case exp.Not():
            return Not(condition_of(node.this, field_of))
        case exp.Is():
            return _is(node, field_of)
        case exp.In():
            return _in(node, field_of)
        case exp.Between():
            return _between(node, field_of)
        case exp.Like() | exp.ILike():
            return _like(node, field_of)
        case exp.ArrayContains():
            return HasTag(_tag(node.expression, _tags(node.this, field_of)))
        case _ if type(node) in _OPERATORS:
            return _compare(node, field_of)
    raise _refused(node)


def _compare(node: exp.Expr, field_of: FieldOf) -> Condition:
    op, left, right = _OPERATORS[type(node)], node.this, node.expression
    if not isinstance(left, exp.Column):
        op, left, right = _MIRRORED.get(op, op), right, left
    field = _field(left, field_of)
    return Compare(field, op, _operand(right, field))


def _is(node: exp.Expr, field_of: FieldOf) -> Condition:
    field = _field(node.this, field_of)
    if isinstance(node.expression, exp.Null) and field.kind is not Kind.TAGS:
        return IsNull(field)
    if isinstance(node.expression, exp.Boolean):
        return Compare(field, "=", _operand(node.expression, field))
    raise _refused(node)


def _in(node: exp.Expr, field_of: FieldOf) -> Condition:
    if node.args.get("query") or node.args.get("unnest"):
        raise _refused(node)
    collection = node.args.get("field")
    if collection is not None:  # 'a' IN tags
        return HasTag(_tag(node.this, _tags(collection, field_of)))
    field = _field(node.this, field_of)
    return AnyOf(tuple(Compare(field, "=", _operand(each, field)) for each in node.expressions))


def _between(node: exp.Expr, field_of: FieldOf) -> Condition:
    field = _field(node.this, field_of)
    low, high = _operand(node.args["low"], field), _operand(node.args["high"], field)
    return AllOf((Compare(field, ">=", low), Compare(field, "<=", high)))


def _like(node: exp.Expr, field_of: FieldOf) -> Condition:
    field, pattern = _field(node.this, field_of), node.expression
    if field.kind not in (Kind.TEXT, Kind.ANY):
        raise InvalidQuery(f"{field} is no text", hint="LIKE is for text")
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        raise InvalidQuery(f"LIKE needs a pattern in quotes, not {_text(pattern)}")
    if (len(pattern.this) - len(pattern.this.rstrip("\\"))) % 2:
        raise InvalidQuery(
            "LIKE pattern ends in a single \\", hint="write \\\\\\\\ for one backslash"
        )
    like = Like(field, pattern.this, any_case=isinstance(node, exp.ILike))
    return Not(like) if node.args.get("negate") else like


def _field(node: exp.Expr, field_of: FieldOf) -> Field:
    if isinstance(node, exp.Paren):
        return _field(node.this, field_of)
    if not isinstance(node, exp.Column):
        raise InvalidQuery(f"expected a field, not {_text(node)}", hint="e.g. config.lr < 0.1")
    return field_of(node)


def _tags(node: exp.Expr, field_of: FieldOf) -> Field:
    field = _field(node, field_of)
    if field.kind is not Kind.TAGS:
        raise InvalidQuery(f"{field} is no list", hint="only tags is: 'baseline' IN tags")
    return field


def _tag(node: exp.Expr, field: Field) -> str:
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    raise InvalidQuery(f"{field} holds text, not {_text(node)}", hint="'baseline' IN tags")


def _operand(node: exp.Expr, field: Field) -> Operand:
    """Read a value, in the unit the field is kept in."""
    value = _value(node)
    match field.kind:
        case Kind.TAGS:
            raise InvalidQuery("tags is a list", hint="write 'baseline' IN tags")
        case Kind.TEXT if not isinstance(value, str):
            raise InvalidQuery(f"{field} is text, {_text(node)} is not", hint="put it in quotes")
        case Kind.NUMBER if isinstance(value, str):
            raise InvalidQuery(f"{field} is a number, {_text(node)} is text")
        case Kind.TIME:
            return _unix_us(value)
    return value


def _value(node: exp.Expr) -> Operand:
    match node:
        case exp.Paren():
            return _value(node.this)
        case exp.Boolean():
            return float(node.this)
        case exp.Literal() if node.is_string:
            return str(node.this)
        case exp.Literal():
            return _number(node.this)
        case exp.Neg() if isinstance(node.this, exp.Literal) and not node.this.is_string:
            return -_number(node.this.this)
        case exp.Null():
            raise InvalidQuery("nothing equals NULL", hint="write IS NULL or IS NOT NULL")
    raise InvalidQuery(
        f"expected a value, not {_text(node)}", hint="a number, 'text', true or false"
    )


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise InvalidQuery(f"{text!r} is no number") from None
    if not math.isfinite(number):
        raise InvalidQuery(f"{text!r} is too large")
    return number


def _unix_us(value: Operand) -> float:
    """Turn a date (UTC unless it says otherwise) or Unix seconds into Unix µs."""
    try:
        moment = value if isinstance(value, float) else _date(value).timestamp()
    except (ValueError, OverflowError):
        raise InvalidQuery(
            f"{value!r} is no date", hint="write '2026-01-31' or '2026-01-31 12:00'"
        ) from None
    if abs(moment * 1e6) > _MAX_UNIX_US:
        raise InvalidQuery(f"{value!r} is out of range", hint="Unix seconds or a date in quotes")
    return float(round(moment * 1e6))


def _date(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _refused(node: exp.Expr) -> InvalidQuery:
    return InvalidQuery(
        f"a filter cannot hold {_text(node)}{_position(node)}",
        hint="comparisons, IN, BETWEEN, LIKE, ILIKE, IS NULL, AND, OR, NOT",
    )


def _text(node: exp.Expr) -> str:
    """The construct's name and, where it has one, the word it was written with."""
    kind = type(node).__name__
    return f"{kind} {node.name[:40]!r}" if node.name else kind


def _position(node: exp.Expr) -> str:
    starts = [each.meta["start"] for each in node.walk() if "start" in each.meta]
    return f" at character {min(starts) + 1}" if starts else ""
