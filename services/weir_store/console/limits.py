"""What a question about lines may ask: the same for both readers."""

from __future__ import annotations

from typing import Final

from weir_store.console.base import LinesQuery, Stream
from weir_store.console.search import check_search
from weir_store.errors import InvalidQuery

MOST_RUNS: Final = 1_000
MOST_LINES: Final = 100_000
MOST_TEXT_BYTES = 64 << 20
"""Text of one answer; a single line may be longer."""
_MOST_RANKS: Final = 10_000


def check(query: LinesQuery) -> None:
    """Raise `InvalidQuery` for a question that breaks a limit."""
    if not 1 <= len(query.runs) <= MOST_RUNS:
        raise InvalidQuery(f"{len(query.runs)} runs are asked for", hint=f"1 … {MOST_RUNS}")
    if not 1 <= query.limit <= MOST_LINES:
        raise InvalidQuery(f"limit is {query.limit}", hint=f"1 … {MOST_LINES}")
    if query.ranks is not None and len(query.ranks) > _MOST_RANKS:
        raise InvalidQuery(f"{len(query.ranks)} ranks are named", hint=f"at most {_MOST_RANKS}")
    for stream in query.streams:
        if stream not in set(Stream):
            raise InvalidQuery(f"no stream {stream!r}", hint=f"one of {', '.join(Stream)}")
    check_search(query.search)
