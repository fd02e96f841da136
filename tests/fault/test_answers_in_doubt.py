"""Connections break in the middle of a question or of its answer; whoever asked asks again, and it counts once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_doors import Break, Door
from tests.fault.fixtures_house import House
from tests.fault.fixtures_job import Agent, Job, assert_stored_once, wait_forgotten
from weir_server.stream.redis.vendor import Script

INSERT = b"INSERT"
BREAKS = [
    ("request", 0),  # nothing came through
    ("request", 700),  # half of it did
    ("answer", 0),  # all was done, nobody heard
    ("answer", 20),  # somebody heard half a word
]


@pytest.fixture(scope="module", autouse=True)
def started(house: House) -> None:
    house.start_gateway()
    house.start_writer(WEIR_CLICKHOUSE__INSERT_TIMEOUT_S="1")


@pytest.fixture
def mended(house: House) -> Iterator[None]:
    yield
    for door in (house.store_door, house.stream_door, house.gateway_door):
        door.mend()


def log_until_broken(job: Job, door: Door, plans: list[dict]) -> None:
    """Let the job go on while the connections break, one plan after the other."""
    for plan in plans:
        planned: Break = door.break_next(**plan)
        wait_until(lambda planned=planned: (job.log(), planned.done)[1], f"{plan} happened")


def test_an_insert_in_doubt_is_repeated_until_it_is_certain_and_counts_once(
    house: House, root: Path, mended: None
) -> None:
    """F14 at the store: cut before, cut half way, answer lost, answer cut, answer held too long."""
    job = Job(root, house.address, "doubt-store")
    plans = [{"side": side, "after_bytes": n, "marker": INSERT} for side, n in BREAKS]
    plans.append({"side": "answer", "marker": INSERT, "hold": True})
    with Agent(root):
        log_until_broken(job, house.store_door, plans)
        job.finish()
        wait_forgotten(job)
    assert_stored_once(house, job)


@pytest.mark.parametrize("command", ["append", "inflight", "commit", "keep", "XREADGROUP"])
def test_a_redis_command_in_doubt_is_repeated_and_counts_once(
    house: House, root: Path, mended: None, command: str
) -> None:
    """F14 at the stream: also entries that were handed out and never seen."""
    job = Job(root, house.address, f"doubt-{command.lower()}")
    marker = b"XREADGROUP" if command == "XREADGROUP" else Script(command).sha.encode()
    plans = [
        {"side": side, "after_bytes": n if side == "answer" else n and 60, "marker": marker}
        for side, n in BREAKS[:3]
    ]
    with Agent(root):
        log_until_broken(job, house.stream_door, plans)
        job.finish()
        wait_forgotten(job, within_s=90)
    assert_stored_once(house, job)


def test_a_stream_cut_at_any_byte_brings_everything_once(
    house: House, root: Path, mended: None
) -> None:
    """F14 between agent and gateway: frames, acks and greetings break in two."""
    job = Job(root, house.address, "doubt-client")
    for side in ("request", "answer"):
        for after_bytes in (0, 9, 150, 700, 3_000):
            with Agent(root):  # a new one each time: an old one would rest longer and longer
                log_until_broken(
                    job, house.gateway_door, [{"side": side, "after_bytes": after_bytes}]
                )
    job.finish()
    with Agent(root):
        wait_forgotten(job)
    assert_stored_once(house, job)
