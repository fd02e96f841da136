"""docs/telemetry.md, made from what `telemetry.py` declares: `python -m weir_server.telemetry_page`."""

from __future__ import annotations

import sys

from prometheus_client import Counter, Gauge, Histogram

from weir_server import telemetry

_HEAD = """# Telemetry

What Weir measures of itself, in Prometheus' format. Generated from `weir_server/telemetry.py`
(`python -m weir_server.telemetry_page`). The gateway serves it on `gateway.metrics_port`, the writer
on `writer.metrics_port`, the rules process on `rules.metrics_port`, the engine on its own port under
`/metrics`. Labels come from closed sets, never a run or a project.

**Conservation law**, asserted by the fault tests once everything has drained: distinct points
accepted = stored + dead-lettered + still in the stream.

| name | kind | labels | meaning |
|---|---|---|---|
"""


def render() -> str:
    """Return the page."""
    found = [
        thing
        for thing in vars(telemetry).values()
        if isinstance(thing, Counter | Gauge | Histogram)
    ]
    return _HEAD + "".join(_row(thing) for thing in found)


def _row(declared: Counter | Gauge | Histogram) -> str:
    family = next(iter(declared.describe()))
    name = f"{family.name}_total" if isinstance(declared, Counter) else family.name
    labels = ", ".join(f"`{label}`" for label in declared._labelnames)
    return f"| `{name}` | {family.type} | {labels} | {family.documentation} |\n"


if __name__ == "__main__":
    sys.stdout.write(render())
