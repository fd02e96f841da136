"""Frames that no client of ours would send: made by the dozen of ways, the same for the same seed."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator

import numpy as np
import zstandard

from weir_proto.v1 import ingest_pb2 as pb
from weir_server.gateway.unpack import crc32_of

NOW_US = 1_700_000_100_000_000
PRODUCER = (1_700_000_000_000).to_bytes(6, "big") + b"\x70\x00\x80" + b"fuzzing"
_ZSTD = zstandard.ZstdCompressor(level=1)
_TALL = (0, 1, 2, 63, 2**31 - 1, 2**31, 2**32 - 1)
_LONG = (-(2**63), -(2**53) - 1, -1, 0, 1, 2**53 + 1, 2**63 - 1)
_NAMES = (
    *("loss", "acc", "a/b", "", " ", "x" * 513, "bell\x07", "nul\0", "é" * 300, "\u202e", "'; --"),
)
_DOUBLES = (0.0, -0.0, 1e308, 5e-324, float("nan"), float("inf"), float("-inf"))

Rng = random.Random


def bad_frames(seed: int, count: int) -> Iterator[pb.Frame]:
    """Yield frames; each has its seq, from 1, so that one refused does not hide the next."""
    rng = Rng(seed)
    for seq in range(1, count + 1):
        yield bad_frame(rng, seq)


def bad_frame(rng: Rng, seq: int) -> pb.Frame:
    """Return one frame of a random kind."""
    return rng.choice(_KINDS)(rng, seq)


def frame_of(seq: int, raw: bytes, *, packed: bool = True, flags: int = 0) -> pb.Frame:
    """Wrap a body, whatever is in it, so that only the body is bad."""
    return pb.Frame(
        producer=PRODUCER,
        seq=seq,
        codec=pb.CODEC_ZSTD if packed else pb.CODEC_RAW,
        crc32=crc32_of(seq, flags, raw),
        raw_bytes=len(raw),
        body=_ZSTD.compress(raw) if packed else raw,
        flags=flags,
    )


# ── bodies that make sense to protobuf and to nobody else ──────────────────


def strange_body(rng: Rng) -> pb.Body:
    """Return a body whose every part may be wrong."""
    body = pb.Body(schema=rng.choice((1, 1, 1, 1, 1, 0, 2, 2**32 - 1)))
    body.names.extend(_name(rng) for _ in range(rng.choice((0, 1, 2, 3, 50))))
    for _ in range(rng.choice((0, 1, 1, 2, 9))):
        body.points.append(_block(rng, len(body.names)))
    for _ in range(rng.choice((0, 0, 1, 2))):
        body.texts.append(_texts(rng, len(body.names)))
    for _ in range(rng.choice((0, 0, 1, 2))):
        body.system.append(_system(rng, len(body.names)))
    for _ in range(rng.choice((0, 0, 1, 2))):
        body.lines.append(_lines(rng))
    for _ in range(rng.choice((0, 0, 1, 3))):
        body.attrs.append(_attr(rng))
    for _ in range(rng.choice((0, 0, 1, 2))):
        body.events.append(_event(rng))
    for _ in range(rng.choice((0, 0, 1, 2))):
        body.losses.add(
            reason=_text(rng), first_seq=_seq(rng), last_seq=_seq(rng),
            points=rng.choice((0, 1, 2**64 - 1)), message=_text(rng),
        )  # fmt: skip
    if rng.random() < 0.3:
        body.session.CopyFrom(_session(rng))
    for _ in range(rng.choice((0, 0, 0, 1, 4, 40))):
        body.tallies.add(
            kind=rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 99)),
            count=rng.choice((0, 1, 2**64 - 1)),
            digest=rng.getrandbits(64),
        )
    if rng.random() < 0.2:
        body.branch.CopyFrom(
            pb.Branch(parent_run_id=_name(rng), step=rng.choice(_LONG), launch=_text(rng))
        )
    return body


def _block(rng: Rng, names: int) -> pb.PointBlock:
    width = rng.choice((0, 0, 1, 2, names, *_TALL))
    rows = rng.choice((0, 1, 2, 3, 17))
    columns = rows if width == 0 else min(width, 40)
    values = rows if width == 0 else rows * columns
    block = pb.PointBlock(
        width=width,
        metric=_column(rng, "<u4", columns, (*range(names), names, 2**32 - 1)),
        step=_column(rng, "<i8", rows, (0, 1, 2, 3, *_LONG)),
        time_unix_us=_column(rng, "<i8", rows, (NOW_US, NOW_US, NOW_US + 1, *_LONG)),
        value=_column(rng, "<f8", values, _DOUBLES),
        rewrites=rng.random() < 0.5,
    )
    if rng.random() < 0.3:
        name = rng.choice(("metric", "step", "time_unix_us", "value"))
        setattr(block, name, mutated(rng, getattr(block, name)))
    return block


def _texts(rng: Rng, names: int) -> pb.TextBlock:
    rows = rng.choice((0, 1, 2, 5))
    return pb.TextBlock(
        metric=_column(rng, "<u4", rows, (*range(names), 2**32 - 1)),
        step=_column(rng, "<i8", rows, (0, 1, *_LONG)),
        time_unix_us=_column(rng, "<i8", rows, (NOW_US, *_LONG)),
        value=[_text(rng) for _ in range(rng.choice((rows, rows, rows, rows + 1)))],
        kind=rng.choice((0, 0, 1, 1, 2, 2**31 - 1)),  # type: ignore[arg-type]
    )


def _system(rng: Rng, names: int) -> pb.SystemBlock:
    rows = rng.choice((0, 1, 2, 3, 17))
    indices = (*range(names), names, 2**32 - 1)
    block = pb.SystemBlock(
        metric=_column(rng, "<u4", rows, indices),
        device=_column(rng, "<u4", rows, indices),
        time_unix_us=_column(rng, "<i8", rows, (NOW_US, NOW_US, NOW_US + 1, *_LONG)),
        value=_column(rng, "<f8", rows, _DOUBLES),
    )
    if rng.random() < 0.3:
        name = rng.choice(("metric", "device", "time_unix_us", "value"))
        setattr(block, name, mutated(rng, getattr(block, name)))
    return block


def _lines(rng: Rng) -> pb.LineBlock:
    rows = rng.choice((0, 1, 2, 5))
    block = pb.LineBlock(
        process=rng.randbytes(rng.choice((0, 15, 16, 16, 16, 16, 17))),
        rank=rng.choice((0, 1, 2**32 - 1)),
        number=_column(rng, "<u8", rows, (0, 1, 2, 2**63, 2**64 - 1)),
        time_unix_us=_column(rng, "<i8", rows, (NOW_US, NOW_US, NOW_US + 1, *_LONG)),
        stream=bytes(rng.choice((1, 1, 2, 3, 0, 4, 255)) for _ in range(rows)),
        level=rng.randbytes(rows),
        line=[_text(rng) for _ in range(rng.choice((rows, rows, rows, rows + 1)))],
    )
    if rng.random() < 0.2:
        name = rng.choice(("number", "time_unix_us", "stream", "level"))
        setattr(block, name, mutated(rng, getattr(block, name)))
    return block


def _attr(rng: Rng) -> pb.Attr:
    attr = pb.Attr(namespace=rng.choice((0, 1, 2, 3, 4, 5, 5, 6, 77)), path=_name(rng))
    match rng.randrange(8):
        case 0:
            attr.float = rng.choice(_DOUBLES)
        case 1:
            attr.int = rng.choice(_LONG)
        case 2:
            attr.bool = True
        case 3:
            attr.str = _text(rng)
        case 4:
            attr.json = rng.choice(('{"a":1}', "{", "[" * 5_000, "NaN", "1e999", _text(rng)))
        case 5:
            attr.null = True
        case 6:
            attr.deleted = True
    return attr


def _event(rng: Rng) -> pb.Event:
    return pb.Event(
        event_id=rng.randbytes(rng.choice((0, 1, 15, 16, 16, 16, 17, 300))),
        time_unix_us=rng.choice((NOW_US, 0, 2**64 - 1)),
        kind=_name(rng),
        severity=rng.choice(("info", "", "fatal", "x" * 9_000)),
        title=_text(rng),
        body=_text(rng),
        has_step=rng.random() < 0.5,
        step=rng.choice(_LONG),
        attrs={_name(rng): _text(rng) for _ in range(rng.choice((0, 1, 3, 200)))},
    )


def _session(rng: Rng) -> pb.SessionUpdate:
    return pb.SessionUpdate(
        state=rng.choice((0, 1, 2, 3, 4, 5, 6, 100)),
        exit_code=rng.choice((0, -1, 2**31 - 1, -(2**31))),
        reason=_text(rng),
        time_unix_us=rng.choice((NOW_US, 0, 2**64 - 1)),
    )


def _seq(rng: Rng) -> int:
    return rng.choice((0, 1, 7, 2**32, 2**64 - 1))


def _column(rng: Rng, kind: str, count: int, choices: tuple[float, ...]) -> bytes:
    return np.array([rng.choice(choices) for _ in range(count)], kind).tobytes()


def _name(rng: Rng) -> str:
    return rng.choice((*_NAMES, str(rng.random())))


def _text(rng: Rng) -> str:
    return rng.choice(("", "words", "line\nline", "\0", "\x1b[31m", "w" * 70_000, "𝕎" * 5_000))


# ── the kinds ──────────────────────────────────────────────────────────────


def _noise(rng: Rng, seq: int) -> pb.Frame:
    return frame_of(seq, rng.randbytes(rng.choice((0, 1, 7, 60, 900))), packed=rng.random() < 0.5)


def _strange(rng: Rng, seq: int) -> pb.Frame:
    flags = rng.choice((0, 0, 0, 1, 2, 0xFFFF, 2**32 - 1))
    return frame_of(seq, strange_body(rng).SerializeToString(), flags=flags)


def _mutated_body(rng: Rng, seq: int) -> pb.Frame:
    return frame_of(seq, mutated(rng, strange_body(rng).SerializeToString()))


def _mutated_pack(rng: Rng, seq: int) -> pb.Frame:
    """Damaged after it was packed: the crc still speaks of what it was."""
    frame = frame_of(seq, strange_body(rng).SerializeToString())
    frame.body = mutated(rng, frame.body)
    return frame


def _lying(rng: Rng, seq: int) -> pb.Frame:
    """One word of the frame's outside is not true."""
    frame = frame_of(seq, strange_body(rng).SerializeToString(), packed=rng.random() < 0.5)
    match rng.randrange(4):
        case 0:
            frame.crc32 = rng.getrandbits(32)
        case 1:
            frame.raw_bytes = rng.choice((0, 1, 8 << 20, 2**32 - 1))
        case 2:
            frame.codec = rng.choice((0, 1, 2, 99))  # type: ignore[assignment]
        case 3:
            frame.body = frame.body * 2
    return frame


