"""docs/rules.md says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from weir_store.rules.definition import _KEYS, definition_of
from weir_store.rules.records import ActionKind
from weir_store.rules.templates import TEMPLATES

PAGE = (Path(__file__).parents[2] / "docs/rules.md").read_text()


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_file_on_the_page_can_be_applied() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    said = yaml.safe_load(text)
    names = [definition_of(rule).name for rule in _filled(said["rules"])]
    assert names == ["loss-is-nan", "too-hot"]


def _filled(rules: list[dict]) -> list[dict]:
    text = json.dumps(rules).replace("${SLACK_HOOK}", "https://x").replace("${OPS_SECRET}", "s")
    return json.loads(text)


def test_every_key_is_on_the_page_and_no_other() -> None:
    named = re.findall(r"^\| `(\w+)` \|", section("What a rule says"), re.M)
    assert sorted(named) == sorted(_KEYS)


def test_every_action_is_on_the_page() -> None:
    named = re.findall(r"^\| `(\w+):", section("Actions"), re.M)
    assert named == [kind.value for kind in ActionKind]


def test_every_template_is_on_the_page_with_its_parameters_and_defaults() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", section("Templates"), re.M)
    assert [(name, about) for name, about, _ in rows] == [
        (each.name, each.about) for each in TEMPLATES.values()
    ]
    for name, _, parameters in rows:
        told = dict(re.findall(r"`(\w+)` = (?:`(?P<text>[^`]*)`|[\w.]+)", parameters))
        assert list(told) == list(TEMPLATES[name].parameters)
        for key, each in TEMPLATES[name].parameters.items():
            default = each.default
            shown = f"`{default}`" if isinstance(default, str) else json.dumps(default)
            assert f"`{key}` = " in parameters
            assert shown.strip("`") in parameters.replace("`", "")
