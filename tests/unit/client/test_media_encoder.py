"""Media are encoded beside the training: what waits, what is lost, and what the disk holds when."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import weir
from weir._media import image
from weir._reading import read_media
from weir._spool import Outbox, list_spools
from weir.errors import QueueFull
from weir.testing import capture, read_root

Until = Callable[[Callable[[], bool]], None]
GENERATOR = np.random.default_rng(3)
PICTURE = GENERATOR.integers(0, 255, (64, 64, 3), dtype=np.uint8)
MB_PICTURE = np.zeros((512, 2048), np.uint8)  # a copy of it takes 1 MB in memory


def media_points(root: Path) -> list[tuple[str, int, Any]]:
    return [
        (point.metric, point.step, json.loads(str(point.value)))
        for meta, body in read_root(root)
        for point in read_media(body, run_id=meta.run_id, rank=meta.rank)
    ]


def ordered_files(root: Path) -> list[tuple[str, Path]]:
    """(digest, file) of everything that orders in the outbox name."""
    found = []
    for spool in list_spools(root):
        for path in spool.outbox_path.glob("[0-9]*.json"):
            order = json.loads(path.read_text())
            assert order["order"] == "blobs"
            found += [(each["sha256"], spool.outbox_path / each["path"]) for each in order["files"]]
    return found


def digests_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "sha256" in value:
            yield value["sha256"]
        for each in value.values():
            yield from digests_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from digests_in(each)


@contextmanager
def held_encoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Encoding of pictures waits until the event is set."""
    go = threading.Event()
    inner = image.to_bytes

    def wait(*arguments: Any) -> bytes:
        assert go.wait(30)
        return inner(*arguments)

    monkeypatch.setattr(image, "to_bytes", wait)
    try:
        yield go
    finally:
        go.set()


def test_log_waits_neither_for_the_encoder_nor_do_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    with capture() as captured, weir.init() as run, held_encoder(monkeypatch) as go:
        run.log({"m": weir.Image(PICTURE), "loss": 1.0}, step=1)
        run.log({"loss": 2.0}, step=2)
        assert run._spooler is not None
        assert run._spooler.flush(20)
        assert captured.values("loss") == [1.0, 2.0]
        assert captured.media("m") == []
        go.set()
        assert run.flush(timeout=20)
        assert len(captured.media("m")) == 1


def test_flush_and_finish_wait_for_what_is_being_encoded() -> None:
    with capture() as captured, weir.init() as run:
        for step in range(30):
            run.log({"m": weir.Image(PICTURE + step)})
        assert run.flush(timeout=30)
        assert len(captured.media("m")) == 30
        run.log({"m": weir.Image(PICTURE)}, step=99)
    assert captured.media("m")[-1].step == 99
    assert run.stats == weir.Stats(logged=31, spooled=31, dropped=0, rejected=0)


def test_the_same_bytes_are_ordered_once(tmp_path: Path) -> None:
    with weir.init(mode="offline", dir=tmp_path) as run:
        for _ in range(5):
            run.log({"m": [weir.Image(PICTURE), weir.Image(PICTURE)]})
            run.flush(timeout=20)
    assert len(media_points(tmp_path)) == 5
    assert len(ordered_files(tmp_path)) == 1
    [spool] = list_spools(tmp_path)
    assert len(list((spool.outbox_path / "blobs").iterdir())) == 1


def test_the_same_file_logged_twice_leaves_one_copy_behind(tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    with weir.init(mode="offline", dir=tmp_path / "spool") as run:
        for _ in range(3):
            run.log({"m": weir.Audio(clip)})
            run.flush(timeout=20)
    [spool] = list_spools(tmp_path / "spool")
    assert [path.name for path in spool.outbox_path.rglob("*") if path.is_file()] != []
    assert len(ordered_files(tmp_path / "spool")) == 1
    assert len(list((spool.outbox_path / "held").iterdir())) == 1


def test_one_order_names_the_bytes_of_many_points(tmp_path: Path) -> None:
    settings = {"flush_interval_s": 60}
    with weir.init(mode="offline", dir=tmp_path, settings=settings) as run:
        for at in range(40):
            run.log({"m": weir.Image(np.full((4, 4), at, np.uint8))})
        run.flush(timeout=20)
        [spool] = list_spools(tmp_path)
        orders = list(spool.outbox_path.glob("[0-9]*.json"))
    assert len(orders) < 10
    assert len(ordered_files(tmp_path)) == 40


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.15, 0.3, 0.6])
def test_killed_at_any_moment_no_point_names_bytes_that_no_order_names(
    delay_s: float, tmp_path: Path
) -> None:
    script = """
import numpy as np, weir
run = weir.init(mode="offline", dir="spool", settings={"flush_interval_s": 0.01})
generator = np.random.default_rng(1)
print("go", flush=True)
while True:
    run.log({"m": weir.Image(generator.integers(0, 255, (32, 32, 3), dtype=np.uint8))})
"""
    environ = {**os.environ, "WEIR_AGENT": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, env=environ, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay_s)
        process.kill()
    named = set(digests_in([value for _, _, value in media_points(tmp_path / "spool")]))
    files = ordered_files(tmp_path / "spool")
    assert named <= {digest for digest, _ in files}
    assert all(path.stat().st_size > 0 for _, path in files)


