"""What one SQL statement may take: the gateway's settings, and less where the asker wants less."""

from __future__ import annotations

import dataclasses

from weir_server.settings import GatewaySettings
from weir_store.sql.base import Limits


def limits_of(settings: GatewaySettings) -> Limits:
    """Return the limits of every statement that comes through this gateway."""
    return Limits(
        seconds=settings.sql_seconds,
        memory_bytes=settings.sql_memory_bytes,
        rows_read=settings.sql_rows_read,
        result_rows=settings.sql_result_rows,
        result_bytes=settings.sql_result_bytes,
        threads=settings.sql_threads,
    )


def tightened(limits: Limits, *, rows: int = 0, seconds: float = 0.0) -> Limits:
    """Return limits that also keep to the asker's wishes, which can only lower them.

    Args:
        limits: Of the gateway.
        rows: End the answer after so many; 0 = no wish. A wish above the limit is none:
            the answer is then refused, and not cut, where it is too long.
        seconds: Give up after so long; 0 = no wish.
    """
    if seconds > 0:
        limits = dataclasses.replace(limits, seconds=min(seconds, limits.seconds))
    if 0 < rows <= limits.result_rows:
        limits = dataclasses.replace(limits, result_rows=rows, cut=True)
    return limits
