"""Bringing files to the store: hash, ask what is missing, PUT, have it checked."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from weir._clock import Clock
from weir.agent._transport import ArtifactsTransport
from weir.agent._uploads.job import Job
from weir.agent._uploads.journal import Begun, Journal
from weir.agent._uploads.progress import Progress
from weir.agent._uploads.putting import AddressRefused, Putter, UploadGone
from weir.agent._uploads.source import Fingerprint, Source, SourceLost, fingerprint
from weir.agent._uploads.stopping import Stopped, Stopping
from weir.errors import Rejected, Unavailable
from weir_proto.v1 import artifacts_pb2 as pb

T = TypeVar("T")

_BATCH_FILES: Final = 500  # of 1 000 that one question may hold: two are under way at once
_FIRST_FILES: Final = 64  # nothing is sent while they are hashed; each next batch is twice as large
_BATCH_BYTES: Final = 4 << 30
_USUAL_PART_BYTES: Final = 64 << 20  # of the server's own default; others are learnt
# Making one object of many parts may mean copying it.
_FINISH_TIMEOUT_S: Final = 120.0
_FINISH_BYTES_PER_S: Final = 20e6
_GONE: Final = frozenset({"NOT_FOUND", "FAILED_PRECONDITION", "INVALID_ARGUMENT"})


class Sender:
    """Brings files of one project to one server's store. Used by one lane at a time per call.

    Args:
        transport: Asks the server.
        project: Whose the blobs are.
        pool: Threads that hash and send.
        putter: Sends parts.
        stopping: Ends everything.
        clock: Tells when.
    """

    def __init__(
        self,
        transport: ArtifactsTransport,
        project: str,
        *,
        pool: ThreadPoolExecutor,
        putter: Putter,
        stopping: Stopping,
        clock: Clock,
    ) -> None:
        self.transport = transport
        self.project = project
        self._pool = pool
        self._putter = putter
        self._stopping = stopping
        self._clock = clock
        self._part_bytes = _USUAL_PART_BYTES

    def bring(
        self, sources: Sequence[Source], journal: Journal, progress: Progress
    ) -> list[Fingerprint]:
        """Return when the bytes of every file are in the store, checked; what they are, as given.

        While one batch is sent, the one before it is checked and the one behind it hashed. Memory
        is bounded by the threads' chunks.

        Raises:
            SourceLost: A file is not what was ordered.
            Unavailable: Something did not work that may work later; the journal knows what did.
            TransportError: The server refuses.
            Stopped: We were asked to stop.
        """
        batches = list(_batches(sources))
        prints: list[Fingerprint] = []
        taken: set[str] = set()  # blobs that are there, or on their way
        hashing = self._begin_hashing(batches[0], journal) if batches else []
        before, puts = _Batch(), _Batch()
        try:
            for n, batch in enumerate(batches):
                found = _results(hashing)
                files = list(zip(batch, found, strict=True))
                puts = self._begin_sending(
                    self._prepare(files, taken, journal, progress), journal, progress
                )
                hashing = self._begin_hashing(batches[n + 1], journal) if batches[n + 1 :] else []
                self._complete(before, journal)
                before, puts = puts, _Batch()
                prints += found
            self._complete(before, journal)
        except BaseException:
            _abandon([*before.puts, *puts.puts, *hashing])
            raise
        return prints

    def _begin_sending(self, jobs: list[Job], journal: Journal, progress: Progress) -> "_Batch":
        puts = [
            self._pool.submit(self._put, job, number, journal, progress)
            for job in jobs
            for number in job.missing()
        ]
        return _Batch(jobs, puts)

    def _complete(self, batch: "_Batch", journal: Journal) -> None:
        """Wait until all parts of a batch have gone, and have them made into blobs."""
        _results(batch.puts)
        self._finish(batch.jobs, journal)

    # ── hashing ────────────────────────────────────────────────────────────

    def _begin_hashing(
        self, batch: Sequence[Source], journal: Journal
    ) -> "list[Future[Fingerprint]]":
        return [self._pool.submit(self._hash, source, journal) for source in batch]

    def _hash(self, source: Source, journal: Journal, part_bytes: int | None = None) -> Fingerprint:
        self._stopping.check()
        part_bytes = part_bytes or self._part_bytes
        found = journal.fingerprint(source, part_bytes)
        if found is None:
            found = fingerprint(source, part_bytes, self._stopping)
            journal.note_hashed(source, found)
        return found

    # ── what is missing ────────────────────────────────────────────────────

    def _prepare(
        self,
        files: list[tuple[Source, Fingerprint]],
        taken: set[str],
        journal: Journal,
        progress: Progress,
    ) -> list[Job]:
        """Return the blobs to send; each once, however many files have its bytes."""
        jobs: list[Job] = []
        fresh: dict[str, tuple[Source, Fingerprint]] = {}
        for source, found in files:
            if found.sha256 in taken or journal.is_stored(found.sha256):
                progress.passed(found.size_bytes)
            elif (job := self._resume(source, found, journal)) is not None:
                jobs.append(job)
            else:
                fresh[found.sha256] = (source, found)
            taken.add(found.sha256)
        jobs += self._ask_for(fresh, journal, progress)
        for job in jobs:
            progress.passed(sum(job.span(number)[1] for number in job.arrived))
        return jobs

    def _ask_for(
        self,
        fresh: dict[str, tuple[Source, Fingerprint]],
        journal: Journal,
        progress: Progress,
    ) -> list[Job]:
        if not fresh:
            return []
        blobs = [
            pb.Blob(sha256=found.sha256, size_bytes=found.size_bytes) for _, found in fresh.values()
        ]
        request = pb.PrepareBlobsRequest(project=self.project, blobs=blobs)
        answer = self.transport.ask("PrepareBlobs", request)
        stored, jobs = [], []
        for upload in answer.uploads:
            source, found = fresh[upload.sha256]
            if upload.exists:
                stored.append(found.sha256)
                progress.passed(found.size_bytes)
                continue
            job = self._job(source, found, Begun(upload.upload_id, upload.part_bytes), journal)
            job.learn(list(upload.urls), answer.expires_unix_us)
            if upload.upload_id:
                journal.note_begun(found.sha256, Begun(upload.upload_id, upload.part_bytes))
            jobs.append(job)
        journal.note_stored(stored)
        return jobs

    def _resume(self, source: Source, found: Fingerprint, journal: Journal) -> Job | None:
        """Go on with an upload that was begun; None when there is none, or none any more."""
        begun = journal.begun(found.sha256)
        if begun is None:
            return None
        job = self._job(source, found, begun, journal)
        request = pb.PartUrlsRequest(
            project=self.project,
            blob=job.blob,
            upload_id=begun.upload_id,
            part_bytes=begun.part_bytes,
        )
        try:
            arrived = self.transport.ask("PartUrls", request).arrived
        except Rejected as error:
            if error.code not in _GONE:
                raise
            journal.note_ended(found.sha256)
            return None
        job.arrived = {
            number
            for number, md5 in enumerate(job.print.md5s, 1)
            if arrived.get(number, "").strip('"').lower() == md5
        }
        return job

    def _job(self, source: Source, found: Fingerprint, begun: Begun, journal: Journal) -> Job:
        """Make a job whose digests are of the parts that the server wants."""
        wanted_bytes = begun.part_bytes if begun.upload_id else max(1, found.size_bytes)
        if begun.part_bytes:
            self._part_bytes = begun.part_bytes
        whole = not begun.upload_id and len(found.md5s) == 1
        if not whole and found.part_bytes != wanted_bytes:
            found = self._hash(source, journal, wanted_bytes)
        return Job(self.project, source, found, begun.upload_id, begun.part_bytes, self._clock)

    # ── sending ────────────────────────────────────────────────────────────

    def _put(self, job: Job, number: int, journal: Journal, progress: Progress) -> None:
        """Send one part. What the store says it got has to be what we hashed."""
        self._stopping.check()
        try:
            etag = self._put_to(job, number, progress, renew=False)
        except AddressRefused:
            etag = self._put_to(job, number, progress, renew=True)
        except UploadGone:
            journal.note_ended(job.print.sha256)
            raise
        if etag is not None and etag != job.print.md5s[number - 1]:
            raise Unavailable(f"{job.source.name}: part {number} did not arrive as it was sent")

    def _put_to(self, job: Job, number: int, progress: Progress, *, renew: bool) -> str | None:
        url = job.url(self.transport, number, renew=renew)
        first, length = job.span(number)
        if not url:  # the blob is there by now
            progress.passed(length)
            return None
        return self._putter.put(url, job.source, first, length, progress.passed)

    def _finish(self, jobs: list[Job], journal: Journal) -> None:
        if not jobs:
            return
        request = pb.FinishBlobsRequest(
            project=self.project, blobs=[job.finished() for job in jobs]
        )
        size_bytes = sum(job.print.size_bytes for job in jobs)
        timeout_s = _FINISH_TIMEOUT_S + size_bytes / _FINISH_BYTES_PER_S
        problems = self.transport.ask("FinishBlobs", request, timeout_s=timeout_s).problems
        told = list(zip(jobs, problems, strict=True))
        journal.note_stored([job.print.sha256 for job, problem in told if not problem])
        bad = [(job, problem) for job, problem in told if problem]
        for job, _ in bad:
            journal.forget(job.print.sha256)
        if bad:
            job, problem = bad[0]
            raise NotWhole(f"{job.source.name}: {problem}")


class NotWhole(Unavailable):
    """What was sent did not arrive as it was sent; it is to be read and sent again."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Blobs that are being sent together."""

    jobs: list[Job] = field(default_factory=list)
    puts: "list[Future[None]]" = field(default_factory=list)


