"""All that is known of one run, in plain values: what `weir reproduce` and `weir diff` work on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from weir._speak import log
from weir.errors import WeirError

if TYPE_CHECKING:
    from weir._api_run import RunView

PATCH_PATH: Final = "code/diff.patch"
REQUIREMENTS_PATH: Final = "environment/requirements.txt"
UNTRACKED_PATH: Final = "code/untracked.txt"
CONDA_PATH: Final = "environment/conda.txt"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run.

    Attributes:
        path: `project/run_id`.
        about: Name, state, tags and the like.
        config: By path, `optimizer.lr`.
        summary: What it came to, by metric or path.
        meta: Facts by path (docs/formats/inputs.md).
        files: Run files by path: what the server knows of them (`sha256`, `size`, `mime`).
        contents: Bytes of those that were fetched.
    """

    path: str
    about: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    contents: Mapping[str, bytes] = field(default_factory=dict)

    def text(self, path: str) -> str:
        """Return the content of a run file as text; "" when it was not fetched."""
        return self.contents.get(path, b"").decode(errors="surrogateescape")


def record_of(view: "RunView", fetch: tuple[str, ...] = ()) -> RunRecord:
    """Return the record of a run, with the content of the files named in `fetch` that it has.

    A file that cannot be fetched is left out of `contents`, and stays in `files`.
    """
    files = {path: value for path, value in view.files.items() if isinstance(value, Mapping)}
    contents = _read_files(view, {path: files[path] for path in fetch if path in files})
    about = {
        name: getattr(view, name)
        for name in ("name", "group", "job_type", "user", "notes", "state", "tags", "world_size")
    }
    return RunRecord(view.path, about, view.config, view.summary, view.meta, files, contents)


def _read_files(view: "RunView", files: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """Return the bytes of run files; without those that the server does not give now."""
    from weir._artifacts.asking import DirectAsker
    from weir._artifacts.manifest import ManifestFile

    asker = DirectAsker(view._api.artifacts_transport)
    contents = {}
    with TemporaryDirectory(prefix="weir-") as folder:
        for number, (path, told) in enumerate(files.items()):
            # a name of ours: the path was chosen by whoever wrote the run
            file = ManifestFile(f"{number}", str(told.get("sha256", "")), int(told.get("size", 0)))
            try:
                asker.fetch(view.project, [file], Path(folder))
                contents[path] = Path(folder, f"{number}").read_bytes()
            except (WeirError, OSError) as error:
                log.warning("weir: %s of %s cannot be fetched: %s", path, view.path, error)
    return contents
