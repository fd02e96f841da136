"""Small stores with everything that makes reading hard: ranks, resumes, corrections, NaN, deletions."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import pyarrow as pa

from weir_store import columns, tables
from weir_store.base import Block
from weir_store.records import RunRef

NOW_UNIX_US = 1_800_000_000_000_000
BIRTH_S = 1_799_990_000
METRICS = ("loss", "val/acc", "lr", "0dd näme\t'\"\\")
VALUES = (math.nan, math.inf, -math.inf, 0.0, 1.0, -2.5, 1e300, 0.1)
STATES = ("running", "finished", "failed", "interrupted")


class StoreBuilder:
    """Collects rows as dicts and gives them out as blocks."""

    def __init__(self) -> None:
        self._rows: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def add(self, table: str, **row: Any) -> None:
        """Add a row."""
        self._rows[table].append(row)

    def take_block(self) -> Block:
        """Return the rows added since the last call."""
        rows, self._rows = self._rows, defaultdict(list)
        return {
            table: pa.Table.from_pylist(rows[table], schema=columns.BY_TABLE[table])
            for table in tables.INSERT_ORDER
            if rows[table]
        }

    def add_run(self, ref: RunRef, *, created_s: float = BIRTH_S, deleted: bool = False) -> None:
        """Add a run's birth, or its tombstone."""
        self.add(
            tables.RUNS,
            project=ref.project,
            run_id=ref.run_id,
            created_at=_moment(created_s),
            ver=2 if deleted else 1,
            is_deleted=int(deleted),
        )

    def add_attr(
        self,
        ref: RunRef,
        ns: str,
        path: str,
        value: object,
        *,
        rank: int = 0,
        ver: int = 1,
        deleted: bool = False,
    ) -> None:
        """Add an attribute; `bytes` stand for JSON."""
        kind = {float: "float", int: "int", bool: "bool", str: "str", bytes: "json"}
        number = float(value) if isinstance(value, (float, int)) else math.nan
        text = value.decode() if isinstance(value, bytes) else value
        self.add(
            tables.RUN_ATTRS,
            project=ref.project,
            run_id=ref.run_id,
            ns=ns,
            path=path,
            type=kind.get(type(value), "null"),
            num=number,
            int=int(value) if isinstance(value, int) else 0,
            str=text if isinstance(text, str) else "",
            rank=rank,
            ver=ver,
            is_deleted=int(deleted),
        )

    def add_session(self, ref: RunRef, producer: UUID, **told: Any) -> None:
        """Add a process life and how far it is stored; unsaid columns have quiet values."""
        row = {
            "rank": 0, "local_rank": 0, "world_size": 1, "node": "n", "pid": 1, "launcher": "",
            "role": "", "attempt": 0, "state": "finished", "exit_code": 0, "reason": "",
            "started_s": BIRTH_S, "updated_s": BIRTH_S + 60, "seen_s": BIRTH_S + 61, "ver": 1,
        } | told  # fmt: skip
        seen_s, started_s, updated_s = (row.pop(n) for n in ("seen_s", "started_s", "updated_s"))
        of = {"project": ref.project, "run_id": ref.run_id, "producer": producer.bytes}
        moments = {"started_at": _moment(started_s), "updated_at": _moment(updated_s)}
        self.add(tables.SESSIONS, **of, **row, **moments)
        if seen_s is not None:
            self.add(tables.INGEST_COMMITS, **of, seq=7, at=_moment(seen_s))

    def add_branch(
        self,
        ref: RunRef,
        parent: str,
        step: int,
        *,
        birth_s: int,
        rank: int = 0,
        world_size: int = 1,
        launch: str = "",
    ) -> None:
        """Add where a process that began at `birth_s` took the run up; without it as parent, a fork."""
        self.add(
            tables.BRANCHES,
            project=ref.project,
            run_id=ref.run_id,
            producer=uuid5(NAMESPACE_OID, f"{ref} {rank} {birth_s}").bytes,
            rank=rank,
            world_size=world_size,
            parent_run_id=parent,
            step=step,
            launch=launch,
            ver=birth_s << 32,
        )

    def add_point(
        self,
        ref: RunRef,
        metric: str,
        step: int,
        value: float | str,
        *,
        rank: int = 0,
        ver: int = BIRTH_S << 32,
        rewrite: int = 0,
        at_us: int | None = None,
        media: bool = False,
    ) -> None:
        """Add a point, text (or JSON that names a file) or number; its time follows from its step."""
        row = {
            "project": ref.project,
            "run_id": ref.run_id,
            "metric": metric,
            "step": step,
            "rank": rank,
            "value": value,
            "ts": _moment(BIRTH_S, at_us if at_us is not None else (step + 9_000) * 1_000 + rank),
            "ver": ver,
            "run_date": 20_800,
        }
        if isinstance(value, str):
            self.add(tables.TEXT_POINTS, **row, kind="media" if media else "text")
        else:
            self.add(tables.POINTS, **row, rewrite=rewrite)


