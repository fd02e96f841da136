"""Who watches over runs on this node: one line per observer."""

from collections.abc import Sequence

from weir._clock import Clock
from weir._settings import Settings
from weir.agent._attendance import Observer
from weir.agent._console import ConsoleObserver
from weir.agent._inputs import InputsObserver
from weir.agent._system.telemetry import Telemetry
from weir.agent._uploads import Uploads


def observers_here(settings: Settings, *, node: str) -> Sequence[Observer]:
    """Return what this node's agent sees to, beside points.

    Args:
        settings: Of the agent.
        node: Name of this node.
    """
    return [
        InputsObserver(),
        ConsoleObserver(),
        Telemetry(spool_free_share=settings.spool_free_share),
        Uploads(),
    ]


def observers_of_sync(
    *, server: str, token: str, give_up_after_s: float, clock: Clock
) -> Sequence[Observer]:
    """Return what `weir sync` sees to when runs have ended: what they left on the disk.

    Args:
        server: Where uploads go; "" = where each run says.
        token: Who we are; "" = what each run says.
        give_up_after_s: Give up uploads when nothing has moved for so long.
        clock: Tells when.
    """
    uploads = Uploads(
        clock=clock, server=server, token=token, offline=True, give_up_after_s=give_up_after_s
    )
    return [InputsObserver(), ConsoleObserver(), uploads]
