"""What a statement is and whether it may run, told from its tokens: no engine, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from weir_server.engine import errors
from weir_server.engine.errors import QueryFailed
from weir_server.engine.lexer import Token, name_of, tokens

# Table and scalar functions through which a query leaves the data directory, lower case.
_LAKES = [
    lake + place + cluster
    for lake in ("iceberg", "deltalake", "paimon", "hudi")
    for place in ("", "s3", "azure", "hdfs", "local")
    for cluster in ("", "cluster")
]
_DATABASES = ["mysql", "postgresql", "mongodb", "sqlite", "redis", "odbc", "jdbc", "ytsaurus"]
_OBJECT_STORES = ["s3", "gcs", "oss", "cosn", "hdfs", "azureblobstorage", "url", "file"]
_SERVERS = ["remote", "remotesecure", "cluster", "clusterallreplicas", "arrowflight"]
_PROGRAMS = ["executable", "python", "input", "catboostevaluate"]
OUTSIDE_FUNCTIONS = frozenset(
    [*_LAKES, *_DATABASES, *_OBJECT_STORES, *_SERVERS, *_PROGRAMS]
    + [store + "cluster" for store in _OBJECT_STORES]
)
# Python() reads objects of this process: nobody's business, whoever asks.
_NEVER = frozenset({"python"})
_RESULT_WORDS = frozenset(
    {b"SELECT", b"WITH", b"FROM", b"SHOW", b"DESCRIBE", b"DESC", b"EXISTS", b"EXPLAIN"}
)
_OWN_ROWS = frozenset({b"SELECT", b"WITH"})  # INSERT … SELECT: no rows in the body
_NAME_KINDS = ("word", "quoted")


class Kind(Enum):
    """What a statement asks of the engine."""

    RESULT = "result"  # has an answer of any size: SELECT, SHOW, DESCRIBE …
    INSERT = "insert"  # its rows follow in the body: INSERT … FORMAT, INSERT … VALUES
    COMMAND = "command"  # everything else: DDL, SET, INSERT … SELECT, KILL …


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, ready to run.

    Attributes:
        kind: What to do with it.
        sql: The text without a trailing `;`; for an INSERT without FORMAT and rows.
        format: The format it names, "" when it names none.
        answer_at: For a RESULT the byte of `sql` where `INTO OUTFILE` belongs.
        source_at: For an INSERT the byte of `sql` where `FROM INFILE` belongs.
        rows_at: For an INSERT the byte of the text given where the rows begin.
        remembered: Whether it changes its session (SET, USE).
        temporary: Whether it makes something that lives only in its session.
    """

    kind: Kind
    sql: bytes
    format: str = ""
    answer_at: int = 0
    source_at: int = 0
    rows_at: int = 0
    remembered: bool = False
    temporary: bool = False


def parse(text: bytes, *, complete: bool = True) -> Statement | None:
    """Tell what `text` asks for.

    Args:
        text: A statement; for an INSERT the rows may follow it.
        complete: Whether `text` is all there is. When it is not, `None` says that more is needed
            to tell (only an INSERT can be told from its beginning).

    Raises:
        QueryFailed: Nothing there, several statements, an open quote, or a door that is closed.
    """
    seen: list[Token] = []
    stream = tokens(text)
    rows_may_follow = False
    for token in stream:
        seen.append(token)
        if len(seen) == 1:
            rows_may_follow = token.text == b"INSERT"
        elif rows_may_follow and not token.depth:
            if (insert := _insert(text, seen)) is not None:
                return insert
            rows_may_follow = token.text not in _OWN_ROWS or token.kind != "word"
        if token.text == b";" and token.kind == "mark":
            break
    if not complete:
        return None
    _refuse_more(text, seen, stream)
    if seen and seen[-1].text == b";":
        seen.pop()
    if not seen:
        raise QueryFailed(errors.SYNTAX_ERROR, "Syntax error: failed at position 1 (empty query)")
    return _classify(text, seen)


def refuse_outside(text: bytes, *, readonly: bool) -> None:
    """Raise `QueryFailed` when `text` calls a function that reaches out of the data directory.

    Args:
        text: SQL, without the rows of an INSERT.
        readonly: Whether the request asked for `readonly`; then every such function is refused.
    """
    names = OUTSIDE_FUNCTIONS if readonly else _NEVER
    previous: Token | None = None
    for token in tokens(text):
        if (
            token.text == b"("
            and previous is not None
            and previous.kind in _NAME_KINDS
            and name_of(previous) in names
        ):
            raise QueryFailed(
                errors.READONLY,
                f"Cannot use function {name_of(previous)} here: it reaches out of the database",
            )
        previous = token


