"""Who may see some projects only is told of these, and nothing of the store as a whole."""

from __future__ import annotations

import pytest

from tests.unit.dashboard.whole import whole
from weir_dashboard.access import doors
from weir_dashboard.access.door_health import HealthDoor
from weir_dashboard.access.viewer import ANYBODY, Viewer
from weir_store.errors import InvalidQuery
from weir_store.records import RunRef


class Noting:
    """A `HealthReader` that notes for which projects it was asked."""

    def __init__(self) -> None:
        self.allowed: list[tuple[str, ...]] = []

    def __getattr__(self, name: str):
        def asked(*given: tuple[str, ...], **_: object) -> list[object]:
            self.allowed.append(given[-1])
            return []

        return asked


def test_every_question_is_cut_down_to_their_projects() -> None:
    noting = Noting()
    door = HealthDoor(noting, Viewer("ada", projects=("a", "b")))  # type: ignore[arg-type]
    door.list_books()
    door.list_losses()
    door.list_dead()
    door.list_nodes(2, 1)
    door.list_nonfinite(1)
    assert noting.allowed == [("a", "b")] * 5
    door.list_books(["b", "c"])
    assert list(noting.allowed[-1]) == ["b"]


def test_how_large_the_store_is_is_for_who_sees_every_project() -> None:
    door = HealthDoor(Noting(), Viewer("ada", projects=("a",)))  # type: ignore[arg-type]
    with pytest.raises(InvalidQuery, match="every project"):
        door.read_store()


def test_a_share_link_opens_no_health_and_nobody_but_who_sees_all_gets_the_parts() -> None:
    sources = whole()
    assert doors.opened(sources, ANYBODY).parts == ()
    ada = doors.opened(sources, Viewer("ada", projects=("gpt-small",)))
    assert ada.parts is None
    assert isinstance(ada.health, HealthDoor)
    link = Viewer("link", projects=("gpt-small",), runs=frozenset({RunRef("gpt-small", "r0000")}))
    assert doors.opened(sources, link).health is None
