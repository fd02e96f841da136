"""The small files beside a producer's segments, as values: bytes in, bytes out, no disk."""

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from weir.errors import ConfigError

META_FORMAT = 1
_WATERMARK = struct.Struct("<8sQQI")
_WATERMARK_MAGIC = b"WEIRWM1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """meta.json: who writes this spool and where it should go.

    Attributes:
        mode: `online` (the agent sends) or `offline` (only `weir sync` sends).
        server: `host:port`, or `grpcs://host:port` for TLS.
        producer: 32 hex digits, a UUIDv7.
        process_started_s: Creation time of the process, Unix seconds, as psutil tells it.
        process_birth: The same in a way that setting the clock does not change; "" = not known.
        wishes: Settings of the run that its agent heeds, by name (docs/formats/spool.md).
    """

    mode: str
    server: str
    producer: str
    project: str
    run_id: str
    rank: int
    local_rank: int = 0
    world_size: int = 0
    node: str = ""
    pid: int = 0
    launcher: str = ""
    attempt: int = 0
    role: str = ""
    started_unix_us: int = 0
    process_started_s: float = 0.0
    process_birth: str = ""
    client_version: str = ""
    wishes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    format: int = META_FORMAT

    def to_json(self) -> bytes:
        """Return the file's bytes."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read the file's bytes; keys of later versions are passed over.

        Raises:
            ConfigError: The file was written in a newer format, or is not a meta.json.
        """
        try:
            found = json.loads(text)
            known = {each.name: found[each.name] for each in fields(cls) if each.name in found}
            meta = cls(**known)
        except (ValueError, TypeError) as error:
            raise ConfigError(f"not a meta.json: {error}") from error
        if meta.format > META_FORMAT:
            raise ConfigError(
                f"spool format {meta.format} is newer than this Weir reads ({META_FORMAT})",
                hint="update with `pip install -U weir`",
            )
        return meta


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far the server has come with one producer; written by the agent.

    Attributes:
        accepted_seq: Highest seq in Redis; 0 = none.
        committed_seq: Highest seq in ClickHouse; only frames up to here may be forgotten.
    """

    accepted_seq: int = 0
    committed_seq: int = 0

    def to_bytes(self) -> bytes:
        """Return the file's bytes."""
        packed = _WATERMARK.pack(_WATERMARK_MAGIC, self.accepted_seq, self.committed_seq, 0)
        return packed[:-4] + struct.pack("<I", zlib.crc32(packed[8:-4]))

    @classmethod
    def from_bytes(cls, found: bytes) -> Self:
        """Read the file's bytes; anything damaged reads as nothing accepted, which is safe."""
        if len(found) != _WATERMARK.size:
            return cls()
        magic, accepted_seq, committed_seq, crc32 = _WATERMARK.unpack(found)
        if magic != _WATERMARK_MAGIC or zlib.crc32(found[8:-4]) != crc32:
            return cls()
        return cls(accepted_seq, committed_seq)


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the server said to the producer's Hello; written by the agent.

    Attributes:
        run_existed: The run was known before this producer.
        last_step: Highest step stored for this rank; None when there is none.
        server_version: Version of the server that answered.
        at_unix_us: When it answered, client clock, µs.
        url: The run's page, when the server told; "" otherwise.
        refused_code: Not empty when the server will not take this producer.
        refused_message: What was wrong and what to do.
    """

    run_existed: bool = False
    last_step: int | None = None
    server_version: str = ""
    at_unix_us: int = 0
    url: str = ""
    refused_code: str = ""
    refused_message: str = ""

    def to_json(self) -> bytes:
        """Return the file's bytes."""
        if self.refused_code:
            refused = {"code": self.refused_code, "message": self.refused_message}
            return json.dumps({"refused": refused}).encode()
        answer: dict[str, Any] = {
            "run_existed": self.run_existed,
            "last_step": self.last_step,
            "server_version": self.server_version,
            "at_unix_us": self.at_unix_us,
        }
        return json.dumps(answer | ({"url": self.url} if self.url else {})).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read the file's bytes."""
        found = json.loads(text)
        refused = found.get("refused") or {}
        last_step = found.get("last_step")
        return cls(
            run_existed=bool(found.get("run_existed", False)),
            last_step=None if last_step is None else int(last_step),
            server_version=str(found.get("server_version", "")),
            at_unix_us=int(found.get("at_unix_us", 0)),
            url=str(found.get("url", "")),
            refused_code=str(refused.get("code", "")),
            refused_message=str(refused.get("message", "")),
        )


@dataclass(frozen=True, slots=True)
class Control:
    """What the server asks of the run; written by the agent.

    Attributes:
        stop: Somebody asked this run to stop.
        reason: Why, in their words.
        by: Who asked.
    """

    stop: bool = False
    reason: str = ""
    by: str = ""

    def to_json(self) -> bytes:
        """Return the file's bytes."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read the file's bytes."""
        found = json.loads(text)
        return cls(bool(found.get("stop")), str(found.get("reason", "")), str(found.get("by", "")))
