"""What was found wrong with a frame, gathered by reason. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from weir_proto.v1 import ingest_pb2
from weir_server.gateway.limits import MAX_FIELD_CHARS, MAX_REJECTS, Code

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_MORE: Final = "(others)"


def has_control(text: str) -> bool:
    """Return whether a text holds control characters (C0, DEL, C1)."""
    return _CONTROL.search(text) is not None


def shown(text: str) -> str:
    """Return a name as it can be put into a message: printable and short."""
    clean = _CONTROL.sub("�", text[: MAX_FIELD_CHARS + 1])
    return clean if len(clean) <= MAX_FIELD_CHARS else clean[: MAX_FIELD_CHARS - 1] + "…"


def is_longer(text: str, limit_bytes: int) -> bool:
    """Return whether a text takes more than `limit_bytes` in UTF-8."""
    return len(text) * 4 > limit_bytes and len(text.encode()) > limit_bytes


def longer_rows(texts: Sequence[str], limit_bytes: int) -> list[int]:
    """Return the places of texts that take more than `limit_bytes` in UTF-8."""
    if max(map(len, texts), default=0) * 4 <= limit_bytes:  # nearly always: no look at each
        return []
    return [row for row, text in enumerate(texts) if is_longer(text, limit_bytes)]


def is_json(text: str) -> bool:
    """Return whether a text can be read as JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


class Findings:
    """Rejects of one frame: one for each (code, field), at most 200, with counts that add up.

    Attributes:
        points: Points refused.
    """

    def __init__(self) -> None:
        self.points = 0
        self._found: dict[tuple[str, str], ingest_pb2.Reject] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, code: Code, field: str, message: str, *, count: int = 1, points: int = 0) -> None:
        """Note that `count` things, of which `points` are points, are not taken."""
        self.points += points
        key = (str(code), shown(field))
        if key not in self._found and len(self._found) >= MAX_REJECTS:
            key = (str(code), _MORE)
            message = "more of the same"
        reject = self._found.get(key)
        if reject is None:
            reject = ingest_pb2.Reject(code=key[0], field=key[1], message=message)
            self._found[key] = reject
        reject.count = min(reject.count + count, 0xFFFF_FFFF)

    def rejects(self, seq: int) -> list[ingest_pb2.Reject]:
        """Return them as the wire says it."""
        for reject in self._found.values():
            reject.seq = seq
        return list(self._found.values())
