"""The life of a run: opening, facts, modes, finishing."""

import errno
import logging
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import weir
from weir._spool import Control, Watermark, list_spools
from weir.errors import ConfigError, UsageError
from weir.testing import capture


def spool_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "weir-spool"]


def test_what_init_is_told_is_recorded() -> None:
    with capture() as captured:
        run = weir.init(
            "p",
            name="first",
            config={"lr": 0.1, "opt": {"betas": [0.9, 0.99]}},
            tags=["a", "b"],
            notes="try",
            group="g",
            job_type="train",
        )
        run.config.opt.eps = 1e-8
        run.summary["best"] = 3
        run.tags += ("c",)
        run.tags.remove("a")
        run.name = "second"
        run.finish()
    assert captured.config() == {"lr": 0.1, "opt.betas": [0.9, 0.99], "opt.eps": 1e-8}
    assert captured.summary() == {"best": 3}
    assert captured.tags() == {"b", "c"}
    meta = captured.meta()
    assert (meta["name"], meta["notes"], meta["group"], meta["job_type"]) == (
        "second",
        "try",
        "g",
        "train",
    )
    assert meta["program"] == sys.argv[0]
    assert meta["python"] == sys.version.split()[0]
    assert captured.states() == [("RUNNING", 0, ""), ("FINISHED", 0, "")]


def test_other_ranks_leave_the_description_to_rank_0_but_record_changes() -> None:
    with capture() as captured:
        for rank in range(4):
            run = weir.init(id="r", rank=rank, world_size=4, config={"lr": 1}, tags=["t"])
            assert run.config.lr == 1
            run.config[f"rank{rank}"] = True
            run.finish()
    attrs = [a.path for _, b in captured._bodies() for a in b.attrs if a.path in {"lr", "t"}]
    assert sorted(attrs) == ["lr", "t"]
    assert captured.config() == {"lr": 1, **{f"rank{rank}": True for rank in range(4)}}
    assert [m.rank for m in captured.producers()] == [0, 1, 2, 3]
    assert {m.run_id for m in captured.producers()} == {"r"}


def test_a_setting_lets_every_rank_describe() -> None:
    with capture(every_rank_describes=True) as captured:
        weir.init(rank=1, world_size=2, id="r", config={"lr": 1}).finish()
    assert captured.config() == {"lr": 1}


def test_a_config_value_too_long_is_rejected_and_told() -> None:
    with capture() as captured, weir.init(config={"a": "x" * 70_000, "b": 1}) as run:
        pass
    assert captured.config() == {"b": 1}
    assert run.stats.rejected == 1


def test_a_config_value_that_raises_when_asked_is_rejected() -> None:
    class Meta:  # as a tensor without data
        def item(self) -> float:
            raise RuntimeError("no data")

    with capture() as captured, weir.init() as run:
        run.config.update(a=Meta(), b=1)
    assert captured.config() == {"b": 1}
    assert run.stats.rejected == 1


@pytest.mark.parametrize("step", ["x" * 2_000_000, ["\n" * 2_000_000]])
def test_no_value_is_so_large_that_recording_stops(step: Any) -> None:
    with capture() as captured, weir.init() as run:
        run.log({"a": 1.0}, step=step)
        run.log({"a": 2.0})
        run.mark_preempting("x" * 2_000_000)
    assert captured.values("a") == [2.0]
    assert len(captured.events()) == 2


def test_a_dict_that_another_thread_changes_meanwhile_spoils_no_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = {"a": 1.0}

    def grow(values: Any) -> bool:
        data["b"] = 2.0
        return True

    with capture() as captured, weir.init() as run:
        run.log(data)
        monkeypatch.setattr("weir._intake._all_numbers", grow)
        run.log(data)
    assert (captured.values("a"), captured.values("b")) == ([1.0, 1.0], [2.0])


def test_define_metric_is_recorded_and_shapes_the_summary() -> None:
    with capture() as captured, weir.init() as run:
        run.define_metric("val/*", step_metric="epoch", summary="max")
        run.define_metric("loss", summary="best", goal="minimize")
        run.define_metric("mean", summary="mean")
        run.define_metric("hidden", summary="none")
        for value in (1.0, 5.0, 3.0):
            run.log({"val/acc": value, "loss": value, "mean": value, "hidden": 1, "other": value})
        found = [run.summary[name] for name in ("val/acc", "loss", "mean", "other")]
        assert found == [5.0, 1.0, 3.0, 3.0]
        with pytest.raises(KeyError):
            run.summary["hidden"]
    assert captured.meta()["metric/val/*"] == {
        "glob": "val/*",
        "step_metric": "epoch",
        "summary": "max",
    }


