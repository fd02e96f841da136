"""Which sources there are on this node: our own, and those that plug-ins bring.

A plug-in names a callable in its entry points; what it returns has `sample()`, which returns
`(metric, device, value)` tuples, and perhaps the other methods of `Source`:

    [project.entry-points."weir.system_sources"]
    tpu = "my_package.tpu:TpuSource"
"""

import time
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from weir.agent._log import log
from weir.agent._system.amd import Amd
from weir.agent._system.aside import Aside
from weir.agent._system.cgroup import Cgroup
from weir.agent._system.cpu import Cpu
from weir.agent._system.disk import DiskSpace, DiskTraffic
from weir.agent._system.memory import Memory
from weir.agent._system.network import Network
from weir.agent._system.nvidia import Nvidia
from weir.agent._system.openmetrics import OpenMetrics, parse_target
from weir.agent._system.rdma import Rdma
from weir.agent._system.source import Source
from weir.agent._system.steadied import Steadied

ENTRY_POINTS: Final = "weir.system_sources"


def own_sources(space: DiskSpace) -> list[Source]:
    """Return what Weir itself can measure; what this node lacks samples nothing."""
    return [
        *_steadied("cpu", Cpu),
        *_steadied("memory", Memory),
        *_steadied("disk space", lambda: space),
        *_steadied("disk traffic", DiskTraffic),
        *_steadied("network", Network),
        *_steadied("rdma", Rdma),
        *_steadied("cgroup", Cgroup),
        *_aside("nvidia", Nvidia),
        *_aside("amd", Amd),
    ]


def plugged_in(found: Iterable[EntryPoint] | None = None) -> list[Source]:
    """Return the sources of plug-ins; one that cannot be loaded is passed over with a line.

    Args:
        found: For tests; the installed entry points otherwise.
    """
    points = entry_points(group=ENTRY_POINTS) if found is None else found
    return [source for point in points for source in _aside(point.name, _maker(point))]


def page_source(page: str) -> list[Source]:
    """Return a page of metrics as a source; none, with a line, when the page makes no sense."""
    return _aside(page, lambda: OpenMetrics(parse_target(page)))


def _maker(point: EntryPoint) -> Callable[[], object]:
    return lambda: point.load()()


def _aside(name: str, make: Callable[[], object]) -> list[Source]:
    """Return what `make` makes, in a thread of its own: for what may hang."""
    return [Aside(name, source) for source in _steadied(name, make)]


def _steadied(name: str, make: Callable[[], object]) -> list[Steadied]:
    try:
        return [Steadied(name, make(), time.monotonic)]
    except Exception as error:  # noqa: BLE001 - one source must not end the others
        log.warning("a source of telemetry cannot be used", source=name, error=repr(error))
        return []
