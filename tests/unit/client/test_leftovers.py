"""`weir sync` and the agent: who sees to what ended processes left beside their points."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from weir._clock import SystemClock
from weir._spool import Meta, SpoolDir
from weir.agent._attendance import Attended
from weir.agent._leftovers import finish_leftovers
from weir.agent._lock import AgentLock

NODE = "n"
PATIENCE_S = 10.0


class Uploader:
    """Does away with whatever lies in the outbox."""

    def observe(self, runs: Sequence[Attended]) -> float:
        return 1.0

    def finish(self, run: Attended) -> bool:
        for trainer in run.trainers.values():
            for order in trainer.spool.outbox_path.glob("*.json"):
                order.unlink()
        return True

    def close(self) -> None:
        pass


@pytest.fixture
def left(tmp_path: Path) -> SpoolDir:
    """An ended offline process that left an order to upload something."""
    meta = Meta(
        mode="offline", server="", producer="01" * 16, project="p", run_id="r", rank=0, node=NODE
    )
    spool = SpoolDir.create(tmp_path / "spool", meta)
    spool.outbox_path.mkdir()
    (spool.outbox_path / "00000001.json").write_text("{}")
    (spool.path / "ended").touch()
    assert spool.has_ended()
    return spool


def finish(spool: SpoolDir) -> "asyncio.Task[list[SpoolDir]]":
    return asyncio.create_task(
        finish_leftovers(
            [spool], [Uploader()], node=NODE, clock=SystemClock(), timeout_s=PATIENCE_S
        )
    )


def test_a_sync_takes_the_place_of_an_agent_that_ends_while_it_waits(left: SpoolDir) -> None:
    async def sync() -> list[SpoolDir]:
        agent = AgentLock.take(left.path.parents[2], NODE, version="1")
        assert agent is not None
        syncing = finish(left)
        await asyncio.sleep(0.5)
        assert list(left.outbox_path.glob("*.json"))  # not while the agent is there
        agent.release()
        return await syncing

    assert asyncio.run(sync()) == []
    assert not left.left_behind()


def test_what_an_agent_finishes_is_not_waited_for_any_longer(left: SpoolDir) -> None:
    async def sync() -> list[SpoolDir]:
        agent = AgentLock.take(left.path.parents[2], NODE, version="1")
        assert agent is not None
        syncing = finish(left)
        await asyncio.sleep(0)
        (left.outbox_path / "00000001.json").unlink()
        try:
            return await syncing
        finally:
            agent.release()

    assert asyncio.run(sync()) == []
