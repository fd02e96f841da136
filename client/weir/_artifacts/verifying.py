"""Whether a folder holds what a manifest says."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from weir._artifacts.manifest import ManifestFile
from weir._artifacts.paths import path_fault

_CHUNK_BYTES: Final = 1 << 20
PART_SUFFIX: Final = ".weir-part"  # of files that are on their way


@dataclass(frozen=True, slots=True)
class Verification:
    """What is wrong with a folder. True when nothing is.

    Attributes:
        missing: Names of files that are not there.
        changed: Names of files with other bytes.
        extra: Names of files that are not in the manifest; no fault.
    """

    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not (self.missing or self.changed)


def verify(files: Iterable[ManifestFile], root: Path) -> Verification:
    """Read every file that a manifest names below a folder. References are passed over."""
    found = Verification()
    known = set()
    for file in files:
        if file.is_reference:
            continue
        known.add(file.path)
        path = root / file.path
        if path_fault(file.path) or path.is_symlink() or not path.is_file():
            found.missing.append(file.path)
        elif path.stat().st_size != file.size_bytes or sha256_of(path) != file.sha256:
            found.changed.append(file.path)
    for folder, _, names in os.walk(root):
        for name in names:
            path_there = Path(folder, name).relative_to(root).as_posix()
            if path_there not in known and PART_SUFFIX not in name:
                found.extra.append(path_there)
    found.extra.sort()
    return found


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, hex."""
    from hashlib import sha256  # loads OpenSSL: 4 MB that most runs do without

    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
