"""Digests of what the ledger counts (docs/formats/ledger.md), for numpy and as SQL that says the same.

Everything is unsigned and wraps at 2^64. The client has the same arithmetic in plain Python; a
test holds the three against each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint64]

_TIME: Final = 0x9E37_79B9_7F4A_7C15  # C of the page
_STEP: Final = 0xFF51_AFD7_ED55_8CCD
_LONGEST_REMEMBERED: Final = 4_096  # characters; what is longer is no name


def sha_word(text: str) -> int:
    """Return the first 8 bytes of SHA-256 of a text in UTF-8, little endian."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def metric_word(name: str) -> int:
    """Return B of a metric; odd."""
    return _remembered(name) if len(name) <= _LONGEST_REMEMBERED else sha_word(name) | 1


@lru_cache(1 << 16)
def _remembered(name: str) -> int:
    return sha_word(name) | 1


def metric_words(names: Iterable[str]) -> Words:
    """Return B of each metric, shape (n,)."""
    return np.array([metric_word(name) for name in names], np.uint64)


def system_name(metric: str, device: str) -> str:
    """Return what stands for the metric in the digest of what a node measured; its step is 0."""
    return f"{metric}\0{device}"


def text_words(values: Iterable[str]) -> Words:
    """Return what stands for texts where points have their value, shape (n,)."""
    return np.array([sha_word(value) for value in values], np.uint64)


def value_words(values: NDArray[np.float64]) -> Words:
    """Return the bits of each value, their halves swapped; NaN payloads and -0.0 are kept."""
    bits = np.ascontiguousarray(values, "<f8").view("<u8").astype(np.uint64, copy=False)
    return bits << np.uint64(32) | bits >> np.uint64(32)


def digest_points(
    metrics: Words, steps: NDArray[np.int64], times_unix_us: NDArray[np.int64], words: Words
) -> int:
    """Return the sum of the digests of points or texts, mod 2^64.

    Args:
        metrics: B of each point's metric.
        steps: Of each.
        times_unix_us: Of each.
        words: `value_words` or `text_words`. All four broadcast together.
    """
    moments = words + np.uint64(_TIME) * _unsigned(times_unix_us)
    digests = moments * (_step_words(steps) + metrics)
    return int(digests.sum(dtype=np.uint64))


def digest_attr(ns: str, path: str, kind: str, value: str) -> int:
    """Return the digest of an attribute; `kind` and `value` as the page says."""
    return sha_word("\0".join((ns, path, kind, value)))


def digest_event(event_id: UUID, kind: str, severity: str, title: str, body: str, step: int) -> int:
    """Return the digest of an event; step -1 when there is none."""
    return sha_word("\0".join((str(event_id), kind, severity, title, body, str(step))))


def float_text(value: float) -> str:
    """Return how a float stands in the digest of an attribute: its bits as a decimal number."""
    return str(int(np.float64(value).view(np.uint64)))


def _step_words(steps: NDArray[np.int64]) -> Words:
    bits = _unsigned(steps)
    mixed = (bits ^ bits >> np.uint64(33)) * np.uint64(_STEP)
    return np.uint64(2) * (mixed ^ mixed >> np.uint64(33))


def _unsigned(numbers: NDArray[np.int64]) -> Words:
    return np.ascontiguousarray(numbers, np.int64).view(np.uint64)


# ── the same as SQL: the digest of one row ─────────────────────────────────

_SHA_SQL: Final = "reinterpretAsUInt64(SHA256({}))"
_BITS_SQL: Final = "reinterpretAsUInt64(step)"
_MIXED_SQL: Final = f"(bitXor({_BITS_SQL}, bitShiftRight({_BITS_SQL}, 33)) * toUInt64({_STEP}))"
# SHA256 of a LowCardinality column runs once for each name of its dictionary, not for each row.
_NAME_SQL: Final = "bitOr(reinterpretAsUInt64(SHA256({})), 1)"
_STEP_SQL: Final = f"2 * bitXor({_MIXED_SQL}, bitShiftRight({_MIXED_SQL}, 33))"
_FACTOR_SQL: Final = f"({_STEP_SQL} + {_NAME_SQL.format('metric')})"
_MOMENT_SQL: Final = f"toUInt64({_TIME}) * reinterpretAsUInt64(toUnixTimestamp64Micro(ts))"

POINT_SQL: Final = (
    f"(bitRotateLeft(reinterpretAsUInt64(value), 32) + {_MOMENT_SQL}) * {_FACTOR_SQL}"
)
"""Of a row of `points`."""

TEXT_SQL: Final = f"({_SHA_SQL.format('value')} + {_MOMENT_SQL}) * {_FACTOR_SQL}"
"""Of a row of `text_points`."""

SYSTEM_SQL: Final = (
    f"(bitRotateLeft(reinterpretAsUInt64(value), 32) + {_MOMENT_SQL}) * "
    + _NAME_SQL.format(r"concat(metric, '\0', device)")
)
"""Of a row of `system_points`."""

LINE_SQL: Final = (
    f"({_SHA_SQL.format('line')} + {_MOMENT_SQL}) * "
    f"({_STEP_SQL.replace(_BITS_SQL, 'number')} + {_NAME_SQL.format('toString(stream)')})"
)
"""Of a row of `console`."""

_ATTR_TYPE_SQL: Final = "if(is_deleted, 'deleted', toString(type))"
_ATTR_VALUE_SQL: Final = (
    "multiIf(is_deleted, '', type = 'float', toString(reinterpretAsUInt64(num)),"
    " type IN ('int', 'bool'), toString(int), str)"
)
ATTR_SQL: Final = _SHA_SQL.format(
    rf"concat(toString(ns), '\0', path, '\0', {_ATTR_TYPE_SQL}, '\0', {_ATTR_VALUE_SQL})"
)
"""Of a row of `run_attr_history`."""

EVENT_SQL: Final = _SHA_SQL.format(
    r"concat(toString(event_id), '\0', kind, '\0', toString(severity), '\0', title, '\0', body,"
    r" '\0', toString(step))"
)
"""Of a row of `events`."""
