"""Rules as they lie in files: YAML or JSON, a project's rules in each."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from weir.errors import UsageError

_SUFFIXES: Final = (".yaml", ".yml", ".json")
_MOST_BYTES: Final = 4 << 20
_VARIABLE: Final = re.compile(r"\$\{?[A-Za-z_]\w*\}?")
_KEYS: Final = {"project", "rules"}


@dataclass(frozen=True)
class RuleInFile:
    """One rule, and where it was read."""

    path: Path
    project: str
    definition: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As the file says it; the server judges it."""
        return str(self.definition.get("name", ""))


def read_rules(path: Path, project: str = "") -> list[RuleInFile]:
    """Return the rules of a file, or of every file of a folder.

    Args:
        path: A file, or a folder whose *.yaml, *.yml and *.json are read.
        project: Theirs, where a file does not say.

    Raises:
        UsageError: A file cannot be read, names no project, or two rules have one name.
    """
    found = [rule for file in _files(path) for rule in _read(file, project)]
    seen: dict[tuple[str, str], Path] = {}
    for rule in found:
        key = rule.project, rule.name
        if key in seen:
            raise UsageError(f"rule {rule.name} is in {seen[key]} and in {rule.path}")
        seen[key] = rule.path
    return found


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES)
    if not found:
        raise UsageError(f"there are no rules in {path}", hint=f"files *{', *'.join(_SUFFIXES)}")
    return found


def _read(path: Path, project: str) -> Iterator[RuleInFile]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{path} is over 4 MiB")
        said = _parsed(path, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    if isinstance(said, list):
        said = {"rules": said}
    if (
        not isinstance(said, Mapping)
        or set(said) - _KEYS
        or not isinstance(said.get("rules"), list)
    ):
        raise UsageError(f"{path} holds no rules", hint="project: NAME, then rules: a list of them")
    of = said.get("project") or project
    if not isinstance(of, str) or not of:
        raise UsageError(f"{path} names no project", hint="project: NAME in it, or --project NAME")
    for each in said["rules"]:
        if not isinstance(each, Mapping):
            raise UsageError(f"{path}: a rule is a mapping", hint="- name: …")
        yield RuleInFile(path, of, _with_variables(path, each))


def _parsed(path: Path, text: str) -> Any:
    if path.suffix == ".json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path} is no JSON: {error}") from error
    try:
        import yaml
    except ImportError as error:
        raise UsageError(
            "reading YAML needs PyYAML", hint='pip install "weir[api]", or write the rules as JSON'
        ) from error
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{path} is no YAML: {' '.join(str(error).split())}") from error


def _with_variables(path: Path, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Fill `${NAME}` of actions from the environment: secrets need not lie in files."""
    said = dict(definition)
    if isinstance(said.get("actions"), list):
        said["actions"] = [
            {key: _filled(path, value) for key, value in each.items()}
            if isinstance(each, Mapping)
            else each
            for each in said["actions"]
        ]
    return said


def _filled(path: Path, value: Any) -> Any:
    if not isinstance(value, str) or "$" not in value:
        return value
    filled = os.path.expandvars(value)
    missing = set(_VARIABLE.findall(value)) & set(_VARIABLE.findall(filled))
    if missing:
        raise UsageError(f"{path} asks for {min(missing)}, which is not in the environment")
    return filled
