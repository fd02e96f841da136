"""Fixtures of the fault tests: real processes, each module with a house of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fault.fixtures_house import House, a_house, a_redis
from tests.integration.fixtures_engine import EngineProcess, engine

__all__ = ["engine", "house", "root"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, engine: EngineProcess) -> Iterator[House]:
    """A Redis and a database behind doors; tests start the gateways and writers they need."""
    folder = tmp_path_factory.mktemp("house")
    with a_redis(folder) as redis, a_house(redis, engine, folder) as built:
        yield built


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A spool root."""
    return tmp_path / "spool"
