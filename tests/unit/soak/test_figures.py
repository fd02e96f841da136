"""Histograms, blows and slopes of the soak."""

from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.soak.blows import deal
from tests.soak.figures import memory
from tests.soak.pauses import Pauses, bucket, highest_ns, merged, percentiles, read_counts
from tests.soak.watch import Sample


@given(taken_ns=st.integers(0, 1 << 40))
def test_a_bucket_is_at_most_a_sixteenth_wide(taken_ns: int) -> None:
    highest = highest_ns(bucket(taken_ns))
    assert taken_ns <= highest <= taken_ns * 17 / 16
    assert bucket(highest) == bucket(taken_ns)
    assert bucket(highest + 1) == bucket(taken_ns) + 1


def test_percentiles_of_several_processes_are_of_all_their_calls(tmp_path: Path) -> None:
    for name, taken_ns in (("a", 1_000), ("b", 50_000)):
        pauses = Pauses(tmp_path / name)
        for _ in range(99):
            pauses.add(taken_ns)
    pauses.add(9_000_000)
    found = percentiles(merged(read_counts(tmp_path / name) for name in ("a", "b", "never begun")))
    assert found["calls"] == 199
    assert found["p50_us"] == pytest.approx(50, rel=1 / 16)
    assert found["max_us"] == 9_000


def test_the_same_seed_deals_the_same_blows() -> None:
    assert list(islice(deal(5, 10), 200)) == list(islice(deal(5, 10), 200))
    assert list(islice(deal(5, 10), 200)) != list(islice(deal(6, 10), 200))


def test_blows_come_at_their_rate_and_hit_every_kind() -> None:
    blows = list(islice(deal(1, 12), 2_000))
    assert 9 < len(blows) / blows[-1].due_s * 60 < 15
    assert all(former.due_s <= later.due_s for former, later in pairwise(blows))
    kinds = Counter(blow.target for blow in blows if blow.action == "kill")
    assert kinds.keys() == {"trainer", "agent", "gateway", "writer", "engine", "redis", "up"}


def test_growth_is_of_the_longest_life_and_without_its_first_minute() -> None:
    restarted = [Sample(at_s, pid=1, rss_mb=500) for at_s in range(0, 50, 5)]
    steady = [
        Sample(at_s, pid=2, rss_mb=100 + max(0, at_s - 60) / 360) for at_s in range(0, 3_600, 5)
    ]
    found = memory([*restarted, *steady])
    assert found["growth_mb_per_h"] == pytest.approx(10, rel=0.01)
    assert (found["peak_mb"], found["processes"]) == (500, 2)
