"""What drivers ask before they ask anything: SHOW, DESCRIBE, EXISTS, system tables, `version()`.

Each becomes a SELECT of literals from the catalogue. The gate sees it like any other statement, so
nothing here needs to be safe: what it gets wrong is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from weir_server.sql_door.catalogue import Catalogue
from weir_server.sql_door.faults import UNKNOWN_TABLE, Fault
from weir_server.sql_door.literals import quoted
from weir_server.sql_door.statement import Statement
from weir_store.sql.lexer import QUOTED, STRING, WORD, Token
from weir_store.sql.quoting import name as name_of

_DESCRIBED: Final = (
    "name, type, '' AS default_type, '' AS default_expression, comment, '' AS codec_expression,"
    " '' AS ttl_expression"
)
_FUNCTIONS: Final[Mapping[str, Callable[[Catalogue, str], str]]] = {
    "version": lambda known, _: quoted(known.version),
    "displayname": lambda _, __: quoted("weir"),
    "hostname": lambda _, __: quoted("weir"),
    "fqdn": lambda _, __: quoted("weir"),
    "revision": lambda known, _: f"toUInt32({known.revision})",
    "timezone": lambda known, _: quoted(known.timezone),
    "servertimezone": lambda known, _: quoted(known.timezone),
    "currentdatabase": lambda known, _: quoted(known.database),
    "current_database": lambda known, _: quoted(known.database),
    "database": lambda known, _: quoted(known.database),
    "currentuser": lambda _, asker: quoted(asker),
    "current_user": lambda _, asker: quoted(asker),
    "user": lambda _, asker: quoted(asker),
}
_SCHEMAS: Final = frozenset({"system", "information_schema"})


def answered(statement: Statement, known: Catalogue, asker: str) -> str:
    """Return the text to put before the gate. Raises `Fault` for a table that is not there.

    Args:
        statement: As the driver sent it.
        known: What there is to tell.
        asker: Who asks, for `currentUser()`.
    """
    found = statement.tokens
    match [token.upper for token in found[:3]]:
        case ["SHOW", "DATABASES" | "SCHEMAS", *_]:
            return f"SELECT name FROM {known.databases()} AS d{_like(found[2:])} ORDER BY name"
        case ["SHOW", "TABLES", *_]:
            return _show_tables(found[2:], known)
        case ["SHOW", "FULL" | "TEMPORARY", "TABLES"]:
            return _show_tables(found[3:], known)
        case ["SHOW", "CREATE", "TABLE" | "VIEW"]:
            return _show_create(found[3:], known)
        case ["SHOW", "CREATE", *_]:
            return _show_create(found[2:], known)
        case ["DESCRIBE" | "DESC", "TABLE", *_]:
            return _describe(found[2:], known)
        case ["DESCRIBE" | "DESC", *_]:
            return _describe(found[1:], known)
        case ["EXISTS", "DATABASE", *_]:
            return _exists(_name(found[2:]) == (None, known.database))
        case ["EXISTS", "TABLE" | "VIEW", *_]:
            return _exists(_is_view(_name(found[2:]), known))
        case ["EXISTS", *_] if len(found) > 1 and not found[1].is_mark("("):
            return _exists(_is_view(_name(found[1:]), known))
    return _replaced(statement, known, asker)


def _show_tables(rest: Sequence[Token], known: Catalogue) -> str:
    database = known.database
    if len(rest) > 1 and rest[0].upper in ("FROM", "IN"):
        database, rest = rest[1].text, rest[2:]
    like = _like(rest).replace(" WHERE ", " AND ", 1)
    return f"SELECT name FROM {known.tables()} AS t WHERE database = {quoted(database)}{like} ORDER BY name"


def _like(rest: Sequence[Token]) -> str:
    """Return the condition of `[NOT] LIKE 'pattern'`; "" when there is none."""
    words = [token.upper for token in rest]
    negated = words[:1] == ["NOT"]
    rest, words = rest[negated:], words[negated:]
    if len(rest) < 2 or words[0] not in ("LIKE", "ILIKE") or rest[1].kind != STRING:
        return ""
    return f" WHERE name {'NOT ' * negated}{words[0]} {quoted(rest[1].text)}"


def _describe(rest: Sequence[Token], known: Catalogue) -> str:
    columns = f"SELECT {_DESCRIBED}, position FROM {known.columns(_view(rest, known))} AS c"
    return (
        "SELECT name, type, default_type, default_expression, comment, codec_expression, ttl_expression"
        f" FROM ({columns}) AS d ORDER BY position"
    )


def _show_create(rest: Sequence[Token], known: Catalogue) -> str:
    view = known.view(_view(rest, known))
    assert view is not None
    return f"SELECT {quoted(known.create_statement(view))} AS statement"


def _exists(there: bool) -> str:
    return f"SELECT toUInt8({int(there)}) AS result"


def _view(rest: Sequence[Token], known: Catalogue) -> str:
    name = _name(rest)
    if not _is_view(name, known):
        there_are = ", ".join(view.name for view in known.views)
        raise Fault(
            UNKNOWN_TABLE, f"there is no table {name[1][:80]!r}; there are {there_are}", status=404
        )
    return name[1]


def _is_view(name: tuple[str | None, str], known: Catalogue) -> bool:
    return name[0] in (None, known.database) and known.view(name[1]) is not None


def _name(rest: Sequence[Token]) -> tuple[str | None, str]:
    """Return `database.table` or `table`, quoted or not."""
    names = [token.text for token in rest[:3] if token.kind in (WORD, QUOTED)]
    if len(rest) >= 3 and rest[1].is_mark(".") and len(names) == 2:
        return names[0], names[1]
    return None, names[0] if names else ""


def _replaced(statement: Statement, known: Catalogue, asker: str) -> str:
    """Put literals where a system table or a function about the server stands."""
    found, pieces, copied, depth = statement.tokens, [], 0, 0
    for index, token in enumerate(found):
        depth += token.is_mark("(", "[") - token.is_mark(")", "]")
        following = found[index + 1 : index + 3]
        instead = ""
        if token.at < copied:
            continue
        if _is_table(found, index):
            table = known.table(token.text, following[1].text)
            instead = table or ""
            if not _has_alias(found[index + 3 :]):
                instead += f" AS {name_of(following[1].text)}" if table else ""
        elif _is_call(found, index):
            instead = _FUNCTIONS[token.text.lower()](known, asker)
            if not depth and _is_whole_item(found, index):
                instead += f" AS {name_of(f'{token.text}()')}"
        if instead:
            last = following[1]
            width = 1 if last.is_mark(")") else _width(statement.text, last)
            pieces += [statement.text[copied : token.at], instead]
            copied = last.at + width
    return "".join([*pieces, statement.text[copied:]])


def _width(text: str, token: Token) -> int:
    """Return how long a name is as written; quoted ones hold no escapes that we know of."""
    return len(token.text) + (2 if token.kind == QUOTED else 0)


def _is_table(found: Sequence[Token], index: int) -> bool:
    """Whether `system.tables` begins here, as a name of its own."""
    names = found[index : index + 3]
    return (
        len(names) == 3
        and names[0].kind in (WORD, QUOTED)
        and names[0].text.lower() in _SCHEMAS
        and names[1].is_mark(".")
        and names[2].kind in (WORD, QUOTED)
        and index > 0
        and (found[index - 1].upper in ("FROM", "JOIN") or found[index - 1].is_mark(","))
    )


def _has_alias(rest: Sequence[Token]) -> bool:
    """Whether a name of its own follows: `AS t`, or `t` that is no keyword of what may stand there."""
    if not rest:
        return False
    if rest[0].upper == "AS" or rest[0].kind == QUOTED:
        return True
    return rest[0].kind == WORD and rest[0].upper not in _BEHIND_A_TABLE


_BEHIND_A_TABLE: Final = frozenset(
    [
        "WHERE", "PREWHERE", "GROUP", "ORDER", "LIMIT", "OFFSET", "FETCH", "HAVING", "UNION",
        "INTERSECT", "EXCEPT", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "ASOF", "ANY", "ALL",
        "SEMI", "ANTI", "GLOBAL", "ARRAY", "ON", "USING", "WINDOW", "QUALIFY", "SAMPLE", "FINAL",
    ]
)  # fmt: skip


def _is_call(found: Sequence[Token], index: int) -> bool:
    """Whether `version()` begins here."""
    token, following = found[index], found[index + 1 : index + 3]
    return (
        token.kind == WORD
        and token.text.lower() in _FUNCTIONS
        and len(following) == 2
        and following[0].is_mark("(")
        and following[1].is_mark(")")
        and not (index and found[index - 1].is_mark("."))
    )


def _is_whole_item(found: Sequence[Token], index: int) -> bool:
    """Whether the call is all there is to a column, so that it needs the name it would have had."""
    before, behind = found[index - 1] if index else None, found[index + 3 : index + 4]
    begins = before is not None and (before.upper == "SELECT" or before.is_mark(","))
    return begins and (not behind or behind[0].is_mark(",") or behind[0].upper == "FROM")