@pytest.mark.parametrize(
    "words", [{"summary": "median"}, {"goal": "up"}, {"glob": ""}, {"glob": "a\nb"}]
)
def test_define_metric_refuses_words_it_does_not_know(words: dict[str, Any]) -> None:
    with capture(), weir.init() as run, pytest.raises(UsageError):
        run.define_metric(**{"glob": "a", **words})


def test_a_disabled_run_takes_everything_and_does_nothing(tmp_path: Path) -> None:
    threads = len(spool_threads())
    run = weir.init("p", mode="disabled", dir=tmp_path, config={"a": 1}, resume="must", id="r")
    run.log({"a": 1, "b": object()})
    run.config.b = 2
    run.summary["c"] = 3
    run.define_metric("a", summary="max")
    run.tags.add("t")
    assert (run.config.a, run.flush("committed"), run.should_stop) == (1, True, False)
    run.finish()
    assert list(tmp_path.iterdir()) == []
    assert len(spool_threads()) == threads


def test_an_offline_run_without_an_agent_spools_and_starts_none(tmp_path: Path) -> None:
    run = weir.init("p", mode="offline", dir=tmp_path, settings={"agent": False})
    run.log({"a": 1})
    assert run.flush()
    assert not run.flush("accepted", timeout=30)
    run.finish()
    (spool,) = list_spools(tmp_path)
    assert spool.read_meta().mode == "offline"
    assert list(tmp_path.glob("agent-*")) == []
    assert run.dir == str(spool.run_path)


def test_several_runs_live_side_by_side() -> None:
    with capture() as captured:
        one, two = weir.init(id="one"), weir.init(id="two")
        assert weir.run is two
        for i in range(10):
            one.log({"a": i})
            two.log({"a": -i})
        two.finish()
        assert weir.run is one
        weir.log({"a": 10})
        weir.finish()
        assert weir.run is None
    assert captured.values("a", run_id="one") == list(range(11))
    assert captured.values("a", run_id="two") == [-i for i in range(10)]


def test_the_module_speaks_to_the_current_run() -> None:
    with capture() as captured:
        weir.init()
        weir.config["lr"] = 1
        weir.summary["best"] = 2
        weir.define_metric("a", summary="min")
        weir.log({"a": 5}, step=3)
        assert weir.flush()
        weir.finish()
    assert (captured.config(), captured.summary()) == ({"lr": 1}, {"best": 2})
    assert captured.values("a") == [5.0]


def test_without_a_run_the_module_says_what_to_do() -> None:
    assert weir.run is None
    for call in (lambda: weir.log({}), lambda: weir.config, lambda: weir.flush()):
        with pytest.raises(UsageError, match=r"weir\.init"):
            call()
    weir.finish()


def test_reinit_returns_finishes_or_adds() -> None:
    with capture():
        first = weir.init()
        assert weir.init(reinit="return_previous") is first
        second = weir.init(reinit="finish_previous")
        assert second is not first
        with pytest.raises(weir.errors.RunFinished):
            first.log({"a": 1})
        with pytest.raises(UsageError):
            weir.init(reinit="again")  # type: ignore[arg-type]


def test_an_exception_fails_the_run_and_goes_on_its_way() -> None:
    with capture() as captured:
        with pytest.raises(ZeroDivisionError), weir.init(id="a"):
            1 / 0  # noqa: B018
        with pytest.raises(KeyboardInterrupt), weir.init(id="b"):
            raise KeyboardInterrupt
        with pytest.raises(SystemExit), weir.init(id="c"):
            sys.exit(4)
        with pytest.raises(SystemExit), weir.init(id="d"):
            sys.exit(0)
    assert captured.states("a")[-1] == ("FAILED", 1, "ZeroDivisionError: division by zero")
    assert captured.states("b")[-1] == ("INTERRUPTED", 130, "KeyboardInterrupt")
    assert captured.states("c")[-1] == ("FAILED", 4, "exit code 4")
    assert captured.states("d")[-1] == ("FINISHED", 0, "")


def test_finish_with_an_exit_code_fails_the_run_and_twice_is_once() -> None:
    with capture() as captured:
        run = weir.init()
        run.finish(3)
        run.finish(0)
    assert captured.states() == [("RUNNING", 0, ""), ("FAILED", 3, "")]


def test_the_last_frame_is_marked_final() -> None:
    from weir._spool import Frame, SpoolReader

    with capture() as captured:
        weir.init().finish()
        (spool,) = list_spools(captured._root)
        frames = [f for f in SpoolReader(spool).read(writer_alive=False) if isinstance(f, Frame)]
    assert [frame.final for frame in frames] == [*[False] * (len(frames) - 1), True]


