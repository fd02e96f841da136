"""An answer that breaks off never looks whole, wherever it breaks."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from weir_store.arrow_stream import ArrowStream, BrokenOff

TABLE = pa.table({"number": list(range(100)), "text": [f"line {n}" for n in range(100)]})
FAILURE = (
    b"\r\n__exception__\r\ntag\r\nCode: 159. DB::Exception: Timeout exceeded. (TIMEOUT_EXCEEDED)"
    b"\n78 tag\r\n__exception__\r\n"
)


def body() -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, TABLE.schema) as writer:
        for batch in TABLE.to_batches(max_chunksize=30):
            writer.write(batch)
    return bytes(sink.getvalue())


def pieces(data: bytes, size: int, *, broken: bool = False) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]
    if broken:
        raise OSError("connection reset")


def read(source: Iterator[bytes]) -> pa.Table:
    stream = ArrowStream(source, lambda: None)
    return pa.Table.from_batches(list(stream), stream.schema)


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_a_whole_answer_comes_whole_in_pieces_of_any_size(size: int) -> None:
    assert read(pieces(body(), size)).equals(TABLE)


@pytest.mark.parametrize("broken", [True, False], ids=["connection lost", "connection closed"])
def test_an_answer_cut_off_at_any_byte_is_broken(broken: bool) -> None:
    whole = body()
    for end in range(0, len(whole), 3):
        with pytest.raises(BrokenOff):
            read(pieces(whole[:end], 512, broken=broken))
    with pytest.raises(BrokenOff):
        read(pieces(whole[:-1], 512, broken=broken))


def test_what_clickhouse_says_behind_the_batches_is_what_is_raised() -> None:
    whole = body()
    for end in (0, 1, 100, len(whole) // 2, len(whole) - 8):
        with pytest.raises(BrokenOff, match="Timeout exceeded") as error:
            read(pieces(whole[:end] + FAILURE, 512, broken=True))
        assert error.value.code == 159


def test_a_connection_lost_behind_the_end_is_not_taken_for_a_whole_answer() -> None:
    with pytest.raises(BrokenOff):
        read(pieces(body(), 512, broken=True))


def test_closing_hangs_up() -> None:
    closed: list[bool] = []
    stream = ArrowStream(pieces(body(), 512), lambda: closed.append(True))
    next(stream)
    stream.close()
    assert closed
