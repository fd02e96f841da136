"""Correcting, deleting, moving and merging what is stored; receipts, holds and retention (docs/changes.md)."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from weir._api_views import moment
from weir.errors import Unavailable, UsageError
from weir_proto.v1 import changes_pb2 as pb

if TYPE_CHECKING:
    from weir._api_transport import ApiTransport

What: TypeAlias = Literal["metrics", "console", "system"]

_POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A change that somebody, or a policy, asked for, and what came of it.

    Attributes:
        id: 32 hex digits; what `weir receipt` takes.
        project: Whose.
        run_id: Whose; empty when it is about the project.
        kind: correct, delete_points, delete_run, delete_project, move, merge, retention, roll, thaw or stop.
        state: asked, begun, waiting (some of it is done later) or done.
        by: Name of the token that asked.
        reason: Why; often empty.
        asked: When, UTC.
        ended: When it was done, UTC; None = not yet.
        request: What was asked.
        result: What came of it: of a deletion rows and bytes `before` and `after` by table, and `objects`.
    """

    id: str
    project: str
    run_id: str
    kind: str
    state: str
    by: str
    reason: str
    asked: datetime | None
    ended: datetime | None
    request: Mapping[str, Any]
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HoldView:
    """A legal hold; `run_id` is empty when it is on the whole project."""

    project: str
    run_id: str
    reason: str
    by: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class PolicyView:
    """How long things of a project are kept.

    Attributes:
        project: Whose.
        what: metrics, console or system.
        pattern: Glob over names of metrics; of those that fit, the longest counts.
        keep_s: Older ones are deleted; 0 = never.
        thin_after_s: Older ones are thinned; 0 = never.
        thin_points: To about so many buckets per series.
        by: Who said so.
        at: When, UTC.
    """

    project: str
    what: str
    pattern: str
    keep_s: int
    thin_after_s: int
    thin_points: int
    by: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class RetentionStepView:
    """What retention would do to a run now; `thin_points` is 0 where rows are deleted."""

    run_id: str
    what: str
    metrics: tuple[str, ...]
    before: datetime | None
    thin_points: int
    rows: int


