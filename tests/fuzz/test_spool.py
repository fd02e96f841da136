"""Damaged segments: the reader goes on behind the damage, and says which frames are missing."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.bad_frames import mutated
from tests.fuzz.targets import spool
from weir._spool.frame import MAGIC, SEGMENT_HEADER, pack_frame


def segment(frames: int, seed: int) -> bytes:
    """Return a good segment."""
    rng = random.Random(seed)
    head = SEGMENT_HEADER.pack(MAGIC, 1)
    return head + b"".join(
        pack_frame(seq, 0, rng.randbytes(rng.choice((0, 1, 30, 200))))
        for seq in range(1, frames + 1)
    )


@settings(max_examples=150, deadline=None)
@given(frames=st.integers(0, 12), seed=st.integers(0, 2**32))
def test_a_mutated_segment_is_read_in_order_with_every_hole_named(frames: int, seed: int) -> None:
    spool(mutated(random.Random(seed), segment(frames, seed)))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_may_lie_where_a_segment_should(data: bytes) -> None:
    spool(data)
