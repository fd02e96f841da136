import argparse
from dataclasses import dataclass
from typing import Any

import pytest

from weir._config import DELETED, Nested, Summary


@pytest.fixture
def recorded() -> dict[str, Any]:
    return {}


@pytest.fixture
def refused() -> dict[Any, str]:
    return {}


@pytest.fixture
def config(recorded: dict[str, Any], refused: dict[Any, str]) -> Nested:
    return Nested(recorded.__setitem__, refused.__setitem__)


def test_items_and_attributes_are_the_same_thing(config: Nested) -> None:
    config["a"] = 1
    config.b = {"c": 2}
    config.b.d = 3
    assert config.a == config["a"] == 1
    assert config.as_dict() == {"a": 1, "b": {"c": 2, "d": 3}}
    assert "a" in config
    assert list(config) == ["a", "b"]
    assert len(config) == 2
    assert not hasattr(config, "z")


def test_every_change_is_recorded_under_its_path(config: Nested, recorded: dict[str, Any]) -> None:
    config.update({"lr": 0.1, "opt": {"name": "adam", "betas": {"b1": 0.9}}})
    config.opt.betas.b1 = 0.8
    config["dotted.key"] = 1
    assert recorded == {
        "lr": 0.1,
        "opt.name": "adam",
        "opt.betas.b1": 0.8,
        "dotted.key": 1,
    }


def test_what_a_new_section_lacks_is_deleted(config: Nested, recorded: dict[str, Any]) -> None:
    config.opt = {"name": "adam", "eps": 1}
    config.opt = {"name": "sgd"}
    assert recorded == {"opt.name": "sgd", "opt.eps": DELETED}
    config.opt = 5
    assert recorded == {"opt.name": DELETED, "opt.eps": DELETED, "opt": 5}
    config.opt = {"x": 1}
    assert recorded["opt"] is DELETED
    assert recorded["opt.x"] == 1


def test_deleting_records_every_leaf(config: Nested, recorded: dict[str, Any]) -> None:
    config.update(a=1, b={"c": {"d": 2}})
    del config["a"]
    del config.b
    assert recorded == {"a": DELETED, "b.c.d": DELETED}
    assert config.as_dict() == {}


def test_setdefault_keeps_what_is_there(config: Nested, recorded: dict[str, Any]) -> None:
    assert config.setdefault("a", 1) == 1
    assert config.setdefault("a", 2) == 1
    assert recorded == {"a": 1}


def test_dataclasses_and_namespaces_are_sections(config: Nested) -> None:
    @dataclass
    class Optimizer:
        lr: float = 0.1

    config.update({"args": argparse.Namespace(seed=1), "opt": Optimizer()})
    assert config.as_dict() == {"args": {"seed": 1}, "opt": {"lr": 0.1}}


@pytest.mark.parametrize("key", ["", "a\nb", "x" * 600, 3])
def test_a_bad_key_is_refused_and_not_there_afterwards(
    config: Nested, recorded: dict[str, Any], refused: dict[Any, str], key: Any
) -> None:
    config[key] = 1
    config["good"] = {"better": 2}
    assert list(refused) == [str(key)]
    assert recorded == {"good.better": 2}
    assert config.as_dict() == {"good": {"better": 2}}


def test_a_summary_value_set_by_hand_wins_over_the_automatic_one(refused: dict[Any, str]) -> None:
    summary = Summary(lambda path, value: None, refused.__setitem__, {"loss": 0.5, "acc": 0.9}.get)
    summary["acc"] = 1.0
    assert (summary["loss"], summary["acc"]) == (0.5, 1.0)
    assert summary.as_dict() == {"acc": 1.0}
    with pytest.raises(KeyError):
        summary["other"]
    assert summary.get("other") is None
    assert summary.get("loss") == 0.5
