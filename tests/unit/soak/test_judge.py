"""The soak's own eyes: whatever is lost, doubled or changed in a store, its count says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.soak.judge import Expected, judge
from tests.soak.record import Life, Recorded, Recorder, read_recorded
from tests.soak.tally import Tally

NAN = float("nan")


def recorded(first_step: int, values: list[float], safe: int) -> Recorded:
    life = Life("s", 0, "p", "r", 0, "a", metrics=1, rate=1, first_step=0, seconds=1, seed=0)
    steps = np.arange(first_step, first_step + len(values))
    return Recorded(life, steps, np.array(values, dtype=float)[:, None], safe)


def found(lives: list[Recorded], steps: list[int], values: list[float]) -> Tally:
    tally = Tally()
    judge(
        Expected.of(lives),
        0,
        np.array(steps, dtype=np.int64),
        np.array(values, dtype=float),
        tally,
        "it",
    )
    return tally


LIFE = recorded(0, [1.0, NAN, 3.0, 4.0], safe=3)


def test_what_was_recorded_is_clean() -> None:
    tally = found([LIFE], [0, 1, 2, 3], [1.0, NAN, 3.0, 4.0])
    assert tally.clean
    assert (tally.promised, tally.stored, tally.tail_stored) == (3, 4, 1)


def test_an_unpromised_tail_may_be_missing_and_is_counted_apart() -> None:
    tally = found([LIFE], [0, 1, 2], [1.0, NAN, 3.0])
    assert tally.clean
    assert tally.tail == 1


@pytest.mark.parametrize(
    ("steps", "values", "fault"),
    [
        ([0, 2, 3], [1.0, 3.0, 4.0], "lost"),
        ([], [], "lost"),
        ([0, 1, 1, 2], [1.0, NAN, NAN, 3.0], "doubled"),
        ([0, 1, 2], [1.0, NAN, 3.0000001], "changed"),
        ([0, 1, 2], [1.0, 2.0, 3.0], "changed"),
        ([0, 1, 2, 4], [1.0, NAN, 3.0, 5.0], "strange"),
    ],
)
def test_every_fault_is_found_and_named(steps: list[int], values: list[float], fault: str) -> None:
    tally = found([LIFE], steps, values)
    assert getattr(tally, fault) > 0
    assert not tally.clean
    assert tally.named


def test_minus_zero_is_not_zero() -> None:
    assert found([recorded(0, [-0.0], safe=1)], [0], [0.0]).changed == 1


REWOUND = recorded(2, [30.0, 40.0], safe=1)


def test_of_a_step_logged_again_the_newest_promised_value_counts() -> None:
    assert found([LIFE, REWOUND], [0, 1, 2, 3], [1.0, NAN, 30.0, 40.0]).clean
    assert found([LIFE, REWOUND], [0, 1, 2, 3], [1.0, NAN, 3.0, 40.0]).changed == 1


def test_while_the_newest_was_not_promised_the_one_before_it_will_do() -> None:
    assert found([LIFE, REWOUND], [0, 1, 2, 3], [1.0, NAN, 30.0, 4.0]).clean
    assert found([LIFE, REWOUND], [0, 1, 2], [1.0, NAN, 30.0]).clean  # step 3 is nobody's promise


@given(
    lives=st.lists(
        st.tuples(st.integers(0, 6), st.lists(st.integers(0, 3), max_size=6), st.integers(0, 6)),
        min_size=1,
        max_size=4,
    ),
    kept=st.lists(st.integers(0, 6), min_size=4, max_size=4),
)
def test_whatever_a_store_may_rightly_hold_is_clean(
    lives: list[tuple[int, list[int], int]], kept: list[int]
) -> None:
    """A model store takes of each life its promised rows and any prefix of the rest."""
    stored: dict[int, float] = {}
    all_lives = []
    for (first, values, safe), more in zip(lives, kept, strict=False):
        life = recorded(first, [float(value) for value in values], min(safe, len(values)))
        all_lives.append(life)
        stored |= {first + row: float(v) for row, v in enumerate(values) if row < max(safe, more)}
    steps = sorted(stored)
    assert found(all_lives, steps, [stored[step] for step in steps]).clean


def test_a_row_torn_by_a_kill_is_left_out(tmp_path: Path) -> None:
    life = Life("s", 0, "p", "r", 0, "a", metrics=2, rate=1, first_step=0, seconds=1, seed=0)
    life.write(tmp_path / "life")
    recorder = Recorder(tmp_path / "life", 2)
    recorder.row(7, [1.0, 2.0])
    recorder.confirm()
    recorder.row(8, [3.0, 4.0])
    path = tmp_path / "life" / "rows.bin"
    path.write_bytes(path.read_bytes()[:-3])
    read = read_recorded(tmp_path / "life", all_promised=False)
    assert (read.life, read.steps.tolist(), read.values.tolist(), read.safe) == (
        life,
        [7],
        [[1.0, 2.0]],
        1,
    )
