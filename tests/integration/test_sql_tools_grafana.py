"""Grafana on the SQL door: the provisioned datasource, and every panel of the dashboard in deploy/."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.fixtures_sql_door import (
    BORN_S,
    DATABASE,
    OURS,
    OpenDoor,
    sql_door,
    sql_store,
    sql_tokens,
)
from tests.integration.grafana_plugin import expanded, send
from weir_server.settings import ClickHouseSettings, GatewaySettings

__all__ = ["sql_door", "sql_store", "sql_tokens"]

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "training.json").read_text())
VARIABLES = {"project": ["vision"], "run": [ref.run_id for ref in OURS], "metric": ["loss"]}
RANGE = {"from_unix_s": BORN_S - 3_600, "to_unix_s": BORN_S + 3_600}
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}


def ask(door: OpenDoor, sql: str) -> Any:
    """Send it as Grafana does, then once more to look at the rows."""
    statement = expanded(sql, VARIABLES, **RANGE)
    status, body = send(door.port, door.tokens["reader"], DATABASE, statement)
    assert status == 200, body.decode("utf-8", "replace")
    assert body, statement
    with door.client() as client:
        return client.query(statement)


@pytest.mark.parametrize("title", PANELS)
def test_every_panel_of_the_dashboard_shows_what_was_logged(sql_door: OpenDoor, title: str) -> None:
    panel = PANELS[title]
    (target,) = panel["targets"]
    answer = ask(sql_door, target["rawSql"])
    assert answer.result_rows
    if panel["type"] == "timeseries":
        kinds = [type(value) for value in answer.result_rows[0]]
        assert kinds[0] is datetime, "a time comes first"
        assert float in kinds, "and a number"
        times = [row[0] for row in answer.result_rows]
        assert times == sorted(times)
    if panel["type"] == "logs":
        assert {"timestamp", "body", "level"} <= set(answer.column_names)


def test_the_variables_list_projects_runs_and_metrics(sql_door: OpenDoor) -> None:
    found = {
        variable["name"]: [row[0] for row in ask(sql_door, variable["query"]).result_rows]
        for variable in DASHBOARD["templating"]["list"]
    }
    assert found == {"project": ["vision"], "run": ["sgd2", "adam1"], "metric": ["loss"]}


def test_alerts_are_annotations(sql_door: OpenDoor) -> None:
    (alerts,) = DASHBOARD["annotations"]["list"]
    answer = ask(sql_door, alerts["target"]["rawSql"])
    assert answer.column_names == ("time", "title", "text")
    assert [row[1:] for row in answer.result_rows] == [("the loss is NaN", "since step 7")]


def test_what_the_plugin_asks_before_a_panel_and_for_its_editor_is_answered(
    sql_door: OpenDoor,
) -> None:
    for sql in (
        "SELECT version()",
        "SELECT database, name FROM system.tables ORDER BY database, name",
        f"SELECT database, table, name, type, comment FROM system.columns WHERE (database, table) IN "
        f"(('{DATABASE}', 'runs')) OR (database = currentDatabase() AND table IN ('metrics')) "
        "ORDER BY database, table, position",
        f'DESCRIBE TABLE "{DATABASE}"."runs"',
        f"SELECT DISTINCT run_id FROM {DATABASE}.runs SETTINGS max_execution_time=10",
        "SELECT name FROM system.databases",
        "SELECT 1",
    ):
        assert ask(sql_door, sql).result_rows, sql


def test_the_datasource_names_the_door_and_a_token() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/weir.yaml").read_text())[
        "datasources"
    ]
    assert source["type"] == "grafana-clickhouse-datasource"
    said = source["jsonData"]
    assert (said["protocol"], said["port"]) == ("http", GatewaySettings().sql_port)
    assert said["defaultDatabase"] == ClickHouseSettings().database
    assert source["secureJsonData"]["password"] == "${WEIR_TOKEN}"
    assert {each["datasource"]["uid"] for each in DASHBOARD["panels"]} == {source["uid"]}
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/weir.yaml").read_text())[
        "providers"
    ]
    assert provider["options"]["path"]


def test_the_dashboard_uses_only_macros_and_variables_there_are() -> None:
    names = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    text = (GRAFANA / "dashboards" / "training.json").read_text()
    used = {a or b for a, b in re.findall(r"\$\{(\w+)[:}]|\$(?!_)(\w+)", text)}
    assert used <= names
    assert set(VARIABLES) == names
