"""Writing below a folder without ever following a link that lies in it."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from weir._artifacts.paths import path_fault
from weir.errors import NotAsStored

_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)


class Landing:
    """A place for one file: the folder it goes to, opened part by part, and its names there.

    Attributes:
        folder: Descriptor of the folder that will hold the file; -1 on systems without such.
        leaf: The file's name in it.
        path: The same as one path, to be shown.
    """

    def __init__(self, folder: int, leaf: str, path: Path) -> None:
        self.folder = folder
        self.leaf = leaf
        self.path = path

    def open(self, name: str, flags: int) -> int:
        """Open a file beside it. A link there is never followed. Raises OSError."""
        return os.open(name, flags | _NO_FOLLOW, 0o644, dir_fd=self.folder)

    def rename(self, name: str) -> None:
        """Give the file beside it its own name, over whatever has that name now."""
        os.replace(name, self.leaf, src_dir_fd=self.folder, dst_dir_fd=self.folder)

    def link(self, source: Path, name: str) -> None:
        """Make `name` another name of a file. Raises OSError."""
        os.link(source, name, dst_dir_fd=self.folder)

    def remove(self, name: str) -> None:
        """Remove a file beside it, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.folder)

    def stat(self, name: str) -> os.stat_result | None:
        """Look at a file beside it; None when there is none."""
        with suppress(FileNotFoundError):
            return os.stat(name, dir_fd=self.folder, follow_symlinks=False)
        return None


@contextmanager
def landing(root: Path, name: str) -> Iterator[Landing]:
    """Open the folder for a file below `root`, making folders on the way.

    `root` itself may be reached through links: it is yours. What lies in it may not: an artifact
    that was put together with malice must not write elsewhere.

    Raises:
        NotAsStored: The name is hostile, or a link stands in its way.
        OSError: The disk does not take it.
    """
    if fault := path_fault(name):
        raise NotAsStored(f"{name!r} is refused: {fault}")
    *folders, leaf = name.split("/")
    descriptor = os.open(root, os.O_RDONLY)
    try:
        for folder in folders:
            with suppress(FileExistsError):
                os.mkdir(folder, dir_fd=descriptor)
            try:
                below = os.open(folder, _FOLDER, dir_fd=descriptor)
            except OSError as error:
                if error.errno in {errno.ELOOP, errno.ENOTDIR}:
                    raise NotAsStored(
                        f"{name!r} is refused: {folder!r} in {root} is a link or a file"
                    ) from None
                raise
            os.close(descriptor)
            descriptor = below
        yield Landing(descriptor, leaf, root / name)
    finally:
        os.close(descriptor)