def _insert(text: bytes, seen: Sequence[Token]) -> Statement | None:
    """Return the INSERT when its last two tokens say where its rows begin, else `None`."""
    before, last = seen[-2:]
    target_end = _target_end(seen)
    if last.kind != "word" or len(seen) <= target_end:
        return None
    if last.text == b"INFILE" and before.text == b"FROM":
        raise QueryFailed(
            errors.UNKNOWN_TYPE_OF_QUERY, "Query has infile and was sent directly to the server"
        )
    if before.text == b"FORMAT" and before.kind == "word" and len(seen) - 1 > target_end:
        name = text[last.start : last.end].decode()
        rows_at = _rows_start(text, last.end, name)
        return _with_rows(text[: before.start].rstrip(), name, seen[:-2], rows_at=rows_at)
    if last.text == b"VALUES":
        head = text[: last.start].rstrip()
        return _with_rows(head, "Values", seen[:-1], rows_at=last.end)
    return None


def _with_rows(head: bytes, format_name: str, seen: Sequence[Token], *, rows_at: int) -> Statement:
    """Return an INSERT whose rows follow; a file of rows is named before SETTINGS."""
    behind_target = seen[_target_end(seen) :]
    settings = (token.start for token in behind_target if token.depth == 0 and _is_settings(token))
    source_at = next(settings, len(head))
    return Statement(Kind.INSERT, head, format_name, source_at=source_at, rows_at=rows_at)


def _is_settings(token: Token) -> bool:
    return token.text == b"SETTINGS" and token.kind == "word"


def _target_end(seen: Sequence[Token]) -> int:
    """Return the index behind the table's name in `INSERT INTO [TABLE | FUNCTION] name`.

    A table may be called `values` or `format`; such a name is no keyword.
    """
    at = 1
    for optional in (b"INTO", b"TABLE", b"FUNCTION"):
        at += at < len(seen) and seen[at].text == optional
    at += 1
    while at < len(seen) and seen[at].text == b".":
        at += 2
    return at


def _rows_start(text: bytes, at: int, name: str) -> int:
    """Skip what ClickHouse skips between `FORMAT name` and the rows: blanks and one line end."""
    if name.lower() == "values":
        return at
    while text[at : at + 1] in (b" ", b"\t", b"\f") and at < len(text):
        at += 1
    if text[at : at + 1] == b";":
        raise QueryFailed(errors.SYNTAX_ERROR, "You have ';' symbol before data for INSERT query")
    at += text[at : at + 1] == b"\r"
    return at + (text[at : at + 1] == b"\n")


def _refuse_more(text: bytes, seen: Sequence[Token], rest: Iterable[Token]) -> None:
    """Refuse what stands behind the first `;`, and quotes that never close."""
    if seen and seen[-1].kind == "broken":
        at = seen[-1].start
        raise QueryFailed(
            errors.SYNTAX_ERROR, f"Syntax error: failed at position {at + 1}: quote is not closed"
        )
    behind = next((token for token in rest if token.text != b";"), None)
    if behind is not None:
        near = text[behind.start : behind.start + 40].decode(errors="replace")
        raise QueryFailed(
            errors.SYNTAX_ERROR,
            f"Syntax error (Multi-statements are not allowed): failed at position {seen[-1].start + 1}"
            f" (end of query): ; {near}",
        )


def _classify(text: bytes, seen: Sequence[Token]) -> Statement:
    for before, token in pairwise(seen):
        if token.text == b"OUTFILE" and before.text == b"INTO" and token.kind == "word":
            raise QueryFailed(errors.INTO_OUTFILE_NOT_ALLOWED, "INTO OUTFILE is not allowed")
    sql = text[: seen[-1].end]
    first = next((token.text for token in seen if token.text != b"("), b"")
    if first == b"INSERT" and not _has_select(seen):
        return _with_rows(sql, "Values", seen, rows_at=len(text))
    if first in _RESULT_WORDS and not _inserts(seen):
        at, name = _format_clause(seen)
        written = text[name.start : name.end].decode(errors="replace") if name else ""
        return Statement(Kind.RESULT, sql, written.strip('`"'), answer_at=at)
    return Statement(
        Kind.COMMAND,
        sql,
        remembered=first in (b"SET", b"USE"),
        temporary=any(token.text in (b"TEMPORARY", b"TEMP") for token in seen[:4])
        and first in (b"CREATE", b"REPLACE"),
    )


def _has_select(seen: Sequence[Token]) -> bool:
    return any(token.text in (b"SELECT", b"WITH", b"FROM") for token in seen)


def _inserts(seen: Sequence[Token]) -> bool:
    """Whether this is `WITH … INSERT INTO …`."""
    pairs = pairwise(seen)
    return any(a.text == b"INSERT" and b.text == b"INTO" and a.depth == 0 for a, b in pairs)


def _format_clause(seen: Sequence[Token]) -> tuple[int, Token | None]:
    """Find `FORMAT name` at the end (SETTINGS may follow); return where it starts, and the name."""
    top = [token for token in seen if token.depth == 0]
    for index in range(len(top) - 2, -1, -1):
        token, name = top[index], top[index + 1]
        behind = top[index + 2] if index + 2 < len(top) else None
        if (
            token.text == b"FORMAT"
            and token.kind == "word"
            and name.kind in _NAME_KINDS
            and (behind is None or behind.text == b"SETTINGS")
        ):
            return token.start, name
    return seen[-1].end, None
