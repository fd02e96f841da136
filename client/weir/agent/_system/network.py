"""What goes through network interfaces."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import psutil

from weir.agent._system.disk import rates_and_total
from weir.agent._system.rate import Rates
from weir.agent._system.source import Sample, Source

_NET_ROOT: Final = Path("/sys/class/net")
_INNER: Final = re.compile(
    r"lo\d*|(veth|docker|br-|virbr|cni|flannel|cali|ifb|dummy|tap|tun|vnet|kube-).*"
)


class Network(Source):
    """Bytes per second of interfaces, each and together."""

    def __init__(
        self,
        net_root: Path = _NET_ROOT,
        *,
        counters: Callable[..., Mapping[str, object]] = psutil.net_io_counters,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._net_root = net_root
        self._counters = counters
        self._monotonic_s = monotonic_s
        self._rates = Rates()

    def sample(self) -> Iterator[Sample]:
        """Measure; nothing before the second sampling."""
        counters = self._counters(pernic=True, nowrap=False)
        now_s = self._monotonic_s()
        outer = outer_interfaces(counters, self._is_hardware)
        for metric, field in (
            ("net.sent_bytes_per_s", "bytes_sent"),
            ("net.received_bytes_per_s", "bytes_recv"),
        ):
            counts = {name: float(getattr(counters[name], field)) for name in outer}
            yield from rates_and_total(self._rates, metric, counts, now_s)

    def _is_hardware(self, interface: str) -> bool:
        return (self._net_root / interface / "device").exists()


def outer_interfaces(names: Iterable[str], is_hardware: Callable[[str], bool]) -> list[str]:
    """Return the interfaces whose bytes leave or enter the node, each byte once. Pure.

    Where there is hardware, it is the hardware: bonds, bridges and VLANs carry the same bytes
    again. A container sees no hardware, only its end of a pair.
    """
    outer = sorted(name for name in names if not _INNER.fullmatch(name))
    hardware = [name for name in outer if is_hardware(name)]
    return hardware or outer
