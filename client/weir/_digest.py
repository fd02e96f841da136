"""Digests of what a frame holds, as docs/formats/ledger.md defines them. Pure.

All sums wrap at 2^64. A grid takes no Python per point: its 64-bit words are added as lanes of
two big integers, low halves in one, high halves in the other, each with 32 bits of room for
carries, so that `rot32(w) = (low << 32) + high` can be summed a lane at a time.
"""

import struct
from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from importlib import import_module
from operator import mul
from typing import Any, Final

from weir._columns import read_column
from weir_proto.v1 import ingest_pb2 as pb

TIME_FACTOR: Final = 0x9E37_79B9_7F4A_7C15  # C
_STEP_FACTOR: Final = 0xFF51_AFD7_ED55_8CCD
_WRAP: Final = (1 << 64) - 1
_CACHED_NAMES: Final = 100_000
_CHUNK_POINTS: Final = 16_384  # of a grid at a time: bounds the memory, stays in the cache

_NAMESPACES: Final = {
    pb.Attr.CONFIG: "config",
    pb.Attr.TAG: "tag",
    pb.Attr.SUMMARY: "summary",
    pb.Attr.META: "meta",
    pb.Attr.FILE: "file",
}
STREAMS: Final[Mapping[int, str]] = {
    pb.LineBlock.STDOUT: "stdout",
    pb.LineBlock.STDERR: "stderr",
    pb.LineBlock.LOGGING: "logging",
}


def _find_sha256() -> Callable[[bytes], Any]:
    """The interpreter's own SHA-256: `hashlib` loads OpenSSL, 4 MB that training does without."""
    for module in ("_sha2", "_sha256", "hashlib"):  # 3.12, 3.11, and what else there may be
        try:
            found: Callable[[bytes], Any] = import_module(module).sha256
        except ImportError:
            continue
        return found
    raise ImportError("this Python has no SHA-256")


_sha256: Final = _find_sha256()


def sha(text: str) -> int:
    """Return the first 8 bytes of SHA-256 of a text in UTF-8, little endian."""
    return int.from_bytes(_sha256(text.encode()).digest()[:8], "little")


@lru_cache(maxsize=_CACHED_NAMES)
def name_factor(metric: str) -> int:
    """Return B(metric), odd."""
    return sha(metric) | 1


def step_factor(step: int) -> int:
    """Return A(step), even."""
    x = step & _WRAP
    y = ((x ^ x >> 33) * _STEP_FACTOR) & _WRAP
    return 2 * (y ^ y >> 33)


