"""Users of ClickHouse made from tokens: that ClickHouse's own parser takes every statement.

The engine has no users, so what the statements do cannot be tried here: only that they say what they should.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.integration.fixtures_engine import EngineProcess
from weir_server.cli import migrate
from weir_server.errors import StartupError
from weir_server.gateway.tokens import Role, create_token, digest_of
from weir_server.settings import ClickHouseSettings, GatewaySettings
from weir_server.sql_users import apply_users, plan_users
from weir_store.clickhouse import connect
from weir_store.views.catalog import VIEWS

STORE = ClickHouseSettings(database="weir", cluster="")


@pytest.fixture
def tokens(tmp_path: Path) -> tuple[GatewaySettings, str]:
    path = tmp_path / "tokens.toml"
    secret = create_token(path, name="ci's `bot`", role=Role.WRITER, projects=["vision", "it's \\"])
    create_token(path, name="boss", role=Role.ADMIN, projects=["*"])
    return GatewaySettings(tokens_file=path), secret


@pytest.mark.parametrize("cluster", ["", "main's"])
def test_clickhouse_understands_every_statement(
    engine: EngineProcess, tokens: tuple[GatewaySettings, str], cluster: str
) -> None:
    store = STORE.model_copy(update={"cluster": cluster})
    made = list(plan_users(tokens[0], store, ["weir_token_gone", "weir_token_boss"]))
    with engine.client() as client:
        for statement in made:
            parsed = client.command(f"EXPLAIN AST {statement}")
            assert re.match(r"(Create|Grant|Drop|Alter|CREATE ROW POLICY|DROP)", str(parsed)), (
                statement
            )
    assert sum(" ON CLUSTER 'main\\'s'" in statement for statement in made) == (
        len(made) if cluster else 0
    )


def test_a_token_becomes_a_user_that_sees_its_projects(
    tokens: tuple[GatewaySettings, str],
) -> None:
    gateway, secret = tokens
    made = list(plan_users(gateway, STORE, ["weir_token_gone"]))
    (user,) = [each for each in made if each.startswith("CREATE USER") and "bot" in each]
    assert f"sha256_hash BY '{digest_of(secret)}'" in user, "the token is the password"
    policies = [each for each in made if each.startswith("CREATE ROW POLICY")]
    bot = "`weir_token_ci\\'s \\`bot\\``"
    for view in VIEWS:
        table = f"ON `weir`.`{view.name}` FOR SELECT USING"
        assert f"GRANT SELECT ON `weir`.`{view.name}` TO weir_reader" in made
        conditions = [each.partition(table)[2].strip() for each in policies if table in each]
        assert conditions == [
            "0 AS PERMISSIVE TO weir_reader",
            f"project IN ('vision', 'it\\'s \\\\') AS PERMISSIVE TO {bot}",
            "1 AS PERMISSIVE TO `weir_token_boss`",
        ]
    assert "DROP USER IF EXISTS `weir_token_gone`" in made
    grants = [each for each in made if each.startswith("GRANT SELECT")]
    assert len(grants) == len(VIEWS), "and on nothing else"
    assert not [each for each in made if "_raw" in each]


def test_limits_cannot_be_widened_and_zero_cannot_be_said(
    tokens: tuple[GatewaySettings, str],
) -> None:
    gateway = tokens[0].model_copy(update={"sql_seconds": 12.5, "sql_threads": 2})
    profile = next(iter(plan_users(gateway, STORE, [])))
    assert "max_execution_time = 12.5 MIN 1 MAX 12.5" in profile
    assert "max_threads = 2 MIN 1 MAX 2" in profile
    assert "readonly = 2 CONST" in profile
    settings = profile.partition(" SETTINGS ")[2].split(", ")
    assert all(" MIN 1 MAX " in each or each.endswith(" CONST") for each in settings)


def test_the_command_prints_them_and_says_when_they_cannot_be_made(
    engine: EngineProcess, tokens: tuple[GatewaySettings, str]
) -> None:
    file = ("--gateway.tokens-file", str(tokens[0].tokens_file))
    printed = CliRunner().invoke(migrate, ["--print-sql-users", *file])
    assert printed.exit_code == 0, printed.output
    assert printed.output.count(";\n") == len(list(plan_users(tokens[0], STORE, [])))
    clickhouse = connect(engine.url)
    with pytest.raises(StartupError, match="the embedded engine has none"):
        apply_users(clickhouse, tokens[0], STORE)
    clickhouse.close()
    with pytest.raises(StartupError, match="weir token create"):
        list(plan_users(GatewaySettings(), STORE, []))
