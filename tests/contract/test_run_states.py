"""Where a run stands, as both readers see it at any moment: ADR 12."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable

import pytest

from tests.contract.small_stores import StoreBuilder
from weir_store import clickhouse
from weir_store.base import Inserter, Reader
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.reader import ClickHouseReader
from weir_store.records import Run, RunQuery, RunRef, RunState
from weir_store.run_state import SILENT_AFTER_S

DATABASE = "run_states"
BORN_S = 1_799_990_000


class Story:
    """One run told to one store, and looked at whenever one likes; seconds since its birth."""

    def __init__(self, store: Inserter, make_reader: Callable[[Story], Reader]) -> None:
        self.ref = RunRef(f"p-{uuid.uuid4().hex}", "run")
        self.now_s = 0.0
        self._store = store
        self._reader = make_reader(self)
        self._told = 0
        builder = StoreBuilder()
        builder.add_run(self.ref, created_s=BORN_S)
        self._insert(builder)

    def life(
        self,
        *,
        rank: int = 0,
        world: int = 0,
        begins: float = 0.0,
        role: str = "trainer",
        says: str = "running",
        heard: float | None = None,
        told: float | None = None,
        producer: uuid.UUID | None = None,
    ) -> uuid.UUID:
        """Tell of a process life: when it began, what it says, and when it was heard last."""
        producer = producer or uuid.uuid4()
        self._told += 1
        builder = StoreBuilder()
        builder.add_session(
            self.ref,
            producer,
            rank=rank,
            world_size=world,
            role=role,
            state=says,
            started_s=BORN_S + begins,
            updated_s=BORN_S + (begins if told is None else told),
            seen_s=BORN_S + (begins if heard is None else heard),
            ver=self._told,
        )
        self._insert(builder)
        return producer

    def at(self, seconds: float) -> Run:
        """Return the run as it is seen then."""
        self.now_s = seconds
        query = RunQuery(self.ref.project, columns=("config.none",))
        (run,) = self._reader.list_runs(query).runs
        return run

    def state_at(self, seconds: float) -> RunState:
        """Return where the run stands then."""
        return self.at(seconds).state

    def reasons_at(self, seconds: float) -> list[str]:
        """Return why each life ended."""
        self.now_s = seconds
        lives = self._reader.list_sessions(self.ref)
        return [life.reason for life in lives]

    def now_unix_us(self) -> int:
        """Return the moment that readers take for now."""
        return int((BORN_S + self.now_s) * 1e6)

    def _insert(self, builder: StoreBuilder) -> None:
        self._store.insert(builder.take_block(), uuid.uuid4().hex)


def stored_story(connection: clickhouse.ClickHouse) -> Story:
    return Story(
        ClickHouseInserter(connection, DATABASE),
        lambda story: ClickHouseReader(connection, DATABASE, now_unix_us=story.now_unix_us),
    )


def told_in_memory() -> Story:
    store = MemoryStore()
    return Story(store, lambda story: MemoryReader(store, now_unix_us=story.now_unix_us))


@pytest.fixture(params=["clickhouse", "memory"])
def story(request: pytest.FixtureRequest, connection: clickhouse.ClickHouse) -> Story:
    return told_in_memory() if request.param == "memory" else stored_story(connection)


def test_a_run_that_nobody_was_heard_of_runs_for_a_while_and_then_has_crashed(story: Story) -> None:
    assert story.state_at(SILENT_AFTER_S - 1) is RunState.RUNNING
    assert story.state_at(SILENT_AFTER_S + 1) is RunState.CRASHED


@pytest.mark.parametrize("says", ["finished", "failed", "crashed", "interrupted"])
def test_a_run_of_one_process_ends_as_the_process_says(story: Story, says: str) -> None:
    producer = story.life(heard=5)
    assert story.state_at(10) is RunState.RUNNING
    story.life(says=says, told=20, heard=20, producer=producer)
    run = story.at(21)
    assert (run.state, run.finished_unix_us) == (RunState(says), (BORN_S + 20) * 1_000_000)
    assert story.state_at(100_000) is RunState(says)


def test_a_silent_run_has_crashed_says_why_and_runs_again_when_it_is_heard(story: Story) -> None:
    producer = story.life(heard=10)
    assert story.state_at(10 + SILENT_AFTER_S) is RunState.RUNNING
    run = story.at(11 + SILENT_AFTER_S)
    assert (run.state, run.finished_unix_us) == (RunState.CRASHED, (BORN_S + 10) * 1_000_000)
    assert story.reasons_at(11 + SILENT_AFTER_S) == ["no heartbeat"]
    story.life(heard=500, producer=producer)  # the network is back, the spool was sent
    run = story.at(510)
    assert (run.state, run.finished_unix_us) == (RunState.RUNNING, 0)
    assert story.reasons_at(510) == [""]


def test_one_silent_rank_of_many_does_not_end_the_run_while_the_others_go_on(story: Story) -> None:
    for rank in range(4):
        story.life(rank=rank, world=4, heard=10 if rank == 2 else 300)
    assert story.state_at(310) is RunState.RUNNING
    assert story.reasons_at(310) == ["", "", "no heartbeat", ""]


def test_a_run_whose_every_rank_is_silent_has_crashed(story: Story) -> None:
    for rank in range(4):
        story.life(rank=rank, world=4, heard=rank)
    assert story.state_at(SILENT_AFTER_S + 2) is RunState.RUNNING
    assert story.state_at(SILENT_AFTER_S + 4) is RunState.CRASHED


def test_finished_takes_every_rank_and_the_worst_of_them_is_the_runs(story: Story) -> None:
    lives = [story.life(rank=rank, world=3) for rank in range(3)]
    for rank, producer in enumerate(lives):
        assert story.state_at(20) is RunState.RUNNING
        story.life(rank=rank, world=3, says="finished", told=10, heard=10, producer=producer)
    assert story.state_at(20) is RunState.FINISHED
    for worse in ("interrupted", "crashed", "failed"):
        story.life(rank=1, world=3, says=worse, told=11, heard=11, producer=lives[1])
        assert story.state_at(20) is RunState(worse)


def test_a_job_of_which_only_rank_0_logs_finishes_when_rank_0_does(story: Story) -> None:
    story.life(rank=0, world=8, says="finished", told=10)
    assert story.state_at(20) is RunState.FINISHED


def test_preempted_then_resumed_runs_again_and_can_finish(story: Story) -> None:
    story.life(says="interrupted", told=50, heard=50)
    assert story.state_at(60) is RunState.INTERRUPTED
    second = story.life(begins=600)
    assert story.at(601).finished_unix_us == 0
    assert story.state_at(601) is RunState.RUNNING
    story.life(begins=600, says="finished", told=700, heard=700, producer=second)
    run = story.at(701)
    assert (run.state, run.finished_unix_us) == (RunState.FINISHED, (BORN_S + 700) * 1_000_000)


def test_a_restarted_rank_is_judged_by_its_newest_life_alone(story: Story) -> None:
    story.life(rank=0, world=2, says="failed", told=50)
    story.life(rank=1, world=2, says="crashed", told=50)
    story.life(rank=0, world=2, begins=100, says="finished", told=200)
    story.life(rank=1, world=2, begins=101, says="finished", told=200)
    assert story.state_at(300) is RunState.FINISHED


def test_an_attempt_of_which_some_ranks_are_not_there_yet_runs(story: Story) -> None:
    for rank in range(4):
        story.life(rank=rank, world=4, says="crashed", told=50)
    story.life(rank=0, world=4, begins=100, heard=110)
    assert story.state_at(120) is RunState.RUNNING


def test_ranks_that_a_smaller_world_has_no_place_for_do_not_decide(story: Story) -> None:
    for rank in range(4):
        story.life(rank=rank, world=4, says="crashed", told=50)
    lives = [story.life(rank=rank, world=2, begins=100 + rank, heard=110) for rank in range(2)]
    assert story.state_at(120) is RunState.RUNNING
    for rank, producer in enumerate(lives):
        story.life(
            rank=rank, world=2, begins=100 + rank, says="finished", told=200, producer=producer
        )
    run = story.at(300)
    assert (run.state, run.world_size, run.ranks) == (RunState.FINISHED, 2, 4)
    assert run.finished_unix_us == (BORN_S + 200) * 1_000_000


def test_ranks_of_a_node_that_vanished_do_not_decide_once_they_are_silent(story: Story) -> None:
    for rank in range(4):
        story.life(rank=rank, world=4, heard=50)
    for rank in range(2):
        story.life(rank=rank, world=2, begins=60, says="finished", told=100)
    assert story.state_at(110) is RunState.RUNNING  # for all we know ranks 2 and 3 are there
    assert story.state_at(51 + SILENT_AFTER_S) is RunState.FINISHED


def test_ranks_that_a_larger_world_adds_do_decide(story: Story) -> None:
    for rank in range(2):
        story.life(rank=rank, world=2, says="interrupted", told=50)
    for rank in range(4):
        story.life(
            rank=rank, world=4, begins=100, says="failed" if rank == 3 else "finished", told=200
        )
    run = story.at(300)
    assert (run.state, run.world_size) == (RunState.FAILED, 4)


def test_ranks_of_unknown_worlds_all_decide(story: Story) -> None:
    story.life(rank=3, says="failed", told=20)
    story.life(rank=0, begins=50, says="finished", told=60)
    assert story.state_at(100) is RunState.FAILED


def test_a_late_evaluator_keeps_the_run_running_and_leaves_the_trainers_alone(story: Story) -> None:
    for rank in range(2):
        story.life(rank=rank, world=2, says="finished", told=50)
    evaluator = story.life(rank=0, world=1, role="evaluator", begins=100, heard=110)
    assert story.state_at(120) is RunState.RUNNING
    evaluated = {"rank": 0, "world": 1, "role": "evaluator", "begins": 100, "told": 150}
    story.life(says="finished", producer=evaluator, **evaluated)
    assert story.state_at(200) is RunState.FINISHED
    story.life(says="failed", producer=evaluator, **evaluated)
    assert story.state_at(200) is RunState.FAILED


def test_an_evaluator_that_ended_does_not_hide_trainers_that_failed(story: Story) -> None:
    story.life(rank=0, world=2, says="failed", told=50)
    story.life(rank=1, world=2, says="failed", told=50)
    story.life(rank=0, world=1, role="evaluator", begins=100, says="finished", told=110)
    assert story.state_at(200) is RunState.FAILED


def test_forked_children_do_not_decide_unless_there_is_nobody_else(story: Story) -> None:
    forked = story.life(role="trainer/fork", begins=10, says="crashed", told=20)
    assert story.state_at(30) is RunState.CRASHED
    story.life(begins=0, says="finished", told=25)
    assert story.state_at(30) is RunState.FINISHED
    story.life(role="trainer/fork", begins=10, heard=29, producer=forked)
    assert story.state_at(30) is RunState.FINISHED


def test_both_readers_agree_on_any_mixture_of_lives(connection: clickhouse.ClickHouse) -> None:
    for seed in range(10):
        stories = [stored_story(connection), told_in_memory()]
        draw = random.Random(seed)
        for _ in range(draw.randint(1, 9)):
            told = {
                "rank": draw.randint(0, 4),
                "world": draw.randint(0, 4),
                "begins": draw.choice((0, 0, 50, 100)),
                "role": draw.choice(("trainer", "trainer", "evaluator", "trainer/fork")),
                "says": draw.choice(("running", "finished", "failed", "interrupted", "crashed")),
                "heard": draw.choice((60, 170, 180)),
                "told": draw.randint(100, 160),
                "producer": uuid.UUID(int=draw.getrandbits(128)),
            }
            for each in stories:
                each.life(**told)
        stored, model = (each.at(200) for each in stories)
        for what in ("state", "finished_unix_us", "last_seen_unix_us", "world_size", "ranks"):
            assert getattr(stored, what) == getattr(model, what), (seed, what)
