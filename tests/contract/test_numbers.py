"""Version numbers: given once, to one claim, whatever is repeated, restarted or forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.fixtures_redis import BINARIES, RedisServer, find_binary
from weir_server.errors import StreamUnavailable
from weir_server.stream.memory_numbers import MemoryNumbers
from weir_server.stream.redis import RedisNumbers


@pytest.fixture(scope="module", params=["memory", *BINARIES])
def backend(request, tmp_path_factory) -> Iterator[MemoryNumbers | RedisServer]:
    if request.param == "memory":
        yield MemoryNumbers()
        return
    server = RedisServer(find_binary(request.param), tmp_path_factory.mktemp("numbers"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def run(backend) -> Callable[..., Any]:
    """Run a test's coroutine with two gateways' numbers."""
    backend.flush()

    def run(body):
        async def with_numbers():
            if isinstance(backend, MemoryNumbers):
                return await body(backend, backend)
            two = [RedisNumbers(backend.settings()) for _ in range(2)]
            try:
                return await body(*two)
            finally:
                for numbers in two:
                    await numbers.close()

        return asyncio.run(with_numbers())

    return run


def test_numbers_go_up_from_the_first_one(run) -> None:
    async def body(one, two):
        return [await (one, two)[n % 2].allocate("p", "a", f"d{n}", -1) for n in range(4)]

    assert run(body) == [0, 1, 2, 3]


def test_a_claim_that_is_made_again_gets_its_number_again(run) -> None:
    async def body(one, two):
        first = await one.allocate("p", "a", "d", -1)
        await two.allocate("p", "a", "e", -1)
        assert await two.allocate("p", "a", "d", -1) == first
        assert await two.allocate("p", "a", "d", 17) == first

    run(body)


def test_of_many_that_ask_at_once_each_claim_gets_one_number_of_its_own(run) -> None:
    async def body(one, two):
        asked = [
            (claim, gateway.allocate("p", "a", claim, 4))
            for claim in map(str, range(50))
            for gateway in (one, two)
        ]
        numbers = await asyncio.gather(*(answer for _, answer in asked))
        by_claim: dict[str, set[int]] = {}
        for (claim, _), number in zip(asked, numbers, strict=True):
            by_claim.setdefault(claim, set()).add(number)
        assert all(len(numbers) == 1 for numbers in by_claim.values())
        assert sorted(n for numbers in by_claim.values() for n in numbers) == list(range(5, 55))

    run(body)


def test_numbers_are_never_at_or_below_what_the_store_knows(run) -> None:
    async def body(one, two):
        assert await one.allocate("p", "a", "d0", -1) == 0
        assert await two.allocate("p", "a", "d1", 9) == 10
        assert await one.allocate("p", "a", "d2", 3) == 11

    run(body)


def test_series_and_projects_are_numbered_apart_whatever_their_names(run) -> None:
    names = [("p", "a/b"), ("p/a", "b"), ("p", "a b"), ("p", "{a}"), ("p", "ä:1"), ("p", "a")]

    async def body(one, two):
        return [await one.allocate(*name, "d", -1) for name in names]

    assert run(body) == [0] * len(names)


def test_what_redis_forgot_goes_on_from_the_store(run, backend) -> None:
    async def before(one, two):
        return [await one.allocate("p", "a", f"d{n}", -1) for n in range(3)]

    run(before)
    backend.flush()

    async def after(one, two):
        return await one.allocate("p", "a", "new", 2)

    assert run(after) == 3


def test_no_number_is_given_while_redis_is_away(backend) -> None:
    is_real = isinstance(backend, RedisServer)

    async def ask() -> None:
        numbers = RedisNumbers(backend.settings()) if is_real else backend
        with pytest.raises(StreamUnavailable):
            await numbers.allocate("p", "a", "d", -1)
        await numbers.close()

    if is_real:
        backend.stop()
        asyncio.run(ask())
        backend.start()
        return
    backend.available = False
    asyncio.run(ask())
    backend.available = True
