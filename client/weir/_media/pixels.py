"""Pixels as files and thumbnails: PNG by ourselves, the rest by Pillow where it is installed."""

import io
from contextlib import suppress
from typing import Any, Final

from weir._media.base import Blob, Unfit
from weir._media.need import maybe, need
from weir._media.png import to_png

THUMB_PIXELS: Final = 256  # the longer side, at most
_JPEG_QUALITY: Final = 90
_THUMB_QUALITY: Final = 80
_MIMES: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
}


def known_format(name: str) -> str:
    """Return the MIME type of an image format. Raises `Unfit`."""
    mime = _MIMES.get(name.lower().lstrip("."))
    if mime is None:
        raise Unfit(f"no image format {name!r}: png, jpg or webp")
    return mime


def to_bytes(picture: Any, mime: str) -> bytes:
    """Return an array (H×W or H×W×1…4, uint8) or a Pillow image as a file."""
    if mime == "image/png" and (array := _as_array(picture)) is not None:
        return to_png(array)
    if not hasattr(picture, "save"):
        picture = as_pillow(picture)
    if mime == "image/jpeg" and picture.mode not in ("L", "RGB"):
        picture = picture.convert("RGB")
    file = io.BytesIO()
    picture.save(file, mime.partition("/")[2].upper(), quality=_JPEG_QUALITY)
    return file.getvalue()


def _as_array(picture: Any) -> Any:
    """The pixels of an array, or of a Pillow image that is no more than its pixels; else None."""
    if not hasattr(picture, "save"):
        return picture
    numpy = maybe("numpy")
    plain = picture.mode in ("L", "LA", "RGB", "RGBA") and numpy is not None
    return numpy.ascontiguousarray(numpy.asarray(picture)) if plain else None


def as_pillow(array: Any) -> Any:
    """Return an array (H×W or H×W×1…4, uint8) as a Pillow image."""
    pillow = need("PIL.Image", "an image that is not PNG")
    return pillow.fromarray(array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array)


def thumbnail(picture: Any) -> Blob | None:
    """Return a small copy of a picture (array, Pillow image or file) that is not small itself.

    None as well where Pillow is not installed, or cannot read the file.
    """
    pillow = maybe("PIL.Image")
    if pillow is None:
        return None
    with suppress(Exception):  # a thumbnail is a favour: any file may come here
        if hasattr(picture, "shape"):
            small = as_pillow(picture)
        else:
            small = picture if hasattr(picture, "save") else pillow.open(picture)
        if max(small.size) <= THUMB_PIXELS:
            return None
        return _shrunk(small)
    return None


def _shrunk(picture: Any) -> Blob:
    from PIL import features

    small = picture.copy() if picture.mode in ("L", "RGB", "RGBA") else picture.convert("RGB")
    small.thumbnail((THUMB_PIXELS, THUMB_PIXELS))
    mime = "image/webp" if features.check("webp") else "image/jpeg"
    file = io.BytesIO()
    if mime == "image/jpeg":
        small = small.convert("RGB")
    small.save(file, mime.partition("/")[2].upper(), quality=_THUMB_QUALITY)
    return Blob(mime, file.getvalue())
