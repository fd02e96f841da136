"""Writing runs as Parquet that anybody can read, with everything it takes to bring them back.

    plan        which runs, cut into chunks       kept below _progress, so that one can go on
    unit        one table of one chunk            one file, renamed into place when it is whole
    manifest    what there is, with digests       last: an export that has one is complete

Of each chunk the watermarks are read first and the points last: what is written while a run goes on has
every row that its watermarks promise.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from weir._export_manifest import MANIFEST, FileRecord, Manifest, RunRecord, total_bytes
from weir._export_patience import patiently
from weir._export_place import Place, put_text
from weir._export_rows import sha256_of, write_parquet
from weir._version import __version__
from weir.errors import UsageError
from weir_proto.v1 import export_pb2 as pb

if TYPE_CHECKING:
    from weir._api import Api

CHUNK_RUNS: Final = 50
PROGRESS: Final = "_progress"
_PLAN: Final = f"{PROGRESS}/plan.json"
_RUNS: Final = "runs"
_MOST_RUNS: Final = 1_000  # that one question may name

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some runs of a project that share files."""

    number: int
    project: str
    run_ids: tuple[str, ...]
    is_whole: bool = False  # all that the project has, whatever its runs; of artifacts only


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written."""

    asked: tuple[str, ...]  # as people said it, sorted
    artifacts: bool
    chunks: tuple[Chunk, ...]
    whole_projects: tuple[str, ...]

    def shelves(self) -> Iterator[Chunk]:
        """Yield what artifacts are taken by: each project once, so that none is written twice."""
        by_project: dict[str, list[str]] = {project: [] for project in self.whole_projects}
        for chunk in self.chunks:
            by_project.setdefault(chunk.project, []).extend(chunk.run_ids)
        for number, (project, ids) in enumerate(sorted(by_project.items())):
            is_whole = project in self.whole_projects or len(ids) > _MOST_RUNS
            yield Chunk(number, project, () if is_whole else tuple(ids), is_whole)


@dataclass(frozen=True, slots=True)
class Unit:
    """One table of one chunk, as it was written."""

    file: FileRecord | None  # None: no rows
    by_run: dict[str, int] = field(default_factory=dict)
    born: dict[str, int] = field(default_factory=dict)


def export(
    api: "Api",
    targets: Sequence[str],
    place: Place,
    *,
    artifacts: bool = False,
    say: Say = lambda _: None,
) -> Manifest:
    """Write runs to a place; one that was broken off is gone on with.

    Args:
        api: Whom to ask.
        targets: Projects and `project/run_id`s; none = every project one may see.
        place: Where to.
        artifacts: Whether to write artifacts, media and files of runs with their bytes.
        say: Told what is done.

    Raises:
        UsageError: There is an export already, or one of something else was begun there.
        TransportError: The server is away, or refuses; the same call goes on later.
    """
    if place.read(MANIFEST) is not None:
        raise UsageError("there is a complete export already", hint="choose another place")
    plan = _plan(api, targets, place, artifacts=artifacts)
    listed = api._transport.list_export_tables().tables
    tables = [each.name for each in listed if not each.of_artifacts]
    of_artifacts = [each.name for each in listed if each.of_artifacts] if artifacts else []
    units: dict[tuple[str, int], Unit] = {}
    for chunk in plan.chunks:
        for table in reversed(tables):
            units[table, chunk.number] = _written(api, chunk, table, place)
        rows = sum(u.file.rows for (_, n), u in units.items() if n == chunk.number and u.file)
        say(f"{chunk.project}: {len(chunk.run_ids)} runs, {rows} rows")
    blobs: list[FileRecord] = []
    for shelf in plan.shelves() if artifacts else ():
        from weir._export_blobs import write_blobs

        for table in of_artifacts:
            units[table, shelf.number] = _written(api, shelf, table, place)
        found = write_blobs(api, shelf, place)
        blobs += found
        say(f"{shelf.project}: {len(found)} blobs, {total_bytes(found)} bytes")
    manifest = Manifest(
        tables=tuple(tables),
        artifact_tables=tuple(of_artifacts),
        runs=tuple(_runs(plan, units, tables)),
        files=(*(unit.file for unit in units.values() if unit.file), *blobs),
        artifacts=artifacts,
        weir_version=__version__,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    put_text(place, MANIFEST, manifest.as_text())
    place.remove(PROGRESS)
    return manifest


# ── which runs ─────────────────────────────────────────────────────────────


def _plan(api: "Api", targets: Sequence[str], place: Place, *, artifacts: bool) -> Plan:
    """Return the plan that was made when the export was begun, or a new one."""
    asked = tuple(sorted(set(targets)))
    begun = place.read(_PLAN)
    if begun is not None:
        told = json.loads(begun)
        if (tuple(told["asked"]), told["artifacts"]) != (asked, artifacts):
            raise UsageError(
                "an export of something else was begun there",
                hint="choose another place, or remove it",
            )
        chunks = tuple(
            Chunk(c["number"], c["project"], tuple(c["run_ids"])) for c in told["chunks"]
        )
        return Plan(asked, artifacts, chunks, tuple(told["whole_projects"]))
    whole = [each for each in asked if "/" not in each]
    if not asked:
        whole = [each.name for each in api.projects()]
    runs = {(run.project, run.id) for project in whole for run in _all_runs(api, project)}
    runs |= set(_with_ancestors(api, [each for each in asked if "/" in each]))
    chunks = tuple(_chunks(runs, whole))
    if not chunks and not whole:
        raise UsageError("there is nothing to export", hint="weir projects lists what there is")
    plan = Plan(asked, artifacts, chunks, tuple(whole))
    put_text(place, _PLAN, json.dumps(asdict(plan)))
    return plan


def _all_runs(api: "Api", project: str) -> Iterator[Any]:
    found = 0
    for run in api.runs(project, order_by="created"):
        found += 1
        yield run
    if not found and project not in {each.name for each in api.projects()}:
        raise UsageError(f"there is no project {project!r}", hint="weir projects lists them")


def _with_ancestors(api: "Api", paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield runs, and those they were forked from: they show rows of theirs."""
    seen: set[str] = set()
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        run = api.run(path)
        yield run.project, run.id
        if run.parent:
            waiting.append(run.parent)


