"""The pure parts of `weir up`: command lines, paths, ports, logs, leftovers, words."""

from __future__ import annotations

import os
import socket
import stat
import sys
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from weir_server.config import Loaded, load
from weir_server.errors import StartupError
from weir_server.up import data_dir, log_file, orphans, redis_server
from weir_server.up.arrange import arrange
from weir_server.up.banner import banner
from weir_server.up.data_dir import DataDir
from weir_server.up.part import ending
from weir_server.up.plan import make_plan
from weir_server.up.ports import Wanted, choose_ports
from weir_server.up.state import PartState, State, read_parts, read_running, write_state

FREE = {
    "gateway.sql_port": "0",
    "objects.door_port": "0",
    "gateway.port": "0",
    "gateway.metrics_port": "0",
    "writer.metrics_port": "0",
    "rules.metrics_port": "0",
    "engine.port": "0",
    "dashboard.port": "0",
}


@pytest.fixture
def directory(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path)


def given(**flags: str) -> Loaded:
    return load({**FREE, **{name.replace("__", "."): value for name, value in flags.items()}})


# ── redis ────────────────────────────────────────────────────────────────────


def test_redis_opens_no_port_evicts_nothing_and_keeps_everything() -> None:
    words = redis_server.command_line(Path("/bin/r"), Path("/d"), Path("/d/s"), 1 << 30)
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert words[0] == "/bin/r"
    assert options["--port"] == "0"
    assert options["--unixsocketperm"] == "700"
    assert options["--maxmemory-policy"] == "noeviction"
    assert (options["--appendonly"], options["--appendfsync"]) == ("yes", "everysec")
    assert options["--maxmemory"] == str(1 << 30)


def test_a_socket_path_too_long_for_the_system_is_replaced_by_a_short_one_that_stays(
    tmp_path: Path,
) -> None:
    deep = tmp_path / ("d" * 120)
    path = redis_server.socket_path(deep)
    assert len(os.fsencode(path)) <= 100
    assert path == redis_server.socket_path(deep)
    assert path != redis_server.socket_path(tmp_path / ("e" * 120))
    assert redis_server.socket_path(Path("/d")) == Path("/d/redis.sock")


def test_the_redis_that_comes_along_is_new_enough() -> None:
    bundled = list(redis_server._candidates())[-1]
    version = redis_server.read_version(bundled)
    assert version is not None
    assert version >= redis_server.OLDEST


def test_a_redis_that_is_missing_or_no_redis_is_one_sentence_with_a_remedy(tmp_path: Path) -> None:
    for binary in (str(tmp_path / "nothing"), sys.executable):
        with pytest.raises(StartupError, match=r"cannot be run — .*pip install"):
            redis_server.find_redis(binary)


# ── ports ────────────────────────────────────────────────────────────────────


def test_a_taken_port_is_told_with_its_setting_and_all_at_once() -> None:
    with socket.socket() as one, socket.socket() as two:
        for listener in (one, two):
            listener.bind(("127.0.0.1", 0))
            listener.listen()
        wanted = [
            Wanted(name, "127.0.0.1", listener.getsockname()[1])
            for name, listener in (("gateway.port", one), ("engine.port", two))
        ]
        with pytest.raises(StartupError) as caught:
            choose_ports(wanted)
    for want in wanted:
        assert f"{want.setting} {want.port} is taken by" in str(caught.value)


def test_zero_picks_different_free_ports() -> None:
    names = [f"p{number}" for number in range(8)]
    ports = choose_ports([Wanted(name, "127.0.0.1", 0) for name in names])
    assert len(set(ports.values())) == len(names)
    assert 0 not in ports.values()


# ── settings ─────────────────────────────────────────────────────────────────


def test_the_parts_are_told_where_each_other_are(directory: DataDir) -> None:
    settings = arrange(given(), directory)
    assert settings.clickhouse.url == f"http://127.0.0.1:{settings.engine.port}"
    assert settings.clickhouse.password == settings.engine.password
    assert settings.stream.url == f"unix://{directory.path}/redis/redis.sock"
    assert settings.dashboard.gateway == f"127.0.0.1:{settings.gateway.port}"
    assert settings.engine.path == directory.clickhouse
    assert settings.objects.dir == directory.objects


def test_whoever_names_an_s3_keeps_it_and_no_door_is_opened(directory: DataDir) -> None:
    settings = arrange(given(objects__kind="s3", objects__endpoint="https://s3.there"), directory)
    assert (settings.objects.kind, settings.objects.endpoint) == ("s3", "https://s3.there")
    assert settings.objects.door_port == 0
    assert "bucket weir at https://s3.there" in banner(settings, directory, 1.0)


def test_the_engine_keeps_the_password_of_the_first_start(directory: DataDir) -> None:
    first, second = (arrange(given(), directory).engine.password for _ in range(2))
    assert first == second
    assert len(first.get_secret_value()) >= 24
    assert arrange(given(engine__password="mine"), directory).engine.password != first


def test_engines_of_ones_own_are_refused_rather_than_ignored(directory: DataDir) -> None:
    with pytest.raises(StartupError, match=r"stream\.url \(flag\)"):
        arrange(given(stream__url="redis://elsewhere"), directory)


