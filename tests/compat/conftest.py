"""Fixtures of the compatibility tests."""

from tests.integration.fixtures_engine import engine

__all__ = ["engine"]
