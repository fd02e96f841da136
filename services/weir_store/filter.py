"""Understanding a filter: text in, `Condition` out. The language is in docs/filter.md.

sqlglot reads the SQL; what comes out of it is taken over node by node, and a
node that is not expected is refused by name. Names such as `metrics.train/loss`
are no SQL, so before parsing each is replaced by a placeholder of the same
length: every position in an error message is one in the user's text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from weir_store.conditions import (
    EVERYTHING,
    RUN_FIELDS,
    SPACES,
    AllOf,
    Condition,
    Field,
    Word,
)
from weir_store.errors import InvalidQuery
from weir_store.filter_nodes import condition_of
from weir_store.metric_field import parse_metric_field

MAX_CHARS = 4_000
MAX_DEPTH = 40  # parentheses and NOTs inside each other

_NAME = r"[^\W\d][\w./:@%+\-]*"
_PATHS = re.compile(
    rf"""'(?:[^'\\]|\\.|'')*'                                    # text: left alone
      | (?P<space>(?<![\w.])(?:{"|".join(SPACES)}))\.
        (?: "(?P<quoted>(?:[^"\\]|\\.)+)" | `(?P<ticked>[^`]+)` | (?P<plain>{_NAME}) )
      | "(?:[^"\\]|\\.)*" | `[^`]*`                              # other quoted names: left alone
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_WORD = re.compile(r"[\w./:@\-]+")
_AFTER_NAME = re.compile(r"\s*([=<>!]|(in|not|like|ilike|between|is|global)\b)", re.IGNORECASE)
_LOGIC = re.compile(r"(and|or|not|null|true|false)$", re.IGNORECASE)
_AND = re.compile(r"\s*and\b", re.IGNORECASE)
_OR = re.compile(r"\s*or\b", re.IGNORECASE)


@lru_cache(maxsize=256)
def parse(text: str) -> Condition:
    """Understand a filter.

    Args:
        text: Words to search for, then a condition as in SQL's WHERE; either
            may be missing, and an empty filter matches everything.

    Raises:
        InvalidQuery: The text is no filter; names the construct and where it is.
    """
    if len(text) > MAX_CHARS:
        raise InvalidQuery(f"filter has {len(text)} characters", hint=f"at most {MAX_CHARS}")
    words, start = _leading_words(text)
    rest = " " * start + text[start:]  # keeps positions
    if not rest.strip():
        return AllOf(tuple(words)) if words else EVERYTHING
    condition = _parse_condition(rest)
    return AllOf((*words, condition)) if words else condition


def parse_field(text: str) -> Field:
    """Understand one field, as in `order_by`: `created`, `config.lr`, `metrics."a b"`.

    Raises:
        InvalidQuery: There is no such field.
    """
    path = _PATHS.fullmatch(text)
    if path is not None and path["space"]:
        return _path_field(path)
    if text.lower() in RUN_FIELDS:
        return Field("run", text.lower(), RUN_FIELDS[text.lower()])
    raise unknown_field(text, 0)


def unknown_field(name: str, position: int) -> InvalidQuery:
    """Say that a name is no field, and which ones are."""
    return InvalidQuery(
        f"unknown field {name!r} at character {position + 1}",
        hint=f"write config.{name}, summary.{name} or metrics.{name}, or one of "
        + ", ".join(RUN_FIELDS)
        + "; words to search for stand at the beginning",
    )


def _leading_words(text: str) -> tuple[list[Condition], int]:
    """Take the free words off the front; return them and where the condition starts."""
    words: list[Condition] = []
    position = len(text) - len(text.lstrip())
    while match := _WORD.match(text, position):
        after = text[match.end() : match.end() + 1]
        if (after and not after.isspace()) or _LOGIC.match(match[0]):
            break
        if _AFTER_NAME.match(text, match.end()):
            break
        words.append(Word(match[0]))
        position = match.end() + len(text[match.end() :]) - len(text[match.end() :].lstrip())
    if words and _OR.match(text, position):
        raise InvalidQuery("words are not joined with OR", hint="try name ILIKE '%word%' OR …")
    joined = _AND.match(text, position) if words else None
    return words, joined.end() if joined else position


def _parse_condition(text: str) -> Condition:
    plain, fields = _replace_paths(text)
    _check_depth(plain)
    try:
        tree = sqlglot.parse_one(plain, read="clickhouse", into=exp.Condition)
    except SqlglotError as error:
        raise _syntax_error(error, text) from None
    except Exception as error:  # noqa: BLE001 - the text is a stranger's: sqlglot may fail in any way
        raise InvalidQuery(f"filter cannot be read: {type(error).__name__}") from None
    return condition_of(tree, lambda column: _field_of(column, fields))


def _replace_paths(text: str) -> tuple[str, dict[int, Field]]:
    """Put a placeholder of the same length where each `config.…` stands."""
    fields: dict[int, Field] = {}

    def placeholder(match: re.Match[str]) -> str:
        if match["space"] is None:
            return match[0]
        fields[match.start()] = _path_field(match)
        return "f" * len(match[0])

    return _PATHS.sub(placeholder, text), fields


def _path_field(match: re.Match[str]) -> Field:
    space = match["space"].lower()
    name = match["plain"] or match["ticked"] or re.sub(r"\\(.)", r"\1", match["quoted"])
    if space == "metric":
        name = str(parse_metric_field(name))
    return Field(space, name, SPACES[space])


def _field_of(column: exp.Column, fields: Mapping[int, Field]) -> Field:
    identifier = column.this
    start = identifier.meta.get("start", 0) if isinstance(identifier, exp.Identifier) else 0
    if start in fields and not column.table:
        return fields[start]
    name = column.name
    if column.table or name.lower() not in RUN_FIELDS:
        raise unknown_field(".".join(part.name for part in column.parts), start)
    return Field("run", name.lower(), RUN_FIELDS[name.lower()])


def _check_depth(text: str) -> None:
    depth = deepest = 0
    for token in re.findall(r"\(|\)|\bnot\b|'(?:[^'\\]|\\.|'')*'", text, re.IGNORECASE):
        depth += {"(": 1, ")": -1}.get(token, 0) + (token.lower() == "not")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise InvalidQuery("filter is nested too deeply", hint=f"at most {MAX_DEPTH} levels")


def _syntax_error(error: SqlglotError, text: str) -> InvalidQuery:
    hint = "a filter is like SQL's WHERE: config.lr < 0.1 AND state = 'finished'"
    details = getattr(error, "errors", None)
    if not details:
        return InvalidQuery("filter cannot be read: a quote or comment is not closed", hint=hint)
    end, token = details[0].get("col") or 0, details[0].get("highlight") or ""
    what = f"{token!r} does not fit"
    if end >= len(text.rstrip()) and token != ")":
        what = f"something is missing after {token!r}"
    position = max(1, end - len(token) + 1)
    return InvalidQuery(f"filter cannot be read: {what} at character {position}", hint=hint)
