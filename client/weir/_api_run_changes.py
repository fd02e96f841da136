"""Correcting and deleting points of a run, and reading what they were before (docs/changes.md)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from weir._api_changes import ReceiptView
from weir._api_tables import TableKind, check_tables, read_arrow, shown_as
from weir.errors import UsageError
from weir_proto.v1 import changes_pb2 as pb

Steps: TypeAlias = int | Iterable[int] | range | slice | None
"""One step, several, a range (its end excluded), `slice(first, end)` for long ones; None = all."""

_US: Final = 1_000_000
_LOWEST: Final = -(1 << 63)
_HIGHEST: Final = (1 << 63) - 1


class RunChanges:
    """What `RunView` can change of its points."""

    _api: Any

    @property
    def project(self) -> str:
        """The project it belongs to."""
        raise NotImplementedError

    @property
    def id(self) -> str:
        """Its id."""
        raise NotImplementedError

    def correct(
        self,
        metric: str,
        step: int | Mapping[int, float],
        value: float | None = None,
        *,
        rank: int = 0,
        reason: str = "",
    ) -> ReceiptView:
        """Give points that are there new values; the former ones stay readable (`versions`).

        Args:
            metric: Exact name.
            step: Which point; or new values by step, at most 10 000.
            value: Its new value.
            rank: Of which process.
            reason: Why.
        """
        if isinstance(step, Mapping) is (value is not None):
            raise UsageError("give a step and a value, or values by step")
        values = step if isinstance(step, Mapping) else {step: value}
        points = [
            pb.PointCorrection(step=each, rank=rank, value=new) for each, new in values.items()
        ]
        request = pb.CorrectPointsRequest(
            project=self.project, run_id=self.id, metric=metric, points=points, reason=reason
        )
        receipt: ReceiptView = self._api._change("CorrectPoints", request)
        return receipt

    def delete_points(
        self,
        metric: str,
        steps: Steps = None,
        *,
        ranks: int | Iterable[int] | None = None,
        reason: str = "",
    ) -> ReceiptView:
        """Take points out of every answer; they stay readable (`versions`) while the run is there.

        Args:
            metric: Exact name, of numbers or texts.
            steps: Which; None = all.
            ranks: Of which processes; None = all.
            reason: Why.
        """
        request = pb.DeletePointsRequest(
            project=self.project,
            run_id=self.id,
            metric=metric,
            steps=_ranges(steps),
            ranks=_ranks(ranks),
            reason=reason,
        )
        receipt: ReceiptView = self._api._change("DeletePoints", request)
        return receipt

    def delete_metric(self, metric: str, *, reason: str = "") -> ReceiptView:
        """Take all points of a metric out of every answer."""
        return self.delete_points(metric, reason=reason)

    def versions(
        self,
        metric: str,
        steps: Steps = None,
        *,
        ranks: int | Iterable[int] | None = None,
        limit: int = 1_000_000,
        as_: TableKind = "pandas",
    ) -> Any:
        """Return every version of points: what was logged, corrected and deleted, and when.

        One row each: `rank`, `step`, `time_unix_us`, `value`, `version`, `edited_unix_us` (0: logged by
        a process), `removed_unix_us` (0: not deleted), `edited_by`, `removed_by` (ids of receipts).

        Args:
            metric: Exact name.
            steps: Which; None = all.
            ranks: Of which processes; None = all.
            limit: Refused when there are more.
            as_: What to return.
        """
        check_tables(as_)
        return shown_as(self._versions(metric, steps, ranks, limit), as_)

    def history_as_of(
        self,
        metric: str,
        at: datetime,
        *,
        ranks: int | Iterable[int] | None = None,
        as_: TableKind = "pandas",
    ) -> Any:
        """Return the points as edits had left them at a moment: `rank`, `step`, `time_unix_us`, `value`.

        Corrections and deletions made later are as if they had not been. What processes have logged
        since is here, and so is nothing that retention removed or that the run inherits.
        """
        check_tables(as_)
        import pyarrow.compute as pc

        at_us = int(at.timestamp() * _US)
        table = self._versions(metric, None, ranks, 10_000_000)
        removed = table["removed_unix_us"]
        shown = pc.or_(pc.equal(removed, 0), pc.greater(removed, at_us))
        table = table.filter(pc.and_(pc.less_equal(table["edited_unix_us"], at_us), shown))
        table = table.sort_by(
            [("rank", "ascending"), ("step", "ascending"), ("version", "ascending")]
        )
        newest = table.group_by(["rank", "step"], use_threads=False).aggregate(
            [("time_unix_us", "last"), ("value", "last")]
        )
        newest = newest.select(["rank", "step", "time_unix_us_last", "value_last"])
        return shown_as(newest.rename_columns(["rank", "step", "time_unix_us", "value"]), as_)

    def _versions(
        self, metric: str, steps: Steps, ranks: int | Iterable[int] | None, limit: int
    ) -> Any:
        request = pb.ReadVersionsRequest(
            project=self.project,
            run_id=self.id,
            metric=metric,
            steps=_ranges(steps),
            ranks=_ranks(ranks),
            limit=limit,
        )
        return read_arrow(self._api._transport.read_versions(request))


def _ranks(ranks: int | Iterable[int] | None) -> list[int]:
    if ranks is None:
        return []
    found = [ranks] if isinstance(ranks, int) else list(ranks)
    if not found:
        raise UsageError("no ranks", hint="None means all")
    return found


def _ranges(steps: Steps) -> list[pb.StepRange]:
    """Return steps as ranges with both ends inclusive; neighbours are put together."""
    if steps is None:
        return []
    if isinstance(steps, slice):
        if steps.step not in (None, 1):
            raise UsageError("a slice of steps has no stride")
        first = _LOWEST if steps.start is None else steps.start
        last = _HIGHEST if steps.stop is None else steps.stop - 1
        found = [(first, last)]
    elif isinstance(steps, range) and steps.step == 1:
        found = [(steps.start, steps.stop - 1)]
    else:
        found = []
        for step in sorted({steps} if isinstance(steps, int) else set(steps)):
            if found and found[-1][1] == step - 1:
                found[-1] = (found[-1][0], step)
            else:
                found.append((step, step))
    if not found or any(first > last for first, last in found):
        raise UsageError("no steps", hint="None means all")
    return [pb.StepRange(first=first, last=last) for first, last in found]