def test_without_a_dashboard_its_port_is_not_asked_for(directory: DataDir) -> None:
    settings = arrange(given(up__dashboard="false"), directory)
    plan = make_plan(settings, directory, Path("/bin/r"))
    assert plan.faces == ()
    assert [part.name for part in (*plan.engines, plan.migrate, *plan.services)] == [
        "redis", "engine", "migrate", "writer", "gateway", "rules",
    ]  # fmt: skip


def test_no_password_is_on_any_command_line(directory: DataDir) -> None:
    settings = arrange(given(), directory)
    plan = make_plan(settings, directory, Path("/bin/r"))
    secret = settings.engine.password.get_secret_value()
    for part in (*plan.engines, plan.migrate, *plan.services, *plan.faces):
        assert secret not in " ".join(part.command)


def test_the_dashboard_is_told_where_the_bytes_lie_without_any_setting(
    directory: DataDir,
) -> None:
    settings = arrange(given(), directory)
    (face,) = make_plan(settings, directory, Path("/bin/r")).faces
    words = dict(pairwise(face.command))
    assert words["--objects"] == "local"
    assert words["--objects-dir"] == str(directory.objects)
    assert words["--objects-url"] == f"http://127.0.0.1:{settings.objects.door_port}"


def test_the_dashboard_of_an_s3_gets_its_secret_by_environment_only(directory: DataDir) -> None:
    settings = arrange(
        given(
            objects__kind="s3",
            objects__endpoint="s3.example",
            objects__access_key="ada",
            objects__secret_key="hush-hush",
        ),
        directory,
    )
    (face,) = make_plan(settings, directory, Path("/bin/r")).faces
    words = dict(pairwise(face.command))
    assert words["--s3-endpoint"] == "https://s3.example"
    assert words["--s3-access-key"] == "ada"
    assert "hush-hush" not in " ".join(face.command)
    assert face.variables["WEIR_OBJECTS__SECRET_KEY"] == "hush-hush"


def test_the_banner_shows_every_door_and_warns_of_an_open_one(directory: DataDir) -> None:
    settings = arrange(given(gateway__host="0.0.0.0"), directory)
    text = banner(settings, directory, 1.0)
    for port in (settings.gateway.port, settings.dashboard.port, settings.engine.port):
        assert f"127.0.0.1:{port}" in text
    assert "make tokens" in text
    assert "make tokens" not in banner(arrange(given(), directory), directory, 1.0)


# ── the directory ────────────────────────────────────────────────────────────


def test_a_held_directory_says_who_holds_it(tmp_path: Path) -> None:
    with (
        data_dir.hold(tmp_path / "d"),
        pytest.raises(StartupError, match=f"pid {os.getpid()}"),
        data_dir.hold(tmp_path / "d"),
    ):
        pass
    with data_dir.hold(tmp_path / "d") as again:
        assert stat.S_IMODE(again.path.stat().st_mode) == 0o700


def test_a_directory_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StartupError, match=r"cannot write .* point up\.data_dir"),
        data_dir.hold(tmp_path / "file" / "d"),
    ):
        pass


def test_a_full_disk_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_dir, "LEAST_FREE_BYTES", 1 << 62)
    with pytest.raises(StartupError, match="MiB are free"), data_dir.hold(tmp_path / "d"):
        pass


def test_the_state_is_private_and_read_back(directory: DataDir) -> None:
    parts = {"redis": PartState(1, 2.0, 3)}
    state = State(os.getpid(), "g:1", "", {"url": "u"}, "unix:///s", {}, ready=True, parts=parts)
    write_state(directory, state)
    assert read_parts(directory) == parts
    assert stat.S_IMODE(directory.state_file.stat().st_mode) == 0o600
    running = read_running(directory.path)
    assert running is not None
    assert running.gateway == "g:1"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"parts": {"redis": {"x": 1}}}', '{"parts": 1}'])
def test_a_damaged_state_is_no_state(directory: DataDir, text: str) -> None:
    directory.state_file.write_text(text)
    assert read_parts(directory) == {}
    assert read_running(directory.path) is None


def test_only_the_process_that_was_noted_is_an_orphan_of_ours() -> None:
    me = psutil.Process()
    born = me.create_time()
    found = orphans.find_orphans(
        {
            "same": PartState(me.pid, born),
            "pid reused": PartState(me.pid, born - 3600),
            "gone": PartState(2**22 - 1, born),
        }
    )
    assert list(found) == ["same"]


# ── logs and words ───────────────────────────────────────────────────────────


def test_a_log_is_rolled_when_it_is_big_and_goes_on_in_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    descriptor = log_file.open_log(path)
    for number in range(6):
        os.write(descriptor, b"%d" % number * 100)
        assert log_file.roll(path, at_bytes=100)
        assert not log_file.roll(path, at_bytes=100)
    os.write(descriptor, b"end\n")
    os.close(descriptor)
    assert path.read_text() == "end\n"
    assert [tmp_path.joinpath(f"x.log.{n}").read_text()[0] for n in (1, 2, 3)] == ["5", "4", "3"]
    assert not tmp_path.joinpath("x.log.4").exists()


def test_the_last_words_are_those_of_this_life(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("before\n")
    assert log_file.last_line(path, since=7) == ""
    path.write_text("before\nwhy it failed\n\n")
    assert log_file.last_line(path, since=7) == "why it failed"
    assert log_file.last_line(tmp_path / "none") == ""


def test_an_ending_is_told_in_words() -> None:
    assert ending(-9) == "was ended by SIGKILL"
    assert ending(3) == "ended with code 3"
