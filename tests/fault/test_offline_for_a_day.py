"""A day without a server: all of it comes, in order, and what is logged now does not wait for it."""

from __future__ import annotations

import time
from pathlib import Path

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_days import DAY_S, Backlog, assert_stored_once, stored
from tests.fault.fixtures_house import House
from tests.fault.fixtures_job import Agent
from weir.agent._turns import BEHIND_BYTES, SHARE_BESIDE_LIVE
from weir_server.settings import GatewaySettings
from weir_server.stream import keys

PRODUCERS = 5
FRAMES = 288  # one every five minutes
WITHIN_S = 120.0
SHARE_BYTES = int(GatewaySettings().window_bytes * SHARE_BESIDE_LIVE)
MORE_BYTES = (PRODUCERS + 1) * BEHIND_BYTES  # who is that near to the end counts as live


def held_bytes(house: House) -> int:
    with house.redis.client() as client:
        return int(client.get(keys.payload_bytes(0)) or 0)


def test_a_day_of_backlog_replays_in_order_and_live_frames_pass_it(
    house: House, root: Path
) -> None:
    days = [Backlog(root, house.address, "day", rank=rank) for rank in range(PRODUCERS)]
    for one in days:
        one.log(FRAMES, points=1_500, ago_s=DAY_S)
    for one in days[1:]:
        one.finish()
    going_on, live = days[0], Backlog(root, house.address, "live")
    house.start_gateway()
    house.start_writer()
    passed, most_bytes = 0, 0

    def live_is_committed() -> bool:
        nonlocal most_bytes
        most_bytes = max(most_bytes, held_bytes(house))
        return live.committed == live.seq

    with Agent(root):
        while not all(one.committed >= FRAMES for one in days):
            going_on.log()  # behind its own backlog: a producer's frames never overtake each other
            live.log()
            wait_until(live_is_committed, "a live frame is committed", within_s=WITHIN_S)
            passed += any(one.committed < FRAMES for one in days)
            count, _, dense = stored(house, days[live.seq % PRODUCERS])
            assert count == dense  # no hole, whenever one looks
        going_on.finish()
        live.finish()
        wait_until(
            lambda: all(one.forgotten for one in (*days, live)), "all of it", within_s=WITHIN_S
        )
    for one in (*days, live):
        assert_stored_once(house, one)
    assert passed > 0
    assert most_bytes <= SHARE_BYTES + MORE_BYTES
    ((first, last),) = house.rows(
        "SELECT toUnixTimestamp(min(ts)), toUnixTimestamp(max(ts)) FROM raw.points"
        " WHERE run_id = 'day' AND rank = 1"
    )
    assert time.time() - DAY_S - 600 < first < time.time() - DAY_S + 600
    assert last - first > 0.99 * DAY_S - 600