def test_no_point_is_recorded_before_the_order_for_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, until: Until
) -> None:
    inner, refused = Outbox.put, threading.Event()

    def put(outbox: Outbox, order: Any) -> int:
        if not refused.is_set():
            raise OSError(5, "an order cannot be written")
        return inner(outbox, order)

    monkeypatch.setattr(Outbox, "put", put)
    with weir.init(mode="offline", dir=tmp_path, settings={"flush_interval_s": 0.01}) as run:
        run.log({"m": weir.Image(PICTURE), "loss": 1.0})
        until(lambda: "media cannot be written" in caplog.text)
        run.log({"loss": 2.0})
        assert run._spooler is not None
        assert run._spooler.flush(20)
        assert media_points(tmp_path) == []
        refused.set()
        assert run.flush(timeout=20)
        assert len(media_points(tmp_path)) == 1
    [spool] = list_spools(tmp_path)
    assert len(list((spool.outbox_path / "blobs").iterdir())) == 1, "written once, tried often"


def test_with_memory_full_the_newest_media_are_lost_counted_and_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        capture(media_queue_mb=2.5) as captured,
        weir.init() as run,
        held_encoder(monkeypatch) as go,
    ):
        for step in range(6):
            run.log({"m": weir.Image(MB_PICTURE), "loss": float(step)}, step=step)
        go.set()
    assert [view.step for view in captured.media("m")] == [0, 1]
    assert captured.values("loss") == [0, 1, 2, 3, 4, 5]
    assert run.stats == weir.Stats(logged=12, spooled=8, dropped=4, rejected=0)
    assert sum(captured.losses().values()) == 4
    assert caplog.text.count("the newest are lost") == 1


def test_one_value_larger_than_the_memory_for_all_is_taken_when_nothing_waits() -> None:
    with capture(media_queue_mb=1) as captured, weir.init() as run:
        run.log({"m": weir.Image(np.zeros((2048, 2048), np.uint8))})
    assert len(captured.media("m")) == 1


def test_on_full_raise_says_so_and_leaves_nothing_of_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        capture(media_queue_mb=1, on_full="raise") as captured,
        weir.init() as run,
        held_encoder(monkeypatch) as go,
    ):
        run.log({"m": weir.Image(MB_PICTURE)})
        with pytest.raises(QueueFull, match="media_queue_mb"):
            run.log({"m": weir.Image(MB_PICTURE), "loss": 1.0})
        go.set()
        run.flush(timeout=20)
        run.log({"m": weir.Image(MB_PICTURE), "loss": 2.0}, step=1)
    assert [view.step for view in captured.media("m")] == [0, 1]
    assert captured.values("loss") == [2.0]


def test_on_full_block_waits_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        capture(media_queue_mb=1, on_full="block") as captured,
        weir.init() as run,
        held_encoder(monkeypatch) as go,
    ):
        threading.Timer(0.3, go.set).start()
        for _ in range(5):
            run.log({"m": weir.Image(MB_PICTURE)})
    assert len(captured.media("m")) == 5
    assert run.stats.dropped == 0


