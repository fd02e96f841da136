"""Whatever becomes of scribe, agent and disk: the program prints as if nobody listened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fault.fixtures_client import INTERRUPTED, tiny_disk
from tests.fault.fixtures_house import House, Service
from tests.integration.fixtures_console import Program, program, scribes_of
from tests.integration.fixtures_spools import wait_until
from weir._process import host_name
from weir.agent._lock import agent_pid
from weir_store.console.base import LinesQuery
from weir_store.console.reader import ClickHouseConsole
from weir_store.records import RunRef

__all__ = ["program"]  # a fixture

BEGIN = "import logging, os, subprocess, sys, time, weir\nrun = weir.init('p', id='r')\n"
GO_ON = (
    "print('ready', flush=True)\nsys.stdin.readline()\n"
    "for n in range(3000): os.write(1, b'%05d' % n + b'x' * 1018 + b'\\n')\n"  # 3 MB: no pipe holds it
    "print('training done', file=sys.stderr)\nrun.finish()\nprint('end', flush=True)\n"
)
WRITTEN = b"".join(b"%05d" % n + b"x" * 1018 + b"\n" for n in range(3000))


def begin(program: Program, source: str = GO_ON, **popen) -> subprocess.Popen[bytes]:
    """Start a program and wait until it is ready."""
    process = program.start(BEGIN + source, stdin=subprocess.PIPE, **popen)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def go_on(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Let it go on to its end."""
    out, err = process.communicate(b"go\n", timeout=90)
    assert process.returncode == 0, err
    return out, err


# ── the scribe ─────────────────────────────────────────────────────────────


def test_a_scribe_that_is_killed_costs_no_line_of_output_and_no_time(program: Program):
    process = begin(program)
    (scribe,) = scribes_of(process)
    scribe.kill()
    scribe.wait(30)
    out, err = go_on(process)
    assert out == WRITTEN + b"end\n"
    assert b"training done" in err
    assert b"not recorded any more: it has died" in err


def test_a_program_whose_scribe_died_has_its_own_streams_back(program: Program):
    """So that native code that prints while it holds the GIL waits for nobody."""
    done = program.run(
        "import os, signal, subprocess, sys, time, weir\n"
        "before = os.fstat(1), os.fstat(2)\nrun = weir.init('p', id='r')\n"
        "def same(): return all(os.path.samestat(old, os.fstat(fd)) for fd, old in zip((1, 2), before))\n"
        "assert not same()\n"
        "found = subprocess.run(['pgrep', '-P', str(os.getpid()), '-f', '_console'], capture_output=True)\n"
        "os.kill(int(found.stdout), signal.SIGKILL)\n"
        "while not same(): time.sleep(0.05)\n"
        "print('back'); run.finish()\n"
    )
    assert done.stdout == b"back\n", done.stderr


def test_a_scribe_killed_in_the_middle_of_a_flood_lets_the_program_go_on(program: Program):
    process = begin(program)
    (scribe,) = scribes_of(process)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()
    seen = process.stdout.read(200_000)
    scribe.kill()
    seen += process.stdout.read()
    assert process.wait(60) == 0
    # What it had read and not passed on yet is gone: one chunk at most. All else is there, in order.
    assert len(WRITTEN) + len(b"end\n") - len(seen) <= 64 << 10
    assert seen.endswith(WRITTEN[-1_000_000:] + b"end\n")


def test_a_scribe_that_stands_still_does_not_hold_the_program(program: Program):
    process = begin(program)
    (scribe,) = scribes_of(process)
    scribe.send_signal(signal.SIGSTOP)
    out, err = go_on(process)
    assert out == WRITTEN + b"end\n"
    assert b"not recorded any more: it stood still" in err


def test_children_of_a_program_whose_scribe_died_print_on(program: Program):
    process = begin(
        program,
        "child = subprocess.Popen(['sh', '-c', 'read go; yes | head -c 2000000; echo child'],"
        " stdin=subprocess.PIPE)\n"
        "print('ready', flush=True)\nsys.stdin.readline()\n"
        "child.communicate(b'go\\n')\nassert child.returncode == 0\nrun.finish()\n",
    )
    (scribe,) = scribes_of(process)
    scribe.kill()
    scribe.wait(30)
    out, _ = go_on(process)
    assert out == b"y\n" * 1_000_000 + b"child\n"


