"""Arrays of any library as a NumPy array of our own."""

from typing import Any

from weir._media.base import Unfit
from weir._media.need import need


def own_array(data: Any, what: str) -> Any:
    """Return a NumPy copy of an array of NumPy, PyTorch, JAX or TensorFlow, or of nested lists.

    Raises:
        Unfit: It is none, or holds something else than numbers.
    """
    array = own_labels(data, what)
    if array.dtype.kind not in "biuf":
        raise Unfit(f"{what} needs numbers, not {array.dtype}")
    return array


def own_labels(data: Any, what: str) -> Any:
    """Return the same of numbers or texts."""
    numpy = need("numpy", what)
    if hasattr(data, "detach"):  # PyTorch: off the graph and the device first
        data = data.detach().cpu()
        if "bfloat16" in str(data.dtype):  # NumPy does not know it
            data = data.float()
    try:
        return numpy.array(data, copy=True)
    except ValueError as error:  # lists of different lengths
        raise Unfit(f"{what} is no array: {error}") from error


def is_tensor(data: Any) -> bool:
    """Whether this is a PyTorch tensor, where channels come first."""
    return hasattr(data, "detach") and hasattr(data, "cpu")


def is_path(data: Any) -> bool:
    """Whether this names a file."""
    return isinstance(data, str) or hasattr(data, "__fspath__")


def shape_of(data: Any) -> str:
    """Return a shape for a message, e.g. `3 × 20`."""
    return " × ".join(map(str, data.shape)) or "()"
