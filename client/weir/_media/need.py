"""Libraries that some kinds of media need and Weir does not bring along."""

from importlib import import_module
from typing import Any, Final

from weir._media.base import Unfit

_PACKAGES: Final = {"PIL.Image": "pillow", "pyarrow.parquet": "pyarrow", "numpy": "numpy"}


def need(module: str, what: str) -> Any:
    """Import a module that `what` needs.

    Raises:
        Unfit: It is not installed; names the command that installs it.
    """
    found = maybe(module)
    if found is None:
        package = _PACKAGES.get(module, module)
        raise Unfit(f'{what} needs {package}: pip install "weir[media]", or {package} alone')
    return found


def maybe(module: str) -> Any:
    """Import a module, or return None where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        return None