def test_ranks_of_one_job_come_to_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job7")
    ids = []
    with capture() as captured:
        for rank in ("0", "1"):
            monkeypatch.setenv("RANK", rank)
            monkeypatch.setattr("weir._init._derived_ids", {})
            run = weir.init("p")
            ids.append(run.id)
            assert (run.rank, run.world_size) == (int(rank), 2)
            run.finish()
        other = weir.init("q").id
        second = weir.init("p").id
    assert ids[0] == ids[1]
    assert len({ids[0], other, second}) == 3
    assert {meta.launcher for meta in captured.producers()} == {"torchrun"}


def test_an_explicit_id_or_variable_names_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with capture():
        assert weir.init(id="mine").id == "mine"
        monkeypatch.setenv("WEIR_RUN_ID", "theirs")
        assert weir.init().id == "theirs"
        assert weir.init(id="mine").id == "mine"


def test_ranks_that_cannot_find_each_other_are_warned(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with capture():
        weir.init()
    assert "WEIR_RUN_ID" in caplog.text


def test_all_faults_of_the_settings_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        weir.init("a\nb", mode="on", dir=tmp_path, settings={"heartbeat_s": -1})  # type: ignore[arg-type]
    for word in ("a\\nb", "'on'", "heartbeat_s"):
        assert word in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_settings_given_as_an_object_are_used_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_PROJECT", "env")
    with capture():
        assert weir.init(settings=weir.Settings(strict=True)).project == "default"
        assert weir.init("arg", settings=weir.Settings(project="given")).project == "arg"
        assert weir.init(settings={"role": "eval"}).project == "env"


def test_a_root_that_cannot_be_made_costs_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    run = weir.init(mode="offline", dir=tmp_path / "file" / "spool")
    run.log({"a": 1})
    run.finish()
    assert run.stats.spooled == 1
    assert "cannot spool to" in caplog.text
    assert run.dir in caplog.text or "spooling to" in caplog.text


# ── with a server's answers, written by hand as the agent would ─────────────


@pytest.fixture
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test plays the agent."""
    monkeypatch.setattr("weir._agent_start.start_agent", lambda root, node: None)


@pytest.mark.usefixtures("no_agent")
def test_finish_is_bounded_and_names_the_command(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = weir.init("p", id="r", mode="online", dir=tmp_path)
    run.log({"a": 1})
    assert not run.flush("committed", timeout=0.1)
    run.finish(timeout=0.1)
    assert f"weir sync {tmp_path / 'p' / 'r'}" in caplog.text


@pytest.mark.usefixtures("no_agent")
def test_flush_and_finish_wait_for_the_watermark(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = weir.init(mode="online", dir=tmp_path)
    run.log({"a": 1})
    run.flush()
    (spool,) = list_spools(tmp_path)
    spool.write_watermark(Watermark(100, 0))
    assert run.flush("accepted", timeout=10)
    assert not run.flush("committed", timeout=0)
    spool.write_watermark(Watermark(100, 100))
    assert run.flush("committed", timeout=10)
    run.finish(timeout=10)
    assert caplog.text == ""


@pytest.mark.usefixtures("no_agent")
def test_a_disk_that_cannot_be_read_raises_nowhere_in_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = weir.init(mode="online", dir=tmp_path)
    run.log({"a": 1})
    assert run.flush(timeout=10)

    def fail(path: Path) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr("weir._spool.layout._read", fail)
    monkeypatch.setattr(Path, "exists", fail)
    assert not run.flush("committed", timeout=0.2)
    run.log({"a": 2})
    run.finish(timeout=0.2)
    assert run.stats.spooled == 2
    assert "its points are safe in the spool" in caplog.text


@pytest.mark.usefixtures("no_agent")
def test_a_stop_request_reaches_the_run(tmp_path: Path, until: Any) -> None:
    run = weir.init(mode="online", dir=tmp_path)
    assert not run.should_stop
    (spool,) = list_spools(tmp_path)
    spool.write_control(Control(stop=True))
    until(lambda: run.should_stop)
    run.finish(timeout=0)


def test_flush_refuses_a_level_it_does_not_know() -> None:
    with capture(), weir.init() as run, pytest.raises(UsageError, match="spooled"):
        run.flush("sent")  # type: ignore[arg-type]


@pytest.mark.usefixtures("no_agent")
def test_a_refusal_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, until: Any
) -> None:
    from weir._spool import Welcome

    run = weir.init(mode="online", dir=tmp_path)
    (spool,) = list_spools(tmp_path)
    spool.write_welcome(Welcome(refused_code="FORBIDDEN", refused_message="no such token"))
    until(lambda: "FORBIDDEN" in caplog.text)
    run.finish(timeout=0)


def test_a_warning_reaches_the_user_who_configured_no_logging(run_script: Any) -> None:
    done = run_script("import weir; weir.init().log({'a': object()})")
    assert "'a' cannot be logged" in done.stderr
    assert logging.getLogger("weir").handlers == []
