"""Fixtures of the contract suites: the real servers that the twins are compared with."""

from tests.contract.fixtures_objects import minio, objects
from tests.contract.fixtures_redis import redis_server
from tests.integration.fixtures_engine import engine

__all__ = ["engine", "minio", "objects", "redis_server"]
