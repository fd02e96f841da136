"""Spool values as wire messages. Pure."""

from collections.abc import Callable
from typing import Final

import zstandard

from weir._spool import Frame, Meta
from weir.agent._conversation import Greeting
from weir_proto.v1 import ingest_pb2 as pb

PROTOCOL: Final = 1
_ZSTD_LEVEL: Final = 1  # the ratio of gzip -6 in a fourteenth of its time on our columns


def origin_of(meta: Meta) -> pb.Origin:
    """Return who writes, as the wire says it."""
    return pb.Origin(
        producer=bytes.fromhex(meta.producer),
        project=meta.project,
        run_id=meta.run_id,
        rank=meta.rank,
        local_rank=meta.local_rank,
        world_size=meta.world_size,
        node=meta.node,
        pid=meta.pid,
        started_unix_us=meta.started_unix_us,
        launcher=meta.launcher,
        attempt=meta.attempt,
        role=meta.role,
    )


def hello(meta: Meta, greeting: Greeting) -> pb.Hello:
    """Return the first message about a producer."""
    return pb.Hello(
        origin=origin_of(meta),
        first_available=greeting.first_available,
        last_spooled=greeting.last_spooled,
        protocol=PROTOCOL,
        client_version=meta.client_version,
    )


class FramePacker:
    """Turns frames of the spool into frames of the wire. One per process, used by one thread."""

    def __init__(self) -> None:
        self._compress: Callable[[bytes], bytes] = zstandard.ZstdCompressor(
            level=_ZSTD_LEVEL
        ).compress

    def pack(self, producer: bytes, frame: Frame) -> pb.Frame:
        """Return the frame for the wire, compressed where that makes it smaller.

        The crc is the one on disk: it covers the uncompressed body.
        """
        packed = self._compress(frame.body)
        smaller = len(packed) < len(frame.body)
        return pb.Frame(
            producer=producer,
            seq=frame.seq,
            codec=pb.CODEC_ZSTD if smaller else pb.CODEC_RAW,
            crc32=frame.crc32,
            raw_bytes=len(frame.body),
            body=packed if smaller else frame.body,
            flags=frame.flags,
        )
