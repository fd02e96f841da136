"""Finding many objects in one listing, as long as that is cheaper than asking for each. Pure.

A page of a listing costs about as much as thirty questions and tells of a thousand objects. Keys are
digests, spread evenly: after the first page one can tell how many objects lie between those wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from weir_store.objects.base import ObjectStat

LEAST: Final = 32
"""Fewer keys are asked for one by one."""

_PAGE: Final = 1_000  # of S3
_WORTH: Final = 20  # listed objects that cost as much as one question


def listing_begins(keys: Sequence[str]) -> tuple[str, str]:
    """Return the prefix that sorted keys share, up to a slash, and a key just before the first."""
    first, last = keys[0], keys[-1]
    same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return first[: first.rfind("/", 0, same) + 1], first[:-1]


def pick(keys: Sequence[str], listed: Iterable[ObjectStat]) -> tuple[dict[str, ObjectStat], int]:
    """Go through a listing beside the keys wanted.

    Args:
        keys: Sorted.
        listed: Objects by key, beginning before the first of `keys`.

    Returns:
        What was found, and how many of the keys were answered: those behind were not looked for,
        because too many others lie between.
    """
    found: dict[str, ObjectStat] = {}
    at = 0
    for passed, each in enumerate(listed, 1):
        while at < len(keys) and keys[at] < each.key:
            at += 1
        if at < len(keys) and keys[at] == each.key:
            found[each.key] = each
            at += 1
        if at == len(keys):
            return found, at
        if passed % _PAGE == 0 and passed > _WORTH * at:
            return found, at
    return found, len(keys)
