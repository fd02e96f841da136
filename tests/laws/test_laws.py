"""No interleaving of crashes, losses, repetitions and restores loses a frame, doubles one or changes one.

Each layer that keeps repetitions from being counted twice is switched off alone, then all but the
last: the laws hold all the same. With the last one off as well they break, so they can.

`WEIR_LAWS=long` tries forty times as many interleavings.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contract.fixtures_redis import RedisServer, find_binary, redis_on_path
from tests.laws.machine import Laws
from tests.laws.streams import Backend, RedisBackend
from tests.laws.world import LAYERS, LawBroken

_LONG = os.environ.get("WEIR_LAWS") == "long"
_TIMES = 40 if _LONG else 1

pytestmark = pytest.mark.timeout(3_600 if _LONG else 300)


def hold(machine: type[Laws], examples: int, *, steps: int = 40) -> None:
    """Play a machine as often as asked."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples * _TIMES,
            stateful_step_count=steps,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def without(*layers: str) -> type[Laws]:
    """Return a machine with layers switched off."""
    return type("Laws", (Laws,), {"off": layers})


def test_no_interleaving_loses_doubles_or_changes_a_frame() -> None:
    hold(Laws, 150, steps=60)


@pytest.mark.parametrize("layer", ["seq check", "token window", "writer skip"])
def test_the_laws_hold_without_one_layer_against_doubles(layer: str) -> None:
    hold(without(layer), 50)


def test_the_laws_hold_when_only_the_collapse_of_rows_is_left() -> None:
    hold(without("seq check", "token window", "writer skip"), 50)


def test_nothing_is_doubled_even_before_rows_collapse_while_redis_keeps_its_memory() -> None:
    """Seq check, inflight note, token window and skip are enough as long as none of them forgets."""

    class Raw(Laws):
        off: ClassVar = ("collapse",)
        redis_loses = restores = forgets_tokens = False

    hold(Raw, 60)


def test_the_laws_can_break() -> None:
    """With every layer off a repetition is read twice, and the machine finds out."""
    everything_off = without(*LAYERS)
    with pytest.raises(LawBroken, match="more than once"):
        run_state_machine_as_test(
            everything_off,
            settings=settings(
                max_examples=500,
                stateful_step_count=40,
                deadline=None,
                phases=[Phase.generate],
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_a_block_from_before_a_restore_is_never_inserted_after_it() -> None:
    """Its watermark would cover frames that the backup has not, and nobody would declare them lost."""
    for at in ("insert points", "insert ingest_commits", "writer.before_commit"):
        machine = Laws()
        try:
            _restore_when_the_writer_is(at, machine)
        finally:
            machine.world.close()


def test_a_stream_that_stays_open_across_a_restore_goes_on() -> None:
    """The gateway must not remember better than the store where its producer stands."""
    machine = Laws()
    try:
        machine.begin()
        machine.back_up_the_store()
        machine.ordinary_days(1, 2)
        machine.restore_the_store(0)
        machine.heal()
        (trainer,) = machine.world.trainers
        assert not trainer.gone, "the client had everything"
    finally:
        machine.world.close()


def _restore_when_the_writer_is(at: str, machine: Laws) -> None:
    machine.begin()
    machine.ordinary_days(4, 4)
    machine.back_up_the_store()
    machine.ordinary_days(4, 4)
    machine.log(0, 6)
    machine.talk(0)
    (writer,) = machine.world.house.writers
    while writer.process.at != at:
        writer.step()
    machine.restore_the_store(0)
    machine.stream_goes_or_comes()  # so that the writer cannot ask whose the shard is
    writer.step(40)
    machine.world.check()
    machine.wait(700)
    machine.heal()
    (trainer,) = machine.world.trainers
    assert trainer.gone, "nothing was at stake"


# ── the same on a real Redis ───────────────────────────────────────────────


@pytest.fixture(scope="module")
def redis_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    kind = "redis-on-path" if redis_on_path() else "redis-6.2"
    server = RedisServer(find_binary(kind), tmp_path_factory.mktemp("laws"), "--appendonly", "no")
    server.start()
    yield lambda: RedisBackend(server)
    server.stop()


def test_the_laws_hold_on_a_real_redis(redis_backend: Any) -> None:
    class OnRedis(Laws):
        def backend(self) -> Backend | None:
            return redis_backend()  # type: ignore[no-any-return]

    hold(OnRedis, 25, steps=50)
