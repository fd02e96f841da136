"""Talking to the user without shouting: each kind of trouble at most once a minute."""

import logging
import time

log = logging.getLogger("weir")
_QUIET_S = 60.0


class Speaker:
    """Warns through the `weir` logger. One per run; safe to use from any thread.

    A warning reaches stderr even where logging is not configured (Python's last resort).
    """

    def __init__(self) -> None:
        self._spoken_s: dict[str, float] = {}

    def warn(self, kind: str, message: str) -> None:
        """Say `message` unless this kind of trouble was spoken of within the last minute."""
        now_s = time.monotonic()
        if now_s - self._spoken_s.get(kind, -_QUIET_S) < _QUIET_S:
            return
        self._spoken_s[kind] = now_s
        log.warning("weir: %s", message)
