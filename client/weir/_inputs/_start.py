"""The trainer's side: put the request together and start the collector. Costs about a millisecond."""

import contextlib
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

from weir._agent_start import agent_environment
from weir._inputs._report import write_working
from weir._inputs._request import Request
from weir._inputs._variables import allowed_variables
from weir._settings import Settings
from weir._speak import log
from weir._spool import SpoolDir

_LIMIT_S: Final = 60.0
_jobs: Final = itertools.count(1)


def start_sections(settings: Settings) -> tuple[str, ...]:
    """Return what is looked at when a run begins, as its settings have it."""
    wished = (
        ("command", settings.record_command),
        ("git", settings.record_git),
        ("variables", settings.record_variables),
        ("container", settings.record_variables),
        ("machine", settings.record_machine),
        ("gpus", settings.record_machine),
        ("packages", settings.record_packages),
        ("patch", settings.record_diff),
        ("untracked", settings.record_diff),
        ("code", settings.record_code),
    )
    return tuple(section for section, wish in wished if wish)


def start_collector(
    spool: SpoolDir,
    sections: tuple[str, ...],
    *,
    job: str = "start",
    limit_s: float = _LIMIT_S,
    then: Callable[[], None] | None = None,
    **options: Any,
) -> None:
    """Start a collector for a run of this process. Never raises, waits for nothing.

    Args:
        spool: The producer whose run it is.
        sections: What to look at.
        job: `start`; anything else is numbered.
        limit_s: When it has to stop.
        then: Called when it has ended, on another thread; not when it could not be started.
        **options: What a section needs to know.
    """
    if not sections:
        return
    name = job if job == "start" else f"{job}-{next(_jobs)}"
    request = request_here(spool, name, sections, limit_s, options)
    try:
        spool.inputs_path.mkdir(mode=0o700, exist_ok=True)
        write_working(spool.inputs_path, name, until_unix_s=time.time() + limit_s + 15)
        _reap(_popen(request), then)
    except (OSError, ValueError, RuntimeError, subprocess.SubprocessError) as error:
        # (RuntimeError: no more threads, or no more processes while the interpreter ends)
        log.warning("weir: the inputs of this run are not recorded: %s", error)


def request_here(
    spool: SpoolDir, job: str, sections: tuple[str, ...], limit_s: float, options: dict[str, Any]
) -> Request:
    """Return the request of this process."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    return Request(
        job=job,
        sections=sections,
        spool_path=str(spool.path),
        limit_s=limit_s,
        argv=tuple(sys.orig_argv),
        script=os.path.abspath(getattr(main, "__file__", None) or "") if _has_file(main) else "",
        module=getattr(spec, "name", "") or "",
        notebook=_notebook(main),
        directory=_directory(),
        sys_path=tuple(path or _directory() for path in sys.path if isinstance(path, str)),
        prefix=sys.prefix,
        executable=sys.executable or "",
        python=sys.version,
        variables=allowed_variables(os.environ),
        options=options,
    )


def _popen(request: Request) -> "subprocess.Popen[bytes]":
    if not sys.executable:
        raise OSError("sys.executable is not known in this process")
    with _unnamed_file(request.to_json()) as stdin:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "weir._inputs"],
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=True,
            start_new_session=True,  # Ctrl-C is for the trainer
            cwd=request.directory or "/",
            env=agent_environment(os.environ),
        )


def _unnamed_file(content: bytes) -> BinaryIO:
    """A file in memory: a pipe would make us wait once it is full, a file on disk could be read."""
    if hasattr(os, "memfd_create"):
        file: BinaryIO = os.fdopen(os.memfd_create("weir-inputs"), "w+b")
    else:
        import tempfile

        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    file.write(content)
    file.seek(0)
    return file


def _reap(process: "subprocess.Popen[bytes]", then: Callable[[], None] | None) -> None:
    """Let a thread wait for the child's end: a zombie for the whole training looks like a fault."""

    def wait() -> None:
        process.wait()
        if then is not None:
            then()

    threading.Thread(target=wait, name="weir-inputs", daemon=True).start()


def _has_file(main: Any) -> bool:
    return isinstance(getattr(main, "__file__", None), str)


def _directory() -> str:
    with contextlib.suppress(OSError):  # it was removed
        return str(Path.cwd())
    return ""


def _notebook(main: Any) -> str:
    """The notebook this process is the kernel of: its path where the front end tells, else `notebook`."""
    if "ipykernel" not in sys.modules or _has_file(main):
        return ""
    told = getattr(main, "__vsc_ipynb_file__", "") or os.environ.get("JPY_SESSION_NAME", "")
    return str(told) or "notebook"
