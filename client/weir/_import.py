"""Bringing an export back: checked as a whole before the first row is written.

    look      every file is what the manifest says     a changed one is named, and nothing happens
    meet      no run here is another one of that id    or is renamed; nothing is overwritten
    write     bytes, artifacts, then runs              watermarks last of all, so a run that is seen is whole

Any step may be repeated: the same rows again are the same rows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from weir._api_tables import import_late
from weir._export_manifest import MANIFEST, FileRecord, Manifest, RunRecord, total_bytes
from weir._export_patience import patiently
from weir._export_place import Place
from weir._export_rows import read_pieces, sha256_of
from weir.errors import NotAsStored, UsageError
from weir_proto.v1 import export_pb2 as pb
from weir_proto.v1 import runs_pb2

if TYPE_CHECKING:
    from weir._api import Api

_AT_ONCE: Final = 500
_UNDER_WAY: Final = 3  # pieces that are written while the next is read
_VERSIONS: Final = "artifact_versions"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called where they are brought to.

    Attributes:
        project: Of everything; None = as it was.
        suffix: Put behind the id of every run.
    """

    project: str | None = None
    suffix: str = ""

    def run(self, run: RunRecord) -> tuple[str, str]:
        """Return project and id of a run."""
        return self.project or run.project, run.run_id + self.suffix

    @property
    def columns(self) -> dict[str, str | None]:
        """What to call the projects of each column."""
        return {"project": self.project, "artifact_project": self.project}


def import_export(
    api: "Api",
    place: Place,
    *,
    project: str | None = None,
    rename_runs: str = "",
    say: Say = lambda _: None,
) -> Manifest:
    """Bring an export back; twice is once.

    Args:
        api: Whom to bring it to; needs the role admin.
        place: Where the export lies.
        project: What to call the project; for exports of one project.
        rename_runs: Put behind the id of every run.
        say: Told what is done.

    Raises:
        NotAsStored: A file is not what was written, or is missing; it is named.
        UsageError: A run of that id is here already and is another one, or was deleted here.
        TransportError: The server is away, or refuses; the same call goes on.
    """
    manifest = read_manifest(place)
    names = Names(project, rename_runs)
    _check_projects(manifest, project)
    check_files(place, manifest, say)
    _meet_runs(api, manifest, names)
    _meet_versions(api, place, manifest, names)
    _bring_blobs(api, place, manifest, names, say)
    for table in (*manifest.artifact_tables, *manifest.tables):
        _write_table(api, place, manifest, table, names, say)
    return manifest


def read_manifest(place: Place) -> Manifest:
    """Return what an export says of itself. Raises `NotAsStored`."""
    content = place.read(MANIFEST)
    if content is None:
        raise NotAsStored(
            f"there is no {MANIFEST}", hint="the export was not completed: go on with it"
        )
    try:
        return Manifest.from_text(content.decode())
    except UnicodeDecodeError as error:
        raise NotAsStored(f"{MANIFEST} is no text") from error


def check_files(place: Place, manifest: Manifest, say: Say) -> None:
    """Raise `NotAsStored` unless every file is there and is what was written."""
    for file in manifest.files:
        try:
            with place.local(file.path) as path:
                size_bytes = path.stat().st_size
                whole = size_bytes == file.size_bytes and sha256_of(path) == file.sha256
        except FileNotFoundError as error:
            raise NotAsStored(f"{file.path} is missing") from error
        if not whole:
            raise NotAsStored(f"{file.path} is not what was exported", hint="nothing was imported")
    say(f"{len(manifest.files)} files, {total_bytes(manifest.files)} bytes: as they were written")


def _check_projects(manifest: Manifest, project: str | None) -> None:
    projects = {run.project for run in manifest.runs}
    if project is not None and len(projects) > 1:
        raise UsageError(
            f"the export has {len(projects)} projects",
            hint="--project can name one; leave it out, or export them apart",
        )


# ── what is there already ──────────────────────────────────────────────────


def _meet_runs(api: "Api", manifest: Manifest, names: Names) -> None:
    others, deleted = [], []
    for first in range(0, len(manifest.runs), _AT_ONCE):
        some = manifest.runs[first : first + _AT_ONCE]
        request = pb.MeetRunsRequest(
            runs=[
                pb.RunIdentity(
                    run=runs_pb2.RunRef(project=project, run_id=run_id),
                    created_unix_us=run.created_unix_us,
                )
                for run in some
                for project, run_id in [names.run(run)]
            ]
        )
        for run, met in zip(some, api._transport.meet_runs(request).runs, strict=True):
            if met.found == pb.MetRun.OTHER:
                others.append("/".join(names.run(run)))
            elif met.found == pb.MetRun.DELETED:
                deleted.append("/".join(names.run(run)))
    hint = "nothing was imported; --rename-runs SUFFIX gives the runs other ids"
    if others:
        raise UsageError(f"{_some(others)}: another run has this id here", hint=hint)
    if deleted:
        raise UsageError(f"{_some(deleted)}: was deleted here", hint=hint)


def _meet_versions(api: "Api", place: Place, manifest: Manifest, names: Names) -> None:
    others: list[str] = []
    for some in _versions(place, manifest, names):
        request = pb.MeetVersionsRequest(versions=some)
        others += [
            f"{each.project}/{each.name}:v{each.version}"
            for each in api._transport.meet_versions(request).others
        ]
    if others:
        raise UsageError(
            f"{_some(others)}: another artifact has this number here",
            hint="nothing was imported; --project brings everything to another project",
        )


def _versions(place: Place, manifest: Manifest, names: Names) -> Iterator[list[pb.VersionIdentity]]:
    pq = import_late("pyarrow.parquet")
    columns = ["project", "name", "version", "digest"]
    for file in manifest.files_of(_VERSIONS):
        with place.local(file.path) as path, pq.ParquetFile(path) as parquet:
            for batch in parquet.iter_batches(_AT_ONCE, columns=columns):
                yield [
                    pb.VersionIdentity(**{**row, "project": names.project or row["project"]})
                    for row in batch.to_pylist()
                ]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


# ── writing ────────────────────────────────────────────────────────────────


def _bring_blobs(api: "Api", place: Place, manifest: Manifest, names: Names, say: Say) -> None:
    by_project: dict[str, list[FileRecord]] = defaultdict(list)
    for file in manifest.blobs():
        by_project[names.project or file.project].append(file)
    for project, files in sorted(by_project.items()):
        from weir._export_blobs import send_blobs

        send_blobs(api, place, project, files)
        say(f"{project}: {len(files)} blobs, {total_bytes(files)} bytes")


def _write_table(
    api: "Api", place: Place, manifest: Manifest, table: str, names: Names, say: Say
) -> None:
    """Write a table; when this returns, every row of it is stored."""
    rows = 0
    with ThreadPoolExecutor(_UNDER_WAY, "weir-import") as pool:
        under_way: list[Future[int]] = []
        for file in manifest.files_of(table):
            with place.local(file.path) as path:
                for data, _ in read_pieces(path, names.columns, names.suffix):
                    under_way.append(pool.submit(_write, api, table, data))
                    if len(under_way) >= _UNDER_WAY:
                        rows += under_way.pop(0).result()
        rows += sum(each.result() for each in under_way)
    if rows != manifest.rows()[table]:
        raise NotAsStored(f"{table}: {rows} rows of {manifest.rows()[table]} were taken")
    if rows:
        say(f"{table}: {rows} rows")


def _write(api: "Api", table: str, data: bytes) -> int:
    request = pb.WriteRowsRequest(table=table, data=data)
    return patiently(lambda: api._transport.write_rows(request))
