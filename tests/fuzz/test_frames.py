"""Bad frames: refused by name or stored; never an exception, never a dead letter of our own making."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.e2e.fixtures_up import EmbeddedWeir
from tests.fuzz.bad_frames import bad_frame
from tests.fuzz.session import attack
from tests.fuzz.targets import TARGETS, entry, judge_frame
from weir_server.gateway.judge import Judged

EXAMPLES = settings(max_examples=400, deadline=None)


@EXAMPLES
@given(seed=st.integers(0, 2**32))
def test_whatever_a_frame_holds_the_gateway_answers_and_the_writer_can_store_its_answer(
    seed: int,
) -> None:
    judged = judge_frame(bad_frame(random.Random(seed), 1))
    assert judged is None or isinstance(judged, Judged)


@EXAMPLES
@given(st.sampled_from([b"b", b"z", b"m"]), st.binary(max_size=2_000))
def test_any_bytes_may_stand_where_a_frame_should(kind: bytes, data: bytes) -> None:
    TARGETS["judge"](kind + data)


@EXAMPLES
@given(st.binary(max_size=2_000))
def test_any_bytes_may_stand_where_a_stream_entry_should(data: bytes) -> None:
    entry(data)


def test_a_whole_weir_outlives_bad_frames_and_leaks_nothing(
    weir_under_attack: EmbeddedWeir, tmp_path: Path
) -> None:
    found = attack(weir_under_attack, 250, seed=1)
    assert all(found["same_processes"].values()), found
    assert found["streams_left"] == 0
    for name, (before, after) in found["descriptors"].items():
        assert after <= before + 8, (name, found["descriptors"])
    for name, (before, after) in found["rss_mib"].items():
        assert after <= before + 100, (name, found["rss_mib"])
