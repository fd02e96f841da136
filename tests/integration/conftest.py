"""Fixtures of the integration suites: the real engines."""

from tests.integration.fixtures_engine import engine

__all__ = ["engine"]
