"""Names of files in an artifact or a run: which are taken, and which are an attack. Pure."""

import os
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

MAX_PATH_BYTES: Final = 1_024
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_ARTIFACT_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]+")
_MAX_ARTIFACT_BYTES: Final = 128


def path_fault(path: str) -> str | None:
    """Return what is wrong with a file's name in an artifact; None when it is good.

    Good names are relative, have `/` between their parts, and stay below their folder on every
    system: no `..`, no drive letter, no backslash.
    """
    try:
        size_bytes = len(path.encode())
    except UnicodeEncodeError:
        return "it is not valid UTF-8"
    if not path:
        return "it is empty"
    if size_bytes > MAX_PATH_BYTES:
        return f"its {size_bytes} bytes are over {MAX_PATH_BYTES}"
    if _CONTROL.search(path):
        return "it holds control characters"
    if "\\" in path:
        return "it holds a backslash"
    if path.startswith("/"):
        return "it is absolute"
    if _DRIVE.match(path):
        return "it begins with a drive letter"
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        return "it holds an empty part, . or .."
    return None


def set_fault(paths: Iterable[str]) -> str | None:
    """Return why these names, from wherever they come, cannot lie in one folder; None when they can."""
    paths = list(paths)
    for path in paths:
        if fault := path_fault(path):
            return f"{path!r}: {fault}"
    return clash_fault(paths)


def clash_fault(paths: Iterable[str]) -> str | None:
    """Return why names that are good each by itself cannot lie side by side; None when they can.

    Two that differ only in how Unicode writes them are one file on some systems; and what is a
    file cannot be a folder too.
    """
    seen: dict[str, str] = {}
    folders: set[str] = set()
    for path in paths:
        normal = path if path.isascii() else unicodedata.normalize("NFC", path)
        if normal in seen:
            other = seen[normal]
            return f"{path!r} is there twice" if other == path else f"{path!r} and {other!r} clash"
        seen[normal] = path
        parent = normal.rpartition("/")[0]
        while parent and parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    both = min(folders & seen.keys(), default="")
    return f"{seen[both]!r} is a file, and others need it to be a folder" if both else None


def name_of_artifact_fault(name: str) -> str | None:
    """Return what is wrong with an artifact's name; None when it is good."""
    if not _ARTIFACT_NAME.fullmatch(name) or any(not p.strip(".") for p in name.split("/")):
        return "an artifact's name is made of letters, digits and _ . - /"
    if len(name) > _MAX_ARTIFACT_BYTES:
        return f"an artifact's name has at most {_MAX_ARTIFACT_BYTES} characters"
    return None


def word_fault(word: str) -> str | None:
    """Return what is wrong with a type or an alias; None when it is good."""
    if _WORD.fullmatch(word) and len(word) <= _MAX_ARTIFACT_BYTES:
        return None
    return f"it has to be one word of letters, digits and _ . - , at most {_MAX_ARTIFACT_BYTES}"


def alias_fault(alias: str) -> str | None:
    """Return what is wrong with an alias; None when it is good."""
    if re.fullmatch(r"v\d+|[0-9a-f]{64}", alias):
        return "it looks like a version or a digest"
    return word_fault(alias)


def as_artifact_name(text: str) -> str:
    """Return the artifact's name that comes closest to any text."""
    kept = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")[:_MAX_ARTIFACT_BYTES]
    return kept or "artifact"


def portable(path: str) -> str:
    """Return a relative path of this system with `/` between its parts."""
    return path.replace(os.sep, "/") if os.sep != "/" else path
