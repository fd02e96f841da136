"""One suite for both leases: one holder at a time, and nobody keeps what was lost."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from weir_server.errors import StreamUnavailable
from weir_server.stream.lease import Lease
from weir_server.stream.memory_lease import MemoryLease, MemoryLeases
from weir_server.stream.redis import RedisLease

Make = Callable[..., Lease]


class World:
    def __init__(self, make: Make, forget: Callable[[], None], leave: Callable[[], None]) -> None:
        self.make, self.forget, self.leave = make, forget, leave


@pytest.fixture(params=["memory", "redis"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        leases = MemoryLeases()

        def leave() -> None:
            leases.available = False

        def make(lease_s: float = 60.0) -> Lease:
            return MemoryLease(leases, owner=uuid4().hex, lease_s=lease_s)

        return World(make, leases.flush, leave)
    server = request.getfixturevalue("redis_server")

    def of_redis(lease_s: float = 60.0) -> Lease:
        return RedisLease(server.settings(), "weir:x", owner=uuid4().hex, lease_s=lease_s)

    return World(of_redis, server.flush, server.stop)


def test_one_of_several_holds_it_until_it_gives_it_back(world: World) -> None:
    first, second = world.make(), world.make()
    assert first.acquire()
    assert not second.acquire()
    assert first.acquire()
    second.release()
    assert first.keep()
    first.release()
    assert second.acquire()
    assert not first.keep()


def test_what_ran_out_is_anothers_and_cannot_be_kept(world: World) -> None:
    first, second = world.make(lease_s=0.001), world.make()
    assert first.acquire()
    while not second.acquire():
        pass
    assert not first.keep()


def test_a_lease_that_was_forgotten_is_not_kept_but_may_be_taken_anew(world: World) -> None:
    first = world.make()
    assert first.acquire()
    world.forget()
    assert not first.keep()
    assert first.acquire()


def test_when_nobody_can_tell_it_says_so(world: World) -> None:
    first = world.make()
    assert first.acquire()
    world.leave()
    for call in (first.keep, first.acquire, first.release):
        with pytest.raises(StreamUnavailable):
            call()
