"""What users log, as the numbers and texts that Weir keeps. Imports none of their libraries."""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

MAX_STEP: Final = 1 << 53
MAX_TEXT_BYTES: Final = 64 << 10
_SHOWN_LETTERS: Final = 100
_MAX_UNIX_S: Final = 1e11  # the year 5138
_MAX_INT: Final = (1 << 63) - 1

# Exactly these types need no look at the value: `array("d", …)` takes them as they are.
PLAIN_NUMBERS: Final = frozenset({float, int, bool})
_NUMPY_NUMBERS: Final = frozenset({"floating", "integer", "bool", "bool_"})


@lru_cache(maxsize=1024)
def is_number_type(kind: type) -> bool:
    """Return whether every value of a type is one real number that `float()` takes.

    True for Python's numbers and NumPy's scalars, told by name so as not to import NumPy.
    """
    return issubclass(kind, (float, int)) or any(
        base.__module__ == "numpy" and base.__name__ in _NUMPY_NUMBERS for base in kind.__mro__
    )


def to_point_value(value: Any) -> float | str | None:
    """Return a logged value as a number or a text, or None when it is neither.

    Takes Python, NumPy, PyTorch, JAX and TensorFlow scalars (and arrays of one element), Decimal,
    Fraction, and whatever else has `item()`, `__float__` or `__index__`. NaN and ±Inf are numbers.
    Never raises, whatever the value does when it is asked.
    """
    if isinstance(value, str):
        return str(value) if fits_text(value) else None
    try:
        return _to_float(value)
    except Exception:  # noqa: BLE001 - the value is the user's code: it may raise anything
        return None


def _to_float(value: Any) -> float | None:
    if is_number_type(type(value)):  # type: ignore[arg-type]  # mypy: a type is hashable too
        return float(value)
    if _is_date_or_complex(value):
        return None
    if hasattr(value, "item"):  # NumPy, PyTorch, JAX, pandas: raises unless there is one element
        value = value.item()
        return float(value) if isinstance(value, (float, int)) else None
    if hasattr(value, "numpy"):  # TensorFlow
        return _to_float(value.numpy())
    if hasattr(type(value), "__float__"):
        return float(value)
    if hasattr(type(value), "__index__"):
        return float(value.__index__())
    return None


def _is_date_or_complex(value: Any) -> bool:
    """`item()` of a NumPy date is a bare int, and `float()` of a complex drops half of it."""
    return getattr(getattr(value, "dtype", None), "kind", "") in {"m", "M", "c"} or isinstance(
        value, complex
    )


def fits_text(text: str) -> bool:
    """Return whether a text is at most 64 KiB of valid UTF-8."""
    try:
        return len(text.encode()) <= MAX_TEXT_BYTES
    except UnicodeEncodeError:
        return False


def describe_rejected(value: Any) -> str:
    """Return a few words on why a value is neither a number nor a text Weir takes."""
    kind = type(value).__name__
    if isinstance(value, str):
        return f"a text of {len(value)} characters is over {MAX_TEXT_BYTES} bytes or not UTF-8"
    with suppress(Exception):  # `shape` may be a method, or know no length
        return f"a {kind} of shape {tuple(value.shape)} is not one number"
    if isinstance(value, int):
        return "an int is too large for a float"
    return f"a {kind} is neither a number nor a text"


def in_short(value: Any) -> str:
    """Return the beginning of a value's `repr`, for a message. Never raises."""
    try:
        return repr(value)[:_SHOWN_LETTERS]
    except Exception:  # noqa: BLE001 - the value is the user's code: it may raise anything
        return f"a {type(value).__name__}"


def to_step(step: Any) -> int | None:
    """Return a step as an int in −2^53…2^53, or None when it is not one."""
    if isinstance(step, (str, bytes)):
        return None
    try:
        if isinstance(step, float) or not hasattr(type(step), "__index__"):
            number = float(step.item() if hasattr(step, "item") else step)
            whole = int(number) if number.is_integer() else None
        else:
            whole = step.__index__()
    except Exception:  # noqa: BLE001 - the step is the user's code: it may raise anything
        return None
    return whole if whole is not None and -MAX_STEP <= whole <= MAX_STEP else None


def to_unix_us(timestamp: Any) -> int | None:
    """Return Unix seconds or a datetime (local time when it names no zone) as Unix µs, or None."""
    try:
        if isinstance(timestamp, datetime):
            return round(timestamp.timestamp() * 1e6)
        seconds = float(timestamp)
    except Exception:  # noqa: BLE001 - the timestamp is the user's code: it may raise anything
        return None
    return round(seconds * 1e6) if math.isfinite(seconds) and abs(seconds) < _MAX_UNIX_S else None


AttrValue = float | int | bool | str | None


class Json(str):
    """The JSON text of a value that is not a scalar."""

    __slots__ = ()


def to_attr_value(value: Any) -> AttrValue | Json:
    """Return a leaf of config or summary as a scalar, or as JSON when it is not one.

    Scalars of array libraries become Python's; an int beyond 64 bits becomes JSON; what JSON does
    not know is written as its `str`.
    """
    if value is None or isinstance(value, (bool, float)):
        return value if value is None or isinstance(value, bool) else float(value)
    if isinstance(value, str):
        return value if isinstance(value, Json) else str(value)
    if isinstance(value, int):
        return int(value) if -_MAX_INT <= value <= _MAX_INT else Json(value)
    if hasattr(value, "item") and getattr(value, "size", 1) == 1 and not hasattr(value, "__len__"):
        return to_attr_value(value.item())
    return Json(json.dumps(_plain(value), default=_plain, allow_nan=True, sort_keys=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
