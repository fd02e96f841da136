"""What is not committed, as a patch that `git apply` takes: staged and unstaged, against HEAD."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import IO, Final

from weir._inputs._report import Findings
from weir._inputs._repository import EMPTY_TREE, working_tree_of
from weir._inputs._request import Request
from weir._redact import Redactor

MAX_PATCH_BYTES: Final = 4 << 20
PATCH_PATH: Final = "code/diff.patch"
_MAX_NAMED: Final = 1_000
_WITHHELD: Final = (
    *(".env", ".env.*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.keystore", "id_rsa*"),
    *("id_ed25519*", "id_ecdsa*", ".netrc", ".npmrc", ".pypirc", ".htpasswd", "credentials"),
    *("credentials.*", "secrets.*", "*.secret", "service-account*.json", "kubeconfig"),
)
_HEADER: Final = re.compile(rb"diff --git (?:\"?a/)(.*?)\"? \"?b/")
_BINARY: Final = re.compile(rb"^Binary files .* differ$", re.MULTILINE)


@dataclass(slots=True)
class Patch:
    """A patch and what is not in it.

    Attributes:
        parts: One per file.
        binary: Files whose bytes are not text.
        withheld: Files that are likely to hold nothing but secrets.
        omitted: Files beyond the cap.
        omitted_bytes: What their parts come to.
        masked: Files in which a secret was masked: their part may not apply.
    """

    parts: list[bytes] = field(default_factory=list)
    binary: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    omitted: list[str] = field(default_factory=list)
    omitted_bytes: int = 0
    masked: list[str] = field(default_factory=list)


def collect_patch(request: Request, redactor: Redactor) -> Findings:
    """Return the patch as run file `code/diff.patch` and `git/diff/…` about it."""
    findings = Findings()
    repository = working_tree_of(request)
    if repository is None:
        return findings
    against = "HEAD" if repository.has_commit() else EMPTY_TREE
    process = repository.read(
        *("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative", "--full-index"),
        *("--src-prefix=a/", "--dst-prefix=b/", "--ignore-submodules=all", "--no-renames", against),
    )
    with process:
        assert process.stdout is not None
        patch = build_patch(parts_of(process.stdout), redactor)
    if process.returncode:
        findings.problem("patch", f"git diff ended with {process.returncode}")
    if patch.parts:
        findings.files[PATCH_PATH] = b"".join(patch.parts)
    findings.facts = {**findings.facts, **_facts(patch)}
    return findings


def is_withheld(path: str) -> bool:
    """Return whether a file is likely to hold nothing but secrets: its name is all we record."""
    name = PurePosixPath(path).name
    return any(fnmatch(name, pattern) for pattern in _WITHHELD)


def parts_of(stream: IO[bytes]) -> Iterator[bytes]:
    """Split a diff into the parts of its files. A part over twice the cap comes cut off."""
    part: list[bytes] = []
    size_bytes = 0
    for line in iter(lambda: stream.readline(1 << 20), b""):
        if line.startswith(b"diff --git ") and part:
            yield b"".join(part)
            part, size_bytes = [], 0
        size_bytes += len(line)
        if size_bytes <= 2 * MAX_PATCH_BYTES:
            part.append(line)
    if part:
        yield b"".join(part)


def build_patch(
    parts: Iterable[bytes], redactor: Redactor, max_bytes: int = MAX_PATCH_BYTES
) -> Patch:
    """Sort a diff's parts: what is kept, redacted, and what is only named. Pure."""
    patch = Patch()
    kept_bytes = 0
    for part in parts:
        name = _name(part)
        if b"\n" not in part.rstrip():  # a file that was touched and not changed
            continue
        if is_withheld(name):
            patch.withheld.append(name)
        elif _BINARY.search(part):
            patch.binary.append(name)
        elif kept_bytes + len(part) > max_bytes:
            patch.omitted.append(name)
            patch.omitted_bytes += len(part)
        else:
            clean = _redacted(part, redactor)
            kept_bytes += len(clean)
            patch.parts.append(clean)
            if clean != part:
                patch.masked.append(name)
    return patch


def _redacted(part: bytes, redactor: Redactor) -> bytes:
    """Bytes that are no UTF-8 survive."""
    return redactor.text(part.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _name(part: bytes) -> str:
    found = _HEADER.match(part)
    return found[1].decode(errors="replace") if found else "?"


def _facts(patch: Patch) -> dict[str, object]:
    found: dict[str, object] = {
        "git/diff/files": len(patch.parts),
        "git/diff/bytes": sum(map(len, patch.parts)),
        "git/diff/binary": patch.binary[:_MAX_NAMED],
        "git/diff/withheld": patch.withheld[:_MAX_NAMED],
        "git/diff/omitted": patch.omitted[:_MAX_NAMED],
        "git/diff/omitted_bytes": patch.omitted_bytes,
        "git/diff/masked": patch.masked[:_MAX_NAMED],
    }
    if not (patch.parts or patch.binary or patch.withheld or patch.omitted):
        return {}
    return {path: value for path, value in found.items() if value}
