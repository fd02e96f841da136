"""Hyperparameters come in many forms; each ends as a plain section."""

import argparse
import json
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import attrs
import pydantic
import pydantic.v1
import pytest

import weir
from weir._config_sources import as_section, read_config
from weir.errors import UsageError
from weir.testing import capture


@dataclass
class Optimizer:
    lr: float = 0.1
    betas: tuple[float, float] = (0.9, 0.99)


@dataclass
class Whole:
    optimizer: Optimizer = field(default_factory=Optimizer)
    seed: int = 1


@attrs.define
class OfAttrs:
    lr: float = 0.1
    inner: Optimizer = attrs.Factory(Optimizer)


class OfPydantic(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    lr: float = 0.1
    token: pydantic.SecretStr = pydantic.SecretStr("hidden-1234")


class OfPydanticOne(pydantic.v1.BaseModel):
    lr: float = 0.1


def test_nested_objects_of_all_kinds_are_recorded_by_path() -> None:
    config = {
        "dataclass": Whole(),
        "attrs": OfAttrs(),
        "pydantic": OfPydantic(extra_one=3),
        "pydantic1": OfPydanticOne(),
        "argparse": argparse.Namespace(epochs=3),
        "simple": types.SimpleNamespace(depth=2),
    }
    with capture() as captured:
        weir.init(config=config).finish()
    found = captured.config()
    assert found["dataclass.optimizer.lr"] == 0.1
    assert found["dataclass.optimizer.betas"] == [0.9, 0.99]
    assert found["attrs.inner.lr"] == 0.1
    assert found["pydantic.lr"] == 0.1
    assert found["pydantic.extra_one"] == 3
    assert found["pydantic1.lr"] == 0.1
    assert found["argparse.epochs"] == 3
    assert found["simple.depth"] == 2
    assert "hidden" not in json.dumps(found)  # pydantic's own mask


def test_what_is_no_configuration_is_a_leaf() -> None:
    class Module:
        def __init__(self) -> None:
            self.weights = [1.0] * 10

    for leaf in (Module(), Optimizer, OfPydantic, 5, "text", None, [1], print):
        assert as_section(leaf) is None


class _FakeOmegaConf(types.ModuleType):
    """What we call of OmegaConf, with its behaviour: `???` raises unless told not to."""

    class OmegaConf:
        @staticmethod
        def is_dict(value: Any) -> bool:
            return type(value).__name__ == "DictConfig"

        @staticmethod
        def to_container(
            value: Any, *, resolve: bool, throw_on_missing: bool, enum_to_str: bool
        ) -> Any:
            if resolve and value.broken:
                raise _FakeOmegaConf.errors.OmegaConfBaseException("no such key")
            assert not throw_on_missing
            return {"lr": 0.1, "twice": 0.2 if resolve else "${lr}", "must": "???"}

    class errors:
        class OmegaConfBaseException(Exception):
            pass


@pytest.mark.parametrize(("broken", "twice"), [(False, 0.2), (True, "${lr}")])
def test_omegaconf_is_resolved_where_it_can_be_and_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, broken: bool, twice: Any
) -> None:
    monkeypatch.setitem(sys.modules, "omegaconf", _FakeOmegaConf("omegaconf"))
    kind = type("DictConfig", (), {"__module__": "omegaconf.dictconfig", "broken": broken})
    assert as_section(kind()) == {"lr": 0.1, "twice": twice, "must": "???"}


def test_the_real_omegaconf_is_understood() -> None:
    omegaconf = pytest.importorskip("omegaconf")
    conf = omegaconf.OmegaConf.create(
        {"lr": 0.1, "twice": "${lr}", "must": "???", "deep": {"a": [1]}}
    )
    section = as_section(conf)
    assert section is not None
    assert dict(section) == {"lr": 0.1, "twice": 0.1, "must": "???", "deep": {"a": [1]}}
    conf.lost = "${nowhere}"
    assert (as_section(conf) or {})["lost"] == "${nowhere}"


def test_absl_flags_are_the_programs_own() -> None:
    flags = pytest.importorskip("absl.flags")
    values = flags.FlagValues()
    flags.DEFINE_float("lr", 0.1, "", flag_values=values)
    values(["prog", "--lr=0.2"])
    assert as_section(values) == {"lr": 0.2}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"lr": 0.1, "model": {"depth": 2}}'),
        ("a.toml", "lr = 0.1\n[model]\ndepth = 2\n"),
        ("a.yaml", "lr: 0.1\nmodel:\n  depth: 2\n"),
        ("a.YML", "lr: 0.1\nmodel: {depth: 2}\n"),
    ],
)
@pytest.mark.parametrize("form", [str, Path])
def test_a_file_can_be_the_config(
    tmp_path: Path, name: str, text: str, form: Callable[..., Any]
) -> None:
    (tmp_path / name).write_text(text)
    with capture() as captured:
        weir.init(config=form(tmp_path / name)).finish()
    assert captured.config() == {"lr": 0.1, "model.depth": 2}


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.json", "{", "cannot be read"),
        ("a.toml", "= 3", "cannot be read"),
        ("a.yaml", "a: [", "cannot be read"),
        ("a.yaml", "- 1", "no mapping"),
        ("a.txt", "", "no file of"),
        ("gone.json", None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_config_is_told_at_once(
    tmp_path: Path, name: str, text: str | None, why: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=why):
        read_config(tmp_path / name)


def test_anything_else_is_told_at_once() -> None:
    with pytest.raises(UsageError, match="config must be a mapping, not int"):
        read_config(3)
