"""Fixtures of the integration suites: the real engines."""

from tests.contract.fixtures_redis import redis_server
from tests.integration.fixtures_engine import engine

__all__ = ["engine", "redis_server"]
