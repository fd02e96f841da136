"""A dead letter tried once more: decoded and laid out by the writer's own code, then marked.

Rows, versions and watermarks are those that the writer would have made, so it does not matter
whether the writer runs meanwhile, or how often a letter is retried: rows are read once.
"""

from __future__ import annotations

from typing import Final

from weir_server.stream.base import StreamEntry
from weir_server.writer.block import token_of
from weir_server.writer.persist import rows_of
from weir_server.writer.unpack import Frame, Undecodable, unpack
from weir_store import tables
from weir_store.base import Block, Inserter
from weir_store.dead_letters import DeadLetters
from weir_store.errors import StoreRejected
from weir_store.records import DeadLetter

_NO_SHARD: Final = 0xFFFF_FFFF  # tokens of retries are like no writer's


class StillDead(Exception):
    """The letter cannot be stored now either; nothing was changed. The text says why."""


def retry(
    letter: DeadLetter,
    entry: bytes,
    *,
    letters: DeadLetters,
    inserter: Inserter,
    by: str,
    at_unix_us: int,
) -> Frame:
    """Store a letter's rows and mark it; return what was in it.

    Raises:
        StillDead: The entry cannot be read, or the store refuses its rows.
        StoreUnavailable: Nothing is decided; retry again.
    """
    frame = opened(letter, entry)
    try:
        block = rows_of([frame])
        inserter.insert(block, token_of(_NO_SHARD, [frame]))
    except StoreRejected as error:
        raise StillDead(f"the store refuses it: {error}") from error
    gap_stays = _tells_of_gap(block, letter.seq)
    letters.mark_retried(letter, entry, by=by, at_unix_us=at_unix_us, gap_stays=gap_stays)
    return frame


def opened(letter: DeadLetter, entry: bytes) -> Frame:
    """Return what is in a letter; raise `StillDead` when it cannot be read."""
    source = StreamEntry("retry", letter.producer.bytes, letter.seq, entry)
    try:
        return unpack(source)
    except Undecodable as error:
        raise StillDead(f"it can not be read: {error}") from error


def _tells_of_gap(block: Block, seq: int) -> bool:
    if tables.LEDGER not in block:
        return False
    rows = block[tables.LEDGER].select(["account", "part"]).to_pylist()
    return any(row["account"] == "gap" and row["part"] == seq for row in rows)
