"""An agent and `weir sync` on one spool: no lock keeps them apart, and every point is stored once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.e2e.fixtures_up import running_weir, wait_until
from tests.e2e.recorded import read_stored
from tests.fault.fixtures_client import Trainer
from tests.integration.fixtures_spools import NODE, weir_json
from weir.agent._lock import agent_pid
from weir_store.records import RunRef, RunState

TRAINING = """
import itertools, sys, threading, weir
run = weir.init('p', id='r', settings={'flush_interval_s': 0.01})
go = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), go.set())).start()
for n in itertools.count():
    run.log({'n': float(n)}, step=n)
    if n % 50 == 0: run.flush()
    if n == 500: print('going', flush=True)
    if go.wait(0.001): break
run.finish(timeout=60)
print(n + 1)
"""


def test_an_agent_that_wakes_up_behind_a_sync_of_its_spool_stores_nothing_twice(
    tmp_path: Path,
) -> None:
    with running_weir(tmp_path / "data", "--no-dashboard") as weir:
        trainer = Trainer(tmp_path, {"WEIR_MODE": "online", "WEIR_SERVER": weir.gateway})
        training = trainer.start(TRAINING)
        assert training.stdout
        assert training.stdout.readline() == "going\n"
        agent = wait_until(lambda: agent_pid(trainer.root, NODE), "an agent runs")
        for _ in range(2):
            os.kill(agent, signal.SIGSTOP)  # it holds its lock, and frames under way
            try:
                (synced,) = weir_json("sync", "--include-live", "--keep", str(trainer.root))[
                    "spools"
                ]
            finally:
                os.kill(agent, signal.SIGCONT)
            assert synced["outcome"] == "committed"
            assert synced["frames_sent"] > 0
        out, err = training.communicate("stop\n", timeout=100)
        assert (training.returncode, err) == (0, "")
        points = int(out)
        ref = RunRef("p", "r")
        with weir.reader() as reader:
            wait_until(lambda: reader.get_run(ref).state is RunState.FINISHED, "it is finished")
            assert read_stored(reader, ref) == {("n", 0): [(n, float(n)) for n in range(points)]}
        store = weir.store()
        rows = store.query_rows("SELECT count() FROM weir_raw.points WHERE run_id = 'r'")[0][0]
        store.close()
        assert rows == points
