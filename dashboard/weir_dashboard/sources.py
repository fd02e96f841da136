"""What the dashboard asks: the stores' doors, opened by whoever starts it."""

from __future__ import annotations

from dataclasses import dataclass

from weir_dashboard.data_rules import RuleDoors
from weir_store.artifacts.base import ArtifactReader
from weir_store.base import Reader
from weir_store.console.base import ConsoleReader
from weir_store.objects.base import ObjectStore
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
    """

    reader: Reader
    system: SystemReader | None = None
    console: ConsoleReader | None = None
    artifacts: ArtifactReader | None = None
    objects: ObjectStore | None = None
    sql: SqlReader | None = None
    ranks: RankReader | None = None
    rules: RuleDoors | None = None
