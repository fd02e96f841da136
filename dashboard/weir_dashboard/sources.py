"""What the dashboard asks: the stores' doors, opened by whoever starts it."""

from __future__ import annotations

from dataclasses import dataclass

from weir_dashboard.access.questions import ArtifactQuestions, ObjectQuestions, RunWrites
from weir_dashboard.access.share import Share
from weir_dashboard.blobs import KEPT_BYTES
from weir_dashboard.data_documents import DocumentDoors
from weir_dashboard.data_rules import RuleDoors
from weir_store.base import Reader
from weir_store.compared.base import CompareReader
from weir_store.console.base import ConsoleReader
from weir_store.groups.base import GroupReader
from weir_store.health.base import HealthReader
from weir_store.names.base import NameReader
from weir_store.ranks.base import RankReader
from weir_store.sql.base import SqlReader
from weir_store.system.base import SystemReader


@dataclass(frozen=True, slots=True)
class Sources:
    """Where answers come from; pages whose source is `None` say that there is nothing to show.

    Attributes:
        reader: Runs, metrics, points.
        system: What nodes measured of themselves.
        console: What processes printed.
        artifacts: Named sets of files, and models.
        objects: The bytes of files.
        sql: What people write.
        ranks: The ranks of runs, held against each other.
        rules: What is watched, and alerts.
        compared: Many runs at once; without it they are asked for one by one, and have no means.
        names: What config paths and metrics there are, by search.
        edits: Changes runs; None = this dashboard may not.
        documents: Saved views and reports.
        groups: Runs put together.
        share: Share links; None = there are none.
        kept_bytes: So many bytes of files are kept in memory.
        health: How this Weir fares, from what lies at rest.
        parts: Where its processes show /metrics, as `name=url`; None = not to be seen, nor the store as a whole.
    """

    reader: Reader
    system: SystemReader | None = None
    console: ConsoleReader | None = None
    artifacts: ArtifactQuestions | None = None
    objects: ObjectQuestions | None = None
    sql: SqlReader | None = None
    ranks: RankReader | None = None
    rules: RuleDoors | None = None
    compared: CompareReader | None = None
    names: NameReader | None = None
    edits: RunWrites | None = None
    documents: DocumentDoors | None = None
    groups: GroupReader | None = None
    share: Share | None = None
    kept_bytes: int = KEPT_BYTES
    health: HealthReader | None = None
    parts: tuple[str, ...] | None = None
