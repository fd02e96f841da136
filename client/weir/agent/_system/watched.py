"""One run and what its node log gets: a frame per sampling, facts once, usage every minute."""

import os
from collections.abc import Mapping, Sequence
from typing import Final

from weir._body import event
from weir._clock import Clock
from weir._columns import Symbols
from weir._spool import SpoolRoom
from weir.agent._attendance import Attended
from weir.agent._log import log
from weir.agent._node_log import Findings, fact
from weir.agent._system.block import system_block
from weir.agent._system.source import Fact, Notice, Sample
from weir.agent._system.usage import Usage
from weir.errors import WeirError
from weir_proto.v1 import ingest_pb2 as pb

_USAGE_EVERY_S: Final = 60.0
_MOST_PENDING: Final = 200  # events kept while the disk takes nothing
_SPOOL_MAX_BYTES: Final = 2 << 30
_FRAME_SLACK_BYTES: Final = 4096


class WatchedRun:
    """Writes to one run's node log.

    What cannot be written is dropped and counted, telemetry before all else; facts and events
    wait. Once the disk takes something again, an event says how much is missing.

    Args:
        run: The run; it has at least one trainer.
        clock: Tells when to ask the disk again.
        free_share: How much of the free disk the node log's spool may take.
    """

    def __init__(self, run: Attended, clock: Clock, *, free_share: float) -> None:
        self.run = run
        self._clock = clock
        self._free_share = free_share
        self._room: SpoolRoom | None = None
        self._since_s = clock.monotonic_s()
        self._prefix = f"node/{next(iter(run.trainers.values())).meta.node}"
        # An agent adds up what it saw itself; the next one, or a run taken up again, begins anew
        # under a name of its own. Readers add up.
        self._usage_path = f"{self._prefix}/usage/{os.urandom(6).hex()}"
        self._usage = Usage()
        self._usage_due_s: float | None = None
        self._told: dict[str, Fact] = {}
        self._pending: list[pb.Event] = []
        self._dropped = 0

    @property
    def key(self) -> tuple[str, str]:
        """Project and id of the run."""
        return self.run.project, self.run.run_id

    def age_s(self, now_s: float, now_unix_us: int) -> float:
        """Return how long the run has been here, by its oldest process: a new agent is no new run.

        Args:
            now_s: Monotonic; tells where the wall clock was set back.
            now_unix_us: Of the wall clock.
        """
        began_us = min(trainer.meta.started_unix_us for trainer in list(self.run.trainers.values()))
        return max(now_s - self._since_s, (now_unix_us - began_us) / 1e6)

    def take(
        self,
        samples: Sequence[Sample],
        *,
        facts: Mapping[str, Fact],
        notices: Sequence[Notice],
        time_unix_us: int,
        now_s: float,
        last: bool = False,
    ) -> None:
        """Write one sampling. Never raises for want of disk.

        Args:
            samples: All of one moment.
            facts: All that are known; those that were written are not written again.
            notices: What happened since the last sampling.
            time_unix_us: When, by the node's clock.
            now_s: The same, monotonic.
            last: The run is over: write its usage now.
        """
        self._usage.take(samples, now_s)
        self._pending += [_event(each, time_unix_us) for each in notices]
        del self._pending[:-_MOST_PENDING]
        news = {path: value for path, value in facts.items() if self._told.get(path) != value}
        attrs = [fact(f"{self._prefix}/{path}", value) for path, value in news.items()]
        attrs += self._usage_attrs(now_s, last=last)
        symbols = Symbols()
        findings = Findings(attrs=attrs, events=self._pending)
        if samples:
            findings.system = [system_block(samples, symbols, time_unix_us)]
            findings.names = symbols.names()
        if not findings:
            return
        if self._write(findings, time_unix_us):
            self._told.update(news)
            self._pending = []

    def _write(self, findings: Findings, time_unix_us: int) -> bool:
        dropped = self._dropped
        if dropped:
            findings.events = [*findings.events, _gap(dropped, time_unix_us)]
        size_bytes = sum(block.ByteSize() for block in findings.system) + _FRAME_SLACK_BYTES
        room = self._find_room()
        try:
            if room is not None:
                room.admit(size_bytes)
            self.run.log.write(findings)
        except (OSError, WeirError) as error:
            self._dropped += bool(findings.system)
            log.warning("telemetry cannot be written", run_id=self.run.run_id, error=error)
            return False
        if room is not None:
            room.took(size_bytes)
        self._dropped -= dropped
        return True

    def _find_room(self) -> SpoolRoom | None:
        """Return what bounds the node log's spool; None before it has one."""
        spool = self.run.log.spool
        if self._room is None and spool is not None:
            self._room = SpoolRoom(
                spool, max_bytes=_SPOOL_MAX_BYTES, free_share=self._free_share, clock=self._clock
            )
        return self._room

    def _usage_attrs(self, now_s: float, *, last: bool) -> list[pb.Attr]:
        if self._usage_due_s is None:
            self._usage_due_s = now_s + _USAGE_EVERY_S
        if not self._usage or (now_s < self._usage_due_s and not last):
            return []
        self._usage_due_s = now_s + _USAGE_EVERY_S
        json = self._usage.to_json()
        return [pb.Attr(namespace=pb.Attr.META, path=self._usage_path, json=json)]


def _event(notice: Notice, time_unix_us: int) -> pb.Event:
    return event(
        notice.kind,
        notice.title,
        time_unix_us=time_unix_us,
        severity=notice.severity,
        body=notice.body,
        attrs=notice.attrs,
    )


def _gap(dropped: int, time_unix_us: int) -> pb.Event:
    title = f"{dropped} samplings of this node are missing: the disk had no room for them"
    attrs = {"samplings": str(dropped)}
    return event("telemetry_gap", title, time_unix_us=time_unix_us, severity="warn", attrs=attrs)
