"""Points in space."""

import io
from typing import Any, ClassVar, Final

from weir._media.arrays import own_array, shape_of
from weir._media.base import Blob, Encoded, Media, Snapshot, Taking, Unfit, check_size, without_none

_COLUMNS: Final = {3: "xyz", 4: "xyzc", 6: "xyzrgb"}
MIME: Final = "application/x-npy"


class PointCloud(Media):
    """Points in space, kept as float32.

    Args:
        data: Array N×3 (x, y, z), N×4 (and a class or intensity) or N×6 (and red, green, blue 0…255).
        caption: Words beside it.
    """

    kind: ClassVar = "pointcloud"

    def __init__(self, data: Any, caption: str | None = None) -> None:
        self.data, self.caption = data, caption

    def snapshot(self, taking: Taking) -> Snapshot:
        """See `Media.snapshot`."""
        said = without_none({"caption": None if self.caption is None else str(self.caption)})
        points = own_array(self.data, "a point cloud")
        check_size("the point cloud", points.size * 4, taking)
        if points.ndim != 2 or points.shape[1] not in _COLUMNS or not points.size:
            raise Unfit(f"points {shape_of(points)} are no cloud: N × 3, N × 4 or N × 6")
        return Snapshot(points.nbytes, lambda: _encode(points, said))


def _encode(points: Any, said: dict[str, Any]) -> Encoded:
    import numpy as np

    floats = np.ascontiguousarray(points, dtype="<f4")
    file = io.BytesIO()
    np.save(file, floats, allow_pickle=False)
    facts: dict[str, Any] = {"type": PointCloud.kind, "points": int(floats.shape[0])}
    facts["columns"] = _COLUMNS[floats.shape[1]]
    finite = floats[np.isfinite(floats[:, :3]).all(axis=1), :3]
    if finite.size:
        lowest, highest = finite.min(axis=0), finite.max(axis=0)
        facts["bounds"] = [*map(float, lowest), *map(float, highest)]
    return Encoded({**facts, **said}, Blob(MIME, file.getvalue()))
