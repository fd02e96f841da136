"""A statement as sqlglot gets to see it: grammar, and stand-ins for all that a stranger named.

    SELECT quantile(0.9)(v) FROM metrics WHERE metric = 'loss'
 →  SELECT f2 ( 3 ) ( "n7" ) FROM "n9" WHERE "n11" = 's13'        (one token to a line)

sqlglot knows hundreds of functions, types and habits of other databases, and would translate them.
Here it is asked only for the shape: which operand belongs to which operator, which table to which
SELECT. The number in a stand-in is the index of its token, so a line of sqlglot's errors is one too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from weir_store.sql.base import Refused
from weir_store.sql.lexer import (
    NUMBER,
    PARAMETER,
    QUOTED,
    STRING,
    WORD,
    Token,
    tokens,
    where,
)
from weir_store.sql.types import read_type
from weir_store.sql.words import UNITS, Words

MOST_TOKENS: Final = 20_000
MOST_DEPTH: Final = 24  # of brackets; each costs sqlglot about thirty Python frames
RESERVED: Final = "weir "  # names that the gate gives begin so; nobody else's may
_PARTS: Final = {
    "YEAR": "toYear", "QUARTER": "toQuarter", "MONTH": "toMonth", "DAY": "toDayOfMonth",
    "HOUR": "toHour", "MINUTE": "toMinute", "SECOND": "toSecond",
}  # fmt: skip
_UNIT_FIRST: Final = frozenset(["datediff", "date_diff", "timestampdiff", "timestamp_diff"])
_JOINED_TO_BY: Final = frozenset(["GROUP", "ORDER", "PARTITION"])
_LITERALS: Final = frozenset(["nan", "inf", "infinity"])


@dataclass(frozen=True, slots=True)
class Parameter:
    """`{name:Type}` in a statement."""

    name: str
    type: str


@dataclass(slots=True)
class Reading:
    """What was read.

    Attributes:
        text: The statement.
        tokens: Its tokens; a stand-in's number is an index into them.
        lines: What sqlglot gets, one line for each token.
        types: Token at which a type begins → the type.
        parameters: Token → the parameter it is.
        colons: Tokens `::`, which cast what stands before them.
    """

    text: str
    tokens: list[Token]
    lines: list[str] = field(default_factory=list)
    types: dict[int, str] = field(default_factory=dict)
    parameters: dict[int, Parameter] = field(default_factory=dict)
    colons: set[int] = field(default_factory=set)

    def place(self, index: int) -> str:
        """Say where a token stands: `at line 2, column 5`."""
        index = min(max(index, 0), len(self.tokens) - 1)
        return where(self.text, self.tokens[index].at)


def read(text: str) -> Reading:
    """Read a statement.

    Raises:
        Refused: What no statement may say, or too much of it.
    """
    seen = tokens(text)
    if len(seen) > MOST_TOKENS:
        raise Refused(f"the statement has more than {MOST_TOKENS} words and signs")
    _refuse_start(text, seen)
    _refuse_depth(text, seen)
    return _Reader(Reading(text, seen)).read()


def _refuse_start(text: str, seen: Sequence[Token]) -> None:
    """Nothing but a SELECT begins a statement."""
    first = next((token for token in seen if not token.is_mark("(")), seen[0])
    if first.upper not in ("SELECT", "WITH", "FROM"):
        raise Refused(
            f"{first.text[:40]!r} {where(text, first.at)}",
            hint="a statement is one SELECT; WITH may stand before it",
        )


def _refuse_depth(text: str, seen: Sequence[Token]) -> None:
    depth = 0
    for token in seen:
        if token.is_mark("(", "["):
            depth += 1
        elif token.is_mark(")", "]"):
            depth -= 1
        if depth > MOST_DEPTH:
            raise Refused(f"brackets nested deeper than {MOST_DEPTH}, {where(text, token.at)}")
        if depth < 0:
            raise Refused(f"a bracket that closes nothing, {where(text, token.at)}")


class _Reader:
    def __init__(self, reading: Reading) -> None:
        self._to = reading
        self._seen = reading.tokens
        self._words = Words(reading.text, reading.tokens)
        self._casts: set[int] = set()  # the AS of `CAST(x AS T)`
        self._at = 0

    def read(self) -> Reading:
        while self._at < len(self._seen):
            begun = self._at
            line = self._line()
            # one line for each token, so that line numbers stay indices
            self._to.lines.append(line)
            self._to.lines += [""] * (self._at - begun - 1)
        return self._to

    def _line(self) -> str:
        at, token = self._at, self._seen[self._at]
        grammar = self._words.is_grammar(at)
        self._at += 1
        if token.kind == STRING:
            return f"'s{at}'"
        if token.kind == QUOTED:
            self._refuse_call(at)
            if token.text.lower().startswith(RESERVED):
                raise Refused(f"a name that begins with {RESERVED!r} {self._to.place(at)}")
            return f'"n{at}"'
        if token.kind == NUMBER:
            return f'"n{at}"' if self._is_dot(at - 1) else str(at)
        if token.kind == PARAMETER:
            return self._parameter(at, token)
        if token.kind == WORD:
            return self._word(at, token, grammar=grammar)
        if token.is_mark("::"):
            self._to.colons.add(at)
            return f":: {self._type()}"
        return token.text

    def _word(self, at: int, token: Token, *, grammar: bool) -> str:
        upper = token.upper
        calls = self._is_open(at + 1)
        if upper == "CAST" and calls and (as_at := self._cast_as(at)):
            self._casts.add(as_at)
            return "CAST"
        if upper == "AS" and at in self._casts:
            return f"AS {self._type()}"
        if grammar and not (calls and upper in ("AND", "OR") and not self._is_operand(at - 1)):
            return self._grammar(at, upper)
        if calls:
            return self._function(at, upper)
        if token.text.lower() in _LITERALS and not self._is_dot(at - 1) and not self._is_as(at - 1):
            return str(at)
        return f'"n{at}"'

    def _grammar(self, at: int, upper: str) -> str:
        if upper == "BY" and self._seen[at - 1].upper in _JOINED_TO_BY:
            return ""
        if upper == "MOD":
            return "%"
        return f"{upper} BY" if upper in _JOINED_TO_BY else upper

    def _function(self, at: int, upper: str) -> str:
        """Name a function; two ways to name a unit of time become plain functions and strings."""
        if upper == "EXTRACT" and self._upper(at + 3) == "FROM":
            part = self._upper(at + 2)
            if part not in _PARTS:
                raise Refused(f"EXTRACT({part} FROM …) {self._to.place(at)}")
            self._seen[at] = Token(WORD, _PARTS[part], self._seen[at].at)
            self._pass(3)
            return f"f{at} ("
        if upper.lower() in _UNIT_FIRST and self._upper(at + 2) in UNITS:
            unit = self._seen[at + 2]
            if at + 3 < len(self._seen) and self._seen[at + 3].is_mark(","):
                self._seen[at + 2] = Token(STRING, unit.text.lower(), unit.at)
        return f"f{at}"

    def _parameter(self, at: int, token: Token) -> str:
        name, colon, kind = token.text.partition(":")
        if not colon or not name.strip().isidentifier() or not name.isascii():
            raise Refused(
                f"{{{token.text[:40]}}} {self._to.place(at)}", hint="write parameters {name:Type}"
            )
        seen = tokens(kind)
        written, end = read_type(seen, 0)
        if end != len(seen):
            raise Refused(f"the type {kind[:40]!r} {self._to.place(at)}")
        self._to.parameters[at] = Parameter(name.strip(), written)
        return f"{{p{at}:Int8}}"

    def _type(self) -> str:
        """Read the type at the cursor; what sqlglot sees is FixedString of its index."""
        begun = self._at
        try:
            written, end = read_type(self._seen, begun)
        except Refused as refusal:
            raise Refused(f"{refusal}, {self._to.place(begun)}") from None
        self._to.types[begun] = written
        self._pass(end - begun)
        return f"FixedString({begun})"

    def _pass(self, count: int) -> None:
        for _ in range(count):
            self._words.is_grammar(self._at)
            self._at += 1

    def _cast_as(self, at: int) -> int:
        """Return the AS of `CAST(x AS T)`, 0 when it is `CAST(x, 'T')`."""
        depth = found = 0
        for index in range(at + 1, len(self._seen)):
            token = self._seen[index]
            if token.is_mark("(", "["):
                depth += 1
            elif token.is_mark(")", "]"):
                depth -= 1
                if not depth:
                    break
            elif depth == 1 and token.upper == "AS":
                found = index
            elif depth == 1 and token.is_mark(","):
                found = 0
        return found

    # ── neighbours ─────────────────────────────────────────────────────────

    def _upper(self, at: int) -> str:
        return self._seen[at].upper if at < len(self._seen) else ""

    def _is_open(self, at: int) -> bool:
        return at < len(self._seen) and self._seen[at].is_mark("(")

    def _is_dot(self, at: int) -> bool:
        return at >= 0 and self._seen[at].is_mark(".")

    def _is_as(self, at: int) -> bool:
        return at >= 0 and self._seen[at].upper == "AS"

    def _is_operand(self, at: int) -> bool:
        token = self._seen[at]
        return token.kind in (STRING, NUMBER, QUOTED) or token.is_mark(")", "]")

    def _refuse_call(self, at: int) -> None:
        """A quoted name in front of a bracket calls a function behind the gate's back."""
        before = self._upper(at - 1) if at else ""
        if self._is_open(at + 1) and before not in ("IN", "OVER"):
            raise Refused(
                f"a function in quotes {self._to.place(at)}", hint="write its name without quotes"
            )