def _chunks(runs: Iterable[tuple[str, str]], whole: Sequence[str]) -> Iterator[Chunk]:
    by_project: dict[str, list[str]] = {project: [] for project in whole}
    for project, run_id in sorted(runs):
        by_project.setdefault(project, []).append(run_id)
    number = 0
    for project, ids in sorted(by_project.items()):
        for first in range(0, len(ids), CHUNK_RUNS):
            yield Chunk(number, project, tuple(ids[first : first + CHUNK_RUNS]))
            number += 1


def _runs(
    plan: Plan, units: dict[tuple[str, int], Unit], tables: Sequence[str]
) -> Iterator[RunRecord]:
    for chunk in plan.chunks:
        born = units[_RUNS, chunk.number].born
        for run_id in chunk.run_ids:
            if run_id in born:  # else it was deleted meanwhile
                counts = {t: units[t, chunk.number].by_run.get(run_id, 0) for t in tables}
                rows = {table: count for table, count in counts.items() if count}
                yield RunRecord(chunk.project, run_id, born[run_id], rows)


# ── one table of one chunk ─────────────────────────────────────────────────


def _written(api: "Api", chunk: Chunk, table: str, place: Place) -> Unit:
    """Return a unit that was written before, or write it."""
    note = f"{PROGRESS}/{table}-{chunk.number:05}.json"
    told = place.read(note)
    if told is not None:
        noted = json.loads(told)
        file = FileRecord(**noted["file"]) if noted["file"] else None
        return Unit(file, noted["by_run"], noted["born"])
    request = request_for(table, chunk)
    path = f"{table}/{chunk.number:05}.parquet"
    unit = _write(api, request, path, place)
    put_text(place, note, json.dumps(asdict(unit)))
    return unit


def request_for(table: str, chunk: Chunk) -> pb.ReadRowsRequest:
    """Return the question for the rows of a table."""
    return pb.ReadRowsRequest(
        table=table, project=chunk.project, run_ids=chunk.run_ids, whole_project=chunk.is_whole
    )


def _write(api: "Api", request: pb.ReadRowsRequest, path: str, place: Place) -> Unit:
    local = place.new_file()
    births = request.table == _RUNS
    written = patiently(
        lambda: write_parquet(api._transport.read_rows(request), local, births=births)
    )
    if not written.rows:
        local.unlink()
        return Unit(None)
    size_bytes, sha256 = local.stat().st_size, sha256_of(local)
    file = FileRecord(path, request.table, written.rows, size_bytes, sha256)
    place.put(local, path)
    return Unit(file, dict(written.by_run), written.born)
