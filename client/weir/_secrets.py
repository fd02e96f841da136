"""Which variables hold secrets, by their names; and what of their values is worth hiding. Pure."""

import re
from collections.abc import Mapping
from typing import Final

LEAST_LETTERS: Final = 6
"""Shorter values are no secrets: replacing them everywhere would hide more than it protects."""

LONG_WORD: Final = 16
"""No plain word of a language has more letters."""

_SECRET_WORDS: Final = frozenset(
    {
        *(
            "SECRET",
            "SECRETS",
            "TOKEN",
            "PASSWORD",
            "PASSWD",
            "PASSPHRASE",
            "PASS",
            "APIKEY",
            "KEY",
        ),
        *("CREDENTIAL", "CREDENTIALS", "AUTH", "AUTHORIZATION", "COOKIE", "SAS"),
    }
)
_GLUED: Final = ("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "APIKEY", "TOKEN")
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_HARMLESS: Final = frozenset({"PUBLIC", "NUM", "MAX", "MIN", "PAD", "EOS", "BOS", "UNK"})


def is_secret_name(name: str) -> bool:
    """Return whether a variable of this name is likely to hold a secret.

    True for `AWS_SECRET_ACCESS_KEY`, `PGPASSWORD`, `hfToken`; false for `TOKENIZERS_PARALLELISM`,
    `MAX_TOKENS`, `PWD`.
    """
    words = [word.upper() for word in _WORD.findall(name[:256])]
    if not words or not _HARMLESS.isdisjoint(words):
        return False
    known = _SECRET_WORDS.intersection(words)
    if known == {"KEY"}:  # of a dictionary, unless it is what the name is about
        return words[-1] == "KEY" or words[-2:] == ["KEY", "ID"]
    return bool(known) or any(word.endswith(_GLUED) for word in words)


def secret_values(environ: Mapping[str, str]) -> list[str]:
    """Return what must not turn up anywhere: the values of variables whose names say secret.

    Values of under 6 letters, paths, numbers and plain words are left out: replacing them
    everywhere would hide more than it protects. Longest first.
    """
    found = {value for name, value in environ.items() if is_secret_name(name) and _is_secret(value)}
    return sorted(found, key=lambda value: (-len(value), value))


def _is_secret(value: str) -> bool:
    if len(value) < LEAST_LETTERS or value.startswith(("/", "./", "../", "~/", "file:")):
        return False
    if value.isalpha():
        return len(value) >= LONG_WORD
    plain_number = value.replace(".", "", 1).replace("-", "").isdigit()
    return not (plain_number and len(value) < LONG_WORD)
