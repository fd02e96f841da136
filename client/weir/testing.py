"""For tests of training code: run it without a server and read back what it logged.

    from weir.testing import capture

    def test_training_makes_the_loss_fall():
        with capture() as captured:
            train(steps=10)
        assert captured.values("loss")[-1] < captured.values("loss")[0]

Nothing is faked: runs go through the real spool, in a temporary folder, and are read from there.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from weir._config import DELETED
from weir._exit import open_runs
from weir._init import overriding
from weir._media.view import MediaView, views_of
from weir._reading import Point, read_attr, read_media, read_points
from weir._settings import RECORDS
from weir._spool import Gap, Meta, SpoolReader, list_spools
from weir.errors import SpoolCorrupt, UsageError
from weir_proto.v1 import ingest_pb2 as pb

__all__ = ["Captured", "Point", "capture"]


class Captured:
    """What was logged inside `capture()`, read from the spool each time it is asked.

    With several runs inside, name the one you mean by `run_id`; None means all of them.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: list[tuple[Meta, pb.Body]] | None = None
        self._blobs: dict[str, bytes] | None = None

    @property
    def points(self) -> list[Point]:
        """All points, of each process in the order they were spooled."""
        return [
            point
            for meta, body in self._bodies()
            for point in read_points(body, run_id=meta.run_id, rank=meta.rank)
        ]

    def values(self, metric: str, *, run_id: str | None = None) -> list[float | str]:
        """Return the values of one metric, in the order of their steps."""
        found = [
            point
            for point in self.points
            if point.metric == metric and run_id in {None, point.run_id}
        ]
        return [point.value for point in sorted(found, key=lambda point: point.step)]

    def media(self, metric: str, *, run_id: str | None = None) -> list[MediaView]:
        """Return the media of one metric, in the order of their steps; `value()` decodes each.

        assert captured.media("samples")[0].value().shape == (28, 28)
        """
        found = [
            point
            for meta, body in self._of(run_id)
            for point in read_media(body, run_id=meta.run_id, rank=meta.rank)
            if point.metric == metric
        ]
        return [
            view
            for point in sorted(found, key=lambda point: point.step)
            for view in views_of(
                str(point.value),
                self._fetch,
                metric=metric,
                step=point.step,
                rank=point.rank,
                time_unix_us=point.time_unix_us,
            )
        ]

    def config(self, run_id: str | None = None) -> dict[str, Any]:
        """Return the config as it stood in the end, by path (`optimizer.lr`)."""
        return self._facts(pb.Attr.CONFIG, run_id)

    def summary(self, run_id: str | None = None) -> dict[str, Any]:
        """Return the summary values that were set by hand, by path."""
        return self._facts(pb.Attr.SUMMARY, run_id)

    def meta(self, run_id: str | None = None) -> dict[str, Any]:
        """Return name, notes, group, metric definitions and so on, by path."""
        return self._facts(pb.Attr.META, run_id)

    def tags(self, run_id: str | None = None) -> set[str]:
        """Return the tags."""
        return set(self._facts(pb.Attr.TAG, run_id))

    def events(self, run_id: str | None = None) -> list[dict[str, Any]]:
        """Return events as dicts with `kind`, `severity`, `title`, `body` and `attrs`."""
        return [
            {
                "kind": event.kind,
                "severity": event.severity,
                "title": event.title,
                "body": event.body,
                "attrs": dict(event.attrs),
            }
            for _, body in self._of(run_id)
            for event in body.events
        ]

    def losses(self, run_id: str | None = None) -> dict[str, int]:
        """Return the points lost, by reason."""
        lost: dict[str, int] = {}
        for _, body in self._of(run_id):
            for loss in body.losses:
                lost[loss.reason] = lost.get(loss.reason, 0) + loss.points
        return lost

    def states(self, run_id: str | None = None) -> list[tuple[str, int, str]]:
        """Return (state, exit code, reason) as the processes reported them, e.g. `FINISHED`."""
        return [
            (
                pb.SessionUpdate.State.Name(body.session.state),
                body.session.exit_code,
                body.session.reason,
            )
            for _, body in self._of(run_id)
            if body.HasField("session")
        ]

    def branch(self, run_id: str | None = None) -> dict[str, Any] | None:
        """Return from where a run goes on, the newest: `parent_run_id` and `step`; None = nowhere.

        The run itself as parent is a rewind, another run a fork.
        """
        found = [body.branch for _, body in self._of(run_id) if body.HasField("branch")]
        if not found:
            return None
        return {"parent_run_id": found[-1].parent_run_id, "step": found[-1].step}

    def producers(self) -> list[Meta]:
        """Return who wrote: one entry per process that logged, oldest first."""
        return list(dict.fromkeys(meta for meta, _ in self._bodies()))

    def keep(self) -> None:
        """Read everything now: the folder is about to go."""
        self._read = self._bodies()
        self._blobs = self._read_blobs()

    def _fetch(self, digest: str, size_bytes: int) -> bytes:
        blobs = self._read_blobs() if self._blobs is None else self._blobs
        if digest not in blobs:
            raise UsageError(f"no blob {digest} of {size_bytes} bytes waits in the outbox")
        return blobs[digest]

    def _read_blobs(self) -> dict[str, bytes]:
        """What waits to be uploaded, by its digest."""
        found = [
            path.read_bytes()
            for spool in list_spools(self._root)
            for folder in ("blobs", "held")
            for path in sorted((spool.outbox_path / folder).glob("*"))
        ]
        return {sha256(content).hexdigest(): content for content in found}

    def _facts(self, namespace: pb.Attr.Namespace, run_id: str | None) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        for _, body in self._of(run_id):
            for attr in body.attrs:
                if attr.namespace == namespace:
                    facts[attr.path] = read_attr(attr)
        return {path: value for path, value in facts.items() if value is not DELETED}

    def _of(self, run_id: str | None) -> list[tuple[Meta, pb.Body]]:
        return [(meta, body) for meta, body in self._bodies() if run_id in {None, meta.run_id}]

    def _bodies(self) -> list[tuple[Meta, pb.Body]]:
        if self._read is not None:
            return self._read
        for run in open_runs():
            run.flush("spooled", timeout=5.0)
        return list(read_root(self._root))


