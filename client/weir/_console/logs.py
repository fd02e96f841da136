"""Records of Python's `logging`, with their level, into the run.

Not a handler on the root logger: with one there, `logging.basicConfig()` does nothing and warnings
without a handler are not printed any more. So we listen where loggers call their handlers.
"""

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

from weir._console.messages import PRINTED, SEPARATOR, Sender
from weir._console.records import LOGGING

_OURS: Final = "weir"
_LINE: Final = "\n"
_talking: Final = threading.local()  # a record's text may log in its turn


class LogTap:
    """Listens to all loggers of the process but our own; one at a time.

    Args:
        level: Name of the lowest level to record.
        sender: Where records go. It never blocks, and no lock is taken here.
    """

    def __init__(self, level: str, sender: Sender) -> None:
        self._level = int(getattr(logging, level))
        self._sender: Sender | None = sender
        self._inner: Callable[[logging.Logger, logging.LogRecord], None]
        self._inner = logging.Logger.callHandlers
        tap = self

        def callHandlers(logger: logging.Logger, record: logging.LogRecord) -> None:
            tap._inner(logger, record)
            tap._hear(logger, record)

        self._outer = callHandlers
        logging.Logger.callHandlers = callHandlers  # type: ignore[method-assign,assignment]

    def give_back(self) -> None:
        """Listen no more. Whoever listens since goes on through us, and hears the same."""
        self._sender = None
        if logging.Logger.callHandlers is self._outer:
            logging.Logger.callHandlers = self._inner  # type: ignore[method-assign,assignment]

    def _hear(self, logger: logging.Logger, record: logging.LogRecord) -> None:
        sender = self._sender
        if sender is None or record.levelno < self._level or getattr(_talking, "now", False):
            return
        if record.name == _OURS or record.name.startswith(_OURS + "."):
            return
        _talking.now = True
        try:
            flags = PRINTED if _is_printed(logger, record) else 0
            sender.send_record(LOGGING, min(record.levelno, 255), flags, words_of(record))
        except Exception:  # noqa: BLE001 - arguments that do not fit; the handlers have said so
            return
        finally:
            _talking.now = False


def words_of(record: logging.LogRecord) -> str:
    """Return logger, message, and the error it tells of if any, as `read_words` takes them."""
    error: Any = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    told = ""
    if error is not None:
        told = f" [{type(error).__name__}: {str(error).partition(_LINE)[0]}]"
    return SEPARATOR.join((record.name, record.getMessage(), told))


def _is_printed(logger: logging.Logger, record: logging.LogRecord) -> bool:
    """Whether a handler writes this record to the console too."""
    console = (sys.stdout, sys.stderr)
    handled = False
    at: logging.Logger | None = logger
    while at is not None:
        for handler in at.handlers:
            handled = True
            prints = getattr(handler, "stream", None) in console
            if prints and record.levelno >= handler.level:
                return True
        at = at.parent if at.propagate else None
    last = logging.lastResort
    return not handled and last is not None and record.levelno >= last.level
