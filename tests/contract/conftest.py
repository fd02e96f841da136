"""Fixtures of the contract suites: the real servers that the twins are compared with."""

from tests.contract.fixtures_objects import minio, objects
from tests.contract.fixtures_redis import redis_server
from tests.contract.fixtures_tables import connection, roll_up_even_of_small_series
from tests.integration.fixtures_engine import engine

__all__ = [
    "connection",
    "engine",
    "minio",
    "objects",
    "redis_server",
    "roll_up_even_of_small_series",
]
