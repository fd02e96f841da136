"""What a run needs to open a producer: at init(), and again in a forked child that logs."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from weir._agent_start import AgentKeeper
from weir._births import next_birth_us
from weir._branch import Branch
from weir._clock import Clock
from weir._process import new_producer, process_birth, process_started_s
from weir._queue import Queue
from weir._rank import Placement
from weir._settings import Settings
from weir._speak import Speaker
from weir._spool import Meta, SpoolDir
from weir._spooler import Spooler
from weir._summary import AutomaticSummary
from weir._version import __version__

WISHES = (
    *("system", "system_period_s", "gpu_period_s", "openmetrics"),
    *("upload_threads", "upload_mb_per_s"),
)
"""Settings that the agent heeds for each run, whatever its own environment says."""

_SECOND_START_S = 3.0  # ranks other than a node's first leave starting the agent to it for so long


@dataclass(frozen=True, slots=True)
class Opening:
    """Everything about a run that was decided before its first point."""

    settings: Settings
    placement: Placement
    run_id: str
    node: str
    clock: Clock
    branch: Branch | None = None

    def open(
        self,
        queue: Queue,
        speaker: Speaker,
        automatic: AutomaticSummary,
        rejected: Callable[[], int],
        *,
        forked: bool,
    ) -> Spooler:
        """Make a producer's folder and its thread, not yet started.

        Falls back to a temporary folder, with one warning, where the spool root cannot be made.

        Args:
            queue: What log() fills and the thread empties.
            speaker: Tells the user of trouble.
            automatic: Learns the summary from the points that pass.
            rejected: Counts the points refused so far; the server is told.
            forked: This is a child of the process that called init(); its role says so. It does
                not announce the branch: that would set aside what its parent logged since.
        """
        meta = self._meta(forked=forked)
        root, spool = _create(Path(self.settings.dir).absolute(), meta, self.settings, speaker)
        # An offline run has an agent too: it sends nothing, but measures the node and keeps lines.
        agent = None
        if self.settings.agent:
            patience_s = _SECOND_START_S if self.placement.local_rank else 0.0
            agent = AgentKeeper(root, self.node, self.clock, speaker, patience_s=patience_s)
        return Spooler(
            spool,
            meta,
            self.settings,
            queue,
            clock=self.clock,
            speaker=speaker,
            automatic=automatic,
            agent=agent,
            rejected=rejected,
            branch=None if forked or self.branch is None else self.branch.message(),
        )

    def _meta(self, *, forked: bool) -> Meta:
        now_us = self.clock.unix_us()
        role = self.settings.role
        root, line = Path(self.settings.dir), (self.settings.project, self.run_id)
        birth_us = next_birth_us(root.absolute(), *line, self.placement.rank, now_us=now_us)
        return Meta(
            mode=self.settings.mode,
            server=self.settings.server,
            producer=new_producer(birth_us).hex(),
            project=self.settings.project,
            run_id=self.run_id,
            rank=self.placement.rank,
            local_rank=self.placement.local_rank,
            world_size=self.placement.world_size,
            node=self.node,
            pid=os.getpid(),
            launcher=self.placement.launcher,
            attempt=self.placement.attempt,
            role=f"{role or 'trainer'}/fork" if forked else role,
            started_unix_us=now_us,
            process_started_s=process_started_s(os.getpid()),
            process_birth=process_birth(os.getpid()),
            client_version=__version__,
            wishes={name: getattr(self.settings, name) for name in WISHES},
        )


def _create(root: Path, meta: Meta, settings: Settings, speaker: Speaker) -> tuple[Path, SpoolDir]:
    try:
        return root, SpoolDir.create(root, meta, token=settings.token)
    except OSError as error:
        trouble = f"cannot spool to {root}: {error.strerror or error}"
    try:
        import tempfile

        fallback = Path(tempfile.mkdtemp(prefix="weir-"))
        spool = SpoolDir.create(fallback, meta, token=settings.token)
    except OSError as error:
        # The spool thread tries again; until then points wait in memory.
        speaker.warn("dir", f"{trouble}; nor to a temporary folder: {error.strerror or error}")
        return root, SpoolDir.at(root, meta)
    speaker.warn("dir", f"{trouble}; spooling to {fallback}")
    return fallback, spool
