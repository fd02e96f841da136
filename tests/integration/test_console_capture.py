"""What programs print is recorded, and reaches its reader as if nobody listened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.integration.fixtures_console import (
    Program,
    program,
    run_on_terminal,
    scribes_of,
)
from tests.integration.fixtures_spools import wait_until
from weir._spool import list_spools

__all__ = ["program"]  # a fixture

BEGIN = "import logging, os, subprocess, sys, time, weir\nrun = weir.init('p', id='r')\n"


# ── echo and record ────────────────────────────────────────────────────────


def test_every_line_of_both_streams_is_recorded_and_echoed_byte_for_byte(program: Program):
    source = BEGIN + (
        "for n in range(2000): print('out', n, flush=n % 100 == 0)\n"
        "for n in range(50): print('err', n, file=sys.stderr)\n"
        "sys.stdout.flush()\n"
        "os.write(1, b'\\x1b[31mred\\x1b[0m \\xff\\xfe raw\\tend\\r\\nno newline')\n"
        "run.finish()\n"
    )
    done = program.run(source)
    assert done.returncode == 0
    numbers = "".join(f"out {n}\n" for n in range(2000)).encode()
    assert done.stdout == numbers + b"\x1b[31mred\x1b[0m \xff\xfe raw\tend\r\nno newline"
    assert done.stderr.decode().splitlines() == [f"err {n}" for n in range(50)]
    assert program.texts("stdout") == [
        *(f"out {n}" for n in range(2000)),
        "\x1b[31mred\x1b[0m �� raw\tend",
        "no newline",
    ]
    assert program.texts("stderr") == [f"err {n}" for n in range(50)]
    assert [line.number for line in program.lines()] == list(range(1, 2053))


def test_a_line_is_dated_when_it_began_and_not_when_it_ended(program: Program):
    source = BEGIN + (
        "print('slow ', end='', flush=True)\n"
        "time.sleep(2.0); print('line', time.time()); run.finish()\n"
    )
    program.run(source)
    (line,) = program.lines()
    assert line.text.startswith("slow line ")
    assert line.time_unix_us / 1e6 < float(line.text.split()[-1])


def test_all_is_echoed_and_recorded_before_finish_returns(program: Program):
    source = BEGIN + (
        "time.sleep(1)\n"  # the scribe is there, and woken by this:
        "os.write(1, b''.join(b'%06d\\n' % n for n in range(30_000)))\n"
        "run.finish()\n"
        "os.write(1, b'direct\\n')\n"
    )
    done = program.run(source)
    numbers = [f"{n:06}" for n in range(30_000)]
    assert done.stdout.decode().splitlines() == [*numbers, "direct"]
    assert program.texts() == numbers


def test_output_that_python_still_held_is_recorded_when_the_program_ends_without_finish(
    program: Program,
):
    done = program.run(BEGIN + "print('held'); print('too', file=sys.stderr)")
    assert (done.stdout, done.stderr) == (b"held\n", b"too\n")
    assert program.texts() == ["held", "too"]


def test_output_of_subprocesses_belongs_to_the_run(program: Program):
    done = program.run(
        BEGIN
        + "subprocess.run(['sh', '-c', 'echo shell; echo trouble >&2'])\n"
        + "os.system('echo system')\nrun.finish()\n"
    )
    assert done.stdout == b"shell\nsystem\n"
    assert program.texts("stdout") == ["shell", "system"]
    assert program.texts("stderr") == ["trouble"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_output_of_multiprocessing_workers_belongs_to_the_run(program: Program, method: str):
    done = program.run(
        f"""
        import logging, multiprocessing, os, sys
        def work(number):
            sys.stdout.write(f"worker {{number}}\\n")  # in one piece, also where Python buffers nothing
            sys.stdout.flush()
            logging.getLogger("load").warning("worker %d", number)
        if __name__ == "__main__":
            import weir
            run = weir.init("p", id="r")
            context = multiprocessing.get_context({method!r})
            with context.Pool(3) as pool:
                pool.map(work, range(6), chunksize=1)
            run.finish()
        """
    )
    assert done.returncode == 0, done.stderr
    assert sorted(program.texts("stdout")) == [f"worker {n}" for n in range(6)]
    levels = {line.text: line.level for line in program.lines()}
    if method == "fork":  # the others begin without us: what they log, they only print
        assert {levels[text] for text in levels if text.startswith("WARNING")} <= {0, 30}
    assert sorted(program.texts("stderr")) == sorted(done.stderr.decode().splitlines())


def test_a_forked_child_that_logs_points_does_not_take_the_console_from_its_parent(
    program: Program,
):
    program.run(
        BEGIN
        + "if os.fork() == 0:\n"
        + "    run.log({'x': 1.0}); print('child', flush=True); run.finish(); os._exit(0)\n"
        + "os.wait(); print('parent'); run.finish()\n"
    )
    assert sorted(program.texts("stdout")) == ["child", "parent"]
    assert sum(spool.console_path.is_dir() for spool in list_spools(program.root)) == 1


# ── last words ─────────────────────────────────────────────────────────────

LAST_WORDS = {
    "os._exit": ("os._exit(3)", 3),
    "sigkill": ("os.kill(os.getpid(), 9)", -9),
    "abort": ("os.abort()", -6),
    "exception": ("raise ValueError('boom')", 1),
    "segfault": ("import faulthandler, ctypes; faulthandler.enable(); ctypes.string_at(0)", -11),
}


@pytest.mark.parametrize("way", LAST_WORDS)
def test_the_last_words_of_a_dying_process_are_echoed_and_recorded(program: Program, way: str):
    source, code = LAST_WORDS[way]
    done = program.run(BEGIN + "print('last words', flush=True)\n" + source)
    assert done.returncode == code
    assert done.stdout == b"last words\n"
    wait_until(lambda: "last words" in program.texts("stdout"))
    wait_until(lambda: program.texts("stderr") == done.stderr.decode().splitlines())
    if way == "segfault":
        assert "Fatal Python error: Segmentation fault" in program.texts("stderr")
    if way == "exception":
        assert "ValueError: boom" in program.texts("stderr")


def test_ctrl_c_ends_the_program_and_not_its_record(program: Program):
    source = BEGIN + "print('ready', flush=True)\ntime.sleep(60)\n"
    process = program.start(source, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert b"KeyboardInterrupt" in err
    wait_until(lambda: "KeyboardInterrupt" in program.texts("stderr"))


# ── terminals ──────────────────────────────────────────────────────────────


def test_a_terminal_stays_a_terminal_of_the_same_size_and_colours(program: Program):
    source = """
        import os, shutil, sys, weir
        before = os.isatty(1), os.isatty(2), os.get_terminal_size(1), sys.stdout.line_buffering
        run = weir.init('p', id='r')
        after = os.isatty(1), os.isatty(2), os.get_terminal_size(1), sys.stdout.line_buffering
        assert before == after, (before, after)
        print('\\x1b[32mgreen\\x1b[0m', os.get_terminal_size(1).columns)
        run.finish()
        assert os.isatty(1)
        print('end')
    """
    code, shown = run_on_terminal(program, source, size=(93, 31))
    assert code == 0, shown
    assert shown == b"\x1b[32mgreen\x1b[0m 93\r\nend\r\n"
    assert program.texts() == ["\x1b[32mgreen\x1b[0m 93"]


def test_a_terminal_that_changes_its_size_does_so_for_the_program(program: Program):
    source = """
        import fcntl, os, struct, sys, termios, time, weir
        run = weir.init('p', id='r')
        real = os.open(os.ttyname(0), os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(real, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 132, 0, 0))
        while os.get_terminal_size(1) != (132, 40): time.sleep(0.05)
        print('seen'); run.finish()
    """
    code, shown = run_on_terminal(program, source, size=(80, 24))
    assert (code, shown) == (0, b"seen\r\n")


# ── progress bars ──────────────────────────────────────────────────────────


def test_a_progress_bar_is_recorded_as_it_stood_in_the_end(program: Program):
    done = program.run(
        BEGIN
        + "print('before', flush=True)\n"
        + "for n in range(101): sys.stdout.write(f'\\rstep {n}%'); sys.stdout.flush()\n"
        + "print('\\nafter'); run.finish()\n"
    )
    assert done.stdout.count(b"\r") == 101
    assert program.texts("stdout") == ["before", "step 100%", "after"]


# ── logging ────────────────────────────────────────────────────────────────


def test_records_of_logging_have_their_level_and_are_there_once(program: Program):
    done = program.run(
        BEGIN
        + "logging.basicConfig(level=logging.DEBUG)\n"
        + "log = logging.getLogger('train')\n"
        + "log.debug('too low'); log.info('epoch %d', 3)\n"
        + "try: 1 / 0\nexcept ZeroDivisionError: log.exception('went wrong')\n"
        + "logging.getLogger('quiet').propagate = False\n"
        + "logging.getLogger('quiet').addHandler(logging.NullHandler())\n"
        + "logging.getLogger('quiet').error('unprinted')\n"
        + "run.finish()\n"
    )
    assert b"INFO:train:epoch 3" in done.stderr  # basicConfig works as without us
    told = {(line.text, line.level) for line in program.lines()}
    assert ("DEBUG:train:too low", 0) in told
    assert ("INFO:train:epoch 3", 20) in told
    assert ("ERROR:train:went wrong", 40) in told
    assert ("quiet: unprinted", 40) in told
    assert sum("epoch 3" in text for text in program.texts()) == 1
    assert sum("went wrong" in text for text in program.texts()) == 1


def test_a_warning_without_any_handler_is_still_printed(program: Program):
    done = program.run(BEGIN + "logging.getLogger('x').warning('beware'); run.finish()\n")
    assert done.stderr == b"beware\n"
    assert [(line.text, line.level) for line in program.lines()] == [("beware", 30)]


# ── other people's streams ─────────────────────────────────────────────────


def test_what_a_stream_of_python_takes_is_recorded_where_it_is_no_file(program: Program):
    """As in a notebook: `sys.stdout` sends elsewhere, and file descriptor 1 is somebody else's."""
    program.environ["WEIR_CONSOLE"] = "auto"
    program.environ["WEIR_AGENT"] = "1"
    program.environ["WEIR_AGENT_IDLE_S"] = "1"
    program.run(
        """
        import io, os, sys, weir
        class Cell(io.TextIOBase):
            def __init__(self): self.got = []
            def write(self, text): self.got.append(text); return len(text)
        sys.stdout = cell = Cell()
        run = weir.init('p', id='r')
        print('in a cell'); print('x' * 10_000)
        os.write(1, b'not ours\\n')
        run.finish()
        print('after')
        assert ''.join(cell.got) == 'in a cell\\n' + 'x' * 10_000 + '\\nafter\\n'
        assert 'write' not in vars(cell)
        """
    )
    wait_until(lambda: len(program.fetched()) == 2)
    texts = [text for _, stream, text in program.fetched() if stream == "stdout"]
    assert texts[0] == "in a cell"
    assert texts[1].startswith("xxx")
    assert texts[1].endswith("bytes more]")


