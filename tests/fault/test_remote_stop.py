"""Asking a run to stop: every rank hears of it, whenever it connects, and no later life of the run."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_doors import Door
from tests.fault.fixtures_house import House
from weir import Api

SOON_S = 90.0  # it takes about four seconds, and the time until an agent tries to connect again
RANK = textwrap.dedent(
    """
    import pathlib, sys, time, weir
    rank, said = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    run = weir.init("stops", id="doomed", rank=rank)
    step = 0
    while not run.should_stop:
        run.log({"loss": step}, step=step)
        step += 1
        time.sleep(0.02)
    said.write_text("stopped")
    run.finish()
    """
)


@contextmanager
def a_rank(server: str, rank: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that logs until it is asked to stop; it then says so in `stopped-RANK`."""
    folder.mkdir()
    variables = {"WEIR_SERVER": server, "WEIR_DIR": str(folder), "WEIR_AGENT_IDLE_S": "2"}
    process = subprocess.Popen(
        [sys.executable, "-c", RANK, str(rank), str(folder / "said")],
        env={**os.environ, **variables},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def told(folder: Path) -> bool:
    return (folder / "said").exists()


def committed(house: House, rank: int, lives: int = 1) -> int:
    """Return how far the newest life of a rank is stored; 0 while there are fewer lives."""
    ((found, seq),) = house.rows(
        "SELECT uniqExact(producer), argMax(seq, (started_at, seq))"
        " FROM raw.ingest_commits AS c INNER JOIN raw.sessions AS s USING producer"
        f" WHERE run_id = 'doomed' AND rank = {rank}"
    )
    return int(seq) if found >= lives else 0


def test_a_stop_reaches_every_rank_also_late_ones_and_no_later_life_of_the_run(
    house: House, tmp_path: Path
) -> None:
    gateway, _ = house.start_gateway(), house.start_writer()
    door = Door("")  # refuses everybody
    early, late, again = (tmp_path / name for name in ("early", "late", "again"))
    with a_rank(house.address, 0, early) as first, ExitStack() as later:
        wait_until(lambda: committed(house, 0) > 0, "rank 0 is stored")
        second = later.enter_context(a_rank(door.address, 1, late))
        wait_until(lambda: list(late.glob("*/*/*/*.seg")), "rank 1 has begun")
        Api(house.address).run("stops/doomed").stop("diverged")
        wait_until(lambda: told(early), "rank 0 stops", within_s=SOON_S)
        assert not told(late)
        gateway.kill()  # the note is not the gateway's alone
        successor = house.start_gateway()
        door.lead_to(("127.0.0.1", successor.port))
        wait_until(lambda: told(late), "rank 1 stops once it is connected", within_s=SOON_S)
        assert (first.wait(SOON_S), second.wait(SOON_S)) == (0, 0)
    events = house.rows(
        "SELECT kind, title, body, attrs['by'] FROM raw.events WHERE kind = 'stop_requested'"
    )
    assert events == [
        ("stop_requested", "anonymous asked the run to stop", "diverged", "anonymous")
    ]

    with a_rank(house.address, 0, again):  # resumed
        # By then it was told whatever there was to tell: the gateway looks every two seconds.
        wait_until(lambda: committed(house, 0, lives=2) > 30, "the resumed run goes on")
        assert not told(again)
        Api(house.address).run("stops/doomed").stop("again")
        wait_until(lambda: told(again), "and can be stopped again", within_s=SOON_S)
    door.close()
