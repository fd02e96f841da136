"""How server processes talk: short lower-case phrases with fields (structlog)."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

import structlog

from weir_server.settings import LogSettings

# What these warn of they raise too, and we say it in our own words.
_RAISED_ANYWAY: Final = ("clickhouse_connect", "urllib3")


def configure_logs(settings: LogSettings, *, service: str) -> None:
    """Set up structured logs for this process, on stderr; call once, at the start.

    Records of the standard library (grpc, uvicorn …) take the same road.
    """
    stamps: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*stamps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(settings.level.upper()),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stamps,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level.upper())
    for name in _RAISED_ANYWAY:
        logging.getLogger(name).setLevel(logging.ERROR)
    structlog.contextvars.bind_contextvars(service=service)


def get_logger() -> structlog.stdlib.BoundLogger:
    """Return a logger; bind what stays the same (`shard`, `producer`) once."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger
