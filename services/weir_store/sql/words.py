"""Which words of a statement are grammar, which are names, which are functions.

ClickHouse reserves almost no word: `step`, `first`, `user` and `end` are good columns. Telling them
apart here, from their neighbours, lets everything that is not grammar be quoted. A word told
wrongly costs a good statement its answer, never more: what is written at the end quotes all names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from weir_store.sql.base import Refused
from weir_store.sql.lexer import NUMBER, PARAMETER, QUOTED, STRING, WORD, Token, listed, where

_ALWAYS: Final = listed(
    "SELECT DISTINCT FROM WHERE HAVING WITH AS ON USING JOIN UNION INTERSECT CASE WHEN THEN ELSE NOT"
    " EXISTS NULL TRUE FALSE"
)
_BINARY: Final = listed("AND OR LIKE ILIKE IN IS BETWEEN DIV MOD EXCEPT")
_JOINS: Final = listed(
    "ANY ALL SEMI ANTI ASOF LEFT RIGHT FULL INNER OUTER CROSS PASTE ARRAY GLOBAL"
)
_VALUES: Final = listed("NULL TRUE FALSE END")  # grammar that ends an operand
_BOUNDS: Final = listed("PRECEDING FOLLOWING")
_BEFORE_BINARY: Final = listed("NOT ROWS RANGE PRECEDING FOLLOWING ROW")
UNITS: Final = frozenset(
    unit + plural
    for unit in listed(
        "NANOSECOND MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR"
    )
    for plural in ("", "S")
)
_ENDINGS: Final = listed("ASC DESC LAST FIRST TIES TOTALS ROLLUP CUBE NULLS")

# What changes how a statement runs or where its answer goes; the caller decides that.
_CLOSED: Final = {
    "SETTINGS": "leave SETTINGS out: limits are the server's",
    "FORMAT": "leave FORMAT out and choose the format where you ask",
    "INTO": "leave INTO out: the answer comes to you",
    "FINAL": "leave FINAL out: the views show every point once",
    "SAMPLE": "leave SAMPLE out: filter with WHERE cityHash64(run_id) % 10 = 0",
    "PREWHERE": "write WHERE",
    "GLOBAL": "leave GLOBAL out",
    "COLLATE": "order by lower(x) instead",
    "APPLY": "write the columns out",
    "INTERPOLATE": "leave INTERPOLATE out",
    "FETCH": "write LIMIT",
}


class Words:
    """Goes over the tokens once, left to right, and says of each word what it is."""

    def __init__(self, text: str, seen: Sequence[Token]) -> None:
        self._text = text
        self._seen = seen
        self._operand = False  # whether what stands before ends an operand
        self._depth = 0
        self._cases: list[int] = []  # depths of open CASEs
        self._intervals: list[int] = []  # depths of INTERVALs without their unit
        self._fills: list[int] = []  # depths of WITH FILL

    def is_grammar(self, at: int) -> bool:
        """Whether the bare word at `at` is grammar; call it for every token, in order.

        Raises:
            Refused: A construct that no statement may use.
        """
        token = self._seen[at]
        self._enter(token)
        if token.kind != WORD:
            self._leave(token, grammar=False)
            return False
        behind_dot = at > 0 and self._seen[at - 1].is_mark(".")
        named = self._before(at) == "AS" and not self._opens_query(at)
        grammar = not behind_dot and not named and self._says(token.upper, at)
        self._leave(token, grammar=grammar)
        return grammar

    # ── neighbours ─────────────────────────────────────────────────────────

    def _before(self, at: int) -> str:
        return self._seen[at - 1].upper if at else ""

    def _after(self, at: int, by: int = 1) -> str:
        return self._seen[at + by].upper if at + by < len(self._seen) else ""

    def _mark_after(self, at: int, *marks: str) -> bool:
        return at + 1 < len(self._seen) and self._seen[at + 1].is_mark(*marks)

    def _value_follows(self, at: int) -> bool:
        """Whether an operand can begin behind `at`."""
        if at + 1 >= len(self._seen):
            return False
        token = self._seen[at + 1]
        return token.kind in (NUMBER, STRING, PARAMETER, QUOTED, WORD) or token.is_mark(
            "(", "-", "["
        )

    def _string_follows(self, at: int) -> bool:
        return at + 1 < len(self._seen) and self._seen[at + 1].kind == STRING

    def _opens_query(self, at: int) -> bool:
        return self._seen[at].upper in ("SELECT", "WITH")

    # ── state ──────────────────────────────────────────────────────────────

    def _enter(self, token: Token) -> None:
        if token.is_mark(")", "]"):
            self._depth -= 1
        for stack in (self._cases, self._intervals, self._fills):
            while stack and stack[-1] > self._depth:
                stack.pop()
        if token.is_mark(",") and self._fills and self._fills[-1] == self._depth:
            self._fills.pop()

    def _leave(self, token: Token, *, grammar: bool) -> None:
        if token.is_mark("(", "["):
            self._depth += 1
        if grammar:
            self._operand = token.upper in _VALUES
        elif token.kind == "mark":
            star = token.is_mark("*") and not self._operand
            self._operand = token.is_mark(")", "]") or star
        else:
            self._operand = True

    # ── the words ──────────────────────────────────────────────────────────

    def _says(self, word: str, at: int) -> bool:
        if word in _CLOSED and self._is_closed(word, at):
            raise Refused(f"{word} {where(self._text, self._seen[at].at)}", hint=_CLOSED[word])
        if word in ("DATE", "TIMESTAMP") and self._string_follows(at):
            raise Refused(
                f"{word} '…' {where(self._text, self._seen[at].at)}",
                hint="write toDate('…') or toDateTime64('…', 6)",
            )
        if word in _ALWAYS:
            return self._always(word)
        if word in _BINARY:
            return self._operand or self._before(at) in _BEFORE_BINARY
        if word in _JOINS and self._joins(at):
            return True
        say = getattr(self, f"_say_{word.lower()}", None)
        if say is not None:
            return bool(say(at))
        if word in _BOUNDS:
            return self._operand or self._before(at) == "UNBOUNDED"
        return word in UNITS and self._is_unit()

    def _always(self, word: str) -> bool:
        if word == "CASE":
            self._cases.append(self._depth)
        return True

    def _is_closed(self, word: str, at: int) -> bool:
        if word == "GLOBAL":
            return self._after(at) in _JOINS | {"JOIN", "IN", "NOT"}
        if word == "APPLY":
            return self._operand and self._mark_after(at, "(")
        if word == "INTERPOLATE":
            return bool(self._fills)
        if not (self._operand or self._before(at) in _ENDINGS):
            return False
        if self._mark_after(at, "(", ".", "="):
            return False
        last = at + 1 == len(self._seen)
        if word == "FINAL":
            return not self._mark_after(at, ",") or self._before(at) != "AS"
        return not last and (self._value_follows(at) or self._after(at) != "")

    def _joins(self, at: int) -> bool:
        if self._before(at) in ("UNION", "EXCEPT", "INTERSECT"):
            return True  # ALL
        while self._after(at, 0) in _JOINS:
            at += 1
        return self._after(at, 0) == "JOIN"

    def _is_unit(self) -> bool:
        if self._intervals and self._operand and self._intervals[-1] == self._depth:
            self._intervals.pop()
            return True
        return False

    def _say_group(self, at: int) -> bool:
        return self._after(at) == "BY"

    _say_order = _say_partition = _say_group

    def _say_by(self, at: int) -> bool:
        return self._before(at) in ("GROUP", "ORDER", "PARTITION") or self._operand

    def _say_all(self, at: int) -> bool:
        return self._before(at) == "BY" and self._seen[at - 2].upper == "GROUP"

    def _say_grouping(self, at: int) -> bool:
        return self._after(at) == "SETS"

    def _say_sets(self, at: int) -> bool:
        return self._before(at) == "GROUPING"

    def _say_limit(self, at: int) -> bool:
        return self._is_clause(at) and self._value_follows(at)

    _say_offset = _say_limit

    def _is_clause(self, at: int) -> bool:
        return self._operand or self._before(at) in _ENDINGS

    def _say_qualify(self, at: int) -> bool:
        return self._is_clause(at) and self._value_follows(at)

    def _say_window(self, at: int) -> bool:
        return self._is_clause(at) and self._after(at, 2) == "AS"

    def _say_asc(self, at: int) -> bool:
        return self._operand

    _say_desc = _say_asc

    def _say_nulls(self, at: int) -> bool:
        return self._after(at) in ("FIRST", "LAST") or self._before(at) in ("IGNORE", "RESPECT")

    def _say_first(self, at: int) -> bool:
        return self._before(at) == "NULLS"

    _say_last = _say_first

    def _say_ignore(self, at: int) -> bool:
        return self._operand and self._after(at) == "NULLS"

    _say_respect = _say_ignore

    def _say_totals(self, at: int) -> bool:
        return self._before(at) == "WITH"

    _say_ties = _say_totals

    def _say_recursive(self, at: int) -> bool:
        return (
            self._before(at) == "WITH" and not self._mark_after(at, ",") and self._after(at) != "AS"
        )

    def _say_rollup(self, at: int) -> bool:
        return self._before(at) in ("WITH", "BY")

    _say_cube = _say_rollup

    def _say_fill(self, at: int) -> bool:
        if self._before(at) != "WITH":
            return False
        self._fills.append(self._depth)
        return True

    def _say_to(self, at: int) -> bool:
        filling = bool(self._fills) and self._fills[-1] == self._depth
        return filling and (self._operand or self._before(at) == "FILL")

    _say_step = _say_to

    def _say_end(self, at: int) -> bool:
        if not self._cases or self._cases[-1] != self._depth or not self._operand:
            return False
        self._cases.pop()
        return True

    def _say_interval(self, at: int) -> bool:
        if self._operand or not self._value_follows(at):
            return False
        if self._after(at) in _BINARY | {"FROM", "AS"}:
            return False
        self._intervals.append(self._depth)
        return True

    def _say_over(self, at: int) -> bool:
        return self._operand and self._value_follows(at)

    def _say_filter(self, at: int) -> bool:
        return self._operand and self._mark_after(at, "(") and self._after(at, 2) == "WHERE"

    def _say_rows(self, at: int) -> bool:
        if self._after(at) in ("BETWEEN", "UNBOUNDED", "CURRENT"):
            return True
        return self._after(at, 2) in _BOUNDS

    _say_range = _say_rows

    def _say_unbounded(self, at: int) -> bool:
        return self._after(at) in _BOUNDS

    def _say_current(self, at: int) -> bool:
        return self._after(at) == "ROW"

    def _say_row(self, at: int) -> bool:
        return self._before(at) == "CURRENT"

    def _say_replace(self, at: int) -> bool:
        return at > 0 and self._seen[at - 1].is_mark("*", ")") and self._star_before(at)

    def _star_before(self, at: int) -> bool:
        """Whether `REPLACE (` follows `*`, or the list of `* EXCEPT (…)`."""
        before = self._seen[at - 1]
        return self._mark_after(at, "(") and (before.is_mark("*") or self._operand)
