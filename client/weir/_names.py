"""Which names Weir takes: metrics, tags, config paths, projects and run ids."""

import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

MAX_NAME_BYTES: Final = 512
MAX_ID_BYTES: Final = 128
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_ID_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_ID_LENGTH: Final = 10


def name_fault(name: object, *, max_bytes: int = MAX_NAME_BYTES) -> str | None:
    """Return what is wrong with a name, or None when it is good."""
    if not isinstance(name, str):
        return f"a name must be text, not {type(name).__name__}"
    if not name:
        return "a name must not be empty"
    try:
        size_bytes = len(name.encode())
    except UnicodeEncodeError:
        return "a name must be valid UTF-8"
    if size_bytes > max_bytes:
        return f"a name of {size_bytes} bytes is over {max_bytes}"
    if _CONTROL.search(name):
        return "a name must not hold control characters"
    return None


def flatten(
    data: Mapping[Any, Any], prefix: str = "", above: tuple[int, ...] = ()
) -> Iterator[tuple[Any, Any]]:
    """Iterate over (name, value), nested mappings joined with `/`: `{"val": {"acc": 1}}` → `val/acc`.

    A key that is not text or has become too long, and a mapping that holds itself, come out as
    they are, for others to refuse. `above` are the ids of the mappings around this one.
    """
    above = (*above, id(data))
    for key, value in data.items():
        name = f"{prefix}{key}" if isinstance(key, str) else key
        if _opens(name, value) and id(value) not in above:
            yield from flatten(value, f"{name}/", above)
        else:
            yield name, value


def _opens(name: Any, value: Any) -> bool:
    kind: Any = type(value)  # mypy does not see that a type is hashable
    return isinstance(name, str) and len(name) < MAX_NAME_BYTES and _is_mapping(kind)


@lru_cache(maxsize=1024)
def _is_mapping(kind: Any) -> bool:
    """Asking an abstract class is slow, and values come in few types."""
    return issubclass(kind, Mapping)


def random_run_id() -> str:
    """Return ten characters of `[a-z0-9]`; not touched by the seed of `random`."""
    return _letters(int.from_bytes(os.urandom(16), "big"))


def derived_run_id(*parts: str) -> str:
    """Return the same ten characters of `[a-z0-9]` for the same parts, on every machine."""
    from hashlib import blake2b  # loads OpenSSL: 4 MB that most runs do without

    digest = blake2b("\0".join(parts).encode(), digest_size=16).digest()
    return _letters(int.from_bytes(digest, "big"))


def _letters(number: int) -> str:
    letters = []
    for _ in range(_ID_LENGTH):
        number, index = divmod(number, len(_ID_ALPHABET))
        letters.append(_ID_ALPHABET[index])
    return "".join(letters)
