"""The words of the register. Value types only."""

from __future__ import annotations

from dataclasses import dataclass

from weir_dashboard.access.viewer import Via
from weir_store.records import RunRef


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was signed in, as far as it has to be asked again what they may.

    Attributes:
        name: Of the token, or as the provider or proxy says.
        via: How they came in.
        sha256: Of their token; "" = they have none.
        groups: As the provider or proxy says.
    """

    name: str
    via: Via
    sha256: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in that a provider is asked about."""

    state: str
    nonce: str
    verifier: str
    next: str


@dataclass(frozen=True, slots=True)
class Link:
    """A share link; its secret is not here.

    Attributes:
        link_id: Names it in lists.
        title: What it shows, in words.
        address: Path and query of the page it opens.
        projects: What it lets see; with `runs` nothing but these.
        runs: Chosen runs; empty = the projects as a whole.
        by: Who made it: it ends when they may not see this any more.
        made_unix_s: When.
        expires_unix_s: When it ends.
    """

    link_id: str
    title: str
    address: str
    projects: tuple[str, ...]
    runs: frozenset[RunRef]
    by: Person
    made_unix_s: float
    expires_unix_s: float
