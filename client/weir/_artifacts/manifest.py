"""The list of files of a version, and its digest: docs/formats/artifacts.md. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file of a version, or a reference to bytes that lie elsewhere.

    Attributes:
        path: Its name in the artifact.
        sha256: Of its bytes, hex; "" = a reference.
        size_bytes: 0 when it is not known, of references only.
        mime: What it holds; "" = not known.
        uri: Where the bytes of a reference are.
        etag: What their store said of them; "" = not known.
    """

    path: str
    sha256: str = ""
    size_bytes: int = 0
    mime: str = ""
    uri: str = ""
    etag: str = ""

    @property
    def is_reference(self) -> bool:
        """Whether its bytes are somewhere else."""
        return not self.sha256


def manifest_digest(files: Iterable[ManifestFile]) -> str:
    """Return what makes two versions the same: SHA-256 over a line for each file, by path."""
    from hashlib import sha256  # loads OpenSSL: 4 MB that most runs do without

    digest = sha256()
    for file in sorted(files, key=lambda file: file.path):
        content = file.sha256 or f"ref:{file.uri}#{file.etag}"
        line = [file.path, content, file.size_bytes]
        digest.update(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()
