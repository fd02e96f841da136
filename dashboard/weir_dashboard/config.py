"""How the dashboard was started: plain values, handed down by the caller, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field

from weir_dashboard.access.config import AccessConfig
from weir_store.objects.opening import Place


@dataclass(frozen=True, slots=True)
class DashboardConfig:
    """Everything the dashboard needs to know.

    Attributes:
        host: Address to bind.
        port: HTTP port; 0 picks a free one.
        clickhouse_url: ClickHouse's HTTP interface.
        user: ClickHouse user.
        password: ClickHouse password; empty = none asked.
        database: Tables live in `<database>_raw`.
        cluster: ClickHouse's cluster; "" = one server.
        gateway: `host:port` shown in the quick start.
        query_timeout_s: Longest wait for an answer.
        objects: Where the bytes of files lie; None = files are named and not shown.
        edit_rules: Whether people may change rules here. Whoever reaches the page may then have Weir
            call addresses and stop runs.
        edit_runs: Whether people may tag, rename, stop, move and delete runs here.
        access: Who may come in, and what for.
        edit_documents: Whether people may save views and reports here.
        metrics: Where the other parts show /metrics, as `name=url`.
    """

    host: str = "127.0.0.1"
    port: int = 7701
    clickhouse_url: str = "http://127.0.0.1:7702"
    user: str = "default"
    password: str = ""
    database: str = "weir"
    cluster: str = ""
    gateway: str = "127.0.0.1:7700"
    query_timeout_s: float = 30.0
    objects: Place | None = None
    edit_rules: bool = False
    access: AccessConfig = field(default_factory=AccessConfig)
    edit_runs: bool = False
    edit_documents: bool = False
    metrics: tuple[str, ...] = ()
