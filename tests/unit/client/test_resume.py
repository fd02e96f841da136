import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import weir
from weir._spool import Welcome, list_spools
from weir.errors import UsageError

pytestmark = pytest.mark.usefixtures("no_agent")


@pytest.fixture
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test plays the agent."""
    monkeypatch.setattr("weir._agent_start.start_agent", lambda root, node: None)


Init = Callable[..., weir.Run]


@pytest.fixture
def init(tmp_path: Path, until: Any) -> Init:
    """Call init() while the server answers `welcome` (None: it does not)."""

    def call(welcome: Welcome | None = None, **arguments: Any) -> weir.Run:
        seen = {spool.path for spool in list_spools(tmp_path)}

        def answer() -> None:
            until(lambda: any(s.path not in seen for s in list_spools(tmp_path)))
            for spool in list_spools(tmp_path):
                if spool.path not in seen and welcome is not None:
                    spool.write_welcome(welcome)

        thread = threading.Thread(target=answer)
        thread.start()
        timeouts = {"resume_timeout_s": 10 if welcome else 0.1, "finish_timeout_s": 0}
        try:
            return weir.init("p", mode="online", dir=tmp_path, settings=timeouts, **arguments)
        finally:
            thread.join()

    return call


def next_step(run: weir.Run) -> int:
    from weir._reading import read_points
    from weir.testing import read_root

    run.log({"probe": 1.0})
    assert run.flush(timeout=10)
    (step,) = [
        point.step
        for meta, body in read_root(Path(run.dir))
        for point in read_points(body, run_id="", rank=0)
        if point.metric == "probe"
    ]
    return step


@pytest.mark.parametrize("resume", ["allow", "must", "auto", True])
def test_a_run_that_exists_is_continued_after_its_last_step(init: Init, resume: Any) -> None:
    run = init(Welcome(run_existed=True, last_step=41), id="r", resume=resume)
    assert next_step(run) == 42


@pytest.mark.parametrize("resume", ["allow", "never", True])
def test_a_new_run_counts_from_zero(init: Init, resume: Any) -> None:
    assert next_step(init(Welcome(run_existed=False), id="r", resume=resume)) == 0


def test_without_resume_nobody_waits_and_steps_count_from_zero(init: Init) -> None:
    assert next_step(init(None, id="r")) == 0


@pytest.mark.parametrize("resume", ["allow", "never"])
def test_no_answer_is_a_warning(init: Init, resume: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert next_step(init(None, id="r", resume=resume)) == 0
    assert "no answer about run r" in caplog.text


@pytest.mark.parametrize(
    ("welcome", "resume", "reason"),
    [
        (None, "must", "no answer"),
        (Welcome(run_existed=False), "must", "no such run"),
        (Welcome(run_existed=True), "never", "exists already"),
        (Welcome(refused_code="FORBIDDEN", refused_message="not yours"), "allow", "not yours"),
    ],
)
def test_what_is_not_there_is_refused_and_the_run_is_ended(
    init: Init, welcome: Welcome | None, resume: Any, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        init(welcome, id="r", resume=resume)
    assert weir.run is None


def test_never_lets_the_ranks_of_a_new_run_in(init: Init) -> None:
    existed = Welcome(run_existed=True, last_step=None)
    init(existed, id="r", resume="never", rank=1, world_size=2)
    with pytest.raises(UsageError, match="exists already"):
        init(Welcome(run_existed=True, last_step=3), id="r", resume="never", rank=1, world_size=2)


def test_auto_takes_up_the_run_that_did_not_finish_well(init: Init) -> None:
    first = init(Welcome(run_existed=False), resume="auto")
    first.finish(1)
    again = init(Welcome(run_existed=True, last_step=9), resume="auto")
    assert again.id == first.id
    again.finish()
    assert init(Welcome(run_existed=False), resume="auto").id != first.id


def test_must_cannot_be_asked_offline(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="offline"):
        weir.init(id="r", mode="offline", dir=tmp_path, resume="must")


def test_must_needs_an_id(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="id"):
        weir.init(mode="online", dir=tmp_path, resume="must")
    assert list(tmp_path.iterdir()) == []
