"""Nested facts about a run that tell somebody of every change: config and summary."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Final

from weir._config_sources import as_section
from weir._names import name_fault

DELETED: Final = object()
Record = Callable[[str, Any], None]  # (path, value or DELETED)
Refuse = Callable[[Any, str], None]  # (what, why): raises, or tells and counts


class Nested(MutableMapping[str, Any]):
    """A mapping of mappings, read and written as `x["a"]["b"]` or `x.a.b`.

    Behaves as a dict does (`update` replaces a whole section, it does not merge into it), and
    records every leaf that changes under its path, segments joined by `.`. A key that cannot be
    recorded is refused: it is not there afterwards.
    """

    _values: dict[str, Any]
    _prefix: str
    _record: Record
    _refuse: Refuse

    def __init__(self, record: Record, refuse: Refuse, prefix: str = "") -> None:
        self.__dict__["_values"] = {}
        self.__dict__["_prefix"] = prefix
        self.__dict__["_record"] = record
        self.__dict__["_refuse"] = refuse

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        section = as_section(value)
        fault = name_fault(f"{self._prefix}{key}") if isinstance(key, str) else name_fault(key)
        if fault:
            self._refuse(f"{self._prefix}{key}", fault)
        elif section is None:
            self._forget_section(key)
            self._values[key] = value
            self._record(f"{self._prefix}{key}", value)
        else:
            self._set_section(key, section)

    def __delitem__(self, key: str) -> None:
        value = self._values[key]
        if isinstance(value, Nested):
            self._forget_section(key)
        else:
            self._record(f"{self._prefix}{key}", DELETED)
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no {self._prefix}{name} here") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __repr__(self) -> str:
        return repr(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Return a copy made of plain dicts."""
        return {
            key: value.as_dict() if isinstance(value, Nested) else value
            for key, value in self._values.items()
        }

    def _set_section(self, key: str, section: Mapping[str, Any]) -> None:
        """Replace what is under `key`: leaves that the new section lacks are deleted."""
        content = {str(name): value for name, value in section.items()}
        existing = self._values.get(key)
        if not isinstance(existing, Nested):
            if key in self._values:
                self._record(f"{self._prefix}{key}", DELETED)
            existing = self._values[key] = Nested(
                self._record, self._refuse, f"{self._prefix}{key}."
            )
        for name in set(existing) - set(content):
            del existing[name]
        for name, value in content.items():
            existing[name] = value

    def _forget_section(self, key: str) -> None:
        section = self._values.get(key)
        if isinstance(section, Nested):
            for name in list(section):
                del section[name]


class Summary(Nested):
    """What the run came to: values set by hand, and below them the automatic ones.

    Reading a metric's name that was not set by hand gives the automatic value (by default the
    last one logged). Only values set by hand are listed, counted and recorded; they win.
    """

    def __init__(
        self, record: Record, refuse: Refuse, automatic: Callable[[str], float | None]
    ) -> None:
        super().__init__(record, refuse)
        self.__dict__["_automatic"] = automatic

    def __getitem__(self, key: str) -> Any:
        if key in self._values:
            return self._values[key]
        value = self.__dict__["_automatic"](key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return key in self._values
