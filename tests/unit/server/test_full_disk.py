"""A disk that is full: whoever holds bytes for a while says so in words, and leaves nothing behind."""

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from weir_server.engine import rows_file
from weir_server.engine.errors import QueryFailed
from weir_store.objects.arrival import Arrival

ROOM_BYTES = 1_000


@contextmanager
def little_room() -> Iterator[None]:
    """Let no file grow beyond `ROOM_BYTES`, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("pieces", [[b"x" * 3_000], [b"x" * 600] * 3, [b"x" * 9_000] * 2])
@pytest.mark.parametrize("in_memory_bytes", [10, 1 << 20])
def test_rows_without_room_are_refused_before_the_insert_begins(
    pieces: Sequence[bytes], in_memory_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_file, "IN_MEMORY_BYTES", in_memory_bytes)
    with (
        pytest.raises(QueryFailed, match="Cannot hold the rows"),
        little_room(),
        rows_file.held(pieces, tmp_path),
    ):
        pytest.fail("the insert began")
    assert list(tmp_path.iterdir()) == []


def test_an_object_without_room_leaves_no_bytes_behind(tmp_path: Path) -> None:
    arrival = Arrival(tmp_path / "objects" / "a", tmp_path)
    with little_room(), suppress(OSError):
        arrival.write(b"x" * 3_000)
        arrival.settle()
        pytest.fail("there was room")
    with little_room(), suppress(OSError):
        arrival.drop()
    assert list(tmp_path.iterdir()) == []
