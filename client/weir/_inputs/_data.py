"""One file or folder a run uses: what it is, its fingerprint, and what DVC and Git-LFS say of it."""

from pathlib import Path
from typing import Any, Final

from weir._data_fingerprint import Fingerprint, Memory, fingerprint
from weir._data_pointers import dvc_entry, lfs_pointer
from weir._inputs._report import Findings
from weir._inputs._request import Request
from weir._redact import Redactor

_MAX_MANIFEST_BYTES: Final = 16 << 20
_MEMORY_NAME: Final = "fingerprints.json"


def collect_data(request: Request, redactor: Redactor) -> Findings:
    """Return `data/<name>/…`, and of a folder its manifest as a run file."""
    name, path = str(request.options["name"]), Path(str(request.options["path"]))
    findings = Findings()

    def tell(key: str, value: Any) -> None:
        findings.facts[f"data/{name}/{key}"] = value

    for key, value in dvc_entry(path).items():
        tell(f"dvc/{key}", value)
    if not path.exists():
        tell("problem", "it is not there")
        return findings
    if pointer := lfs_pointer(path):
        tell("lfs/oid", f"sha256:{pointer['oid']}")
        tell("lfs/size_bytes", pointer["size"])
        tell("problem", "a Git-LFS pointer, its content was not fetched")
    memory = Memory.load(Path(request.spool_path).parents[2] / _MEMORY_NAME)
    try:
        found = fingerprint(path, memory)
    except OSError as error:
        tell("problem", redactor.text(f"cannot be read: {error}"))
        return findings
    memory.save()
    tell("kind", "directory" if path.is_dir() else "file")
    tell("fingerprint", found.digest)
    tell("fingerprint_of", found.of)
    tell("size_bytes", found.size_bytes)
    tell("files", found.files)
    tell("modified_unix_s", path.stat().st_mtime)
    _add_manifest(findings, name, found)
    return findings


def _add_manifest(findings: Findings, name: str, found: Fingerprint) -> None:
    text = "".join(f"{line}\n" for line in found.manifest).encode(errors="replace")
    if text and len(text) <= _MAX_MANIFEST_BYTES:
        findings.files[f"data/{name}/manifest.jsonl"] = text
