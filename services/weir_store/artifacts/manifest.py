"""The digest of a manifest: what makes two versions the same. Pure; docs/formats/artifacts.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from weir_store.artifacts.records import ManifestFile


class ManifestDigest:
    """SHA-256 over a line for each file; `add` them by path, by code point."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, file: ManifestFile) -> None:
        """Take the next file."""
        self._hash.update(line_of(file))

    def hex(self) -> str:
        """Return the digest of the files so far."""
        return self._hash.hexdigest()


def line_of(file: ManifestFile) -> bytes:
    """Return a file's line: a JSON list of path, content and size, and a line feed."""
    content = file.sha256 or f"ref:{file.uri}#{file.etag}"
    fields = [file.path, content, file.size_bytes]
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def digest_of(files: Iterable[ManifestFile]) -> str:
    """Return the digest of a manifest whose files come in any order."""
    digest = ManifestDigest()
    for file in sorted(files, key=lambda each: each.path):
        digest.add(file)
    return digest.hex()
