"""What goes through InfiniBand and RoCE adapters: where NCCL's bytes go, past the network stack."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from weir.agent._system.disk import rates_and_total
from weir.agent._system.rate import Rates
from weir.agent._system.source import Sample, Source

_RDMA_ROOT: Final = Path("/sys/class/infiniband")
_WORD_BYTES: Final = 4  # the counters count words of a lane


class Rdma(Source):
    """Bytes per second of every port, and together."""

    def __init__(
        self, root: Path = _RDMA_ROOT, *, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._root = root
        self._monotonic_s = monotonic_s
        self._rates = Rates()

    def sample(self) -> Iterator[Sample]:
        """Measure; nothing before the second sampling."""
        ports = sorted(self._root.glob("*/ports/*"))
        now_s = self._monotonic_s()
        for metric, file in (
            ("rdma.sent_bytes_per_s", "port_xmit_data"),
            ("rdma.received_bytes_per_s", "port_rcv_data"),
        ):
            counts = {
                f"{port.parts[-3]}/{port.name}": count
                for port in ports
                if (count := _count(port / "counters" / file)) is not None
            }
            yield from rates_and_total(self._rates, metric, counts, now_s)


def _count(path: Path) -> float | None:
    try:
        return float(int(path.read_text()) * _WORD_BYTES)
    except (OSError, ValueError):
        return None
