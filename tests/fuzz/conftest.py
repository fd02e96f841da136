"""Fixtures of the fuzz tests."""

from collections.abc import Iterator

import pytest

from tests.e2e.fixtures_up import EmbeddedWeir, running_weir
from tests.integration.fixtures_engine import engine

__all__ = ["engine"]


@pytest.fixture
def weir_under_attack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWeir]:
    """A whole Weir that nobody else needs."""
    with running_weir(tmp_path_factory.mktemp("attack") / "data", "--no-dashboard") as weir:
        yield weir
