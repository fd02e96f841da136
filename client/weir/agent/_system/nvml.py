"""NVML, with every call optional: what a card, a driver or nvidia-ml-py does not know is left out.

call fails with …                         means
not supported, no such function, not      never for this card: asked once
  permitted, …
GPU is lost                               this card is gone: `CardLost`
uninitialized, driver not loaded, …       all cards are: `NvmlGone`
anything else                             not now
"""

import ctypes
from collections.abc import Callable
from enum import Enum
from types import ModuleType
from typing import Any, Final

_LIBRARY: Final = "libnvidia-ml.so.1"

# Codes of nvml.h, which never change.
_NEVER: Final = frozenset({2, 3, 4, 6, 13, 17, 18, 22, 25, 26})
_CARD_LOST: Final = frozenset({15, 16, 28})
_ALL_LOST: Final = frozenset({1, 9, 12})


class CardLost(Exception):
    """This card does not answer any more: it fell off the bus, or needs a reset."""


class NvmlGone(Exception):
    """The driver is not there, or not any more."""


class Failure(Enum):
    """What an error of NVML means for us."""

    NEVER = "never"
    CARD_LOST = "card lost"
    ALL_LOST = "all lost"
    NOT_NOW = "not now"


def failure_of(code: int) -> Failure:
    """Sort a return code of NVML. Pure."""
    if code in _NEVER:
        return Failure.NEVER
    if code in _CARD_LOST:
        return Failure.CARD_LOST
    return Failure.ALL_LOST if code in _ALL_LOST else Failure.NOT_NOW


def load_nvml() -> ModuleType | None:
    """Return nvidia-ml-py's module; None where there is no driver.

    Looking for the driver's library first spares nodes without NVIDIA cards the module: 5 MB.
    """
    try:
        ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    import pynvml

    module: ModuleType = pynvml
    return module


class Door:
    """Calls NVML for one handle, or for none.

    Args:
        nvml: nvidia-ml-py's module.
        handle: Goes before a call's own arguments.
    """

    def __init__(self, nvml: Any, handle: Any = None) -> None:
        self._nvml = nvml
        self._handle = handle
        self._never: set[tuple[Any, ...]] = set()

    @property
    def handle(self) -> Any:
        """The device's handle."""
        return self._handle

    def ask(self, function: str, *arguments: Any) -> Any:
        """Call a function of NVML; None when there is no answer.

        Args:
            function: Its name. A version of nvidia-ml-py may lack it.
            *arguments: After the handle. A text that begins with `NVML_` or `nvml` names a constant.

        Raises:
            CardLost, NvmlGone: As they say.
        """
        plain = (each for each in arguments if isinstance(each, str | int | tuple))
        key = (function, *plain)  # pointers cannot be looked up
        if key in self._never:
            return None
        try:
            call, values = self._look_up(function, arguments)
            return call(*values) if self._handle is None else call(self._handle, *values)
        except self._nvml.NVMLError as error:
            return self._failed(key, error)
        except Exception:  # noqa: BLE001 - the module lacks a name, or cannot read what came back
            self._never.add(key)
            return None

    def _look_up(
        self, function: str, arguments: tuple[Any, ...]
    ) -> tuple[Callable[..., Any], list[Any]]:
        values = [
            getattr(self._nvml, each)
            if isinstance(each, str) and each.lower().startswith("nvml")
            else each
            for each in arguments
        ]
        return getattr(self._nvml, function), values

    def _failed(self, key: tuple[Any, ...], error: Any) -> None:
        failure = failure_of(getattr(error, "value", 0))
        if failure is Failure.CARD_LOST and self._handle is not None:
            raise CardLost(str(error)) from error
        if failure is Failure.ALL_LOST:
            raise NvmlGone(str(error)) from error
        if failure is Failure.NEVER:
            self._never.add(key)
