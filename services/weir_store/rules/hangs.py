"""The check `hang`: what weir_store/ranks finds to stand still, as what fires."""

from __future__ import annotations

from dataclasses import dataclass

from weir_store.ranks.base import Finding, RankReader
from weir_store.rules.records import Found, Group


@dataclass(frozen=True, slots=True)
class Hangs:
    """Implements `ask.HangFinder`."""

    ranks: RankReader

    def find_hangs(self, project: str, now_unix_us: int) -> list[Found]:
        """See `ask.HangFinder.find_hangs`; a run is found once, however many of its roles stand."""
        found: dict[str, Found] = {}
        for each in self.ranks.find_hangs(now_unix_us, projects=[project]):
            found.setdefault(each.ref.run_id, _found(each))
        return list(found.values())


def _found(finding: Finding) -> Found:
    message = ": ".join(filter(None, (finding.title, finding.body)))
    return Found(Group(finding.ref.run_id), finding.silent_s, message)
