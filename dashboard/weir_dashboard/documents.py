"""Saved views ⇄ documents and addresses: ids, bodies, which part of an address is long. Pure.

A view that has a name holds the whole query string of its page. One without a name stands for the
keys that make an address long, and for nothing else: `?v=` and the other keys of the address are
the view together. Its id comes from what it holds, so that the same state has the same short address.
"""

from __future__ import annotations

import json
from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from secrets import choice
from typing import Final
from urllib.parse import parse_qs, urlencode

from weir_dashboard.selection import Query
from weir_store.errors import InvalidQuery

PAGES: Final = ("workspace", "runs", "compare", "ranks", "sql")
"""Pages whose views can be saved."""

KEY: Final = "v"
"""The key of the address that stands for a view."""

LONG_ADDRESS: Final = 1_500
"""Characters of a query string beyond which its long keys are put into a view without a name."""

LONG_KEYS: Final = (
    "run",
    "show",
    "hide",
    "color",
    "pin",
    "top",
    "fold",
    "gshow",
    "ghide",
    "col",
    "m",
)
"""Keys that may be repeated hundreds of times; component/assets/address.js has the same list."""

LONGEST_QUERY: Final = 1 << 16
LONGEST_NAME: Final = 200
LONGEST_REPORT_BYTES: Final = 1 << 18

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_ID_CHARS: Final = 8


@dataclass(frozen=True, slots=True)
class View:
    """A page and its query string.

    Attributes:
        page: One of `PAGES`.
        query: Without `?`, keys as the page reads them.
    """

    page: str
    query: str

    @property
    def keys(self) -> dict[str, list[str]]:
        """The query string, parsed."""
        return parse_qs(self.query)


def fresh_id() -> str:
    """Return an id that nobody has: 8 characters, 40 random bits."""
    return "".join(choice(_LETTERS) for _ in range(_ID_CHARS))


def id_of(project: str, view: View) -> str:
    """Return the id that stands for exactly this state of this project."""
    said = "\0".join((project, view.page, view.query)).encode()
    return b32encode(blake2b(said, digest_size=5).digest()).decode().lower()


def is_id(text: str) -> bool:
    """Return whether a text of an address can be an id."""
    return len(text) == _ID_CHARS and set(text) <= set(_LETTERS)


def view_of(page: str, query: Query) -> View:
    """Make a view of what a page's address says.

    Raises:
        InvalidQuery: No such page has views, or the address is longer than any page reads.
    """
    if page not in PAGES:
        raise InvalidQuery(f"the page {page!r} has no views", hint=f"one of {', '.join(PAGES)}")
    kept = {key: list(texts) for key, texts in query.items() if key != KEY and any(texts)}
    text = urlencode(kept, doseq=True)
    if len(text) > LONGEST_QUERY:
        raise InvalidQuery(
            f"an address of {len(text):,} characters", hint=f"at most {LONGEST_QUERY:,}"
        )
    return View(page, text)


def body_of(view: View) -> str:
    """Write a view as the body of a document."""
    return json.dumps({"page": view.page, "query": view.query}, ensure_ascii=False)


def read_view(body: str) -> View | None:
    """Read the body of a document; None when this release does not understand it."""
    try:
        said = json.loads(body)
        return view_of(said["page"], parse_qs(said["query"]))
    except (ValueError, KeyError, TypeError, AttributeError, InvalidQuery):
        return None


def long_part(query: Query) -> dict[str, list[str]]:
    """Return the keys that can be long."""
    return {key: list(query[key]) for key in LONG_KEYS if any(query.get(key, ()))}


def short_part(query: Query) -> dict[str, list[str]]:
    """Return the other keys."""
    return {key: list(texts) for key, texts in query.items() if key not in (*LONG_KEYS, KEY)}


def is_long(query: Mapping[str, Sequence[str]]) -> bool:
    """Return whether this query string is worth a view of its own."""
    return len(urlencode({k: list(v) for k, v in query.items()}, doseq=True)) > LONG_ADDRESS


def checked_name(name: str) -> str:
    """Return a name without blanks around it. Raises `InvalidQuery` for none, and for too long a one."""
    name = " ".join(name.split())
    if not name:
        raise InvalidQuery("a name is needed", hint="write one")
    if len(name) > LONGEST_NAME:
        raise InvalidQuery(
            f"a name of {len(name):,} characters", hint=f"at most {LONGEST_NAME} characters"
        )
    return name


def default_id(page: str, whose: str = "") -> str:
    """Return the id of the note which view a page begins with: for everybody, or for one person."""
    return f"{page}@{whose}" if whose else page
