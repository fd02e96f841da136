"""Fingerprints of files and folders: the same bytes give the same one, on every machine.

    file      sha256 of its bytes
    folder    sha256 over its manifest: one line of JSON per file, [path, sha256, size], sorted by
              path — the digest an artifact of the same files has (docs/formats/artifacts.md)

Beyond 16 GiB in all, large files are *sampled*: their size and three pieces of 1 MiB. What was read
is said beside the fingerprint, never hidden in it.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

FULL_BYTES: Final = 16 << 30
_SAMPLED_FROM_BYTES: Final = 8 << 20
_PIECE_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 4 << 20
_MAX_FILES: Final = 1_000_000
_MAX_REMEMBERED: Final = 200_000
_SETTLED_S: Final = 2.0  # a file written to just now may change again within one tick of its mtime


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What was found of a file or folder.

    Attributes:
        digest: `sha256:…`.
        of: What it is a digest of, in words: `content`, or what was left out.
        size_bytes: Of all files.
        files: How many.
        manifest: Of a folder: one line of JSON per file.
    """

    digest: str
    of: str
    size_bytes: int
    files: int
    manifest: tuple[str, ...] = ()


@dataclass(slots=True)
class Memory:
    """Digests of files by path, valid while size, mtime and inode stay what they were."""

    path: Path | None = None
    known: dict[str, list[Any]] = field(default_factory=dict)
    changed: bool = False

    @classmethod
    def load(cls, path: Path) -> "Memory":
        """Read what was remembered; nothing when it cannot be read."""
        try:
            known = json.loads(path.read_bytes())
            return cls(path, known if isinstance(known, dict) else {})
        except (OSError, ValueError):
            return cls(path)

    def save(self) -> None:
        """Write it, the newest 200 000; quietly not, where the disk does not want to."""
        if self.path is None or not self.changed:
            return
        kept = dict(list(self.known.items())[-_MAX_REMEMBERED:])
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_text(json.dumps(kept))
            os.replace(temporary, self.path)
        except OSError:
            temporary.unlink(missing_ok=True)

    def recall(self, path: Path, found: os.stat_result, sampled: bool) -> str:
        """Return the digest of an unchanged file, or ""."""
        known = self.known.get(f"{path.absolute()}{'#sampled' if sampled else ''}")
        return str(known[3]) if known and known[:3] == _state(found) else ""

    def learn(self, path: Path, found: os.stat_result, sampled: bool, digest: str) -> None:
        """Remember a digest."""
        if time.time() - found.st_mtime < _SETTLED_S:
            return
        self.known[f"{path.absolute()}{'#sampled' if sampled else ''}"] = [*_state(found), digest]
        self.changed = True


def fingerprint(
    path: Path, memory: Memory | None = None, *, full_bytes: int = FULL_BYTES
) -> Fingerprint:
    """Read a file or folder and return its fingerprint.

    Links to files count as what they point to; links to folders are not followed; sockets and the
    like are passed over.

    Args:
        path: What to look at.
        memory: Saves reading files again.
        full_bytes: Read everything up to so many bytes in all; sample large files beyond.

    Raises:
        OSError: It cannot be read.
    """
    memory = memory or Memory()
    if not path.is_dir():
        if path.exists() and not path.is_file():  # /dev/zero and pipes have no end
            raise OSError("it is neither a file nor a folder")
        size_bytes = path.stat().st_size
        sampled = size_bytes > full_bytes
        digest = _file_digest(path, memory, sampled=sampled)
        return Fingerprint(f"sha256:{digest}", _in_words(1, int(sampled)), size_bytes, 1)
    return _folder(path, memory, full_bytes)


def _folder(root: Path, memory: Memory, full_bytes: int) -> Fingerprint:
    listed = sorted(_list_files(root))
    total_bytes = sum(size for _, size in listed)
    sampling = total_bytes > full_bytes
    lines, sampled_files = [], 0
    whole = hashlib.sha256()
    for name, size_bytes in listed:
        sampled = sampling and size_bytes > _SAMPLED_FROM_BYTES
        sampled_files += sampled
        digest = _file_digest(root / name, memory, sampled=sampled)
        line = json.dumps([name, digest, size_bytes], ensure_ascii=False, separators=(",", ":"))
        whole.update(f"{line}\n".encode(errors="surrogateescape"))
        lines.append(line)
    of = _in_words(len(listed), sampled_files)
    return Fingerprint(f"sha256:{whole.hexdigest()}", of, total_bytes, len(listed), tuple(lines))


def _in_words(files: int, sampled: int) -> str:
    if not sampled:
        return "content"
    share = "" if files == 1 else f"{sampled} of {files} files "
    return f"content, {share}sampled: size and 3 pieces of 1 MiB"


def _list_files(root: Path) -> Iterator[tuple[str, int]]:
    count = 0
    for folder, _, names in os.walk(root, onerror=_raise):
        for name in names:
            path = Path(folder, name)
            if not path.is_file():  # a socket, or a link that leads nowhere
                continue
            count += 1
            if count > _MAX_FILES:
                raise OSError(f"over {_MAX_FILES} files; log the folder's parts or a reference")
            yield path.relative_to(root).as_posix(), path.stat().st_size


def _raise(error: OSError) -> None:
    raise error


def _file_digest(path: Path, memory: Memory, *, sampled: bool) -> str:
    found = path.stat()
    digest = memory.recall(path, found, sampled)
    if not digest:
        digest = _sampled(path, found.st_size) if sampled else _whole(path)
        memory.learn(path, found, sampled, digest)
    return digest


def _whole(path: Path) -> str:
    digest = hashlib.sha256()
    buffer = bytearray(_CHUNK_BYTES)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(view[:count])
    return digest.hexdigest()


def _sampled(path: Path, size_bytes: int) -> str:
    digest = hashlib.sha256(f"sampled {size_bytes}\n".encode())
    with path.open("rb") as file:
        for start in (0, (size_bytes - _PIECE_BYTES) // 2, size_bytes - _PIECE_BYTES):
            file.seek(max(0, start))
            digest.update(file.read(_PIECE_BYTES))
    return digest.hexdigest()


def _state(found: os.stat_result) -> list[int]:
    return [found.st_size, found.st_mtime_ns, found.st_ino]