def test_finish_is_bounded_when_the_encoder_hangs_and_tells_the_loss(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with capture() as captured:
        run = weir.init()
        with held_encoder(monkeypatch):
            run.log({"m": weir.Image(PICTURE), "loss": 1.0})
            run.finish(timeout=0)
    assert captured.values("loss") == [1.0]
    assert run.stats == weir.Stats(logged=2, spooled=1, dropped=1, rejected=0)
    assert sum(captured.losses().values()) == 1
    assert "1 media points were not written in time" in caplog.text


def test_a_disk_that_takes_nothing_delays_media_until_it_does(
    tmp_path: Path, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"flush_interval_s": 0.01}
    with weir.init(mode="offline", dir=tmp_path, settings=settings) as run:
        [spool] = list_spools(tmp_path)
        spool.outbox_path.write_text("in the way")  # root may write to read-only folders
        run.log({"m": weir.Image(PICTURE), "loss": 1.0})
        until(lambda: "media cannot be written" in caplog.text)
        assert media_points(tmp_path) == []
        spool.outbox_path.unlink()
        assert run.flush(timeout=20)
        assert len(media_points(tmp_path)) == 1
        assert {digest for digest, _ in ordered_files(tmp_path)} == set(
            digests_in([value for _, _, value in media_points(tmp_path)])
        )
    assert run.stats == weir.Stats(logged=2, spooled=2, dropped=0, rejected=0)


def test_a_disk_that_takes_nothing_to_the_end_costs_the_media_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with weir.init(mode="offline", dir=tmp_path) as run:
        [spool] = list_spools(tmp_path)
        spool.outbox_path.write_text("in the way")
        for _ in range(3):
            run.log({"m": weir.Image(PICTURE), "loss": 1.0})
    assert run.stats == weir.Stats(logged=6, spooled=3, dropped=3, rejected=0)
    assert "media cannot be written" in caplog.text


def test_media_stop_at_the_cap_of_the_spool_before_points_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, until: Until
) -> None:
    settings = {"spool_max_bytes": 200_000, "flush_interval_s": 0.01}
    with weir.init(mode="offline", dir=tmp_path, settings=settings) as run:
        for step in range(40):  # noise of 12 kB each
            run.log({"m": weir.Image(GENERATOR.integers(0, 255, (64, 64, 3), dtype=np.uint8))})
            run.log({"loss": float(step)})
        until(lambda: "has reached spool_max_bytes" in caplog.text)
        [spool] = list_spools(tmp_path)
        folder = spool.outbox_path / "blobs"
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 200_000
        until(lambda: len(media_points(tmp_path)) > 0)
        assert len(media_points(tmp_path)) < 40

        def uploaded() -> bool:
            """Remove what is ordered, as the agent does."""
            for _, path in ordered_files(tmp_path):
                path.unlink(missing_ok=True)
            return len(media_points(tmp_path)) == 40

        until(uploaded)
    assert run.stats == weir.Stats(logged=80, spooled=80, dropped=0, rejected=0)


def test_values_whose_own_code_fails_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    class Trap:
        shape = (2, 2)

        def __array__(self, *_: Any, **__: Any) -> Any:
            raise KeyError("a trap")

    with capture(), weir.init() as run:
        run.log({"a": weir.Image(Trap()), "b": weir.Figure(Trap()), "c": weir.Html(Trap())})
        run.log({"d": weir.Table(dataframe=Trap())})
    assert run.stats.rejected == 3  # any object has words, so Html takes it
    assert run.stats.dropped == 0


def test_many_threads_at_once_lose_nothing_and_double_nothing() -> None:
    with capture() as captured, weir.init() as run:

        def work(thread: int) -> None:
            for at in range(25):
                run.log({f"m{thread}": weir.Text(f"{thread}/{at}")}, step=at)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for n in range(8):
        assert [view.value() for view in captured.media(f"m{n}")] == [
            f"{n}/{at}" for at in range(25)
        ]


def test_a_forked_child_logs_media_of_its_own_and_the_parent_goes_on(
    run_script: Any, tmp_path: Path
) -> None:
    done = run_script(
        """
import os, numpy as np, weir
run = weir.init()
run.log({"parent": weir.Image(np.zeros((8, 8)))})
if os.fork() == 0:
    run.log({"child": weir.Image(np.ones((8, 8)))})
    run.finish()
    os._exit(0)
os.wait()
run.log({"parent": weir.Image(np.zeros((9, 9)))})
run.finish()
""",
        WEIR_AGENT="0",
        WEIR_CONSOLE="off",
    )
    assert done.returncode == 0, done.stderr
    points = media_points(tmp_path / "spool")
    assert sorted(name for name, _, _ in points) == ["child", "parent", "parent"]
    named = set(digests_in([value for _, _, value in points]))
    assert named == {digest for digest, _ in ordered_files(tmp_path / "spool")}


