"""ClickHouse's own idea of tokens: what a comment is, where a string ends, what its escapes mean.

The gate hands no text of a stranger on: strings and names are decoded here, and written anew in one
plain form at the end (quoting.py). A quote that this file and the server read differently would be
a door; so whatever is unusual is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weir_store.sql.base import Refused

MOST_CHARACTERS: Final = 256 << 10

WORD, QUOTED, STRING, NUMBER, MARK, PARAMETER = (
    "word",
    "quoted name",
    "string",
    "number",
    "mark",
    "parameter",
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: WORD, QUOTED, STRING, NUMBER, MARK or PARAMETER.
        text: The word, the mark, the number; of strings and quoted names the decoded content, in
            which bytes that are no UTF-8 are lone surrogates (`surrogateescape`); of a parameter
            what stands between its braces.
        at: Where it begins in the statement.
    """

    kind: str
    text: str
    at: int

    @property
    def upper(self) -> str:
        """The word in upper case; "" for everything that is no bare word."""
        return self.text.upper() if self.kind == WORD else ""

    def is_mark(self, *marks: str) -> bool:
        """Whether it is one of these marks."""
        return self.kind == MARK and self.text in marks


def listed(text: str) -> frozenset[str]:
    """Return the words of a list that is written as text."""
    return frozenset(text.split())


_BLANK = re.compile(r"(?:[ \t\n\r\f\v]+|--[^\n]*|#[ !][^\n]*|/\*.*?\*/)+", re.S)
_NUMBER = re.compile(
    r"0[xX][0-9a-fA-F]+|0[bB][01]+|(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.A
)
_WHOLE = re.compile(r"\d+", re.A)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.A)
_MARK = re.compile(r"::|->|<=>|<=|>=|<>|!=|==|\|\||[-+*/%=<>()\[\],.?:;]")
_HEREDOC = re.compile(r"\$[A-Za-z0-9_]*\$", re.A)
_PARAMETER = re.compile(r"\{([^{}]*)\}")
_ESCAPED: Final = {
    "b": b"\b", "f": b"\f", "n": b"\n", "r": b"\r", "t": b"\t", "0": b"\0", "a": b"\a", "v": b"\v",
    "e": b"\x1b", "N": b"", "\\": b"\\", "'": b"'", '"': b'"', "`": b"`", "/": b"/",
}  # fmt: skip


def tokens(text: str) -> list[Token]:
    """Split a statement; one trailing `;` is dropped.

    Raises:
        Refused: Too long, an open quote, a sign that SQL does not have, a second statement.
    """
    if len(text) > MOST_CHARACTERS:
        raise Refused(f"the statement is longer than {MOST_CHARACTERS} characters")
    found = list(_tokens(text))
    while found and found[-1].is_mark(";"):
        found.pop()
    for token in found:
        if token.is_mark(";"):
            raise Refused(
                f"a second statement {where(text, token.at)}", hint="send one SELECT at a time"
            )
    if not found:
        raise Refused("nothing to run", hint="write a SELECT")
    return found


def where(text: str, at: int) -> str:
    """Say a place as people count: `at line 2, column 5`."""
    line = text.count("\n", 0, at) + 1
    return f"at line {line}, column {at - text.rfind(chr(10), 0, at)}"


def _tokens(text: str) -> Iterator[Token]:
    at, before = 0, None
    while True:
        if blank := _BLANK.match(text, at):
            at = blank.end()
        if at == len(text):
            return
        token, at = _next(text, at, before)
        yield token
        before = token