def random_blocks(project: str, seed: int) -> list[Block]:
    """Return the blocks of a random store of one project, in the order they were written."""
    draw = random.Random(seed)
    builder, blocks = StoreBuilder(), []
    for number in range(draw.randint(1, 4)):
        ref = RunRef(project, f"run{number}")
        builder.add_run(ref, created_s=BIRTH_S + draw.randint(0, 3))
        _add_attrs(builder, ref, draw)
        blocks.append(builder.take_block())
        for life in range(draw.randint(0, 3)):
            _add_life(builder, ref, life, draw)
            blocks.append(builder.take_block())
        if draw.random() < 0.15:
            builder.add_run(ref, deleted=True)
    blocks.append(builder.take_block())
    return [block for block in blocks if block]


def _add_attrs(builder: StoreBuilder, ref: RunRef, draw: random.Random) -> None:
    values = [0.1, 7, True, "adam", b"[1,2]", None, "x'\\\n"]
    for path in ("lr", "opt.name", "a.b-c"):
        if draw.random() < 0.7:
            builder.add_attr(ref, "config", path, draw.choice(values))
    for tag in ("base", "Big one"):
        if draw.random() < 0.5:
            builder.add_attr(ref, "tag", tag, True)
            builder.add_attr(ref, "tag", tag, True, ver=2, deleted=draw.random() < 0.3)
    for path in ("code/diff.patch", "größe.txt"):
        if draw.random() < 0.4:
            builder.add_attr(ref, "file", path, f'{{"size":{draw.randint(0, 3)}}}'.encode())
            builder.add_attr(ref, "file", path, None, ver=2, deleted=draw.random() < 0.3)
    for label in ("name", "group", "user"):
        if draw.random() < 0.5:
            builder.add_attr(ref, "meta", label, draw.choice(("resnet", "ViT-B")))
    if draw.random() < 0.5:
        builder.add_attr(ref, "summary", draw.choice(METRICS), draw.choice(values))
    for glob in ("*", "val/*", "l?"):
        if draw.random() < 0.3:
            rule = draw.choice(("min", "max", "mean", "last", "none", "best"))
            text = f'{{"summary": "{rule}", "goal": "{draw.choice(("maximize", "minimize"))}"}}'
            builder.add_attr(ref, "meta", f"metric/{glob}", text, ver=draw.randint(1, 9))


def _add_life(builder: StoreBuilder, ref: RunRef, life: int, draw: random.Random) -> None:
    """Add what one attempt of all ranks logs; later attempts often step back over earlier ones."""
    birth_s = BIRTH_S + life * 1_000
    for rank in range(draw.randint(1, 3)):
        builder.add_session(
            ref,
            UUID(int=draw.getrandbits(128)),
            rank=rank,
            world_size=draw.randint(0, 3),
            state=draw.choice(STATES),
            started_s=birth_s,
            updated_s=birth_s + draw.randint(0, 500),
            seen_s=draw.choice((None, birth_s + 600, NOW_UNIX_US // 1_000_000 - 30)),
        )
        for metric in METRICS:
            if draw.random() < 0.6:
                _add_series(builder, ref, metric, rank, birth_s, life, draw)
        if draw.random() < 0.5:
            step = draw.randint(0, 5)
            media = draw.random() < 0.4
            said = {"rank": rank, "ver": birth_s << 32, "media": media}
            builder.add_point(ref, "sample", step, f"text {life}", **said)


def _add_series(
    builder: StoreBuilder,
    ref: RunRef,
    metric: str,
    rank: int,
    birth_s: int,
    life: int,
    draw: random.Random,
) -> None:
    first = life * draw.randint(0, 600) - draw.choice((0, 0, 70))
    stride = draw.choice((1, 7, 100))
    steps = range(first, first + draw.randint(1, 60) * stride, stride)
    for seq, step in enumerate(steps):
        value = draw.choice(VALUES) if draw.random() < 0.2 else draw.gauss(0, 1)
        builder.add_point(ref, metric, step, value, rank=rank, ver=birth_s << 32 | seq)
    if draw.random() < 0.3:
        step = draw.choice(steps)
        corrected = {"rank": rank, "ver": birth_s << 32 | 1_000, "rewrite": 1}
        builder.add_point(ref, metric, step, draw.choice(VALUES), **corrected)


def _moment(seconds: float, more_us: int = 0) -> datetime:
    return datetime.fromtimestamp(seconds + more_us / 1e6, UTC)
