"""Fixtures of the contract suites: the real servers that the twins are compared with."""

from tests.integration.fixtures_engine import engine

__all__ = ["engine"]
