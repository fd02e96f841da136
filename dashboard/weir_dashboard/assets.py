"""The component's files: read once, served under an address that changes when they do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Final

_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it goes over the wire."""

    body: bytes
    media_type: str


@cache
def every() -> dict[str, Asset]:
    """Read all files that may be served, by name."""
    folder = files("weir_dashboard.component") / "assets"
    return {
        file.name: Asset(file.read_bytes(), _TYPES[suffix])
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if (suffix := PurePosixPath(file.name).suffix) in _TYPES
    }


def read(name: str) -> Asset | None:
    """Return one file, or None when there is none of that name."""
    return every().get(name)


@cache
def version() -> str:
    """Name the present content of all files."""
    digest = blake2b(digest_size=6)
    for name, asset in every().items():
        digest.update(name.encode() + asset.body)
    return digest.hexdigest()
