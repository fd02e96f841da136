"""Masks drawn over pictures: one class number for every pixel, kept as grey PNG."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from weir._media.arrays import own_array, shape_of
from weir._media.base import Blob, Taking, Unfit, check_size
from weir._media.files import taken_file
from weir._media.pixels import to_bytes

_MOST: Final = 32  # their names must fit into one point


@dataclass(slots=True)
class Masks:
    """Masks of one picture, copied.

    Attributes:
        classes: Name → names of its classes, where they were given.
        size_bytes: What they take in memory.
    """

    classes: dict[str, dict[str, str]] = field(default_factory=dict)
    size_bytes: int = 0
    _taken: dict[str, Any] = field(default_factory=dict)  # arrays, or blobs of files

    def __bool__(self) -> bool:
        return bool(self._taken)

    def encode(self) -> dict[str, Blob]:
        """Return the masks as PNG files, by name."""
        return {name: _to_blob(mask) for name, mask in self._taken.items()}


def take_masks(given: Any, taking: Taking) -> Masks:
    """Copy masks as they were given to `Image`. Raises `Unfit`."""
    masks = Masks()
    if not given:
        return masks
    if not isinstance(given, Mapping):
        raise Unfit("masks are {'truth': {'mask_data': array, 'class_labels': {1: 'cat'}}}")
    if len(given) > _MOST:
        raise Unfit(f"{len(given)} masks on one picture, at most {_MOST}")
    for name, mask in given.items():
        _take(masks, str(name), mask if isinstance(mask, Mapping) else {"mask_data": mask}, taking)
    return masks


def _take(masks: Masks, name: str, mask: Mapping[str, Any], taking: Taking) -> None:
    if labels := mask.get("class_labels"):
        masks.classes[name] = {str(key): str(word) for key, word in labels.items()}
    if "path" in mask:
        masks._taken[name] = taken_file(mask["path"], "image", taking)
        return
    if "mask_data" not in mask:
        raise Unfit(f"mask {name!r} has neither mask_data nor path")
    array = own_array(mask["mask_data"], f"mask {name!r}")
    check_size(f"mask {name!r}", array.size, taking)
    if array.ndim != 2 or not array.size:
        raise Unfit(f"mask {name!r} is {shape_of(array)}, not H × W")
    masks._taken[name] = array
    masks.size_bytes += array.nbytes


def _to_blob(mask: Any) -> Blob:
    if isinstance(mask, Blob):
        return mask
    import numpy as np

    if mask.dtype.kind == "f" and not np.array_equal(mask, np.rint(mask)):
        raise Unfit("a mask holds class numbers 0 … 255, not fractions")
    if mask.min() < 0 or mask.max() > 255:
        raise Unfit(f"a mask holds class numbers 0 … 255, not {mask.min()} … {mask.max()}")
    return Blob("image/png", to_bytes(np.ascontiguousarray(mask.astype(np.uint8)), "image/png"))
