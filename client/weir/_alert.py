"""`run.alert()`: something somebody should look at, as an event among the run's others."""

import math
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from weir._body import event
from weir._values import MAX_TEXT_BYTES
from weir.errors import UsageError
from weir_proto.v1 import ingest_pb2 as pb

_MOST_TITLES: Final = 1_000  # remembered at once; of those whose wait is over none is


class AlertLevel(StrEnum):
    """How bad it is."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


_SEVERITIES: Final[Mapping[str, str]] = {
    "INFO": "info",
    "WARN": "warn",
    "WARNING": "warn",
    "ERROR": "error",
}


def severity_of(level: Any) -> str:
    """Return the severity of an event for `INFO`, `WARN` or `ERROR`, in any case.

    Raises:
        UsageError: There is no such level.
    """
    if level is None:
        return "info"
    word = getattr(level, "value", level)
    severity = _SEVERITIES.get(word.upper()) if isinstance(word, str) else None
    if severity is None:
        levels = ", ".join(each.value for each in AlertLevel)
        raise UsageError(f"no such level {level!r}", hint=levels)
    return severity


def seconds_of(wait_duration: Any) -> float:
    """Return a span in seconds. Raises `UsageError` for what is none, or negative."""
    if isinstance(wait_duration, timedelta):
        seconds = wait_duration.total_seconds()
    elif isinstance(wait_duration, int | float) and not isinstance(wait_duration, bool):
        seconds = float(wait_duration)
    else:
        seconds = 0.0 if wait_duration is None else math.nan
    if math.isnan(seconds) or seconds < 0:
        raise UsageError(
            f"wait_duration is {wait_duration!r}", hint="seconds or a timedelta, 0 or more"
        )
    return seconds


class Alerts:
    """Makes alerts, and leaves out those that came a moment ago. Used under the queue's lock."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._silent_until_s: dict[str, float] = {}

    def make(
        self, title: str, text: str, severity: str, wait_s: float, time_unix_us: int
    ) -> pb.Event | None:
        """Return an alert, or None while its title is still to be silent."""
        now_s = self._clock_s()
        if now_s < self._silent_until_s.get(title, -math.inf):
            return None
        self._silence(title, now_s, wait_s)
        return event("alert", title, time_unix_us=time_unix_us, severity=severity, body=text)

    def _silence(self, title: str, now_s: float, wait_s: float) -> None:
        if wait_s <= 0:
            return
        silent = self._silent_until_s
        if len(silent) >= _MOST_TITLES:
            for each in [each for each, until_s in silent.items() if until_s <= now_s]:
                del silent[each]
            if len(silent) >= _MOST_TITLES:
                del silent[min(silent, key=silent.__getitem__)]
        silent[title] = now_s + wait_s


def texts_of(title: Any, text: Any) -> tuple[str, str]:
    """Return title and text as they can be kept: UTF-8, cut where they are too long.

    Raises:
        UsageError: They are no texts, or the title is empty.
    """
    if not isinstance(title, str) or not isinstance(text, str):
        kinds = f"{type(title).__name__} and {type(text).__name__}"
        raise UsageError(
            f"alert() takes texts, not {kinds}", hint="alert('loss is NaN', 'since …')"
        )
    if not title.strip():
        raise UsageError("the title of an alert is empty", hint="say what happened in a few words")
    raw = text.encode(errors="replace")
    cut = (
        raw[:MAX_TEXT_BYTES].decode(errors="ignore") if len(raw) > MAX_TEXT_BYTES else raw.decode()
    )
    return title.strip(), cut
