"""Finished runs as files in the object store, asked as before (docs/cold.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from weir._api_changes import ReceiptView, receipt_view
from weir._api_views import moment
from weir.errors import UsageError
from weir_proto.v1 import cold_pb2 as pb

if TYPE_CHECKING:
    from weir._api_transport import ApiTransport


@dataclass(frozen=True, slots=True)
class ColdRunView:
    """A run that lies in files.

    Attributes:
        project: Whose.
        run_id: Which.
        files: Where, by table: keys in the object store.
        rows: In all of them.
        size_bytes: Of all of them.
        by: Who rolled it; `rule`.
        at: When, UTC.
    """

    project: str
    run_id: str
    files: Mapping[str, str]
    rows: int
    size_bytes: int
    by: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ColdRuleView:
    """Runs of a project are rolled so long after they ended."""

    project: str
    after_s: int
    by: str
    at: datetime | None


class ColdApi:
    """What `Api` knows of cold runs. Every call may raise `TransportError`; what must not be is `Rejected`."""

    _transport: "ApiTransport"

    def roll(self, path: str, *, reason: str = "") -> ReceiptView:
        """Roll a run that has ended (`project/run_id`) to files; `receipt` tells how far it is."""
        project, run_id = _run(path)
        request = pb.RollRunRequest(project=project, run_id=run_id, reason=reason)
        return receipt_view(self._transport.ask_cold("RollRun", request))

    def thaw(self, path: str, *, reason: str = "") -> ReceiptView:
        """Bring a cold run (`project/run_id`) back into the tables; `receipt` tells how far it is."""
        project, run_id = _run(path)
        request = pb.ThawRunRequest(project=project, run_id=run_id, reason=reason)
        return receipt_view(self._transport.ask_cold("ThawRun", request))

    def cold_runs(self, project: str = "") -> list[ColdRunView]:
        """Return the cold runs of a project, or of all that you may see."""
        request = pb.ListColdRunsRequest(project=project)
        return [
            ColdRunView(
                run.project,
                run.run_id,
                {file.table: file.key for file in run.files},
                sum(file.rows for file in run.files),
                sum(file.size_bytes for file in run.files),
                run.by,
                moment(run.at_unix_us),
            )
            for run in self._transport.ask_cold("ListColdRuns", request).runs
        ]

    def set_cold_rule(
        self, project: str, after_s: float = 0, *, remove: bool = False
    ) -> list[ColdRuleView]:
        """Roll runs of a project so long after they ended, or no longer; return its rule."""
        rule = pb.ColdRule(project=project, after_s=int(after_s))
        request = pb.SetColdRuleRequest(rule=rule, remove=remove)
        return [_rule(each) for each in self._transport.ask_cold("SetColdRule", request).rules]

    def cold_rules(self, project: str = "") -> list[ColdRuleView]:
        """Return the rule of a project, or those of all that you may see."""
        request = pb.ListColdRulesRequest(project=project)
        return [_rule(each) for each in self._transport.ask_cold("ListColdRules", request).rules]


def _run(path: str) -> tuple[str, str]:
    project, _, run_id = path.rpartition("/")
    if not (project and run_id):
        raise UsageError(f"{path!r} is no run", hint="project/run_id")
    return project, run_id


def _rule(rule: pb.ColdRule) -> ColdRuleView:
    return ColdRuleView(rule.project, rule.after_s, rule.by, moment(rule.at_unix_us))