def test_a_reader_that_pauses_pauses_the_program_and_not_the_recording(program: Program):
    """Ctrl-S, or a pager: what stands still then is not the scribe."""
    process = begin(program)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()
    time.sleep(5)  # longer than a scribe may stand still
    out = process.stdout.read()
    assert process.wait(60) == 0
    assert out == WRITTEN + b"end\n"
    assert len(program.texts("stdout")) == 3001


def test_a_program_that_cannot_start_a_scribe_prints_as_ever(program: Program):
    done = program.run(
        "import sys, weir\n"
        "python, sys.executable = sys.executable, '/nowhere/python'\n"
        "run = weir.init('p', id='r')\nprint('printed')\nrun.finish()\n"
    )
    assert done.returncode == 0
    assert done.stdout == b"printed\n"
    assert b"it could not begin" in done.stderr
    assert not list(program.root.rglob("console/scribe"))


def test_a_program_out_of_descriptors_prints_as_ever(program: Program):
    done = program.run(
        "import os, resource, sys, weir\n"
        "weir.init('p', id='warm').finish()\n"
        "used = len(os.listdir('/proc/self/fd'))\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (used + 4, used + 4))\n"
        "run = weir.init('p', id='r')\nprint('printed')\nrun.finish(timeout=1)\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"printed\n"


def test_a_scribe_outlives_its_killed_program_until_the_children_are_done(program: Program):
    process = begin(
        program,
        "subprocess.Popen(['sh', '-c', 'sleep 1; echo orphan'])\n"
        "print('ready', flush=True)\nos.kill(os.getpid(), 9)\n",
    )
    out, _ = process.communicate(timeout=60)
    assert out == b"orphan\n"
    wait_until(lambda: "orphan" in program.texts())


AT_EVERY_LINE = (
    "import os, signal, sys, weir\nfrom weir._printed import end_printed\n"
    + INTERRUPTED
    + """
def handler(*_):
    print('in handler', flush=True)
    run.log({'a': 1.0})
signal.signal(signal.SIGUSR1, handler)
lines = 1
while True:
    run = weir.init('p')
    hit = interrupted(lines, lambda: end_printed(run))
    run.finish()
    if not hit: break
    lines += 1
assert lines > 50
print(lines, file=sys.stderr)
"""
)


def test_a_signal_handler_that_prints_at_any_line_of_the_consoles_end_loses_nothing(
    program: Program,
):
    done = program.run(AT_EVERY_LINE, within_s=150)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"in handler\n" * (int(done.stderr) - 1)


# ── the disk ───────────────────────────────────────────────────────────────


def test_a_full_disk_costs_the_record_and_not_the_echo_and_is_counted(
    program: Program, tmp_path: Path
):
    with tiny_disk(tmp_path / "disk", 256) as disk:
        program.environ |= {"WEIR_DIR": str(disk / "spool"), "WEIR_SPOOL_FREE_SHARE": "1"}
        program.environ["DISK"] = str(disk)
        source = BEGIN + (
            "for n in range(100): print('before', n, flush=True)\n"
            "time.sleep(1)\n"
            "with open(os.environ['DISK'] + '/filler', 'wb', buffering=0) as filler:\n"
            "    try:\n"
            "        while True: filler.write(bytes(4096))\n"
            "    except OSError: pass\n"
            "for n in range(1000): print('full', n, 'x' * 500, flush=True)\n"
            "time.sleep(1)\n"
            "os.unlink(os.environ['DISK'] + '/filler')\n"
            "time.sleep(3)\n"  # it looks again every second
            "print('after', flush=True)\nrun.finish()\n"
        )
        done = program.run(source)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == 1101
        program.folder = disk  # where the record is
        texts = program.texts("stdout")
        assert texts[:100] == [f"before {n}" for n in range(100)]
        assert texts[-1] == "after"
        said = [text for text in program.texts("logging") if "left out" in text]
        left_out = sum(int(text.split()[1]) for text in said)
        assert len(texts) + left_out == 1101
        assert left_out > 0
        numbers = [line.number for line in program.lines()]
        assert numbers == sorted(set(numbers))


def test_a_record_that_is_removed_costs_no_output(program: Program):
    source = BEGIN + (
        "import glob, shutil\nprint('one', flush=True); time.sleep(1)\n"
        "[shutil.rmtree(f) for f in glob.glob(os.environ['WEIR_DIR'] + '/*/*/*/console')]\n"
        "time.sleep(3); print('two', flush=True); run.finish()\n"
    )
    done = program.run(source)
    assert done.stdout == b"one\ntwo\n"
    assert program.texts() == ["two"]


# ── the agent ──────────────────────────────────────────────────────────────


def fetch(program: Program, fault: str = "") -> int:
    """Run an agent until it has nothing left to do, or dies; returns its exit code."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "weir.agent", "--root", str(program.root)],
        env={**program.environment(), "WEIR_AGENT_IDLE_S": "0.5", "WEIR_FAULT": fault},
        timeout=90,
    ).returncode


@pytest.mark.parametrize("point", ["agent.after_lines:2", "agent.after_position:2"])
def test_an_agent_that_dies_while_it_fetches_loses_no_line_and_renumbers_none(
    program: Program, point: str
):
    program.run(BEGIN + "for n in range(10_000): print(n)\nrun.finish()\n")
    assert fetch(program, point) == 137
    assert fetch(program) == 0
    found = program.fetched()
    assert len(set(found)) == 10_000  # the same line has the same number, however often it came
    assert {number: text for number, _, text in found} == {n + 1: str(n) for n in range(10_000)}
    assert not list(program.root.rglob("console"))


def test_an_agent_killed_again_and_again_brings_every_line(program: Program):
    program.environ |= {"WEIR_AGENT": "1", "WEIR_AGENT_IDLE_S": "1"}
    process = begin(
        program,
        "print('ready', flush=True)\n"
        "for n in range(4000): print(n, flush=True); time.sleep(0.002)\n"
        "run.finish()\n",
    )
    killed = 0
    while process.poll() is None:
        pid = agent_of(program.root)
        if pid:
            os.kill(pid, signal.SIGKILL)
            killed += 1
        time.sleep(0.7)
    process.communicate()
    fetch(program)
    assert killed > 1
    found = program.fetched()
    texts = {number: text for number, stream, text in found if stream == "stdout"}
    assert list(texts.values()) == ["ready", *(str(n) for n in range(4000))]


def agent_of(root: Path) -> int | None:
    """Return the pid of the agent of a root."""
    return agent_pid(root, host_name())


def test_half_a_line_at_the_end_of_a_record_does_not_wedge_the_agent(program: Program):
    program.run(BEGIN + "print('whole')\nrun.finish()\n")
    (record,) = program.root.rglob("*.lines")
    whole = record.read_bytes()
    record.write_bytes(whole + whole[8:20])
    assert fetch(program) == 0
    assert program.fetched() == [(1, "stdout", "whole")]
    assert not list(program.root.rglob("console"))


# ── to the store ───────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def services(house: House) -> list[Service]:
    return [house.start_gateway(), house.start_writer()]


@pytest.mark.parametrize("point", ["", "agent.after_lines:1", "agent.after_position:1"])
def test_every_line_can_be_read_from_the_store_once_whatever_its_agent_did(
    program: Program, house: House, services: list[Service], point: str
):
    run_id = f"run-{point.partition(':')[0] or 'calm'}"
    program.environ |= {"WEIR_MODE": "online", "WEIR_SERVER": house.address}
    program.environ["WEIR_FINISH_TIMEOUT_S"] = "0"
    done = program.run(
        f"import sys, weir\nrun = weir.init('p', id={run_id!r}, rank=3)\n"
        "for n in range(6000): print(n)\nprint('trouble', file=sys.stderr)\nrun.finish()\n"
    )
    assert done.returncode == 0, done.stderr
    if point:
        assert fetch(program, point) == 137
    fetch(program)
    reader = ClickHouseConsole(house.clickhouse, house.database)

    def stored() -> list[dict]:
        query = LinesQuery((RunRef("p", run_id),), limit=100_000)
        return reader.read_lines(query).to_pylist()

    wait_until(lambda: len(stored()) >= 6001, within_s=60)
    lines = stored()
    assert [each["line"] for each in lines if each["stream"] == "stdout"] == [
        str(n) for n in range(6000)
    ]
    assert next(each["line"] for each in lines if each["stream"] == "stderr") == "trouble"
    assert {each["rank"] for each in lines} == {3}
    assert len({each["number"] for each in lines}) == len(lines)
