"""What the trainer tells the collector: who asks, for what. Travels through stdin, never the disk."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to look at, and where to leave what was found.

    Attributes:
        job: Names the files it leaves: `start`, or `data-1`, `code-1` … for what code asks later.
        sections: What to look at, in this order (`weir._inputs._collect.SECTIONS`).
        spool_path: The producer's folder: facts go to its `inputs/`, files to its `outbox/`.
        limit_s: When to stop, whatever was found until then.
        argv: The whole command line, as the interpreter got it.
        script: The main file; "" when there is none.
        module: What `python -m` was given.
        notebook: The notebook, as far as it is known.
        directory: The working directory.
        sys_path: Where the trainer finds its packages.
        prefix: Of its Python environment.
        executable: Its interpreter.
        python: Its version, in full.
        variables: Environment variables on the allow-list.
        options: What one section needs to know.
    """

    job: str
    sections: tuple[str, ...]
    spool_path: str
    limit_s: float = 60.0
    argv: tuple[str, ...] = ()
    script: str = ""
    module: str = ""
    notebook: str = ""
    directory: str = ""
    sys_path: tuple[str, ...] = ()
    prefix: str = ""
    executable: str = ""
    python: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Return it as bytes; letters that are no UTF-8 survive."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read what `to_json` wrote."""
        found: dict[str, Any] = json.loads(text)
        known = {each.name: found[each.name] for each in fields(cls) if each.name in found}
        lists = {key: tuple(value) for key, value in known.items() if isinstance(value, list)}
        return cls(**{**known, **lists})