def _bomb(rng: Rng, seq: int) -> pb.Frame:
    """Much out of little: with a size declared, with none, with a lie, in many frames, behind padding."""
    size = rng.choice((100, 1 << 20, 9 << 20))
    many = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1 << 16)) * 40
    skippable = b"\x50\x2a\x4d\x18" + struct.pack("<I", 1_000) + bytes(1_000)
    body = rng.choice(
        (
            _BOMB,
            _BOMB_UNSIZED,
            many,
            skippable + _ZSTD.compress(bytes(100)),
            # A window of 2 GiB: magic, no single segment, window descriptor at its highest.
            b"\x28\xb5\x2f\xfd\x00\xf8" + rng.randbytes(20),
        )
    )
    raw = rng.choice((size, len(body), 0))
    return pb.Frame(
        producer=PRODUCER, seq=seq, codec=pb.CODEC_ZSTD, crc32=0, raw_bytes=raw, body=body
    )


def _absurd(rng: Rng, seq: int) -> pb.Frame:
    """Protobuf that promises what it does not hold, or holds what it should not."""
    field = rng.randrange(1, 20)
    huge = b"\xff" * rng.randrange(1, 10) + b"\x01"
    return frame_of(
        seq,
        b"\x08\x01"  # schema 1
        + rng.choice(
            (
                bytes([field << 3 | 2]) + huge,  # a length beyond everything
                bytes([field << 3 | 3]) * 10_000,  # groups without an end
                bytes([10 << 3 | 2, 2, field << 3, 1]) * 2_000,
                b"\x12\x00" * 70_000,  # empty names
                b"\x1a\x00" * 5_000,  # empty blocks
                b"\x5a\x00\x62\x00" * 2_500,  # of nodes
                b"\x2a\x00" * 21_000,  # empty attributes
                b"\x32\x06\x4a\x04\x0a\x00\x12\x00" * 4_000,  # events with the same empty key
                b"\x4a\x02\x08\x01" * 300,  # tallies of one kind
                b"\x12\x04\xff\xfe\xfd\xfc",  # a name that is no UTF-8
                bytes([field << 3 | rng.randrange(8)]) + rng.randbytes(30),
            )
        ),
    )


