"""How versions get their numbers: `VersionNumbers`, linearizable over all gateways (ADR 14).

Two implementations judged by one suite (tests/contract/test_numbers.py):
`redis/numbers.py` and `memory_numbers.py`. Keys: docs/formats/stream.md.
"""

from __future__ import annotations

from typing import Final, Protocol

SERIES_KEPT_S: Final = 14 * 86_400
CLAIM_KEPT_S: Final = 7 * 86_400


class VersionNumbers(Protocol):
    """Gives out numbers; coroutines of one event loop. May raise `StreamUnavailable`."""

    async def allocate(self, project: str, series: str, claim: str, floor: int) -> int:
        """Return the number of a claim: the one it got before, else the next.

        Safe to repeat. What Redis forgets is found again in the store: `floor`
        is what makes numbers go on from there.

        Args:
            project: Whose series it is.
            series: What is numbered, e.g. `artifact/weights`.
            claim: What asks, e.g. the digest of a manifest; remembered for 7 days.
            floor: The highest number the store knows of; -1 makes the first one 0.
        """
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...
