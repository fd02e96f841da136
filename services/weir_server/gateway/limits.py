"""What is too much, and the name of every reason to refuse. docs/limits.md lists the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from weir_server.settings import GatewaySettings

PROTOCOL: Final = 1
BODY_SCHEMA: Final = 1
MAX_SEQ: Final = 2**32 - 1  # a row's version is birth in seconds << 32 | seq (ADR 4)
MAX_STEP: Final = 2**53  # a chart's axis is a double
MAX_CLOCK_ERROR_US: Final = 10 * 366 * 86_400 * 1_000_000
MAX_ID_BYTES: Final = 128
MAX_LABEL_BYTES: Final = 512
MAX_BLOCKS: Final = 4_096
MAX_FACTS: Final = 20_000
MAX_TALLIES: Final = 16
MAX_REJECTS: Final = 200
MAX_FIELD_CHARS: Final = 120
MAX_PRODUCERS: Final = 4_096


class Code(StrEnum):
    """Why a part of a frame, a frame, or a producer was not taken."""

    # a whole frame
    FRAME_TOO_LARGE = "FRAME_TOO_LARGE"
    FRAME_CODEC_UNKNOWN = "FRAME_CODEC_UNKNOWN"
    FRAME_CANNOT_BE_UNPACKED = "FRAME_CANNOT_BE_UNPACKED"
    FRAME_CRC_MISMATCH = "FRAME_CRC_MISMATCH"
    FRAME_UNREADABLE = "FRAME_UNREADABLE"
    FRAME_TOO_MANY_POINTS = "FRAME_TOO_MANY_POINTS"
    FRAME_TOO_MANY_PARTS = "FRAME_TOO_MANY_PARTS"
    # some of a frame
    COLUMNS_MISMATCH = "COLUMNS_MISMATCH"
    INDEX_OUT_OF_RANGE = "INDEX_OUT_OF_RANGE"
    STEP_OUT_OF_RANGE = "STEP_OUT_OF_RANGE"
    TIME_OUT_OF_RANGE = "TIME_OUT_OF_RANGE"
    METRIC_NAME_EMPTY = "METRIC_NAME_EMPTY"
    METRIC_NAME_TOO_LONG = "METRIC_NAME_TOO_LONG"
    METRIC_NAME_CONTROL = "METRIC_NAME_CONTROL"
    TOO_MANY_METRICS = "TOO_MANY_METRICS"
    TEXT_TOO_LONG = "TEXT_TOO_LONG"
    TEXT_INVALID = "TEXT_INVALID"
    LINE_INVALID = "LINE_INVALID"
    ATTR_INVALID = "ATTR_INVALID"
    ATTR_TOO_LONG = "ATTR_TOO_LONG"
    EVENT_INVALID = "EVENT_INVALID"
    EVENT_TOO_LONG = "EVENT_TOO_LONG"
    SESSION_INVALID = "SESSION_INVALID"
    BRANCH_INVALID = "BRANCH_INVALID"
    # a producer
    PROTOCOL_TOO_NEW = "PROTOCOL_TOO_NEW"
    PROTOCOL_TOO_OLD = "PROTOCOL_TOO_OLD"
    SCHEMA_TOO_NEW = "SCHEMA_TOO_NEW"
    ORIGIN_INVALID = "ORIGIN_INVALID"
    FORBIDDEN = "FORBIDDEN"
    UNKNOWN_PROJECT = "UNKNOWN_PROJECT"
    NOT_GREETED = "NOT_GREETED"
    TOO_MANY_PRODUCERS = "TOO_MANY_PRODUCERS"
    SERVER_BUSY = "SERVER_BUSY"
    SERVER_ERROR = "SERVER_ERROR"


class Patience(StrEnum):
    """Why a producer should send the same frames again a little later. Nothing is refused."""

    STREAM_FULL = "STREAM_FULL"  # no room in the stream, or none for this project
    STREAM_AWAY = "STREAM_AWAY"  # Redis, or the store, does not answer
    PROJECT_RATE = "PROJECT_RATE"  # the project sends more per second than it may


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers an operator may choose; see `GatewaySettings`."""

    max_frame_bytes: int
    max_frame_raw_bytes: int
    max_frame_points: int
    max_metric_name_bytes: int
    max_metrics_per_run: int
    max_text_bytes: int

    @classmethod
    def of(cls, settings: GatewaySettings) -> Limits:
        """Return the limits a gateway was given."""
        return cls(
            max_frame_bytes=settings.max_frame_bytes,
            max_frame_raw_bytes=settings.max_frame_raw_bytes,
            max_frame_points=settings.max_frame_points,
            max_metric_name_bytes=settings.max_metric_name_bytes,
            max_metrics_per_run=settings.max_metrics_per_run,
            max_text_bytes=settings.max_text_bytes,
        )