def points_digest(block: pb.PointBlock, factors: Sequence[int]) -> int:
    """Return the sum over a block of points; `factors[i]` is `name_factor` of the frame's name i."""
    steps, times = read_column("q", block.step), read_column("q", block.time_unix_us)
    own_factors = [factors[index] for index in read_column("I", block.metric)]
    if not block.width:
        return _columns_digest(own_factors, steps, times, _rotated(block.value))
    chunk_rows = max(1, _CHUNK_POINTS // block.width)
    chunk_bytes = 8 * block.width * chunk_rows
    parts = (
        _grid_digest(
            own_factors,
            steps[row : row + chunk_rows],
            times[row : row + chunk_rows],
            block.value[index * chunk_bytes : (index + 1) * chunk_bytes],
        )
        for index, row in enumerate(range(0, len(steps), chunk_rows))
    )
    return sum(parts) & _WRAP


def texts_digest(block: pb.TextBlock, factors: Sequence[int]) -> int:
    """Return the sum over a block of texts; `factors` as in `points_digest`."""
    steps, times = read_column("q", block.step), read_column("q", block.time_unix_us)
    own_factors = [factors[index] for index in read_column("I", block.metric)]
    return _columns_digest(own_factors, steps, times, [sha(text) for text in block.value])


def system_digest(block: pb.SystemBlock, names: Sequence[str]) -> int:
    """Return the sum over what a node measured; `names` are the frame's."""
    metrics, devices = read_column("I", block.metric), read_column("I", block.device)
    factors = [
        name_factor(f"{names[metric]}\0{names[device]}")
        for metric, device in zip(metrics, devices, strict=True)
    ]
    times = read_column("q", block.time_unix_us)
    return _columns_digest(factors, [0] * len(factors), times, _rotated(block.value))


def lines_digest(block: pb.LineBlock) -> int:
    """Return the sum over the lines of a block: texts, each at the step that is its number."""
    factors = [name_factor(STREAMS[stream]) for stream in block.stream]
    numbers, times = read_column("Q", block.number), read_column("q", block.time_unix_us)
    return _columns_digest(factors, numbers, times, [sha(line) for line in block.line])


def attr_digest(attr: pb.Attr) -> int:
    """Return the digest of one attribute."""
    kind = attr.WhichOneof("value") or "null"
    value = getattr(attr, kind)
    return sha("\0".join((_NAMESPACES[attr.namespace], attr.path, kind, _spelt(kind, value))))


def event_digest(event: pb.Event) -> int:
    """Return the digest of one event."""
    number = event.event_id.hex()
    event_id = "-".join((number[:8], number[8:12], number[12:16], number[16:20], number[20:]))
    step = event.step if event.has_step else -1
    parts = (event_id, event.kind, event.severity, event.title, event.body, str(step))
    return sha("\0".join(parts))


def _spelt(kind: str, value: Any) -> str:
    if kind == "float":
        return str(struct.unpack("<Q", struct.pack("<d", value))[0])
    if kind in ("int", "bool"):
        return str(int(value))
    return value if kind in ("str", "json") else ""


def _columns_digest(
    factors: Sequence[int], steps: Sequence[int], times: Sequence[int], words: Sequence[int]
) -> int:
    total = 0
    last_step, of_step = 0, step_factor(0)
    for factor, step, time_unix_us, word in zip(factors, steps, times, words, strict=True):
        if step != last_step:
            last_step, of_step = step, step_factor(step)
        total += (word + TIME_FACTOR * time_unix_us) * (of_step + factor)
    return total & _WRAP


def _grid_digest(
    factors: Sequence[int], steps: Sequence[int], times: Sequence[int], values: bytes
) -> int:
    """Return Σ_r A_r · (Σ_c w_rc + n·C·t_r) + Σ_c B_c · Σ_r w_rc + (Σ_c B_c) · Σ_r C·t_r."""
    width, row_factors = len(factors), list(map(step_factor, steps))
    of_columns = _lane_sums(values, width)
    lone = len(steps) == 1
    of_rows = [sum(of_columns)] if lone else _lane_sums(_transposed(values, width), len(steps))
    words: int = sum(map(mul, row_factors, of_rows)) + sum(map(mul, factors, of_columns))
    moments: int = width * sum(map(mul, row_factors, times)) + sum(factors) * sum(times)
    return (words + TIME_FACTOR * moments) & _WRAP


def _transposed(words: bytes, width: int) -> bytes:
    cells = array("Q", words)
    return b"".join([cells[column::width].tobytes() for column in range(width)])


def _rotated(words: bytes) -> list[int]:
    """Return rot32 of every little-endian word."""
    return _lane_sums(words, len(words) // 8)


def _lane_sums(words: bytes, width: int) -> list[int]:
    """Return Σ rot32 of each column of rows of `width` words; not wrapped."""
    if not words:
        return [0] * width
    rows = len(words) // (8 * width)
    packed = int.from_bytes(words, "little")
    mask = _low_halves((rows * width).bit_length())
    low = _add_rows(packed & mask, rows, 64 * width)
    high = _add_rows((packed >> 32) & mask, rows, 64 * width)
    return [(lo << 32) + hi for lo, hi in zip(_lanes(low, width), _lanes(high, width), strict=True)]


@cache  # of 16 sizes at most
def _low_halves(bits: int) -> int:
    """Return a mask of the low halves of 2^bits lanes."""
    return int.from_bytes(b"\xff\xff\xff\xff\0\0\0\0" * (1 << bits), "little")


def _add_rows(packed: int, rows: int, row_bits: int) -> int:
    """Return the sum of rows that lie in one integer: the upper half onto the lower, repeatedly."""
    while rows > 1:
        rows = (rows + 1) // 2
        half_bits = rows * row_bits
        packed = (packed >> half_bits) + (packed & ((1 << half_bits) - 1))
    return packed


def _lanes(packed: int, width: int) -> "array[int]":
    return read_column("Q", packed.to_bytes(8 * width, "little"))
