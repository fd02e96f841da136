"""ClickHouse's lexical rules: where strings, comments and names begin and end in SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

TokenKind = Literal["word", "quoted", "string", "number", "mark", "broken"]

# The order matters: comments before marks, heredocs before words. Works on bytes, because what
# follows `INSERT … FORMAT Native` is no text. A quote that never closes is a `broken` token.
_TOKEN = re.compile(
    rb"""
      (?P<space>   [\s\x00]+ | --[^\n]* | \#[\ !][^\n]* | /\*.*?\*/ )
    | (?P<string>  '(?:[^'\\]|\\.|'')*' | \xe2\x80\x98.*?\xe2\x80\x99
                 | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | (?P<quoted>  `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*" | \xe2\x80\x9c.*?\xe2\x80\x9d )
    | (?P<broken>  ['"`] | /\* | \xe2\x80[\x98\x9c] )
    | (?P<word>    [A-Za-z_$][\w$]* )
    | (?P<number>  \d[\w.]* )
    | (?P<mark>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
_UNESCAPED = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0"}


@dataclass(frozen=True, slots=True)
class Token:
    """A token of SQL, `sql[start:end]`; `depth` counts the brackets open before it.

    `text` is upper case for words (keywords compare directly) and as written otherwise.
    """

    kind: TokenKind
    text: bytes
    start: int
    end: int
    depth: int


def tokens(sql: bytes) -> Iterator[Token]:
    """Yield the tokens of `sql` that mean something: no white space, no comments.

    Stops after a `broken` token, since nothing behind it can be told apart. Source: the rules of
    ClickHouse's `Lexer.cpp`: backslash and doubled quotes, typographic quotes, `$tag$` heredocs,
    `--`, `#!` and `/* */` comments (which do not nest).
    """
    depth = 0
    for found in _TOKEN.finditer(sql):
        kind, text = found.lastgroup, found.group()
        if kind == "tag":  # the heredoc's inner group closed last
            kind = "string"
        if kind == "space":
            continue
        if text in (b")", b"]", b"}"):
            depth = max(0, depth - 1)
        yield Token(kind, text.upper() if kind == "word" else text, *found.span(), depth)  # type: ignore[arg-type]
        if text in (b"(", b"[", b"{"):
            depth += 1
        if kind == "broken":
            return


def name_of(token: Token) -> str:
    """Return the identifier a word or quoted token spells, lower case, escapes undone."""
    if token.kind != "quoted":
        return token.text.decode(errors="replace").lower()
    width = 3 if token.text[:1] == b"\xe2" else 1
    inner = token.text[width:-width].replace(b"``", b"`").replace(b'""', b'"')
    plain = re.sub(
        rb"\\(x[0-9A-Fa-f]{2}|.)", lambda escape: _unescape(escape[1]), inner, flags=re.DOTALL
    )
    return plain.decode(errors="replace").lower()


def _unescape(code: bytes) -> bytes:
    return bytes([int(code[1:], 16)]) if len(code) == 3 else _UNESCAPED.get(code, code)
