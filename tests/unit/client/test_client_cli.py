"""The `weir` command without any server."""

import json
import os
from pathlib import Path

import click
import psutil
import pytest
from click.testing import CliRunner

from weir import cli
from weir._config_command import config
from weir._printing import print_table
from weir._process import host_name
from weir._spool import FLAG_FINAL, Meta, SegmentWriter, SpoolDir
from weir._status_command import human_bytes, status
from weir._sync_command import sync


class EntryPoint:
    def __init__(self, commands) -> None:
        self._commands = commands

    def load(self):
        if isinstance(self._commands, Exception):
            raise self._commands
        return self._commands


def installed(monkeypatch, commands) -> None:
    monkeypatch.setattr(cli, "entry_points", lambda group: [EntryPoint(commands)])


@pytest.fixture
def offline_spool(tmp_path: Path) -> SpoolDir:
    me = psutil.Process()
    meta = Meta(
        mode="offline",
        server="127.0.0.1:1",
        producer=os.urandom(16).hex(),
        project="p",
        run_id="r",
        rank=2,
        node=host_name(),
        pid=me.pid,
        process_started_s=me.create_time(),
    )
    spool = SpoolDir.create(tmp_path, meta, token="very secret")
    writer = SegmentWriter(spool)
    writer.append(1, 0, b"x")
    writer.append(2, FLAG_FINAL, b"y")
    writer.close()
    return spool


def test_without_the_server_its_commands_are_answered_with_how_to_install_it(monkeypatch):
    installed(monkeypatch, ImportError("No module named 'pydantic'"))
    monkeypatch.setattr("sys.argv", ["weir", "up"])
    with pytest.raises(SystemExit, match=r'pip install "weir\[server\]"'):
        cli.weir_command()


def test_without_the_server_the_clients_commands_work(monkeypatch):
    installed(monkeypatch, ImportError("No module named 'pydantic'"))
    monkeypatch.setattr("sys.argv", ["weir", "status"])
    assert {"sync", "status", "agent", "config"} <= set(cli.weir_command().commands)


def test_the_servers_commands_are_found_by_their_entry_point(monkeypatch):
    installed(monkeypatch, [click.Command("up")])
    assert "up" in cli.weir_command().commands


def test_the_servers_config_is_shown_by_config_server(monkeypatch):
    @click.command("config")
    @click.option("--json", "as_json", is_flag=True)
    def server_config(*, as_json: bool) -> None:
        click.echo(f"the server's, {as_json}")

    installed(monkeypatch, [server_config])
    done = CliRunner().invoke(cli.weir_command(), ["config", "--server", "--json"])
    assert done.output == "the server's, True\n"
    assert "agent_idle_s" in CliRunner().invoke(cli.weir_command(), ["config"]).output


def test_config_tells_where_each_value_comes_from_and_masks_secrets(monkeypatch):
    monkeypatch.setenv("WEIR_TOKEN", "very secret")
    monkeypatch.setenv("WEIR_AGENT_IDLE_S", "7")
    done = CliRunner().invoke(config, ["--json"])
    found = json.loads(done.output)
    assert found["agent_idle_s"] == {"value": "7.0", "source": "WEIR_AGENT_IDLE_S"}
    assert "very secret" not in done.output


def test_config_server_without_the_server_says_how_to_install_it():
    done = CliRunner().invoke(config, ["--server"])
    assert done.exit_code == 1
    assert "weir[server]" in done.output


def test_status_tells_what_lies_in_the_spools(offline_spool, tmp_path):
    told = json.loads(CliRunner().invoke(status, [str(tmp_path), "--json"]).output)
    assert told["agent_pid"] is None
    (spool,) = told["spools"]
    assert (spool["run_id"], spool["rank"], spool["state"]) == ("r", 2, "final")
    assert (spool["frames"], spool["committed_seq"], spool["mode"]) == (2, 0, "offline")
    table = CliRunner().invoke(status, [str(tmp_path)]).output
    assert "p/r" in table
    assert "very secret" not in table


def test_status_of_an_empty_root_says_so(tmp_path):
    assert "0 spools" in CliRunner().invoke(status, [str(tmp_path)]).output.replace("\n", " ")


def test_sync_of_an_empty_folder_has_nothing_to_do(tmp_path):
    done = CliRunner().invoke(sync, [str(tmp_path)])
    assert (done.exit_code, done.output.strip()) == (0, "no spools here, nothing to send")


@pytest.mark.parametrize(
    ("size_bytes", "told"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (16 << 20, "16.0 MiB"),
        (1 << 50, "1024.0 TiB"),
    ],
)
def test_sizes_are_told_as_people_read_them(size_bytes, told):
    assert human_bytes(size_bytes) == told


def test_a_row_stays_one_line_for_a_program_and_fits_a_terminal_of_people(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    long = "vision/resnet:v0 " * 30
    print_table(("artifact",), [(long,)])
    assert long.strip() in capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "80")
    print_table(("artifact",), [(long,)])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_what_people_wrote_gives_a_terminal_no_orders(capsys):
    print_table(("name", ""), [("a \x1b[2J\x1b]52;c;ZXZpbA==\x07b\x9b31m", "two\nlines [red]x[/]")])
    told = capsys.readouterr().out
    assert "a b" in told
    assert "[red]x[/]" in told
    assert not {"\x1b", "\x07", "\x9b"} & set(told)
    assert [line.split()[-1] for line in told.splitlines()[1:]] == ["two", "[red]x[/]"]
