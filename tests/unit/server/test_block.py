from hypothesis import given
from hypothesis import strategies as st

from tests.unit.server import frames
from weir_server.writer.block import Limits, OpenBlock, entries_to_read, halve, token_of
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.unpack import unpack

LIMITS = Limits(rows=100, bytes=1 << 20, age_s=0.25)


def test_a_block_is_full_at_its_limit_of_rows() -> None:
    block = OpenBlock(0.0)
    block.add(unpack(frames.entry(frames.grid(0, rows=40), 1)))
    assert not block.is_full(LIMITS)

    block.add(unpack(frames.entry(frames.grid(40, rows=40), 2)))
    assert block.is_full(LIMITS)


def test_a_block_is_full_at_its_limit_of_unpacked_bytes() -> None:
    block = OpenBlock(0.0)
    block.add(unpack(frames.entry(frames.grid(0, rows=40), 1)))

    assert block.is_full(Limits(rows=10**6, bytes=600, age_s=1.0))


def test_a_block_waits_no_longer_than_its_age() -> None:
    block = OpenBlock(opened_s=10.0)

    assert block.left_s(LIMITS, now_s=10.125) == 0.125
    assert block.left_s(LIMITS, now_s=11.0) == 0.0


def test_skipped_entries_leave_with_the_block_but_are_not_inserted() -> None:
    block = OpenBlock(0.0)
    block.skip(frames.entry(frames.grid(0), 1))

    assert len(block.entries) == 1
    assert block.items == []


@given(st.integers(0, 10_000), st.integers(0, 1 << 40))
def test_a_read_asks_for_some_entries_and_never_for_endless_ones(
    seen: int, seen_bytes: int
) -> None:
    assert 16 <= entries_to_read(seen, seen_bytes) <= 1_024


def test_heavier_entries_are_read_fewer_at_a_time() -> None:
    assert entries_to_read(10, 10 * (1 << 20)) < entries_to_read(10, 10 * 2_000)


def test_a_token_names_content_and_nothing_else() -> None:
    first = [unpack(frames.entry(frames.grid(0), 1))]
    again = [unpack(frames.entry(frames.grid(0), 1))]
    other = [unpack(frames.entry(frames.grid(1), 1))]
    dead = [DeadLetter(frames.entry(frames.grid(0), 1), "refused")]

    assert token_of(0, first) == token_of(0, again)
    assert len({token_of(0, first), token_of(0, other), token_of(1, first), token_of(0, dead)}) == 4


@given(st.integers(2, 50))
def test_halving_loses_nothing_and_always_ends(count: int) -> None:
    items = [DeadLetter(frames.entry(b"", seq), "x") for seq in range(count)]

    first, second = halve(items)

    assert [*first, *second] == items
    assert first
    assert second
