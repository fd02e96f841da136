"""What a count found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass(slots=True)
class Tally:
    """What was found.

    Attributes:
        promised: Points and texts whose trainer was told that they are spooled, or ended well.
        stored: Points and texts that are read.
        lost: Promised, and not there.
        doubled: Read more than once.
        changed: There with a value that nobody logged, or an older one though a newer was promised.
        strange: Steps that nobody logged.
        tail: Rows of killed trainers that were not promised and are not there (not a loss).
        tail_stored: Rows of killed trainers that were not promised and are there all the same.
        overwritten: Points that a later life logged again.
        versions_off: Series with fewer stored versions than promised rows, or more than logged.
        states_off: Runs that ended well by their last life and are not shown so, or the reverse.
        verdicts: `weir verify` by verdict.
        named: The first few of whatever is wrong.
    """

    runs: int = 0
    lives: int = 0
    killed: int = 0
    promised: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    changed: int = 0
    strange: int = 0
    tail: int = 0
    tail_stored: int = 0
    overwritten: int = 0
    versions_off: int = 0
    states_off: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing is lost, doubled, changed or strange, and every verdict is `whole`."""
        faults = self.lost + self.doubled + self.changed + self.strange
        return not (faults + self.versions_off + self.states_off) and self.verdicts.keys() <= {
            "whole"
        }

    def name(self, fault: str) -> None:
        """Remember an example."""
        if len(self.named) < 50:
            self.named.append(fault)

    def add(self, other: Tally) -> None:
        """Add what another count found."""
        for key, value in asdict(other).items():
            mine = getattr(self, key)
            if isinstance(mine, dict):
                for verdict, count in value.items():
                    mine[verdict] = mine.get(verdict, 0) + count
            else:
                setattr(self, key, mine + value)
