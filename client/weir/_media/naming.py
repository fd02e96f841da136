"""The JSON of a point: what a media value is and where its bytes are. Pure."""

import json
import math
from collections.abc import Sequence
from typing import Any

from weir._media.base import Blob, Encoded, Unfit
from weir._values import MAX_TEXT_BYTES


def described(encoded: Encoded) -> dict[str, Any]:
    """Return a value's facts with its blobs named in them."""
    facts: dict[str, Any] = dict(encoded.facts)
    if encoded.blob is not None:
        facts |= encoded.blob.named()
    for place, blob in encoded.parts.items():
        *above, last = place
        inner = facts
        for key in above:
            inner[key] = dict(inner.get(key) or {})
            inner = inner[key]
        inner[last] = blob.named()
    if encoded.cells:
        facts["cells"] = [
            {"sha256": blob.sha256, "size": blob.size_bytes} for blob in encoded.cells
        ]
    return facts


def point_text(values: Sequence[Encoded], *, listed: bool) -> str:
    """Return the value of a point: JSON of at most 64 KiB.

    What is roomy moves into a blob of its own, named `extra`, when it would be longer. Blobs added
    so are in `parts` of their value afterwards.

    Raises:
        Unfit: It is longer still.
    """
    text = _joined(values, listed)
    if len(text.encode()) > MAX_TEXT_BYTES:
        for value in values:
            _move_roomy(value)
        text = _joined(values, listed)
    size_bytes = len(text.encode())
    if size_bytes > MAX_TEXT_BYTES:
        raise Unfit(
            f"{len(values)} values take {size_bytes} bytes to name, over {MAX_TEXT_BYTES}: "
            "log fewer at one key"
        )
    return text


def to_json(value: Any) -> str:
    """Return JSON that every reader takes: no NaN, no infinity, letters as they are."""
    return json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _joined(values: Sequence[Encoded], listed: bool) -> str:
    named = [described(value) for value in values]
    return to_json(named if listed else named[0])


def _move_roomy(value: Encoded) -> None:
    roomy = {key: value.facts.pop(key) for key in value.roomy if key in value.facts}
    if roomy:
        value.parts["extra",] = Blob("application/json", to_json(roomy).encode())


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return value
