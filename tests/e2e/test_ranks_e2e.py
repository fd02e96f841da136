"""Eight real processes of one run: one is slow, one waits for ever, and Weir says which."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import weir
from tests.e2e.fixtures_up import EmbeddedWeir, wait_until

RANKS, SLOW, STUCK, STEPS = 8, 5, 2, 15
TRAIN = f"""
import sys, time
from pathlib import Path
import weir

go = Path(sys.argv[1])
run = weir.init("ranks", id="job", role="trainer")
run.define_metric("tokens", reduce="sum")

def step(number):
    began = time.perf_counter()
    time.sleep(0.3 if run.rank == {SLOW} else 0.02)
    run.log({{"step_time_s": time.perf_counter() - began, "tokens": 100}}, step=number)

for number in range({STEPS}):
    if run.rank == {STUCK} and number == 10:
        break
    step(number)
while not go.exists():
    time.sleep(0.05)
step({STEPS})
run.finish()
"""


@contextmanager
def job(house: EmbeddedWeir, folder: Path) -> Iterator[Path]:
    """Run the eight; what is lent is the file that lets them go on."""
    go = folder / "go"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TRAIN, str(go)],
            env=house.environment(folder / "spool")
            | {"WEIR_RANK": str(rank), "WEIR_WORLD_SIZE": str(RANKS), "WEIR_LOCAL_RANK": str(rank)},
            cwd=folder,
        )
        for rank in range(RANKS)
    ]
    try:
        yield go
        for process in processes:
            assert process.wait(60) == 0
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def test_of_eight_processes_the_slow_one_and_the_stuck_one_are_named(
    embedded_weir: EmbeddedWeir, tmp_path: Path
) -> None:
    with weir.Api(embedded_weir.gateway) as api, job(embedded_weir, tmp_path) as go:
        (hang,) = wait_until(
            lambda: [
                each
                for each in api.hangs("ranks", times=4, floor_s=3)
                if len(each.last_steps) == RANKS and set(each.last_steps.values()) == {9, STEPS - 1}
            ],
            "a hang of all eight",
        )
        assert (hang.run, hang.role, hang.suspects) == ("ranks/job", "trainer", (STUCK,))
        go.touch()
        wait_until(lambda: not api.hangs("ranks", times=4, floor_s=3), "the hang is over")
    with weir.Api(embedded_weir.gateway) as api:
        view = wait_until(
            lambda: (run := api.run("ranks/job")).state == "finished" and run, "the run has ended"
        )
        board = view.stragglers(as_="arrow")
        worst = board.ranks.to_pylist()[0]
        assert (board.metric, worst["rank"]) == ("step_time_s", SLOW)
        assert worst["slowest"] > board.steps / 2
        assert worst["lost_s"] > board.lost_s / 2
        tokens = view.reduce("tokens", as_="arrow").to_pylist()
        assert [(row["count"], row["value"]) for row in tokens] == [
            (RANKS - (10 <= row["step"] < STEPS), 100.0 * row["count"]) for row in tokens
        ]
        assert len(tokens) == STEPS + 1
        assert set(view.list_ranks(as_="arrow")["step"].to_pylist()) == {STEPS}