def read_root(root: Path) -> Iterator[tuple[Meta, pb.Body]]:
    """Iterate over the frames of every producer under a spool root, oldest producer first."""
    spools = [(spool.read_meta(), spool) for spool in list_spools(root)]
    for meta, spool in sorted(spools, key=lambda each: (each[0].started_unix_us, each[0].producer)):
        reader = SpoolReader(spool)
        for found in reader.read(writer_alive=False):
            if isinstance(found, Gap):
                raise SpoolCorrupt(
                    f"frames {found.first_seq}…{found.last_seq} cannot be read", path=found.path
                )
            yield meta, pb.Body.FromString(found.body)
        reader.close()


_QUIET: Final = {
    "agent": False,
    "console": "off",
    **dict.fromkeys(RECORDS, False),
}
"""What `capture` does without: no process is started, nothing is looked at but what is logged."""


@contextmanager
def capture(**settings: Any) -> Iterator[Captured]:
    """Send every `weir.init()` inside to a temporary spool, and read back what was logged.

    Runs still open at the end are finished.

    Args:
        **settings: Further settings to force, e.g. `strict=True`.
    """
    before = set(open_runs())
    with tempfile.TemporaryDirectory(prefix="weir-test-") as folder:
        captured = Captured(Path(folder))
        try:
            with overriding({**_QUIET, "mode": "offline", "dir": folder, **settings}):
                yield captured
        finally:
            for run in open_runs():
                if run not in before:
                    run.finish(timeout=5.0)
            captured.keep()
