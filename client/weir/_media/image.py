"""Pictures: arrays, tensors, Pillow images, matplotlib figures and files."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from weir._media.arrays import is_path, is_tensor, own_array, shape_of
from weir._media.base import Blob, Encoded, Media, Snapshot, Taking, Unfit, check_size, without_none
from weir._media.boxes import to_boxes
from weir._media.files import taken_file
from weir._media.masks import Masks, take_masks
from weir._media.need import maybe
from weir._media.pixels import known_format, thumbnail, to_bytes

_CHANNELS: Final = (1, 2, 3, 4)
_CLIPPED: Final = "clipped"


class Image(Media):
    """A picture, with a caption, boxes and masks if you like.

    Args:
        data: Array H×W, H×W×C or C×H×W with 1 to 4 channels, uint8 or float 0…1 (what is outside
            is clipped, and the point says so); PyTorch tensor; Pillow image; matplotlib figure; or
            the path of an image file, which is kept as it is.
        caption: Words beside it.
        format: `png` (default), `jpg` or `webp`; files keep theirs.
        boxes: `[{"position": …, "class_id": 1, "score": 0.9, "caption": "cat", "domain": "pixel"}]`,
            or W&B's `{"predictions": {"box_data": […], "class_labels": {…}}}`. A position is
            `[minX, minY, maxX, maxY]`, `{"minX": …}` or `{"middle": …, "width": …, "height": …}`, in
            fractions of the picture, or in pixels with `"domain": "pixel"`.
        masks: `{"truth": {"mask_data": array of class numbers, "class_labels": {1: "cat"}}}`; `path`
            of a PNG instead of `mask_data` if you have one.
        classes: Names of classes, `{1: "cat"}`, for boxes and masks without their own.
    """

    kind: ClassVar = "image"

    def __init__(
        self,
        data: Any,
        caption: str | None = None,
        *,
        format: str | None = None,
        boxes: Any = None,
        masks: Mapping[str, Mapping[str, Any]] | None = None,
        classes: Mapping[int, str] | Sequence[Any] | None = None,
    ) -> None:
        self.data, self.caption, self.format = data, caption, format
        self.boxes, self.masks, self.classes = boxes, masks, classes

    def snapshot(self, taking: Taking) -> Snapshot:
        """See `Media.snapshot`."""
        masks = take_masks(self.masks, taking)
        labels = class_names(self.classes)
        boxes = self.boxes  # checked while encoding; what is in it is copied below
        said = without_none({"caption": None if self.caption is None else str(self.caption)})
        if boxes is not None or labels:
            import copy

            boxes = copy.deepcopy(boxes)
        picture, size_bytes = self._take(taking)
        mime = known_format(self.format or "png")

        def encode() -> Encoded:
            encoded = _encode(picture, mime, said)
            encoded.facts |= {"classes": labels} if labels else {}
            _annotate(encoded, boxes, masks)
            return encoded

        return Snapshot(size_bytes + masks.size_bytes, encode)

    def _take(self, taking: Taking) -> tuple[Any, int]:
        """The picture as an array, Pillow image or blob of our own, and what it takes in memory."""
        data = self.data
        if is_path(data):
            blob = taken_file(data, "image", taking)
            return blob, 0
        if hasattr(data, "savefig"):
            from weir._media.figure import drawn

            content = drawn(data)
            return Blob("image/png", content), len(content)
        if hasattr(data, "getbands") and hasattr(data, "copy"):  # Pillow
            size_bytes = data.width * data.height * len(data.getbands())
            check_size("the image", size_bytes, taking)
            return data.copy(), size_bytes
        shape = getattr(data, "shape", None)
        pixels = 1
        for side in shape or ():
            pixels *= int(side)
        check_size("the image", pixels, taking)
        array = own_array(data, "an image")
        return _rows_first(array, channels_first=is_tensor(data)), array.nbytes


def class_names(classes: Any) -> dict[str, str]:
    """Return names of classes by number, whichever way they were given.

    W&B's `[{"id": 1, "name": "cat"}]` and plain lists of names are taken too.
    """
    if not classes:
        return {}
    if isinstance(classes, Mapping):
        return {str(key): str(name) for key, name in classes.items()}
    pairs = enumerate(classes)
    return {
        str(each["id"] if isinstance(each, Mapping) else index): str(
            each["name"] if isinstance(each, Mapping) else each
        )
        for index, each in pairs
    }


def _rows_first(array: Any, *, channels_first: bool) -> Any:
    """H×W or H×W×C; a shape that could be read both ways is H×W×C, for tensors C×H×W."""
    if array.ndim == 4:
        raise Unfit(f"an array {shape_of(array)} is a batch: log [weir.Image(one) for one in it]")
    if array.ndim not in (2, 3) or not array.size:
        raise Unfit(f"an array {shape_of(array)} is no image: H × W, H × W × C or C × H × W")
    if array.ndim == 2:
        return array
    first, last = array.shape[0] in _CHANNELS, array.shape[2] in _CHANNELS
    if first and (channels_first or not last):
        return array.transpose(1, 2, 0)
    if not last:
        raise Unfit(f"an array {shape_of(array)} has neither first nor last 1 to 4 channels")
    return array


def _encode(picture: Any, mime: str, said: dict[str, Any]) -> Encoded:
    if isinstance(picture, Blob):
        return _encode_file(picture, said)
    clipped: list[float] | None = None
    if hasattr(picture, "save"):
        width, height = picture.size
        known = picture.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
        picture = picture if known else picture.convert("RGB")
    else:
        picture, clipped = to_bytes_range(picture)
        height, width = picture.shape[:2]
    facts = {"type": Image.kind, "width": width, "height": height, **said}
    if clipped:
        facts[_CLIPPED] = clipped
    encoded = Encoded(facts, Blob(mime, to_bytes(picture, mime)))
    return _with_thumb(encoded, picture)


def _encode_file(blob: Blob, said: dict[str, Any]) -> Encoded:
    """A file as it is; its size in pixels where Pillow can tell."""
    import io

    facts: dict[str, Any] = {"type": Image.kind, **said}
    source = io.BytesIO(blob.content) if blob.path is None else blob.path
    pillow = maybe("PIL.Image")
    if pillow is not None and blob.mime != "image/svg+xml":
        try:
            with pillow.open(source) as opened:
                facts["width"], facts["height"] = opened.size
        except Exception as error:  # any file may come here
            raise Unfit(f"the file is no image that can be read: {error}") from error
    return _with_thumb(Encoded(facts, blob), source)


def _with_thumb(encoded: Encoded, picture: Any) -> Encoded:
    thumb = thumbnail(picture)
    if thumb is not None:
        encoded.parts["thumb",] = thumb
    return encoded


def to_bytes_range(array: Any) -> tuple[Any, list[float] | None]:
    """Return an array as uint8, and the range it had when that was more than a picture can show.

    Floats are 0…1, whole numbers 0…255; NaN becomes 0.
    """
    import numpy as np

    if array.dtype == np.uint8:
        return np.ascontiguousarray(array), None
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * 255, None
    top = 1.0 if array.dtype.kind == "f" else 255.0
    floats = np.nan_to_num(array.astype(np.float32), nan=0.0, posinf=top, neginf=0.0)
    lowest, highest = float(floats.min()), float(floats.max())
    scaled = np.clip(floats, 0, top) * (255.0 / top)
    clipped = [lowest, highest] if lowest < 0 or highest > top else None
    return (scaled + 0.5).astype(np.uint8), clipped


def _annotate(encoded: Encoded, boxes: Any, masks: Masks) -> None:
    facts = encoded.facts
    if boxes is not None:
        facts["boxes"] = to_boxes(boxes, facts.get("width"), facts.get("height"))
    if masks:
        facts["masks"] = {}
        facts |= {"mask_classes": masks.classes} if masks.classes else {}
        for name, blob in masks.encode().items():
            encoded.parts["masks", name] = blob
    encoded.roomy = ("boxes", "mask_classes", "classes")
