"""What the agent has to say: one line per event, and not the same trouble all the time."""

import logging
import time
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

LOG_BYTES: Final = 1 << 20
_QUIET_S: Final = 60.0


class AgentLog:
    """Lines such as `2026-11-23T22:04:01Z warning stream broke, will reconnect wait_s=1.6`.

    Each kind of trouble, which is its phrase, is said at most once per minute; the next time it
    is said with the number of times it was held back.
    """

    def __init__(
        self, logger: logging.Logger, *, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._logger = logger
        self._monotonic_s = monotonic_s
        self._spoken_s: dict[str, float] = {}
        self._held_back: dict[str, int] = {}

    def info(self, phrase: str, **fields: object) -> None:
        """Say that something changed."""
        self._logger.info("%s", line("info", phrase, fields))

    def warning(self, phrase: str, **fields: object) -> None:
        """Say that something is wrong; nothing is lost."""
        now_s = self._monotonic_s()
        if now_s - self._spoken_s.get(phrase, -_QUIET_S) < _QUIET_S:
            self._held_back[phrase] = self._held_back.get(phrase, 0) + 1
            return
        self._spoken_s[phrase] = now_s
        held_back = self._held_back.pop(phrase, 0)
        if held_back:
            fields["held_back"] = held_back
        self._logger.warning("%s", line("warning", phrase, fields))


def line(level: str, phrase: str, fields: dict[str, object]) -> str:
    """Return one line: the level, the phrase, then the fields."""
    parts = [level, phrase, *(_field(name, value) for name, value in fields.items())]
    return " ".join(parts).replace("\n", " | ")


def _field(name: str, value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return f"{name}={text!r}" if " " in text or not text else f"{name}={text}"


def write_to(path: Path) -> None:
    """Send the agent's log to a file that is rolled at 1 MiB."""
    formatter = logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1, delay=True)
    handler.setFormatter(formatter)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.addHandler(handler)


# Silent until `write_to`: `weir sync` says in its own words what went wrong.
_LOGGER: Final = logging.getLogger("weir.agent")
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.propagate = False
log: Final = AgentLog(_LOGGER)
