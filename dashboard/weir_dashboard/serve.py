"""The dashboard over ClickHouse, as `weir serve dashboard` starts it."""

from __future__ import annotations

from weir_dashboard import listening
from weir_dashboard.access.opening import open_access
from weir_dashboard.app import build
from weir_dashboard.config import DashboardConfig
from weir_dashboard.data_documents import DocumentDoors
from weir_dashboard.data_rules import RuleDoors, trying
from weir_dashboard.sources import Sources
from weir_store import clickhouse
from weir_store.artifacts.clickhouse import ClickHouseArtifacts
from weir_store.changes.requests import Requests
from weir_store.clickhouse import ClickHouse
from weir_store.compared.clickhouse import ClickHouseCompare
from weir_store.console.reader import ClickHouseConsole
from weir_store.documents.clickhouse import ClickHouseDocuments
from weir_store.documents.editor import DocumentEditor
from weir_store.groups.clickhouse import ClickHouseGroups
from weir_store.health.clickhouse import ClickHouseHealth
from weir_store.inserter import ClickHouseInserter
from weir_store.names.clickhouse import ClickHouseNames
from weir_store.objects.opening import open_for_reading
from weir_store.ranks.clickhouse import ClickHouseRanks
from weir_store.reader import ClickHouseReader
from weir_store.rules.clickhouse import ClickHouseRules
from weir_store.rules.editor import RuleEditor
from weir_store.sql.reader import ClickHouseSql
from weir_store.system.reader import ClickHouseSystem


def serve(config: DashboardConfig) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code.

    The store may still be down: pages say so and recover.

    Raises:
        OSError: The address cannot be bound, or the sessions' directory cannot be made.
        AccessError: Nobody could come in, or not as it was meant.
    """
    access = open_access(config.access)
    connection = clickhouse.connect(
        config.clickhouse_url,
        user=config.user,
        password=config.password,
        query_timeout_s=config.query_timeout_s,
    )
    try:
        app = build(sources(connection, config), config.gateway, access)
        listening.run(app, config.host, config.port)
    finally:
        connection.close()
    return 0


def sources(connection: ClickHouse, config: DashboardConfig) -> Sources:
    """Open every door of one ClickHouse."""
    database = config.database
    sql, ranks = ClickHouseSql(connection, database), ClickHouseRanks(connection, database)
    inserter = ClickHouseInserter(connection, database, cluster=config.cluster)
    editor = RuleEditor(inserter)
    return Sources(
        ClickHouseReader(connection, database),
        system=ClickHouseSystem(connection, database),
        console=ClickHouseConsole(connection, database),
        artifacts=ClickHouseArtifacts(connection, database),
        objects=open_for_reading(config.objects) if config.objects else None,
        sql=sql,
        ranks=ranks,
        rules=RuleDoors(
            ClickHouseRules(connection, database),
            editor if config.edit_rules else None,
            trying(sql, ranks),
        ),
        compared=ClickHouseCompare(connection, database),
        groups=ClickHouseGroups(connection, database),
        names=ClickHouseNames(connection, database),
        edits=Requests(connection, database, inserter) if config.edit_runs else None,
        documents=DocumentDoors(
            ClickHouseDocuments(connection, database),
            DocumentEditor(inserter) if config.edit_documents else None,
        ),
        health=ClickHouseHealth(connection, database),
        parts=config.metrics,
    )
