"""Two gateways behind one address: one dies or stalls, clients go on at the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_house import KILLED, House, Service
from tests.fault.fixtures_job import Agent, Job, assert_stored_once, wait_forgotten


@pytest.fixture(scope="module")
def other(house: House) -> Service:
    """The gateway that lives, and a writer behind it."""
    house.start_writer()
    return house.start_gateway(lead=False)


@pytest.mark.parametrize("point", ["gateway.before_append:3", "gateway.after_append:3"])
def test_a_client_whose_gateway_died_goes_on_at_another_without_loss_or_doubles(
    house: House, other: Service, root: Path, point: str
) -> None:
    """F5: around XADD; the frames are sent again and are OK at the other, or DUP."""
    dying = house.start_gateway(point)
    job = Job(root, house.address, f"moved-{point.split('.')[1][:6]}")
    with Agent(root):
        wait_until(lambda: (job.log(), not dying.alive)[1], f"{point} is reached")
        assert dying.ended() == KILLED
        house.gateway_door.lead_to(("127.0.0.1", other.port))
        job.log(5)
        job.finish()
        wait_forgotten(job)
    assert_stored_once(house, job)


@pytest.mark.parametrize("point", ["gateway.before_append:3", "gateway.after_append:3"])
def test_a_gateway_that_stalls_and_wakes_after_its_clients_moved_changes_nothing(
    house: House, other: Service, root: Path, point: str
) -> None:
    """F5, F30: it appends what the other has appended already."""
    stalled = house.start_gateway(f"{point}:stop")
    job = Job(root, house.address, f"slept-{point.split('.')[1][:6]}")
    with Agent(root):
        wait_until(lambda: (job.log(), stalled.stands_still)[1], f"{point} is reached")
        house.gateway_door.lead_to(("127.0.0.1", other.port))
        job.log(5)
        wait_until(lambda: job.ranks[0].committed == job.ranks[0].seq, "the other took it all")
        stalled.thaw()
        job.log(5)
        job.finish()
        wait_forgotten(job)
    stalled.process.terminate()
    assert stalled.ended() == 0
    assert_stored_once(house, job)


def test_a_client_thrown_from_gateway_to_gateway_loses_and_doubles_nothing(
    house: House, other: Service, root: Path
) -> None:
    """F5: both gateways know the producer, and each believes it knows where it stands."""
    doors = [other.port, house.start_gateway().port]
    job = Job(root, house.address, "thrown")
    with Agent(root):
        for turn in range(6):
            seen = job.ranks[0].committed
            house.gateway_door.lead_to(("127.0.0.1", doors[turn % 2]))
            job.log(5)
            wait_until(lambda seen=seen: job.ranks[0].committed > seen, "it goes on")
        job.finish()
        wait_forgotten(job)
    assert_stored_once(house, job)
