"""The deploy files say only things that Weir understands."""

from __future__ import annotations

import json
import re
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from weir_server import settings

DEPLOY = Path(__file__).parents[3] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
GROUPS: dict[str, type[BaseModel]] = {
    name.removesuffix("Settings").upper(): group
    for name, group in vars(settings).items()
    if isinstance(group, type) and issubclass(group, settings.Group) and group is not settings.Group
}


def weir_variables() -> set[str]:
    variables = set(
        re.findall(
            r"^ENV .*?(WEIR_\w+__\w+)=|^\s+(WEIR_\w+__\w+)=",
            (DEPLOY / "Dockerfile").read_text(),
            re.M,
        )
    )
    named = {name for pair in variables for name in pair if name}
    for service in COMPOSE["services"].values():
        named |= {name for name in service.get("environment", {}) if "__" in name}
    return named


@pytest.mark.parametrize("variable", sorted(weir_variables()))
def test_every_weir_variable_in_deploy_is_a_setting(variable: str) -> None:
    group, field = variable.removeprefix("WEIR_").split("__")
    assert field.lower() in GROUPS[group].model_fields


def test_compose_runs_two_gateways_and_two_writers_over_real_engines() -> None:
    commands = [tuple(service.get("command", ())) for service in COMPOSE["services"].values()]
    assert commands.count(("serve", "gateway")) == 2
    assert commands.count(("serve", "writer")) == 2
    assert {"redis", "clickhouse", "s3", "dashboard"} <= COMPOSE["services"].keys()


def test_gateways_dashboard_and_the_s3_store_speak_of_the_same_key_and_bucket() -> None:
    (identity,) = json.loads((DEPLOY / "s3.json").read_text())["identities"]
    (credentials,) = identity["credentials"]
    example = dict(
        line.split("=", 1)
        for line in (DEPLOY / "env.example").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert example["WEIR_S3_SECRET_KEY"] == credentials["secretKey"]
    for name in ("gateway-1", "gateway-2", "dashboard"):
        told = COMPOSE["services"][name]["environment"]
        assert (told["WEIR_OBJECTS__KIND"], told["WEIR_OBJECTS__CREATE_BUCKET"]) == ("s3", "true")
        assert told["WEIR_OBJECTS__ACCESS_KEY"] == credentials["accessKey"]
        host, _, port = told["WEIR_OBJECTS__ENDPOINT"].removeprefix("http://").partition(":")
        assert f"{port}:{port}" in COMPOSE["services"][host]["ports"]
        assert told["WEIR_OBJECTS__SECRET_KEY"].startswith("${WEIR_S3_SECRET_KEY:?")


def test_every_variable_that_compose_asks_for_is_in_the_example() -> None:
    asked = set(re.findall(r"[$][{](WEIR_\w+)[:}]", (DEPLOY / "compose.yaml").read_text()))
    assert asked <= set(re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text(), re.M))


def test_nothing_waits_for_a_service_that_does_not_exist() -> None:
    for service in COMPOSE["services"].values():
        assert set(service.get("depends_on", ())) <= COMPOSE["services"].keys()


def test_every_file_that_compose_mounts_is_there() -> None:
    for service in COMPOSE["services"].values():
        for mount in service.get("volumes", ()):
            if mount.startswith("./"):
                assert (DEPLOY / mount.split(":")[0]).is_file(), mount


def test_the_other_files_parse() -> None:
    json.loads((DEPLOY / "s3.json").read_text())
    tomllib.loads((DEPLOY / "tokens.toml").read_text())
    ElementTree.fromstring((DEPLOY / "clickhouse" / "weir-logs.xml").read_text())
