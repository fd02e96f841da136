"""What lies below a folder: names and paths, links followed, loops refused."""

import os
from collections.abc import Iterator

from weir._artifacts.paths import path_fault
from weir.errors import UsageError


def walk(folder: str, name: str = "") -> Iterator[tuple[str, str]]:
    """Iterate over (name, path) of every file below a folder, sorted; empty folders are left out.

    Links are followed: what is recorded is what they lead to.

    Raises:
        UsageError: A link leads back to where it is, or nowhere; something is neither a file nor
            a folder; a name cannot be recorded.
    """
    yield from _walk(folder, f"{name}/" if name else "", ())


def _walk(
    folder: str, prefix: str, above: tuple[tuple[int, int], ...]
) -> Iterator[tuple[str, str]]:
    found = os.stat(folder)
    me = (found.st_dev, found.st_ino)
    if me in above:
        raise UsageError(f"{folder} is a link that leads back to a folder it lies in")
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        name = f"{prefix}{entry.name}"
        if fault := path_fault(name):
            raise UsageError(f"{entry.path!r} cannot be recorded: {fault}")
        if entry.is_dir():
            yield from _walk(entry.path, f"{name}/", (*above, me))
        elif entry.is_file():
            yield name, entry.path
        else:
            what = "is a link to nothing" if entry.is_symlink() else "is no file"
            raise UsageError(f"{entry.path} {what}", hint="add the files one by one")
