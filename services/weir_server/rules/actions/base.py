"""What an action promises. It blocks, for as long as `delivery_s` at most, and may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from weir_store.rules.records import ActionKind, Delivery

Act: TypeAlias = Callable[[Delivery], str]
"""Does it; returns what there is to say of it, mostly nothing. Raises `NotTaken` or `NeverTaken`."""

Acts: TypeAlias = Mapping[ActionKind, Act]


class NotTaken(Exception):
    """Nobody took it this time; another try may help."""


class NeverTaken(Exception):
    """It cannot be done, however often it is tried."""