class ChangesApi:
    """What `Api` can change. Every call may raise `TransportError`; what must not be is `Rejected`."""

    _transport: "ApiTransport"

    def delete(self, path: str, *, reason: str = "", wait_s: float = 0.0) -> ReceiptView:
        """Delete a run (`project/run_id`) or a whole project (its name): hidden when this returns.

        Args:
            path: What to delete; a project whose name holds a `/` ends with one.
            reason: Why; kept on the receipt.
            wait_s: Wait up to so long until its space is freed as well.
        """
        project, _, run_id = path.rpartition("/") if "/" in path else (path, "", "")
        request = pb.DeleteRequest(project=project, run_id=run_id, reason=reason)
        return self._waited(self._change("Delete", request), wait_s)

    def move(
        self, runs: str | Iterable[str], project: str, *, reason: str = "", wait_s: float = 600.0
    ) -> ReceiptView:
        """Move runs (`project/run_id`) to another project, or rename a project (its name).

        Runs must have ended. Runs that were forked from each other move together. Artifacts stay with
        their project, unless the whole project is renamed.

        Args:
            runs: What to move: runs of one project, or the name of a project.
            project: Where to; made when it is not there.
            reason: Why.
            wait_s: How long to wait until it is done.
        """
        paths = [runs] if isinstance(runs, str) else list(runs)
        whole = len(paths) == 1 and "/" not in paths[0]
        source, run_ids = (paths[0], []) if whole else _of_one_project(paths)
        request = pb.MoveRequest(project=source, run_ids=run_ids, target=project, reason=reason)
        return self._waited(self._change("Move", request), wait_s)

    def merge(
        self, runs: Sequence[str], *, at: Sequence[int] = (), reason: str = ""
    ) -> ReceiptView:
        """Make one run of several parts: the last one shows the points of all; the others are hidden.

        Args:
            runs: `project/run_id`, from the earliest part to the last.
            at: Of each but the last, its last step that is shown; default: up to where the next begins.
            reason: Why.
        """
        project, run_ids = _of_one_project(runs)
        request = pb.MergeRequest(
            project=project, run_ids=run_ids, at_steps=list(at), reason=reason
        )
        return self._change("Merge", request)

    def receipt(self, receipt_id: str) -> ReceiptView:
        """Return what came of a change so far."""
        return self._change("GetReceipt", pb.GetReceiptRequest(change_id=receipt_id))

    def receipts(self, project: str, run_id: str = "", *, limit: int = 100) -> list[ReceiptView]:
        """Return the newest changes of a project or run, also of those that are gone."""
        request = pb.ListReceiptsRequest(project=project, run_id=run_id, limit=limit)
        found = self._transport.change("ListReceipts", request).receipts
        return [receipt_view(each) for each in found]

    def hold(self, path: str, reason: str, *, lift: bool = False) -> list[HoldView]:
        """Put a legal hold on a run or a project, or lift it; return the project's holds.

        While there is one, nothing of it is deleted or thinned, whoever asks.
        """
        project, _, run_id = path.rpartition("/") if "/" in path else (path, "", "")
        request = pb.SetHoldRequest(project=project, run_id=run_id, reason=reason, lift=lift)
        return [_hold(each) for each in self._transport.change("SetHold", request).holds]

    def holds(self, project: str = "") -> list[HoldView]:
        """Return the holds of a project, or of all that you may see."""
        request = pb.ListHoldsRequest(project=project)
        return [_hold(each) for each in self._transport.change("ListHolds", request).holds]

    def set_retention(
        self,
        project: str,
        *,
        metric: str = "*",
        what: What = "metrics",
        keep_s: float = 0,
        thin_after_s: float = 0,
        thin_points: int = 0,
        remove: bool = False,
    ) -> list[PolicyView]:
        """Say how long things of a project are kept; return all its policies.

        Args:
            project: Whose.
            metric: Glob over names; of the policies that fit a metric, the longest pattern counts.
            what: Metrics, or console lines, or system metrics as a whole.
            keep_s: Delete what is older; 0 = never.
            thin_after_s: Thin what is older; 0 = never.
            thin_points: To about so many buckets per series.
            remove: Take this policy away instead.
        """
        policy = pb.Policy(
            project=project,
            what=what,
            pattern=metric,
            keep_s=int(keep_s),
            thin_after_s=int(thin_after_s),
            thin_points=thin_points,
        )
        request = pb.SetPolicyRequest(policy=policy, remove=remove)
        return [_policy(each) for each in self._transport.change("SetPolicy", request).policies]

    def retention(self, project: str = "") -> list[PolicyView]:
        """Return the policies of a project, or of all that you may see."""
        request = pb.ListPoliciesRequest(project=project)
        return [_policy(each) for each in self._transport.change("ListPolicies", request).policies]

    def preview_retention(self, project: str) -> list[RetentionStepView]:
        """Return what the policies of a project would delete and thin now; changes nothing."""
        request = pb.PreviewRetentionRequest(project=project)
        return [
            RetentionStepView(
                step.run_id,
                step.what,
                tuple(step.metrics),
                moment(step.before_unix_us),
                step.thin_points,
                step.rows,
            )
            for step in self._transport.change("PreviewRetention", request).steps
        ]

    def _change(self, method: str, request: Any) -> ReceiptView:
        return receipt_view(self._transport.change(method, request))

    def _waited(self, receipt: ReceiptView, wait_s: float) -> ReceiptView:
        """Ask again until it is not merely begun; a server that is away for a moment is asked again."""
        deadline_s = time.monotonic() + wait_s
        while receipt.state == "begun" and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
            try:
                receipt = self.receipt(receipt.id)
            except Unavailable:
                continue
        return receipt


def _of_one_project(paths: Iterable[str]) -> tuple[str, list[str]]:
    split = [path.rpartition("/") for path in paths]
    projects = {project for project, _, _ in split}
    if len(projects) != 1 or not all(project and run for project, _, run in split):
        raise UsageError("runs of one project, each as project/run_id")
    return projects.pop(), [run for _, _, run in split]


def receipt_view(message: pb.Receipt) -> ReceiptView:
    """Return a receipt as people see it."""
    return ReceiptView(
        message.change_id,
        message.project,
        message.run_id,
        message.kind,
        message.state,
        message.by,
        message.reason,
        moment(message.asked_unix_us),
        moment(message.ended_unix_us),
        json.loads(message.request or "{}"),
        json.loads(message.result or "{}"),
    )


def _hold(message: pb.Hold) -> HoldView:
    return HoldView(
        message.project, message.run_id, message.reason, message.by, moment(message.at_unix_us)
    )


def _policy(message: pb.Policy) -> PolicyView:
    return PolicyView(
        message.project,
        message.what,
        message.pattern,
        message.keep_s,
        message.thin_after_s,
        message.thin_points,
        message.by,
        moment(message.at_unix_us),
    )
