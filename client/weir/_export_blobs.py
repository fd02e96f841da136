"""Bytes of artifacts, media and files of runs: out of the object store, and into it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from weir._api_tables import read_arrow
from weir._artifacts.download import Downloader
from weir._artifacts.manifest import ManifestFile
from weir._clock import SystemClock
from weir._export import Chunk, request_for
from weir._export_manifest import FileRecord
from weir._export_place import Place
from weir._settings import Settings
from weir._spool import Outbox, SpoolDir
from weir.agent._uploads.journal import Journal
from weir.agent._uploads.progress import Progress
from weir.agent._uploads.putting import Putter
from weir.agent._uploads.sending import Sender
from weir.agent._uploads.source import Source
from weir.agent._uploads.stopping import Stopping
from weir.agent._uploads.throttle import Throttle

if TYPE_CHECKING:
    from weir._api import Api

BLOBS: Final = "blobs"
_BATCH_BYTES: Final = 1 << 30
_BATCH_FILES: Final = 1_000


def write_blobs(api: "Api", chunk: Chunk, place: Place) -> list[FileRecord]:
    """Write the bytes that runs and artifacts name; those that are there are left alone."""
    named = read_arrow(api._transport.read_rows(request_for(BLOBS, chunk))).to_pylist()
    files = [
        FileRecord(
            path_of(chunk.project, each["sha256"]),
            "",
            0,
            each["size"],
            each["sha256"],
            chunk.project,
        )
        for each in named
    ]
    missing = [file for file in files if not _is_there(place, file)]
    downloader = Downloader(api.artifacts_transport, chunk.project, cache=None)
    for batch in _batches(missing):
        with TemporaryDirectory(prefix="weir-blobs-") as folder:
            wanted = [ManifestFile(f.sha256, f.sha256, f.size_bytes, "") for f in batch]
            downloader.fetch(wanted, Path(folder), lambda _: None)
            for file in batch:
                _put(place, Path(folder) / file.sha256, file.path)
    return files


def send_blobs(api: "Api", place: Place, project: str, files: Sequence[FileRecord]) -> None:
    """Bring bytes into the store of a project; those that are there are not sent.

    Raises:
        TransportError: The server or the store is away, or refuses.
    """
    settings, clock, stopping = Settings.load(), SystemClock(), Stopping()
    with (
        TemporaryDirectory(prefix="weir-import-") as folder,
        ThreadPoolExecutor(settings.upload_threads, "weir-upload") as pool,
    ):
        putter = Putter(
            settings.upload_threads, Throttle(settings.upload_mb_per_s * 1e6, clock, stopping)
        )
        sender = Sender(
            api.artifacts_transport,
            project,
            pool=pool,
            putter=putter,
            stopping=stopping,
            clock=clock,
        )
        outbox = Outbox(SpoolDir(Path(folder)))
        for number, batch in enumerate(_batches(files), 1):
            with ExitStack() as lent:
                sources = [_source(lent, place, file) for file in batch]
                sender.bring(sources, Journal(outbox.journal_path(number)), Progress(outbox, clock))
        putter.close()


def path_of(project: str, sha256: str) -> str:
    """Return where a blob lies in an export: projects share nothing, as in the object store."""
    return f"{BLOBS}/{_safe(project)}/{sha256[:2]}/{sha256}"


def _safe(project: str) -> str:
    """Return a project's name as a folder's, each name its own."""
    from urllib.parse import quote

    return quote(project, safe=" ").replace(".", "%2E")


def _source(lent: ExitStack, place: Place, file: FileRecord) -> Source:
    path = lent.enter_context(place.local(file.path))
    return Source(file.sha256, path, file.size_bytes, 0, file.sha256)


def _is_there(place: Place, file: FileRecord) -> bool:
    try:
        with place.local(file.path) as path:
            return path.stat().st_size == file.size_bytes
    except FileNotFoundError:
        return False


def _put(place: Place, written: Path, name: str) -> None:
    import shutil

    local = place.new_file()
    shutil.move(written, local)
    place.put(local, name)


def _batches(files: Sequence[FileRecord]) -> Iterator[list[Any]]:
    batch: list[FileRecord] = []
    size_bytes = 0
    for file in files:
        if batch and (size_bytes + file.size_bytes > _BATCH_BYTES or len(batch) >= _BATCH_FILES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(file)
        size_bytes += file.size_bytes
    if batch:
        yield batch
