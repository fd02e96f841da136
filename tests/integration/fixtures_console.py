"""Programs whose console is recorded, and what the record says afterwards."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from weir._console.records import LOGGING, STDERR, STDOUT, Line, file_name, list_files, read_lines
from weir._reading import read_column
from weir._spool import list_spools
from weir.testing import read_root

ROOT = Path(__file__).parents[2]
NAMES = {STDOUT: "stdout", STDERR: "stderr", LOGGING: "logging"}
Done = subprocess.CompletedProcess[bytes]


@dataclass
class Program:
    """Runs programs that record what they print: no agent, so that the record stays where it is."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The spool root."""
        return self.folder / "spool"

    def start(self, source: str, *options: str, **popen) -> subprocess.Popen[bytes]:
        """Start a program; its standard streams are pipes unless told otherwise."""
        script = self.folder / "program.py"
        script.write_text(textwrap.dedent(source))
        streams = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }
        return subprocess.Popen(
            [sys.executable, *options, str(script)],
            cwd=self.folder,
            env=self.environment(),
            **{**streams, **popen},
        )

    def run(self, source: str, *options: str, within_s: float = 90) -> Done:
        """Run a program to its end, and to that of all who hold its streams."""
        process = self.start(source, *options)
        try:
            out, err = process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Done(process.args, process.returncode, out, err)

    def environment(self) -> dict[str, str]:
        clean = {name: text for name, text in os.environ.items() if not name.startswith("WEIR_")}
        return clean | {
            "WEIR_DIR": str(self.root),
            "WEIR_MODE": "offline",
            "WEIR_AGENT": "0",
            "WEIR_CONSOLE": "fd",
            "WEIR_RECORD_GIT": "0",
            "WEIR_RECORD_PACKAGES": "0",
            "WEIR_RECORD_MACHINE": "0",
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            **self.environ,
        }

    # ── what was recorded ──────────────────────────────────────────────────

    def lines(self, run_id: str = "") -> list[Line]:
        """Return the lines that wait in records, by number."""
        found = []
        for spool in list_spools(self.root):
            if run_id in {"", spool.path.parent.name}:
                found += read_record(spool.console_path)
        return found

    def texts(self, stream: str = "", run_id: str = "") -> list[str]:
        """Return the texts of the lines, of one stream or of all."""
        return [line.text for line in self.lines(run_id) if stream in {"", NAMES[line.stream]}]

    def fetched(self) -> list[tuple[int, str, str]]:
        """Return (number, stream, text) of the lines that came into node logs, as often as they did."""
        return [
            (number, NAMES[stream], text)
            for _, body in read_root(self.root)
            for block in body.lines
            for number, stream, text in zip(
                read_column("Q", block.number), block.stream, block.line, strict=True
            )
        ]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A place to run programs in."""
    return Program(tmp_path)


def read_record(folder: Path) -> list[Line]:
    """Return all lines of one record."""
    found = []
    for number in list_files(str(folder)):
        lines, _ = read_lines(
            str(folder / file_name(number)), 0, max_lines=10_000_000, max_bytes=1 << 30
        )
        found += lines
    return found


def scribes_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return the scribes of a program."""
    return [
        child
        for child in psutil.Process(process.pid).children()
        if any("_console" in word for word in child.cmdline())
    ]


def run_on_terminal(program: Program, source: str, *, size: tuple[int, int]) -> tuple[int, bytes]:
    """Run a program on a terminal of (columns, lines); returns its exit code and what it showed."""
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    import fcntl
    import struct
    import termios

    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    process = program.start(source, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    shown = bytearray()
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        if select.select([master], [], [], 0.1)[0]:
            try:
                piece = os.read(master, 65536)
            except OSError:  # nobody has it open any more
                break
            shown += piece
    os.close(master)
    return process.wait(10), bytes(shown)
