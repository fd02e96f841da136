"""Every key in Redis. What lies behind each: docs/formats/stream.md."""

from __future__ import annotations

from urllib.parse import quote

GROUP = "w"
"""The one consumer group of a shard, and its one consumer."""

SHARDS = "weir:shards"


def log(shard: int) -> str:
    """Return the key of the shard's entries."""
    return f"weir:{{{shard}}}:log"


def producer(shard: int, producer: bytes) -> str:
    """Return the key of a producer's accepted watermark."""
    return f"weir:{{{shard}}}:prod:{producer.hex()}"


def payload_bytes(shard: int) -> str:
    """Return the key that counts the payload bytes of the log."""
    return f"weir:{{{shard}}}:bytes"


def project_bytes(shard: int) -> str:
    """Return the key that counts the payload bytes of the log by project."""
    return f"weir:{{{shard}}}:projects"


def lease(shard: int) -> str:
    """Return the key that names the writer of the shard."""
    return f"weir:{{{shard}}}:lease"


def inflight(shard: int) -> str:
    """Return the key of the block being inserted."""
    return f"weir:{{{shard}}}:inflight"


def committed(shard: int) -> str:
    """Return the key of the committed watermarks, a cache."""
    return f"weir:{{{shard}}}:committed"


def rules_lease() -> str:
    """Return the key that names the process that evaluates rules."""
    return "weir:rules:lease"


def nothing(shard: int) -> str:
    """Return a key of the shard that never exists."""
    return f"weir:{{{shard}}}:nothing"


def sweeper_lease() -> str:
    """Return the key that names the gateway that sweeps."""
    return "weir:sweeper:lease"


def run(project: str, run_id: str) -> str:
    """Return the key of a run's birth, a cache."""
    return f"weir:run:{_named(project, run_id)}"


def stop(project: str, run_id: str) -> str:
    """Return the key of a request to stop a run."""
    return f"weir:stop:{_named(project, run_id)}"


def numbers(project: str, series: str) -> str:
    """Return the key of the number given last in a series."""
    return f"weir:numbers:{{{_named(project, series)}}}"


def claim(project: str, series: str, claim: str) -> str:
    """Return the key of the number that a claim was given; in the slot of its series."""
    return f"{numbers(project, series)}:{quote(claim, safe='')}"


def _named(project: str, run_id: str) -> str:
    # A '/' inside a name must not make two runs share a key.
    return f"{quote(project, safe='')}/{quote(run_id, safe='')}"
