"""Every setting as a thing with a name, a flag, a variable, bounds, and words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from weir_server.settings import (
    ClickHouseSettings,
    DashboardSettings,
    EngineSettings,
    GatewaySettings,
    Group,
    LogSettings,
    ObjectsSettings,
    RulesSettings,
    StreamSettings,
    UpSettings,
    WriterSettings,
)

PREFIX: Final = "WEIR_"
MASK: Final = "••••••"

# What each process needs, and therefore which flags it has.
ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "gateway": ("log", "gateway", "stream", "clickhouse", "objects"),
    "writer": ("log", "writer", "stream", "clickhouse"),
    "rules": ("log", "rules", "gateway", "stream", "clickhouse"),
    "engine": ("log", "engine"),
    "dashboard": ("log", "dashboard", "clickhouse", "objects"),
    "migrate": ("log", "clickhouse", "gateway"),
    "up": (
        "log",
        "up",
        "gateway",
        "stream",
        "writer",
        "rules",
        "clickhouse",
        "objects",
        "engine",
        "dashboard",
    ),
}


class Settings(BaseSettings):
    """Every group; each process is handed the ones it needs."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__"
    )

    log: LogSettings = Field(default_factory=LogSettings)
    gateway: GatewaySettings = Field(default_factory=GatewaySettings)
    stream: StreamSettings = Field(default_factory=StreamSettings)
    writer: WriterSettings = Field(default_factory=WriterSettings)
    rules: RulesSettings = Field(default_factory=RulesSettings)
    clickhouse: ClickHouseSettings = Field(default_factory=ClickHouseSettings)
    objects: ObjectsSettings = Field(default_factory=ObjectsSettings)
    engine: EngineSettings = Field(default_factory=EngineSettings)
    dashboard: DashboardSettings = Field(default_factory=DashboardSettings)
    up: UpSettings = Field(default_factory=UpSettings)


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of one group."""

    group: str
    field: str
    info: FieldInfo

    @property
    def name(self) -> str:
        """`gateway.port`."""
        return f"{self.group}.{self.field}"

    @property
    def flag(self) -> str:
        """`--gateway.metrics-port`."""
        return f"--{self.group}.{self.field.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """`WEIR_GATEWAY__METRICS_PORT`."""
        return f"{PREFIX}{self.group}__{self.field}".upper()

    @property
    def secret(self) -> bool:
        """Whether its value may be shown."""
        return self.info.annotation is SecretStr


def list_settings(*groups: str) -> Iterator[Setting]:
    """Yield every setting of these groups (of all, when none is named), as declared."""
    for group, model in Settings.model_fields.items():
        if not groups or group in groups:
            kind = model.annotation
            assert isinstance(kind, type)
            assert issubclass(kind, Group)
            for field, info in kind.model_fields.items():
                yield Setting(group, field, info)


def shown(setting: Setting, value: Any) -> str:
    """Return a value as people may see it: secrets masked, nothing as `none`."""
    if setting.secret:
        return MASK if value and value.get_secret_value() else "none"
    if value is None or value == "":
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def allowed(setting: Setting) -> str:
    """Return what a setting may be, in words: its type and bounds."""
    choices = getattr(setting.info.annotation, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        return " or ".join(choices)
    return " ".join([_type_name(setting.info.annotation), *_bounds(setting.info.metadata)])


_BOUNDS: Final[Mapping[str, str]] = {
    "ge": "≥",
    "gt": ">",
    "le": "≤",
    "lt": "<",
    "pattern": "matching",
}
_TYPES: Final[Mapping[object, str]] = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    str: "text",
    Path: "a path",
    SecretStr: "text (secret)",
    Path | None: "a path",
    list[int] | None: "whole numbers, e.g. 0,1",
    list[str]: "texts, parted by commas",
    list[str] | None: "texts, parted by commas",
}


def _bounds(rules: list[Any]) -> Iterator[str]:
    for rule in rules:
        for kind, sign in _BOUNDS.items():
            if (bound := getattr(rule, kind, None)) is not None:
                yield f"{sign} {bound}"


def _type_name(annotation: object) -> str:
    return _TYPES.get(annotation, str(annotation))