def _next(text: str, at: int, before: Token | None) -> tuple[Token, int]:
    sign = text[at]
    if sign in "'\"`":
        content, end = _quoted(text, at)
        return Token(STRING if sign == "'" else QUOTED, content, at), end
    if found := _WORD.match(text, at):
        _refuse_prefixed_string(text, found)
        return Token(WORD, found.group(), at), found.end()
    # Behind a dot stands a tuple's element: in `t.1.2` no number is 1.2.
    if before is not None and before.is_mark(".") and (found := _WHOLE.match(text, at)):
        return Token(NUMBER, found.group(), at), found.end()
    is_dot = sign == "." and _may_precede_dot(before)
    if not is_dot and (found := _NUMBER.match(text, at)):
        if _WORD.match(text, found.end()):
            raise Refused(f"a number that runs into a word {where(text, at)}")
        return Token(NUMBER, found.group(), at), found.end()
    if sign == "{" and (found := _PARAMETER.match(text, at)):
        return Token(PARAMETER, found.group(1), at), found.end()
    if found := _HEREDOC.match(text, at):
        return _heredoc(text, at, found.group())
    if text.startswith("/*", at):
        raise Refused(f"a comment that does not end, {where(text, at)}")
    if found := _MARK.match(text, at):
        return Token(MARK, found.group(), at), found.end()
    raise Refused(
        f"the sign {sign!a} (U+{ord(sign):04X}) {where(text, at)}",
        hint="outside quotes SQL is plain ASCII; quote names with backticks and strings with '",
    )


def _may_precede_dot(before: Token | None) -> bool:
    """Whether a dot behind this token is a dot, not the beginning of `.5`."""
    if before is None:
        return False
    return before.kind in (WORD, QUOTED, NUMBER) or before.is_mark(")", "]", "*", ".")


def _refuse_prefixed_string(text: str, word: re.Match[str]) -> None:
    """`x'41'` and `b'01'` are strings of another kind: say it with unhex() or unbin()."""
    if text[word.end() : word.end() + 1] == "'" and word.group().lower() in ("x", "b"):
        raise Refused(
            f"a string written as {word.group()}'…' {where(text, word.start())}",
            hint="write it as a plain string, or unhex('…')",
        )


def _heredoc(text: str, at: int, tag: str) -> tuple[Token, int]:
    end = text.find(tag, at + len(tag))
    if end < 0:
        raise Refused(f"a string that does not end, {where(text, at)}")
    return Token(STRING, _utf8(text, at, text[at + len(tag) : end]), at), end + len(tag)


def _quoted(text: str, start: int) -> tuple[str, int]:
    """Decode what stands in quotes; return it and the place behind the closing quote."""
    quote = text[start]
    pieces: list[bytes] = []
    at = start + 1
    plain = re.compile(rf"[^\\{quote}]+")
    while at < len(text):
        if found := plain.match(text, at):
            pieces.append(_utf8(text, start, found.group()).encode())
            at = found.end()
        elif text[at] == "\\":
            piece, at = _escape(text, at)
            pieces.append(piece)
        elif text[at + 1 : at + 2] == quote:
            pieces.append(quote.encode())
            at += 2
        else:
            content = b"".join(pieces).decode("utf-8", "surrogateescape")
            return content, at + 1
    raise Refused(f"a quote {quote} that is not closed, {where(text, start)}")


def _escape(text: str, at: int) -> tuple[bytes, int]:
    """Decode one escape as ClickHouse does: an unknown one keeps its backslash (good for regexes)."""
    sign = text[at + 1 : at + 2]
    if sign == "x":
        digits = text[at + 2 : at + 4]
        if not re.fullmatch(r"[0-9a-fA-F]{2}", digits):
            raise Refused(f"an escape \\x without two digits {where(text, at)}")
        return bytes.fromhex(digits), at + 4
    known = _ESCAPED.get(sign)
    if known is None:
        known = sign.encode() if sign < " " else b"\\" + _utf8(text, at, sign).encode()
    return known, at + 2


def _utf8(text: str, at: int, piece: str) -> str:
    try:
        piece.encode()
    except UnicodeEncodeError as error:
        raise Refused(f"half a character (a lone surrogate) in quotes {where(text, at)}") from error
    return piece
