"""A copy of the code, as an artifact of type `code`: what git knows and what it does not ignore."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any, Final

from weir._inputs._patch import is_withheld
from weir._inputs._report import Findings
from weir._inputs._repository import NoRepository, Repository, split_nul, without_spool
from weir._inputs._request import Request
from weir._redact import Redactor
from weir._spool import Outbox, SpoolDir

INCLUDE: Final = (
    *("*.py", "*.pyi", "*.ipynb", "*.sh", "*.yaml", "*.yml", "*.toml", "*.json", "*.cfg", "*.ini"),
    *("*.md", "*.txt", "*.cu", "*.cuh", "*.c", "*.cc", "*.cpp", "*.h", "*.hpp", "*.rs", "*.jl"),
    *("Dockerfile*", "Makefile", "*.mk", "*.sql", "*.proto"),
)
EXCLUDE: Final = ("*.min.js", "*.lock")
_SKIPPED_FOLDERS: Final = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "__pycache__",
        "node_modules",
        ".venv",
        "venv",
        ".weir",
        "wandb",
        "mlruns",
    }
)
_MAX_FILES: Final = 5_000
_MAX_FILE_BYTES: Final = 4 << 20
_MAX_BYTES: Final = 64 << 20


def collect_code(request: Request, redactor: Redactor) -> Findings:
    """Copy the code as it is now into the outbox, and order it to be made an artifact.

    Secrets are masked in the copy. Files over 4 MiB, and what goes beyond 5 000 files or 64 MiB,
    are left out and counted.
    """
    options = request.options
    root = Path(request.directory or ".", str(options.get("root", "") or _default_root(request)))
    include = tuple(options.get("include") or INCLUDE)
    exclude = tuple(options.get("exclude") or ()) + EXCLUDE
    name = str(options.get("name") or _artifact_name(request))
    files, left_out = _copy(root.resolve(), include, exclude, request, redactor)
    findings = Findings()
    if left_out:
        findings.problem("code", f"{left_out} files are not in the copy: too many, or too large")
    if not files:
        findings.problem("code", f"no file below {root} is wanted")
        return findings
    lines = "".join(f"{each['sha256']} {each['path']}\n" for each in files)
    digest = hashlib.sha256(lines.encode()).hexdigest()
    total_bytes = sum(each["size"] for each in files)
    findings.facts = {
        **findings.facts,
        "code/artifact": name,
        "code/root": str(root),
        "code/files": len(files),
        "code/bytes": total_bytes,
        "code/digest": f"sha256:{digest}",
    }
    findings.orders.append(
        {
            "order": "artifact",
            "name": name,
            "type": "code",
            "description": "",
            "metadata": {"root": str(root), "files": len(files), "digest": f"sha256:{digest}"},
            "aliases": [],
            "tags": [],
            "ttl_s": 0,
            "files": files,
            "references": [],
        }
    )
    return findings


def _copy(
    root: Path, include: Iterable[str], exclude: Iterable[str], request: Request, redactor: Redactor
) -> tuple[list[dict[str, Any]], int]:
    """Copy what is wanted to the outbox; returns the artifact's entries, and how many are left out."""
    outbox = Outbox(SpoolDir(Path(request.spool_path)))
    entries: list[dict[str, Any]] = []
    left_out = total_bytes = 0
    for path in without_spool(_list_files(root), root, request):
        if not is_wanted(path, include, exclude):
            continue
        content = _read(root / path)
        if content is None or len(entries) >= _MAX_FILES or total_bytes + len(content) > _MAX_BYTES:
            left_out += 1
            continue
        text = content.decode(errors="surrogateescape")
        content = redactor.text(text).encode(errors="surrogateescape")
        total_bytes += len(content)
        sha256, size_bytes, source = outbox.write_blob(content)
        entry = {"path": path, "source": source, "size": size_bytes, "sha256": sha256}
        entries.append({**entry, "mime": "text/plain"})
    return entries, left_out


def is_wanted(path: str, include: Iterable[str], exclude: Iterable[str]) -> bool:
    """Return whether a file goes into the copy: patterns match its name or its whole path. Pure."""
    name = PurePosixPath(path).name

    def matches(patterns: Iterable[str]) -> bool:
        return any(fnmatch(name, each) or fnmatch(path, each) for each in patterns)

    return matches(include) and not matches(exclude) and not is_withheld(path)


def _list_files(root: Path) -> Iterator[str]:
    """Iterate over paths below root: as git sees them where it does, else all but caches."""
    try:
        repository = Repository.around(root)
        repository.ask("rev-parse", "--git-dir")
        yield from _tracked(repository, root)
    except NoRepository:
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(each for each in folders if each not in _SKIPPED_FOLDERS)
            for name in sorted(names):
                yield (Path(folder, name).relative_to(root)).as_posix()


def _tracked(repository: Repository, root: Path) -> Iterator[str]:
    listing = ("ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", ".")
    process = repository.read("-C", str(root.resolve()), *listing)
    with process:
        assert process.stdout is not None
        yield from dict.fromkeys(split_nul(process.stdout))


def _read(path: Path) -> bytes | None:
    """A file's bytes; None when it is none, is gone, or too large."""
    try:
        if not path.is_file() or path.stat().st_size > _MAX_FILE_BYTES:
            return None
        return path.read_bytes()
    except OSError:
        return None


def _default_root(request: Request) -> str:
    """The working directory; where the script lies elsewhere, that folder."""
    script = Path(request.script)
    if not request.script or script.is_relative_to(request.directory or "/"):
        return "."
    return str(script.parent)


def _artifact_name(request: Request) -> str:
    word = request.module or Path(request.script).stem or "notebook"
    return f"code-{word}"[:100]
