"""`weir migrate --sql-users`: the tokens file as users of ClickHouse."""

from __future__ import annotations

from collections.abc import Iterator

from weir_server.errors import StartupError
from weir_server.gateway.sql_limits import limits_of
from weir_server.gateway.tokens import EVERY_PROJECT, read_tokens
from weir_server.settings import ClickHouseSettings, GatewaySettings
from weir_store.clickhouse import ClickHouse
from weir_store.errors import StoreError
from weir_store.sql.users import PREFIX, ROLE, Person, statements
from weir_store.views.catalog import VIEWS

_MADE_EARLIER = f"""
SELECT DISTINCT user_name FROM system.role_grants
WHERE granted_role_name = '{ROLE}' AND startsWith(user_name, '{PREFIX}')"""


def list_people(gateway: GatewaySettings) -> list[Person]:
    """Return who may ask: everybody who has a token. Raises `StartupError` where nobody has one."""
    if gateway.tokens_file is None:
        raise StartupError(
            "users of ClickHouse are made from tokens, and there is no tokens file",
            hint="make tokens with `weir token create` and set gateway.tokens_file",
        )
    return [
        Person(
            token.name,
            token.sha256,
            None if EVERY_PROJECT in token.projects else token.projects,
        )
        for token in read_tokens(gateway.tokens_file)
    ]


def plan_users(
    gateway: GatewaySettings, store: ClickHouseSettings, made_earlier: list[str]
) -> Iterator[str]:
    """Yield the statements that make the users; see `statements`."""
    people = list_people(gateway)
    gone = sorted(set(made_earlier) - {person.user for person in people})
    return statements(
        people, gone, VIEWS, limits_of(gateway), database=store.database, cluster=store.cluster
    )


def apply_users(
    clickhouse: ClickHouse, gateway: GatewaySettings, store: ClickHouseSettings
) -> list[str]:
    """Make the users of the tokens file, and drop those of tokens that are gone; return their names.

    Raises:
        StartupError: There is no tokens file, or this user of ClickHouse may not make others.
    """
    people = list_people(gateway)
    try:
        made_earlier = [str(row[0]) for row in clickhouse.query_rows(_MADE_EARLIER)]
        for statement in plan_users(gateway, store, made_earlier):
            clickhouse.command(statement)
    except StoreError as error:
        raise StartupError(
            f"cannot make users of ClickHouse: {error}",
            hint="the embedded engine has none; elsewhere clickhouse.user needs ACCESS MANAGEMENT",
        ) from error
    return [person.user for person in people]
