"""The collector's day: one section after the other, each in a thread that may hang for all we care."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Final

from weir._inputs._report import Findings, write_report, write_working
from weir._inputs._request import Request
from weir._redact import Redactor
from weir._secrets import secret_values
from weir._spool import SpoolDir

Section = Callable[[Request, Redactor], Findings]

SECTIONS: Final[Mapping[str, str]] = {
    "command": "weir._inputs._command:collect_command",
    "git": "weir._inputs._git:collect_git",
    "patch": "weir._inputs._patch:collect_patch",
    "untracked": "weir._inputs._git:collect_untracked",
    "code": "weir._inputs._code:collect_code",
    "variables": "weir._inputs._variables:collect_variables",
    "container": "weir._inputs._container:collect_container",
    "machine": "weir._inputs._machine:collect_machine",
    "gpus": "weir._inputs._machine:collect_gpus",
    "packages": "weir._inputs._packages:collect_packages",
    "data": "weir._inputs._data:collect_data",
}
_SECTION_SHARE: Final = (
    0.5  # of the whole time, for one section: a hung disk leaves some for others
)
_NICENESS: Final = 15


def main() -> None:
    """Read the request from stdin, collect, and leave; what hangs does not come along."""
    request = Request.from_json(sys.stdin.buffer.read())
    _be_humble()
    collect(request, Redactor(secret_values(dict(os.environ))))
    _leave()


def collect(request: Request, redactor: Redactor) -> None:
    """Look at every section in turn, and leave each one's findings as soon as they are there."""
    spool = SpoolDir(Path(request.spool_path))
    deadline_s = time.monotonic() + request.limit_s
    working = spool.inputs_path / f"{request.job}.working"
    if working.exists():
        until_unix_s = time.time() + request.limit_s + 15
        write_working(spool.inputs_path, request.job, until_unix_s=until_unix_s, pid=os.getpid())
    for name, section, asked in _one_by_one(request):
        limit_s = min(deadline_s - time.monotonic(), request.limit_s * _SECTION_SHARE)
        findings = look_at(section, asked, redactor, limit_s)
        if not spool.inputs_path.exists():  # the run was sent and its folder removed
            return
        write_report(spool, name, findings)
    working.unlink(missing_ok=True)


def _one_by_one(request: Request) -> Iterator[tuple[str, str, Request]]:
    """Iterate over (name of the report, section, request): options with `items` are one for each."""
    for section in request.sections:
        items = request.options.get("items")
        if items is None:
            yield f"{request.job}-{section}", section, request
            continue
        for number, item in enumerate(items):
            yield f"{request.job}-{section}-{number}", section, replace(request, options=item)


def look_at(section: str, request: Request, redactor: Redactor, limit_s: float) -> Findings:
    """Return what a section found; what went wrong, or took too long, is a fact too."""
    done: list[Findings] = []

    def work() -> None:
        try:
            done.append(_section(section)(request, redactor))
        except BaseException as error:  # noqa: BLE001 - whatever a repository, driver or disk does
            done.append(Findings())
            said = redactor.text(f"{type(error).__name__}: {error}")
            done[0].problem(section, said)

    late = Findings()
    late.problem(section, f"not done after {max(0.0, limit_s):.0f} s")
    if limit_s <= 0:
        return late
    thread = threading.Thread(target=work, name=section, daemon=True)
    thread.start()
    thread.join(limit_s)
    return done[0] if done else late


def _section(name: str) -> Section:
    module, _, function = SECTIONS[name].partition(":")
    found: Section = getattr(import_module(module), function)
    return found


def _leave() -> None:
    """End at once, with whatever a section that hangs has started: we lead a session of our own."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(0)


def _be_humble() -> None:
    """Take only what nobody else wants, and be the first to go when memory runs out."""
    try:
        os.nice(_NICENESS)
        Path("/proc/self/oom_score_adj").write_text("900")
    except (OSError, AttributeError):  # not Linux
        pass
