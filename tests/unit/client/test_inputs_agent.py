"""The collector leaves reports, whatever happens to it; the agent puts them into the run, once."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import weir
from weir._clock import SystemClock
from weir._inputs import _collect, _start
from weir._inputs._collect import SECTIONS, collect
from weir._inputs._report import Findings, write_report, write_working
from weir._inputs._request import Request
from weir._inputs._start import start_collector, start_sections
from weir._reading import read_attr
from weir._redact import Redactor
from weir._settings import Settings
from weir._spool import Meta, Outbox, SpoolDir
from weir.agent._attendance import Attended, Trainer
from weir.agent._inputs import InputsObserver
from weir.agent._node_log import NodeLog
from weir.testing import read_root
from weir_proto.v1 import ingest_pb2 as pb

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def spool(tmp_path: Path) -> SpoolDir:
    meta = Meta(
        mode="offline", server="", producer="01" * 16, project="p", run_id="r", rank=0, node="n"
    )
    spool = SpoolDir.create(tmp_path / "spool", meta)
    spool.inputs_path.mkdir()
    return spool


@pytest.fixture
def run(spool: SpoolDir) -> Attended:
    meta = spool.read_meta()
    log = NodeLog(spool.path.parents[2], meta, SystemClock())
    return Attended("p", "r", log, {meta.producer: Trainer(spool, meta, True)})


def told(root: Path) -> list[tuple[str, Any]]:
    """Every fact the agent wrote, in order."""
    return [
        (attr.path, read_attr(attr))
        for meta, body in read_root(root)
        if meta.role == "agent"
        for attr in body.attrs
        if attr.namespace == pb.Attr.META
    ]


def request_for(spool: SpoolDir, *sections: str, **options: Any) -> Request:
    return Request(job="start", sections=sections, spool_path=str(spool.path), **options)


def report(spool: SpoolDir, **facts: Any) -> None:
    write_report(
        spool, "start-x", Findings({path.replace("__", "/"): v for path, v in facts.items()})
    )


# ── the agent ─────────────────────────────────────────────────────────────


def test_facts_reach_the_run_and_the_report_is_forgotten(spool: SpoolDir, run: Attended) -> None:
    report(
        spool, git__commit="abc", git__dirty=False, machine__cpu_count=2, git__changed=["a", "b"]
    )
    InputsObserver().observe([run])
    assert told(spool.path.parents[2]) == [
        ("git/commit", "abc"), ("git/dirty", False), ("machine/cpu_count", 2), ("git/changed", ["a", "b"]),
    ]  # fmt: skip
    assert not spool.left_behind()


def test_a_report_survives_until_it_is_in_the_log(
    spool: SpoolDir, run: Attended, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(spool, git__commit="abc")
    with monkeypatch.context() as broken:
        broken.setattr(NodeLog, "write", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            InputsObserver().observe([run])
    assert spool.left_behind()
    InputsObserver().observe([run])
    assert told(spool.path.parents[2]) == [("git/commit", "abc")]


def test_a_report_read_while_the_agent_ends_is_left_to_the_next_agent(
    spool: SpoolDir, run: Attended
) -> None:
    report(spool, git__commit="abc")
    run.log.close()  # as the agent does while an observer's thread is still at work
    with pytest.raises(OSError, match="closed"):
        InputsObserver().observe([run])
    assert spool.left_behind()


def test_what_is_no_report_is_forgotten_and_hinders_no_other(
    spool: SpoolDir, run: Attended
) -> None:
    (spool.inputs_path / "a.json").write_text("{")
    (spool.inputs_path / "b.json").write_text('{"facts": 5}')
    (spool.inputs_path / "c.json").write_bytes(b"\xff")
    (spool.inputs_path / ".half.json.1.tmp").write_text("{")
    report(spool, ok=1, **{"bad\nname": 1, "long": "x"})
    write_report(spool, "start-y", Findings({"huge": "é" * 100_000}))
    InputsObserver().observe([run])
    found = dict(told(spool.path.parents[2]))
    assert found["ok"] == 1
    assert len(found["huge"].encode()) <= 65_536
    assert "bad\nname" not in found
    assert not spool.left_behind()


def test_many_facts_are_cut_into_frames_a_server_takes(spool: SpoolDir, run: Attended) -> None:
    write_report(spool, "start-x", Findings({f"v/{n}": "x" * 50_000 for n in range(60)}))
    InputsObserver().observe([run])
    sizes = [
        body.ByteSize() for meta, body in read_root(spool.path.parents[2]) if meta.role == "agent"
    ]
    assert max(sizes) < 1 << 20
    assert len(told(spool.path.parents[2])) == 60


def test_the_end_of_a_run_waits_for_a_collector_at_work(spool: SpoolDir, run: Attended) -> None:
    observer = InputsObserver()
    write_working(spool.inputs_path, "start", until_unix_s=time.time() + 60, pid=os.getpid())
    assert not observer.finish(run)
    report(spool, git__commit="abc")
    (spool.inputs_path / "start.working").unlink()
    assert observer.finish(run)
    assert told(spool.path.parents[2]) == [("git/commit", "abc")]


@pytest.mark.parametrize("marker", ["dead", "overdue", "damaged", "never started"])
def test_the_end_of_a_run_does_not_wait_for_a_collector_that_is_gone_and_tells_of_it(
    spool: SpoolDir, run: Attended, marker: str
) -> None:
    path = spool.inputs_path / "start.working"
    if marker == "damaged":
        path.write_text("{")
    elif marker == "never started":
        write_working(spool.inputs_path, "start", until_unix_s=time.time() + 60)
        os.utime(path, (1, 1))
    else:
        child = subprocess.Popen([sys.executable, "-c", ""])
        child.wait()
        late_s = -1 if marker == "overdue" else 60
        pid = os.getpid() if marker == "overdue" else child.pid
        write_working(spool.inputs_path, "start", until_unix_s=time.time() + late_s, pid=pid)
    assert InputsObserver().finish(run)
    assert not spool.left_behind()
    problem = "its collector was killed, or took too long"
    assert told(spool.path.parents[2]) == [("inputs/problem/start", problem)]


# ── the collector ─────────────────────────────────────────────────────────


def test_every_section_exists() -> None:
    for name in SECTIONS:
        assert callable(_collect._section(name))
    known = start_sections(Settings(record_code=True))
    assert set(known) == set(SECTIONS) - {"data"}


def test_each_part_can_be_switched_off() -> None:
    for setting, gone in {
        "record_git": {"git"},
        "record_diff": {"patch", "untracked"},
        "record_command": {"command"},
        "record_packages": {"packages"},
        "record_machine": {"machine", "gpus"},
        "record_variables": {"variables", "container"},
    }.items():
        without = start_sections(Settings.resolve({setting: False}, {}))
        assert set(start_sections(Settings())) - set(without) == gone, setting
    assert "code" not in start_sections(Settings())


def _hang(request: Request, redactor: Redactor) -> Findings:
    threading.Event().wait()
    raise AssertionError


def _fail(request: Request, redactor: Redactor) -> Findings:
    raise RuntimeError("no luck with https://u:hunter22@h.org/x")


def test_a_section_that_hangs_or_fails_is_told_and_hinders_no_other(
    spool: SpoolDir, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sections = {"git": _hang, "patch": _fail}
    real = _collect._section
    monkeypatch.setattr(_collect, "_section", lambda name: sections.get(name) or real(name))
    collect(request_for(spool, "git", "patch", "command", argv=("a",), limit_s=1.0), Redactor())
    facts = {}
    for path in spool.inputs_path.glob("*.json"):
        facts |= json.loads(path.read_text())["facts"]
    assert facts["inputs/problem/git"].startswith("not done after")
    assert facts["inputs/problem/patch"] == "RuntimeError: no luck with https://u:***@h.org/x"
    assert facts["command/line"] == "a"


def test_where_no_thread_can_begin_training_goes_on_and_it_is_said(
    spool: SpoolDir, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    start_collector(spool, ("command",))
    assert "inputs of this run are not recorded: can't start new thread" in caplog.text


def test_a_run_whose_folder_is_gone_gets_no_new_one(spool: SpoolDir) -> None:
    spool.remove()
    collect(request_for(spool, "command", argv=("a",)), Redactor())
    assert not spool.path.exists()


def test_files_are_ordered_and_held_in_the_outbox(spool: SpoolDir) -> None:
    write_report(spool, "start-x", Findings({}, {"code/diff.patch": b"diff"}))
    outbox = Outbox(spool)
    (number,) = outbox.pending()
    (file,) = outbox.read(number)["files"]
    assert file["path"] == "code/diff.patch"
    assert outbox.source_path(file["source"]).read_bytes() == b"diff"


def test_a_request_survives_the_journey() -> None:
    request = Request(
        job="j",
        sections=("a",),
        spool_path="/s",
        argv=("x", "\udcff"),
        variables={"A": "b"},
        options={"k": [1]},
    )
    assert Request.from_json(request.to_json()) == request


def test_secrets_of_the_environment_are_known_to_the_collector_and_never_on_the_disk(
    spool: SpoolDir, monkeypatch: pytest.MonkeyPatch, until: Until, tmp_path: Path
) -> None:
    secret = "a-very-secret-value-1"
    monkeypatch.setenv("MY_API_KEY", secret)
    monkeypatch.setenv("SLURM_JOB_NAME", f"job {secret}")
    monkeypatch.setattr(sys, "orig_argv", ["python", "t.py", secret])
    start_collector(spool, ("command", "variables"))
    until(lambda: not (spool.inputs_path / "start.working").exists())
    text = "".join(path.read_text() for path in spool.path.rglob("*") if path.is_file())
    assert '"variables/SLURM_JOB_NAME": "job ***"' in text
    assert "python t.py" in text
    assert secret not in text


def test_the_collector_that_was_started_is_not_left_as_a_zombie(
    spool: SpoolDir, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    started = []
    real = _start._popen
    monkeypatch.setattr(
        _start, "_popen", lambda request: started.append(real(request)) or started[0]
    )
    start_collector(spool, ("command",))
    until(lambda: not Path(f"/proc/{started[0].pid}").exists())


def test_a_git_that_hangs_is_gone_when_the_collector_is(
    spool: SpoolDir, monkeypatch: pytest.MonkeyPatch, until: Until, tmp_path: Path
) -> None:
    noted = tmp_path / "pid"
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(f"#!/bin/sh\necho $$ > {noted}\nexec sleep 600\n")
    git.chmod(0o755)
    (tmp_path / "code" / ".git").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{git.parent}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path / "code")
    Path(".git/HEAD").write_text("ref: refs/heads/main\n")
    for folder in ("objects", "refs"):
        Path(".git", folder).mkdir()
    start_collector(spool, ("git", "command"), limit_s=2.0)
    until(lambda: not (spool.inputs_path / "start.working").exists())
    facts = json.loads((spool.inputs_path / "start-git.json").read_text())["facts"]
    assert facts["inputs/problem/git"].startswith("not done after")
    assert (spool.inputs_path / "start-command.json").exists()
    until(
        lambda: noted.read_text() != "" and not Path(f"/proc/{noted.read_text().strip()}").exists()
    )


def test_a_collector_that_cannot_be_started_is_told_and_raises_nothing(
    spool: SpoolDir, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    start_collector(spool, ("command",))
    assert "inputs of this run are not recorded" in caplog.text


# ── who starts one ────────────────────────────────────────────────────────


_ONLY_COMMAND = {
    **dict.fromkeys(("record_git", "record_diff", "record_packages", "record_machine"), False),
    "record_variables": False,
    "record_seeds": False,
    "record_command": True,
    "console": "off",
}


@pytest.mark.parametrize(
    ("arguments", "settings", "starts"),
    [
        ({"mode": "offline"}, {}, True),
        ({"mode": "offline"}, {"agent": False}, False),
        ({"mode": "disabled"}, {}, False),
        ({"mode": "offline", "rank": 1, "world_size": 2, "id": "r"}, {}, False),
        (
            {"mode": "offline", "rank": 1, "world_size": 2, "id": "r"},
            {"every_rank_describes": True},
            True,
        ),
    ],
)
def test_who_starts_a_collector(
    arguments: dict[str, Any],
    settings: dict[str, Any],
    starts: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("weir._opening.AgentKeeper.ensure", lambda self: None)
    asked: list[Any] = []
    monkeypatch.setattr(
        "weir._inputs.start_collector", lambda spool, sections, **_: asked.append(sections)
    )
    settings = {"agent": True, **_ONLY_COMMAND, **settings}
    weir.init(dir=tmp_path / "spool", settings=settings, **arguments).finish(timeout=0)
    assert asked == ([("command",)] if starts else [])
