"""One of the component's modules and all it imports, as one script that needs no address. Pure.

Each module becomes a function that is called once, in the order of its imports, and returns what the
module exports; so names of different modules never meet. Only the forms of `import` and `export` that
our own files use are understood, and anything else is refused: a test bundles every file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_IMPORT: Final = re.compile(r'^import\s+([^"]+?)\s+from\s+"\./([\w.-]+)";[ \t]*$', re.MULTILINE)
_EXPORTED: Final = re.compile(
    r"^export (default )?((?:async )?function\*?|class|const|let) (\w+)", re.MULTILINE
)
_LIST: Final = re.compile(r"^export \{([^}]*)\};?[ \t]*$", re.MULTILINE)
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_LEFT: Final = re.compile(r"^(import|export)\b.*$", re.MULTILINE)


def bundle(first: str, sources: Mapping[str, str]) -> str:
    """Return a script in which `weirModules[first]` is what that module exports.

    Args:
        first: The module to begin with.
        sources: File name → text of every module.

    Raises:
        ValueError: A module is not there, imports run in a circle, or a form is not understood.
    """
    done: dict[str, str] = {}
    _add(first, sources, done, ())
    parts = "\n".join(done.values())
    return f'"use strict";\nconst weirModules = {{}};\n{parts}\n'


def _add(
    name: str, sources: Mapping[str, str], done: dict[str, str], path: tuple[str, ...]
) -> None:
    if name in done:
        return
    if name in path:
        raise ValueError(f"imports run in a circle: {' → '.join((*path, name))}")
    if name not in sources:
        raise ValueError(f"{path[-1] if path else 'the bundle'} imports {name}, which is not there")
    text = _COMMENT.sub(lambda found: found[0].replace("\nexport", "\n export"), sources[name])
    for wanted in _IMPORT.finditer(text):
        _add(wanted[2], sources, done, (*path, name))
    done[name] = _module(name, text)


def _module(name: str, text: str) -> str:
    exported: dict[str, str] = {}
    for default, _, own in _EXPORTED.findall(text):
        exported["default" if default else own] = own
    for names in _LIST.findall(text):
        for part in filter(None, (piece.strip() for piece in names.split(","))):
            own, _, other = part.partition(" as ")
            exported[other.strip() or own.strip()] = own.strip()
    text = _IMPORT.sub(lambda found: _taken(found[1], found[2]), text)
    text = _EXPORTED.sub(lambda found: f"{found[2]} {found[3]}", text)
    text = _LIST.sub("", text).replace("import.meta.url", '"file:///"')
    if left := _LEFT.search(text):
        raise ValueError(f"{name}: cannot bundle {left[0][:80]!r}")
    given = ", ".join(f'"{other}": {own}' for other, own in exported.items())
    return f'weirModules["{name}"] = (() => {{\n{text}\nreturn {{ {given} }};\n}})();'


def _taken(names: str, module: str) -> str:
    """Turn what an import names into a constant that takes it out of the module."""
    names = names.strip()
    if not names.startswith("{"):
        if not names.isidentifier():
            raise ValueError(f"cannot bundle `import {names}`")
        return f'const {names} = weirModules["{module}"].default;'
    return f'const {names.replace(" as ", ": ")} = weirModules["{module}"];'
