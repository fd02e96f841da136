"""ClickHouse's own users for people who ask it directly, beside the door: one for each token. Pure.

    token of the file                     in ClickHouse
    name "ci", sha256, projects [a, b] →  user `weir_token_ci`, password = the token,
                                          role weir_reader (SELECT on the views, nothing else),
                                          profile weir_reader (limits), quota weir_reader,
                                          row policy: project IN ('a', 'b')

The views run with the rights of whoever made them (views/apply.py), so nobody needs any on the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from weir_store.sql.base import Limits
from weir_store.sql.quoting import name, string, strings
from weir_store.views.catalog import View

ROLE: Final = "weir_reader"  # of the profile and the quota, too
PREFIX: Final = "weir_token_"
_NOBODY: Final = "weir_nobody"
_QUERIES_AN_HOUR: Final = 20_000
_SECONDS_AN_HOUR: Final = 14_400
_TEMPORARY_BYTES: Final = 20 << 30


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may ask.

    Attributes:
        token: Its name.
        sha256: Of the token, which becomes the password; 64 hex digits.
        projects: That may be seen; None = all.
    """

    token: str
    sha256: str
    projects: tuple[str, ...] | None

    @property
    def user(self) -> str:
        """The name in ClickHouse."""
        return f"{PREFIX}{self.token}"


def statements(
    people: Sequence[Person],
    gone: Sequence[str],
    views: Sequence[View],
    limits: Limits,
    *,
    database: str,
    cluster: str = "",
) -> Iterator[str]:
    """Yield what makes ClickHouse let in exactly these people; safe to run again.

    Args:
        people: Who may ask.
        gone: Users made earlier for tokens there are no longer.
        views: That may be asked.
        limits: For each statement.
        database: Where the views are.
        cluster: Cluster name for ON CLUSTER; empty = one server.
    """
    on = f" ON CLUSTER {string(cluster)}" if cluster else ""
    tables = [f"{name(database)}.{name(view.name)}" for view in views]
    yield f"CREATE SETTINGS PROFILE OR REPLACE {ROLE}{on} SETTINGS {_settings(limits)}"
    yield f"CREATE ROLE IF NOT EXISTS {ROLE}{on}"
    yield f"ALTER ROLE {ROLE}{on} SETTINGS PROFILE {string(ROLE)}"
    yield f"REVOKE{on} ALL ON *.* FROM {ROLE}"
    for table in tables:
        yield f"GRANT{on} SELECT ON {table} TO {ROLE}"
    yield (
        f"CREATE QUOTA OR REPLACE {ROLE}{on} KEYED BY user_name FOR INTERVAL 1 hour"
        f" MAX queries = {_QUERIES_AN_HOUR}, execution_time = {_SECONDS_AN_HOUR} TO {ROLE}"
    )
    # Whoever has the role and no policy of its own sees nothing.
    yield from _policies(_NOBODY, tables, "0", ROLE, on)
    for person in people:
        yield from _person(person, tables, on)
    for user in gone:
        yield f"DROP USER IF EXISTS {name(user)}{on}"
        for table in tables:
            yield f"DROP ROW POLICY IF EXISTS {name(user)}{on} ON {table}"


def _person(person: Person, tables: Sequence[str], on: str) -> Iterator[str]:
    user = name(person.user)
    yield (
        f"CREATE USER OR REPLACE {user}{on} IDENTIFIED WITH sha256_hash BY {string(person.sha256)}"
        f" SETTINGS PROFILE {string(ROLE)}"
    )
    yield f"GRANT{on} {ROLE} TO {user}"
    condition = "1" if person.projects is None else f"project IN {strings(person.projects)}"
    yield from _policies(user, tables, condition, user, on)


def _policies(
    policy: str, tables: Sequence[str], condition: str, who: str, on: str
) -> Iterator[str]:
    for table in tables:
        yield (
            f"CREATE ROW POLICY OR REPLACE {policy}{on} ON {table}"
            f" FOR SELECT USING {condition} AS PERMISSIVE TO {who}"
        )


def _settings(limits: Limits) -> str:
    """Return the profile: nothing can be widened, and 0, which means no limit, cannot be said."""
    most = {
        "max_execution_time": f"{limits.seconds:g}",
        "max_memory_usage": str(limits.memory_bytes),
        "max_rows_to_read": str(limits.rows_read),
        "max_result_rows": str(limits.result_rows),
        "max_result_bytes": str(limits.result_bytes),
        "max_threads": str(limits.threads),
    }
    fixed = {
        "readonly": "2",
        "allow_ddl": "0",
        "allow_introspection_functions": "0",
        "timeout_overflow_mode": "'throw'",
        "read_overflow_mode": "'throw'",
        "max_temporary_data_on_disk_size_for_query": str(_TEMPORARY_BYTES),
        # The condition on the project comes before those of the statement (limits.py says why).
        "query_plan_merge_filters": "0",
        "optimize_move_to_prewhere": "0",
    }
    bounded = [f"{setting} = {value} MIN 1 MAX {value}" for setting, value in most.items()]
    return ", ".join(
        [*bounded, *(f"{setting} = {value} CONST" for setting, value in fixed.items())]
    )