def _wide(rng: Rng, seq: int) -> pb.Frame:
    """A frame that is only too much."""
    count = rng.choice((65_537, 100_000))
    body = pb.Body(schema=1, names=["m"])
    body.points.add(
        metric=bytes(4 * count), step=bytes(8 * count), time_unix_us=bytes(8 * count), value=bytes(8 * count)
    )  # fmt: skip
    return frame_of(seq, body.SerializeToString())


_BOMB = zstandard.ZstdCompressor(level=19).compress(bytes(64 << 20))
_BOMB_UNSIZED = zstandard.ZstdCompressor(level=3, write_content_size=False).compress(
    bytes(32 << 20)
)
# The slow kinds are rare, so that a hundred thousand of them all take minutes.
_KINDS: tuple[Callable[[Rng, int], pb.Frame], ...] = (
    *(_noise,) * 12,
    *(_strange,) * 30,
    *(_mutated_body,) * 30,
    *(_mutated_pack,) * 12,
    *(_lying,) * 12,
    *(_bomb,) * 3,
    *(_absurd,) * 3,
    _wide,
)


def mutated(rng: Rng, data: bytes) -> bytes:
    """Return bytes with a few things done to them."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(7):
            case 0 if changed:
                changed[at % len(changed)] ^= 1 << rng.randrange(8)
            case 1 if changed:
                changed[at % len(changed)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                changed[at:at] = rng.randbytes(rng.randrange(1, 9))
            case 3:
                del changed[at : at + rng.randrange(1, 9)]
            case 4:
                del changed[at:]
            case 5:
                changed[at:at] = changed[at : at + 32]
            case 6:
                changed[at : at + 8] = struct.pack("<Q", rng.choice((0, 1, 2**31, 2**64 - 1)))
    return bytes(changed)
