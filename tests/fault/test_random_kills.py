"""A short soak with a fixed seed: trainers, agents, the gateway, the writer, the engine, Redis and `weir up` itself
are killed at random moments, also while others recover. `make soak` does the same for as long as one likes.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.soak.campaign import Campaign, Orders

KILLS = 25
KINDS = {"trainer", "agent", "gateway", "writer", "engine", "redis", "up"}


@pytest.mark.timeout(600)
def test_after_kills_of_every_kind_at_random_moments_no_point_is_lost_doubled_or_changed(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    orders = Orders(tmp_path, seed=153, minutes=3, per_minute=60, kills=KILLS, patience=0.2)
    report = Campaign(orders, said.append).run()
    kinds = Counter(report["kills"])
    assert kinds.pop("all") >= KILLS
    assert kinds.keys() == KINDS
    counted = report["counted"]
    assert report["clean"], json.dumps([report["complaints"], counted, said], indent=1)
    assert counted["promised"] > 50_000
    assert counted["lost"] == counted["doubled"] == counted["changed"] == counted["strange"] == 0
