"""Who of several processes does what only one may do: `Lease`.

Two implementations judged by one suite (tests/contract/test_rules_lease.py):
`redis/lease.py` and `memory_lease.py`. Keys: docs/formats/stream.md.
"""

from __future__ import annotations

from typing import Protocol


class Lease(Protocol):
    """One thread's. Every call may raise `StreamUnavailable`: nobody can tell then."""

    def acquire(self) -> bool:
        """Take the lease, or keep it; False when another holds it."""
        ...

    def keep(self) -> bool:
        """Keep it; False when it is not ours any more, also when nobody has it."""
        ...

    def release(self) -> None:
        """Give it back if it is ours."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...
