"""Tables of a suite's own on the real engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.fixtures_engine import EngineProcess
from weir_store import clickhouse, plan
from weir_store.migrate import migrate


@pytest.fixture(scope="module")
def connection(
    request: pytest.FixtureRequest, engine: EngineProcess
) -> Iterator[clickhouse.ClickHouse]:
    """A connection to the engine, on which the module's `DATABASE` has its tables."""
    connected = clickhouse.connect(engine.url)
    migrate(connected, request.module.DATABASE)
    yield connected
    connected.close()


@pytest.fixture(scope="module")
def roll_up_even_of_small_series() -> Iterator[None]:
    """Read thinned series from the roll-up however few points they have."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plan, "SMALL_ROWS", 0)
        yield
