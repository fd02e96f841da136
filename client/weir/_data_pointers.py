"""What other tools say of data they keep: Git-LFS pointers, `.dvc` files and `dvc.lock`. Only reads.

DVC writes its files itself, always in the same plain shape, so that a few lines read them and no
YAML library is needed.
"""

import re
from pathlib import Path
from typing import Any, Final

_LFS_HEAD: Final = b"version https://git-lfs.github.com/spec/v1"
_LFS_LINE: Final = re.compile(rb"(?m)^(oid|size) (?:sha256:)?(\S+)$")
_MAX_POINTER_BYTES: Final = 1_024
_MAX_DVC_BYTES: Final = 8 << 20
_DVC_ITEM: Final = re.compile(r"^(\s*)(-\s+)?([A-Za-z_][\w-]*):\s*(.*)$")
_HASHES: Final = ("md5", "etag", "checksum", "sha256")


def lfs_pointer(path: Path) -> dict[str, Any]:
    """Return `oid` (sha-256 of the content) and `size` when a file is a pointer; else nothing."""
    try:
        if not path.is_file() or path.stat().st_size > _MAX_POINTER_BYTES:
            return {}
        content = path.read_bytes()
    except OSError:
        return {}
    if not content.startswith(_LFS_HEAD):
        return {}
    found = {key.decode(): value.decode() for key, value in _LFS_LINE.findall(content)}
    if "oid" not in found or not found.get("size", "").isdigit():
        return {}
    return {"oid": found["oid"], "size": int(found["size"])}


def dvc_entry(path: Path) -> dict[str, Any]:
    """Return what DVC says of a path: from `<path>.dvc`, the path itself when it is one, or dvc.lock.

    Keys as DVC has them: `md5` (or `etag` …), `size`, `nfiles`, `hash`; and `file`, who said so.
    Nothing when DVC does not know it.
    """
    path = path.absolute()
    own = path if path.suffix == ".dvc" else path.with_name(f"{path.name}.dvc")
    if own.is_file():
        wanted = "" if path.suffix == ".dvc" else path.name
        return _with_file(_find(_read(own), wanted), own)
    for folder in path.parents:
        lock = folder / "dvc.lock"
        if lock.is_file():
            return _with_file(_find(_read(lock), path.relative_to(folder).as_posix()), lock)
        if (folder / ".git").exists() or (folder / ".dvc").is_dir():
            return {}
    return {}


def _with_file(entry: dict[str, Any], file: Path) -> dict[str, Any]:
    return {**entry, "file": str(file)} if entry else {}


def _find(text: str, path: str) -> dict[str, Any]:
    """The entry whose `path` is this one ("" = the first), when it has a hash."""
    for entry in entries_of(text):
        if any(each in entry for each in _HASHES) and (not path or entry.get("path") == path):
            return {
                key: value for key, value in entry.items() if key not in {"deps", "outs", "cmd"}
            }
    return {}


def entries_of(text: str) -> list[dict[str, Any]]:
    """Return the items of all lists in a DVC file: `- md5: …` and the lines that belong to it. Pure."""
    entries: list[dict[str, Any]] = []
    indent = -1  # of the open item's keys
    for line in text.splitlines():
        found = _DVC_ITEM.match(line)
        if not found:
            continue
        spaces, dash, key, value = found.groups()
        column = len(spaces) + len(dash or "")
        if dash:
            entries.append({})
            indent = column
        elif column != indent:
            indent = -1
        if indent >= 0:
            entries[-1][key] = (
                int(value) if value.isdigit() and key != "md5" else value.strip("'\"")
            )
    return entries


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace") if path.stat().st_size <= _MAX_DVC_BYTES else ""
    except OSError:
        return ""
