"""What lies in a spool is what its newest frame says lies there, whatever happened on the way."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import weir
from tests.unit.client.test_trouble import LIMITED
from weir._ledger import Claim
from weir._spool import FLAG_FINAL, SegmentWriter, SpoolDir, list_spools
from weir._spooled_claim import read_spooled_claims
from weir.agent._takeover import take_over
from weir.testing import read_root


def on_disk(root: Path) -> Claim:
    total = Claim()
    for _, body in read_root(root):
        total += Claim.of(body)
    return total


def newest_claim(root: Path) -> Claim:
    stated = [Claim.stated_in(body) for _, body in read_root(root)]
    assert all(stated), "every frame states a claim"
    newest = stated[-1]
    assert newest is not None
    return newest


def logged_run(root: Path) -> weir.Run:
    """A run with everything a frame may hold, in several frames, still open."""
    run = weir.init("p", id="r", mode="offline", dir=root, config={"lr": 0.1}, tags=["a"])
    for step in range(50):
        run.log({"loss": 1 / (step + 1), "word": f"w{step}"})
        run.log({"loss": float("nan"), "other/ü": -0.0}, step=step)  # a correction
        run.log({"bad": object()})
        if step % 10 == 0:
            run.config["lr"] = step
            assert run.flush()
    run.summary["best"] = 3
    return run


def test_the_newest_claim_is_the_sum_of_all_frames(tmp_path: Path) -> None:
    run = logged_run(tmp_path)
    run.finish()
    claim = newest_claim(tmp_path)
    assert claim == on_disk(tmp_path)
    assert 100 <= claim.points.count <= 150, "within a frame a step logged again is one point"
    assert claim.texts.count == 50
    assert claim.events.count == 1
    assert len(list(read_root(tmp_path))) > 4


def test_threads_that_log_at_once_are_all_in_the_claim(tmp_path: Path) -> None:
    run = weir.init("p", id="r", mode="offline", dir=tmp_path, settings={"flush_interval_s": 0.01})

    def work(number: int) -> None:
        for step in range(500):
            run.log({f"m{number}": step}, step=step)
            run.config["shared"] = (number, step)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.finish()
    assert newest_claim(tmp_path) == on_disk(tmp_path)
    assert on_disk(tmp_path).points.count == 2000


def test_frames_the_disk_refused_are_claimed_once_they_are_written_and_lost_points_never(
    run_script: Any, tmp_path: Path
) -> None:
    done = run_script(LIMITED)
    assert done.returncode == 0, done.stderr
    assert newest_claim(tmp_path / "spool") == on_disk(tmp_path / "spool")
    assert on_disk(tmp_path / "spool").points.count == 10_002 - int(done.stdout)


def test_the_newest_claim_of_a_spool_is_found_while_the_run_goes_on(tmp_path: Path) -> None:
    run = logged_run(tmp_path)
    run.flush()
    (found,) = read_spooled_claims(tmp_path, "p", "r")
    assert found.claim == on_disk(tmp_path)
    assert (found.rank, found.producer) == (0, Path(run.dir, found.producer).name)
    assert found.last_seq == len(list(read_root(tmp_path)))
    assert list(read_spooled_claims(tmp_path, "p", "other")) == []
    run.finish()


def test_the_last_word_of_an_agent_hides_no_claim(tmp_path: Path) -> None:
    run = logged_run(tmp_path)
    run.flush()
    before = on_disk(tmp_path)
    (spool,) = list_spools(tmp_path)
    crashed = SpoolDir.create(tmp_path / "copy", spool.read_meta())
    for segment in spool.list_segments():
        (crashed.path / segment.name).write_bytes(segment.read_bytes())
    assert take_over(crashed, crashed.read_meta(), now_unix_us=1)
    (found,) = read_spooled_claims(tmp_path / "copy", "p", "r")
    assert found.claim == before
    assert found.last_seq == len(list(read_root(tmp_path))) + 1
    run.finish()


def test_a_spool_of_a_client_without_a_ledger_claims_nothing(tmp_path: Path) -> None:
    run = weir.init("p", id="r", mode="offline", dir=tmp_path)
    run.finish()
    (spool,) = list_spools(tmp_path)
    old = SpoolDir.create(tmp_path / "old", spool.read_meta())
    SegmentWriter(old).append(1, FLAG_FINAL, b"")
    (found,) = read_spooled_claims(tmp_path / "old", "p", "r")
    assert (found.claim, found.last_seq) == (None, 1)


def test_a_process_started_again_in_the_same_second_is_born_in_another(tmp_path: Path) -> None:
    script = "import os, weir; run = weir.init('p', id='r'); run.flush(); os._exit(0)"
    environment = {**os.environ, "WEIR_DIR": str(tmp_path), "WEIR_MODE": "offline"}
    for _ in range(4):
        subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    births_s = [int(spool.path.name[:12], 16) // 1_000 for spool in list_spools(tmp_path)]
    assert len(set(births_s)) == 4