PYTEST = """
import os, subprocess, sys
import weir

def work():
    run = weir.init("p", settings={"console": "auto"})
    print("printed")
    print("trouble", file=sys.stderr)
    run.finish(timeout=1)

def test_plain(): work()
def test_capsys(capsys):
    work()
    got = capsys.readouterr()
    assert (got.out, got.err) == ("printed\\n", "trouble\\n")
def test_capfd(capfd):
    work()
    subprocess.run(["echo", "child"])
    got = capfd.readouterr()
    assert (got.out, got.err) == ("printed\\nchild\\n", "trouble\\n")
def test_left_open(capfd):
    weir.init("p", settings={"console": "auto"})
    print("open")
    assert capfd.readouterr().out == "open\\n"
def test_after():
    print("still works")
"""


@pytest.mark.parametrize("option", ["--capture=fd", "--capture=sys", "-s"])
def test_pytest_captures_what_it_always_did(program: Program, option: str):
    suite = program.folder / "test_them.py"
    suite.write_text(PYTEST)
    program.environ |= {"WEIR_AGENT": "1", "WEIR_AGENT_IDLE_S": "0", "WEIR_EXIT_TIMEOUT_S": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", option, str(suite)],
        cwd=program.folder,
        env=program.environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout


def test_a_program_without_standard_streams_works(program: Program):
    script = program.folder / "closed.py"
    script.write_text(BEGIN + "run.log({'x': 1.0})\nrun.finish()\nopen('done', 'w').write('x')\n")
    subprocess.run(
        f'exec "{sys.executable}" {script} <&- >&- 2>&-',
        shell=True, cwd=program.folder, env=program.environment(), timeout=60, check=True,
    )  # fmt: skip
    assert (program.folder / "done").read_text() == "x"


def test_a_reader_that_goes_away_ends_the_program_as_without_us(program: Program):
    """`train.py | head -1`: the next write meets a broken pipe."""
    source = BEGIN + "for n in range(10**9): print('line', n)\n"
    process = program.start(source)
    assert process.stdout is not None
    assert process.stdout.readline() == b"line 0\n"
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    assert process.wait(60) != 0
    assert b"BrokenPipeError" in said


def test_finish_does_not_wait_for_a_background_child_and_its_output_goes_on(program: Program):
    source = BEGIN + (
        "child = subprocess.Popen(['sh', '-c', 'read go; echo late'], stdin=subprocess.PIPE)\n"
        "print('here')\n"
        "run.finish()\n"
        "print('finished', flush=True)\n"
        "child.stdin.write(b'go\\n'); child.stdin.flush(); os._exit(0)\n"
    )
    done = program.run(source)
    assert done.stdout == b"here\nfinished\nlate\n"
    assert program.texts() == ["here"]


def test_a_stream_that_somebody_led_elsewhere_is_left_there(program: Program):
    done = program.run(
        BEGIN
        + "saved = os.dup(1); target = os.open('aside', os.O_CREAT | os.O_WRONLY)\n"
        + "os.dup2(target, 1); print('aside', flush=True)\n"
        + "run.finish(); print('still aside', flush=True)\n"
        + "os.dup2(saved, 1); print('back', flush=True)\n"
    )
    assert (program.folder / "aside").read_text() == "aside\nstill aside\n"
    assert done.stdout == b"back\n"  # by way of the scribe, which echoes as long as anybody writes


# ── more than one run ──────────────────────────────────────────────────────


def test_lines_go_to_the_run_opened_first_and_then_to_the_next(program: Program):
    program.run(
        """
        import weir
        first = weir.init('p', id='first')
        second = weir.init('p', id='second')
        print('one'); first.finish()
        print('two'); second.finish()
        print('none')
        third = weir.init('p', id='third')
        print('three'); third.finish()
        """
    )
    assert [program.texts(run_id=each) for each in ("first", "second", "third")] == [
        ["one"],
        ["two"],
        ["three"],
    ]


def test_twenty_runs_after_each_other_leave_no_descriptor_thread_or_child(program: Program):
    done = program.run(
        """
        import os, threading, time, weir
        def count(): return len(os.listdir('/proc/self/fd')), threading.active_count()
        weir.init('p').finish()
        time.sleep(0.5); first = count()
        for _ in range(20): weir.init('p').finish()
        for _ in range(100):
            if count() == first: break
            time.sleep(0.1)
        assert count() == first, (first, count())
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print('alone')
        """
    )
    assert done.stdout == b"alone\n", done.stderr


# ── limits and secrets ─────────────────────────────────────────────────────


def test_a_flood_is_echoed_whole_and_its_record_says_how_much_it_left_out(program: Program):
    program.environ["WEIR_CONSOLE_LINES_PER_S"] = "10"
    done = program.run(BEGIN + "for n in range(100_000): print(n)\nrun.finish()\n")
    assert done.stdout == b"".join(b"%d\n" % n for n in range(100_000))
    recorded = program.texts("stdout")
    assert recorded[:600] == [str(n) for n in range(600)]
    said = [text.split() for text in program.texts("logging")]
    assert all(words[0] == "weir:" and words[2:5] == ["lines", "left", "out:"] for words in said)
    assert len(recorded) + sum(int(words[1]) for words in said) == 100_000


def test_secrets_do_not_get_into_the_record_nor_where_others_can_look(program: Program):
    program.environ |= {"MY_API_KEY": "hunter2hunter2", "WEIR_TOKEN": "tok-1234567890"}
    process = program.start(
        BEGIN
        + "print('a hunter2hunter2 b tok-1234567890 c', flush=True)\n"
        + "logging.getLogger('x').error('hunter2hunter2')\n"
        + "time.sleep(60)\n"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"a hunter2hunter2 b tok-1234567890 c\n"
    (scribe,) = scribes_of(process)
    assert "hunter2hunter2" not in " ".join(scribe.cmdline()) + str(scribe.environ())
    process.kill()
    process.communicate()
    wait_until(lambda: "a *** b *** c" in program.texts())
    wait_until(lambda: not psutil.pid_exists(scribe.pid))
    stored = b"".join(p.read_bytes() for p in program.root.rglob("console/*") if p.is_file())
    assert b"hunter2" not in stored
    assert b"tok-1234567890" not in stored


def test_a_line_of_megabytes_is_cut_and_says_so(program: Program):
    program.run(BEGIN + "print('x' * 5_000_000)\nprint('next')\nrun.finish()\n")
    long, following = program.texts("stdout")
    assert len(long.encode()) <= 8 << 10
    assert long.endswith("bytes more]")
    assert following == "next"


# ── the agent ──────────────────────────────────────────────────────────────


def test_the_agent_brings_every_line_into_the_runs_log_once(program: Program):
    program.environ |= {"WEIR_AGENT": "1", "WEIR_AGENT_IDLE_S": "1"}
    program.run(BEGIN + "for n in range(9000): print(n)\nrun.finish()\n")
    wait_until(lambda: not list(program.root.rglob("console")))
    assert program.fetched() == [(n + 1, "stdout", str(n)) for n in range(9000)]


def test_lines_are_fetched_while_the_program_still_runs(program: Program):
    program.environ |= {"WEIR_AGENT": "1", "WEIR_AGENT_IDLE_S": "1"}
    process = program.start(
        BEGIN + "print('early', flush=True)\nsys.stdin.read()\n", stdin=subprocess.PIPE
    )
    wait_until(lambda: [text for *_, text in program.fetched()] == ["early"])
    process.communicate(timeout=60)


def test_sync_fetches_what_no_agent_has_fetched(program: Program):
    program.run(BEGIN + "print('one'); print('two')\nrun.finish()\n")
    done = subprocess.run(
        [sys.executable, "-m", "weir.cli", "sync", "--server", "127.0.0.1:9", "--timeout", "1"],
        cwd=program.folder, env=program.environment(), capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1  # nobody is there to take them
    assert program.fetched() == [(1, "stdout", "one"), (2, "stdout", "two")]
    assert not list(program.root.rglob("console"))


def test_auto_records_nothing_where_no_agent_would_fetch_it(program: Program):
    program.environ["WEIR_CONSOLE"] = "auto"
    done = program.run(BEGIN + "print('x', flush=True)\nos.system('ls -l /proc/$PPID/fd/1')\n")
    assert b"pipe" in done.stdout  # the one of this test
    assert not list(program.root.rglob("console"))


def test_finish_returns_also_when_nobody_reads_the_output(program: Program):
    read_end, write_end = os.pipe()
    source = BEGIN + (
        "os.write(1, bytes(300_000))\n"  # more than the reader's pipe holds
        "run.finish()\nopen('finished', 'w').close()\nos._exit(0)\n"
    )
    process = program.start(source, stdout=write_end)
    os.close(write_end)
    wait_until((program.folder / "finished").exists)
    os.close(read_end)
    process.communicate(timeout=30)
