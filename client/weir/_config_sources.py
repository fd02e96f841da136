"""Where hyperparameters come from: what counts as a section of the config, in any library's form.

Imports none of the libraries: whoever has one of their objects has imported them.
"""

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from weir.errors import UsageError

_SUFFIXES: Final = (".yaml", ".yml", ".json", ".toml")


def as_section(value: Any) -> Mapping[str, Any] | None:
    """Return what a mapping or an object that is surely configuration holds; None for a leaf.

    Taken: mappings, OmegaConf and Hydra (interpolations resolved, missing values as `???`),
    dataclasses, attrs, pydantic 1 and 2, argparse.Namespace, SimpleNamespace, absl flags,
    ml_collections. `torch.nn.Module` and the like are leaves.
    """
    library = type(value).__module__.partition(".")[0]
    if (take := _LIBRARIES.get(library)) is not None and (section := take(value)) is not None:
        return section
    if isinstance(value, Mapping):
        return value
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return _by_its_class(value)


def read_config(source: Any) -> Mapping[str, Any]:
    """Return what was given as config: anything `as_section` takes, or a YAML, JSON or TOML file.

    Raises:
        UsageError: It is nothing of the kind, or the file cannot be read.
    """
    if isinstance(source, (str, os.PathLike)):
        return _read_file(Path(source))
    section = as_section(source)
    if section is None:
        raise UsageError(f"config must be a mapping, not {type(source).__name__}")
    return section


def _by_its_class(value: Any) -> Mapping[str, Any] | None:
    """Attrs and pydantic mark their classes; the objects are of the user's own modules."""
    kind = type(value)
    if hasattr(kind, "__attrs_attrs__"):
        return {each.name: getattr(value, each.name) for each in kind.__attrs_attrs__}
    if hasattr(kind, "__pydantic_fields__") or hasattr(kind, "__pydantic_core_schema__"):
        extra = getattr(value, "model_extra", None) or {}
        return {**{name: getattr(value, name) for name in kind.model_fields}, **extra}
    if hasattr(kind, "__fields_set__") and hasattr(kind, "__fields__"):  # pydantic 1
        return {name: getattr(value, name) for name in kind.__fields__}
    return None


def _argparse(value: Any) -> Mapping[str, Any] | None:
    namespace = getattr(sys.modules.get("argparse"), "Namespace", ())
    return dict(vars(value)) if isinstance(value, namespace) else None


def _types(value: Any) -> Mapping[str, Any] | None:
    return dict(vars(value)) if type(value).__name__ == "SimpleNamespace" else None


def _omegaconf(value: Any) -> Mapping[str, Any] | None:
    """As plain values; an interpolation that leads nowhere stays as it is written."""
    omegaconf: Any = sys.modules.get("omegaconf")
    if omegaconf is None or not omegaconf.OmegaConf.is_dict(value):
        return None
    to_container = omegaconf.OmegaConf.to_container
    try:
        plain = to_container(value, resolve=True, throw_on_missing=False, enum_to_str=True)
    except omegaconf.errors.OmegaConfBaseException:
        plain = to_container(value, resolve=False, throw_on_missing=False, enum_to_str=True)
    return plain if isinstance(plain, Mapping) else None


def _absl(value: Any) -> Mapping[str, Any] | None:
    """The program's own flags; absl defines dozens for itself."""
    if not hasattr(value, "flags_by_module_dict"):
        return None
    return {
        flag.name: flag.value
        for module, flags in value.flags_by_module_dict().items()
        if not module.startswith("absl.")
        for flag in flags
    }


def _ml_collections(value: Any) -> Mapping[str, Any] | None:
    if not hasattr(value, "to_dict"):
        return None
    plain = value.to_dict()
    return plain if isinstance(plain, Mapping) else None


_LIBRARIES: Final[Mapping[str, Callable[[Any], Mapping[str, Any] | None]]] = {
    "argparse": _argparse,
    "types": _types,
    "omegaconf": _omegaconf,
    "absl": _absl,
    "ml_collections": _ml_collections,
}


def _read_file(path: Path) -> Mapping[str, Any]:
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"config {str(path)!r} is no file of {', '.join(_SUFFIXES)}")
    try:
        found = _parsed(path.read_text(encoding="utf-8"), path.suffix.lower())
    except (OSError, ValueError) as error:
        raise UsageError(f"config {path} cannot be read: {error}") from error
    if not isinstance(found, Mapping):
        raise UsageError(f"config {path} holds no mapping")
    return found


def _parsed(text: str, suffix: str) -> Any:
    """Raises ValueError when the text is not what its suffix says."""
    if suffix == ".json":
        import json

        return json.loads(text)
    if suffix == ".toml":
        import tomllib

        return tomllib.loads(text)
    try:
        import yaml  # type: ignore[import-untyped,unused-ignore]  # the user's: not one of ours
    except ImportError:
        raise UsageError("a YAML config needs PyYAML", hint="pip install pyyaml") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(error) from error
