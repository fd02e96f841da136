"""A run's side of the console: what it asks for, and what it says when recording stops."""

import threading
from typing import Final

from weir._exit import at_prompt
from weir._settings import Settings
from weir._speak import Speaker
from weir._spool import SpoolDir

_begun: Final = threading.Event()  # until then there is nothing to end, and nothing to load


def record_printed(run: object, spool: SpoolDir, settings: Settings, speaker: Speaker) -> None:
    """Record what this process prints, into a run's spool, until `end_printed`.

    Never raises. `auto` records nothing where no agent would fetch it.
    """
    if settings.console == "off" or (settings.console == "auto" and not settings.agent):
        return
    try:
        from weir._console.capture import Wanted
        from weir._console.console import CONSOLE
    except ImportError:  # no pipes of this kind here: not a POSIX system
        return
    wanted = Wanted(
        way=settings.console,
        prompt=at_prompt(),
        lines_per_s=settings.console_lines_per_s,
        logging_level=settings.logging_level,
        free_share=settings.spool_free_share,
        secrets=(settings.token,) if settings.token else (),
    )

    def say(reason: str) -> None:
        speaker.warn("console", f"what is printed is not recorded any more: {reason}")

    _begun.set()
    CONSOLE.attach(run, spool.console_path, wanted, say)


def end_printed(run: object) -> None:
    """Put the process's streams back as they were; bounded, and nothing when there is nothing."""
    if _begun.is_set():
        from weir._console.console import CONSOLE

        CONSOLE.release(run)
