"""Where bytes lie: names in the object store, made of digests so that equal bytes lie once. Pure."""

from __future__ import annotations

import re
from typing import Final

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_KEY: Final = re.compile(r"[A-Za-z0-9._=-]+(/[A-Za-z0-9._=-]+)*")
_MAX_KEY_BYTES: Final = 1_024  # S3's limit


def blob_key(project: str, sha256: str) -> str:
    """Return where a blob of a project lies; projects share nothing, so that deleting one frees it.

    Raises:
        ValueError: The digest is no SHA-256 in lower-case hex.
    """
    if not _DIGEST.fullmatch(sha256):
        raise ValueError(f"{sha256!r} is no SHA-256 in lower-case hex")
    return f"{_safe(project)}/blobs/{sha256[:2]}/{sha256}"


def project_prefix(project: str) -> str:
    """Return what all keys of a project begin with."""
    return f"{_safe(project)}/"


def is_key(key: str) -> bool:
    """Tell whether a key is one of ours: printable, relative, and never leaving its place."""
    return (
        len(key) <= _MAX_KEY_BYTES
        and _KEY.fullmatch(key) is not None
        and not any(part.strip(".") == "" for part in key.split("/"))
    )


def _safe(project: str) -> str:
    """Write a project's name so that it is one segment of a key; different names stay different."""
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "_-") else _escaped(letter)
        for letter in project
    )


def _escaped(letter: str) -> str:
    return "".join(f"={byte:02X}" for byte in letter.encode())