def _batches(sources: Sequence[Source]) -> Iterator[list[Source]]:
    batch: list[Source] = []
    most, size_bytes = _FIRST_FILES, 0
    for source in sources:
        full = len(batch) >= most or size_bytes + source.size_bytes > _BATCH_BYTES
        if batch and full:
            yield batch
            batch, size_bytes, most = [], 0, min(2 * most, _BATCH_FILES)
        batch.append(source)
        size_bytes += source.size_bytes
    if batch:
        yield batch


def _results(futures: "Sequence[Future[T]]") -> list[T]:
    """Return all results; when one failed, let go of those not begun, and raise what matters most."""
    wait(futures, return_when="FIRST_EXCEPTION")
    failed = [f for f in futures if f.done() and not f.cancelled() and f.exception()]
    if failed:
        _abandon(futures)
        errors: list[Any] = [f.exception() for f in futures if not f.cancelled() and f.exception()]
        raise min(errors, key=_weight)
    return [future.result() for future in futures]


def _abandon(futures: "Sequence[Future[Any]]") -> None:
    """Take back what has not begun, and wait for what has: it uses what we are about to close."""
    for future in futures:
        future.cancel()
    wait(futures)


def _weight(error: BaseException) -> int:
    if isinstance(error, SourceLost):
        return 0
    return 1 if isinstance(error, Stopped) else 2
