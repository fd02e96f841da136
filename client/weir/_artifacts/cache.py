"""Content that was fetched before, by its SHA-256; for all projects of one user on one machine.

```
<root>/<first two letters>/<sha256>-<mtime_ns>
```
The time in the name is the file's own: a file that somebody wrote to, through another name of it,
has another, and counts no more.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from weir._artifacts.landing import Landing
from weir._artifacts.manifest import ManifestFile
from weir._settings import Settings

_FICLONE: Final = 0x40049409  # ioctl(2): share the blocks of another file
_READ_ONLY: Final = 0o444


class Cache:
    """Gives and takes whole files. What it cannot do is no error: then bytes are fetched.

    Args:
        root: Its folder, made when needed.
        max_bytes: Its size; what was not used for longest goes first.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes

    def take(self, file: ManifestFile, landing: Landing, name: str) -> bool:
        """Put a file's content beside where it is to land; False when it is not here.

        Shares the blocks where the file system can; else `name` is a link into the cache, and
        read-only; on another file system it is a copy.
        """
        kept = self._find(file)
        if kept is None:
            return False
        landing.remove(name)
        with contextlib.suppress(OSError):
            os.utime(kept, ns=(_now_ns(), kept.stat().st_mtime_ns))
        try:
            if not _share(kept, landing, name):
                landing.link(kept, name)
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK}:
                landing.remove(name)
                return False
            return _copy(kept, landing, name)
        return True

    def give(self, file: ManifestFile, landing: Landing, name: str) -> None:
        """Keep a file that was fetched and checked. It becomes read-only where it is a link."""
        if not 0 < file.size_bytes <= self._max_bytes:
            return
        folder = self._root / file.sha256[:2]
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = landing.stat(name)
            if found is None:
                return
            kept = folder / f"{file.sha256}-{found.st_mtime_ns}"
            with contextlib.suppress(FileExistsError):
                if not _share_in(landing, name, kept, found):
                    os.link(name, kept, src_dir_fd=landing.folder)
                    os.chmod(kept, _READ_ONLY)

    def trim(self) -> None:
        """Make it as small as it should be."""
        kept = [(path, path.stat()) for path in self._all()]
        size_bytes = sum(found.st_size for _, found in kept)
        for path, found in sorted(kept, key=lambda each: each[1].st_atime_ns):
            if size_bytes <= self._max_bytes:
                return
            with contextlib.suppress(OSError):
                path.unlink()
                size_bytes -= found.st_size

    def _find(self, file: ManifestFile) -> Path | None:
        for path in (self._root / file.sha256[:2]).glob(f"{file.sha256}-*"):
            with contextlib.suppress(OSError):
                found = path.stat()
                untouched = path.name == f"{file.sha256}-{found.st_mtime_ns}"
                if untouched and found.st_size == file.size_bytes:
                    return path
                path.unlink()
        return None

    def _all(self) -> Iterator[Path]:
        for folder in self._root.glob("??"):
            yield from (path for path in folder.iterdir() if path.is_file())


def cache_here() -> Cache | None:
    """Return the cache that the settings ask for; None when it is switched off."""
    settings = Settings.load()
    if settings.artifact_cache_gb <= 0:
        return None
    root = Path(settings.artifact_cache).expanduser()
    return Cache(root, int(settings.artifact_cache_gb * 1e9))


def _share(kept: Path, landing: Landing, name: str) -> bool:
    """Make `name` share the blocks of `kept`; False where that cannot be."""
    try:
        import fcntl

        writing = landing.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except ImportError:
        return False
    try:
        with kept.open("rb") as reading:
            fcntl.ioctl(writing, _FICLONE, reading.fileno())
        return True
    except OSError:
        landing.remove(name)
        return False
    finally:
        os.close(writing)


def _share_in(landing: Landing, name: str, kept: Path, found: os.stat_result) -> bool:
    try:
        import fcntl

        with kept.open("xb") as writing:
            reading = landing.open(name, os.O_RDONLY)
            try:
                fcntl.ioctl(writing.fileno(), _FICLONE, reading)
            finally:
                os.close(reading)
        os.utime(kept, ns=(found.st_atime_ns, found.st_mtime_ns))
        return True
    except FileExistsError:
        raise
    except (ImportError, OSError):
        kept.unlink(missing_ok=True)
        return False


def _copy(kept: Path, landing: Landing, name: str) -> bool:
    try:
        with (
            kept.open("rb") as reading,
            open(landing.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as writing,
        ):
            shutil.copyfileobj(reading, writing, 1 << 20)
        return True
    except OSError:
        landing.remove(name)
        return False


def _now_ns() -> int:
    import time

    return time.time_ns()
