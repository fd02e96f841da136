"""How much memory is in use."""

from collections.abc import Iterator

import psutil

from weir.agent._system.source import Sample, Source


class Memory(Source):
    """The node's memory. What a container may use of it is in `cgroup.py`."""

    def sample(self) -> Iterator[Sample]:
        """Measure."""
        memory = psutil.virtual_memory()
        yield Sample("memory.used_bytes", "", memory.total - memory.available)
        yield Sample("memory.available_bytes", "", memory.available)
        swap = psutil.swap_memory()
        if swap.total:
            yield Sample("memory.swap_used_bytes", "", swap.used)
