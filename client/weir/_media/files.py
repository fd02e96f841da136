"""Files that users log by their path: what they are, and a copy that nobody else writes to."""

import mimetypes
import os
from pathlib import Path
from typing import Any, Final

from weir._media.base import Blob, Taking, Unfit, check_size

_MIMES: Final = {
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".m4a": "audio/mp4",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".md": "text/markdown",
}


def taken_file(source: Any, family: str, taking: Taking) -> Blob:
    """Copy a user's file and return it as a blob.

    Args:
        source: Path of a regular file.
        family: What its MIME type must begin with, e.g. `image`.
        taking: The run's limits, and where the copy goes.

    Raises:
        Unfit: It cannot be read, is too large, or is something else.
        OSError: The copy cannot be written.
    """
    path = Path(os.fspath(source))
    mime = mime_of(path)
    if not mime.startswith(f"{family}/"):
        raise Unfit(f"{path.name} is not {family} by its name ({mime})")
    try:
        size_bytes = path.stat().st_size
        readable = path.is_file() and os.access(path, os.R_OK)
    except OSError as error:
        raise Unfit(f"{path} cannot be read: {error.strerror or error}") from error
    if not readable:
        raise Unfit(f"{path} is not a file that can be read")
    check_size(f"the file {path.name}", size_bytes, taking)
    kept, held = taking.hold(path)
    return Blob(mime, path=kept, held=held)


def mime_of(path: Path) -> str:
    """Return the MIME type that a file's name tells."""
    suffix = path.suffix.lower()
    known = _MIMES.get(suffix) or mimetypes.types_map.get(suffix)
    return known or "application/octet-stream"
