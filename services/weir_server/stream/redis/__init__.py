"""The stream in Redis, 6.2 or newer: the only folder that knows the vendor.

What lies in Redis: docs/formats/stream.md. Scripts are the `*.lua` beside this file.
"""

from weir_server.stream.redis.appender import RedisAppender
from weir_server.stream.redis.consumer import RedisConsumer
from weir_server.stream.redis.forgetting import RedisRuns
from weir_server.stream.redis.lease import RedisLease
from weir_server.stream.redis.numbers import RedisNumbers
from weir_server.stream.redis.startup import check_stream, ping, prepare_stream

__all__ = [
    "RedisAppender",
    "RedisConsumer",
    "RedisLease",
    "RedisNumbers",
    "RedisRuns",
    "check_stream",
    "ping",
    "prepare_stream",
]