@pytest.mark.parametrize(
    "ending",
    ["", "raise SystemExit(3)", "1 / 0", "import atexit; atexit.register(late)"],
    ids=["falls off the end", "exits", "fails", "logs while the interpreter ends"],
)
def test_a_process_that_ends_without_finish_keeps_its_media(
    ending: str, run_script: Any, tmp_path: Path
) -> None:
    done = run_script(
        f"""
import numpy as np, weir
run = weir.init()
def late():
    run.log({{"late": weir.Image(np.ones((5, 5)))}})
for step in range(20):
    run.log({{"m": weir.Image(np.full((64, 64), step, np.uint8))}})
{ending}
""",
        WEIR_AGENT="0",
        WEIR_CONSOLE="off",
    )
    assert "Traceback" not in done.stderr or "1 / 0" in ending, done.stderr
    points = media_points(tmp_path / "spool")
    assert len([name for name, _, _ in points if name == "m"]) == 20
    assert [name for name, _, _ in points if name == "late"] == (
        ["late"] if "late" in ending else []
    )


def test_the_first_picture_of_a_run_may_come_while_the_interpreter_ends(
    run_script: Any, tmp_path: Path
) -> None:
    done = run_script(
        """
import atexit, numpy as np, weir
from weir._media import encoder
def late():
    run.log({"late": weir.Image(np.ones((5, 5)))})
run = weir.init()
atexit.register(late)
""",
        WEIR_AGENT="0",
        WEIR_CONSOLE="off",
    )
    assert done.returncode == 0, done.stderr
    assert [name for name, _, _ in media_points(tmp_path / "spool")] == ["late"]


def test_a_signal_handler_that_flushes_never_waits_for_the_code_it_interrupts(
    run_script: Any, tmp_path: Path
) -> None:
    done = run_script(
        """
import signal, numpy as np, weir
run = weir.init()
flushed = []
def handle(*_):
    run.log({"in handler": weir.Image(np.zeros((4, 4)))})
    flushed.append(run.flush(timeout=30))
    signal.setitimer(signal.ITIMER_REAL, 0.004)  # again, but never one inside the other
kind = weir.Image  # loaded before: Python cannot import in a handler what it is importing
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.004)
picture, step = np.zeros((8, 8), np.uint8), 0
while len(flushed) < 12:
    run.log({"m": weir.Image(picture + step % 250)}, step=step)
    step += 1
signal.setitimer(signal.ITIMER_REAL, 0)
run.finish()
print(all(flushed), run.stats.logged == run.stats.spooled)
""",
        WEIR_AGENT="0",
        WEIR_CONSOLE="off",
    )
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_importing_weir_or_naming_its_media_loads_no_library_of_theirs(run_script: Any) -> None:
    done = run_script(
        """
import sys, weir
run = weir.init()
run.log({"loss": 1.0})
heavy = {"numpy", "PIL", "pandas", "pyarrow", "matplotlib", "polars", "plotly"}
print(sorted(heavy & set(sys.modules)))
values = [getattr(weir, name) for name in weir.__all__]
weir.plot.roc_curve([0, 1], [0.1, 0.9])
run.log({"text": weir.Text("words"), "page": weir.Html("<p>")})
run.finish()
print(sorted(heavy & set(sys.modules)))
""",
        WEIR_AGENT="0",
        WEIR_CONSOLE="off",
    )
    assert done.stdout.split() == ["[]", "[]"], done.stdout + done.stderr


def test_the_media_thread_begins_with_the_first_value_and_ends_with_the_run() -> None:
    def ours() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "weir-media"]

    with capture(), weir.init() as run:
        run.log({"loss": 1.0})
        assert ours() == []
        run.log({"m": weir.Text("words")})
        assert len(ours()) == 1
    assert ours() == []


def test_a_disabled_run_looks_at_no_media() -> None:
    with weir.init(mode="disabled") as run:
        run.log({"m": weir.Image("no such file")})
    assert run.stats == weir.Stats(0, 0, 0, 0)


def test_being_taken_away_media_are_on_disk_when_mark_preempting_returns(tmp_path: Path) -> None:
    with weir.init(mode="offline", dir=tmp_path) as run:
        run.log({"m": weir.Image(PICTURE)})
        run.mark_preempting("a test")
        assert len(media_points(tmp_path)) == 1
