"""What nodes, processes and artifacts hold of the made-up runs: telemetry, console, files, lineage.

The run `ddp/ddp16` of synthetic.py has it all; runs of `gpt-small` have their files.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.unit.dashboard.synthetic import START_US, SyntheticReader
from weir_dashboard.sources import Sources
from weir_store import columns, tables
from weir_store.artifacts.editor import ArtifactEditor
from weir_store.artifacts.manifest import digest_of
from weir_store.artifacts.memory import MemoryArtifacts
from weir_store.artifacts.records import ArtifactVersion, Edge, ManifestFile, ModelChange
from weir_store.console.memory import MemoryConsole
from weir_store.groups.memory import MemoryGroups
from weir_store.memory import MemoryStore
from weir_store.objects.keys import blob_key
from weir_store.objects.local import LocalObjects
from weir_store.objects.signing import Signer
from weir_store.records import Run, RunRef
from weir_store.system.memory import MemorySystem

WIDE = RunRef("ddp", "ddp16")
NODES = ("node-00", "node-01")
EVERY_S = 20
HOUR_S = 3_600
PATCHES = (
    b"diff --git a/train.py b/train.py\n@@ -1,3 +1,3 @@\n import weir\n-lr = 1e-3\n+lr = 3e-4\n",
    b"diff --git a/train.py b/train.py\n@@ -1,3 +1,3 @@\n import weir\n-lr = 1e-3\n+lr = 1e-4\n+warmup = 500\n",
)


@dataclass
class Recorded:
    """A store beside the synthetic reader; `say` prints a line, as a live run would."""

    reader: SyntheticReader
    store: MemoryStore = field(default_factory=MemoryStore)
    folder: Path = field(default_factory=lambda: Path(mkdtemp(prefix="weir-recorded-")))
    _frames: int = 0
    _lines: int = 0

    def __post_init__(self) -> None:
        self.objects = LocalObjects(
            self.folder, Signer("http://127.0.0.1:7713", b"made up"), unix_s=time.time
        )
        for run in self.reader.runs:
            self._insert(
                tables.RUNS,
                [{**_named(run.ref), "created_at": _moment(run.created_unix_us), "ver": 1, "is_deleted": 0}],
            )  # fmt: skip
        self.reader.runs = [self._with_files(run, at) for at, run in enumerate(self.reader.runs)]

    @property
    def sources(self) -> Sources:
        return Sources(
            self.reader,
            system=MemorySystem(self.store),
            console=MemoryConsole(self.store),
            artifacts=MemoryArtifacts(self.store),
            objects=self.objects,
            groups=MemoryGroups(self.reader),
        )

    def measure(self) -> Recorded:
        """Add an hour of telemetry: two nodes of four GPUs."""
        for node in NODES:
            rows = [
                {**_named(WIDE), "metric": metric, "node": node, "device": device, "ts": _moment(at_us),
                 "value": value, "rank": 0, "ver": 1, "run_date": 20_718}
                for metric, device, at_us, value in _measured(node)
            ]  # fmt: skip
            self._insert(tables.SYSTEM_POINTS, rows)
        return self

    def sample(self) -> None:
        """Measure every card once more, now."""
        at_us = int(time.time() * 1e6)
        rows = [
            {**_named(WIDE), "metric": "gpu.utilization", "node": node, "device": f"gpu{card}",
             "ts": _moment(at_us), "value": 50.0, "rank": 0, "ver": 1, "run_date": 20_718}
            for node in NODES for card in range(4)
        ]  # fmt: skip
        self._insert(tables.SYSTEM_POINTS, rows)

    def print(self) -> Recorded:
        """Add what four ranks printed: colours, progress, a traceback, markup."""
        for line in _printed():
            self.say(**line)
        return self

    def say(
        self,
        line: str,
        rank: int = 0,
        stream: str = "stdout",
        level: int = 0,
        at_us: int | None = None,
    ) -> None:
        """Print one line, now unless told when."""
        self._lines += 1
        moment = int(time.time() * 1e6) if at_us is None else at_us
        row = {
            **_named(WIDE), "rank": rank, "ts": _moment(moment), "process": uuid5(NAMESPACE_OID, str(rank)).bytes,
            "number": self._lines, "stream": stream, "level": level, "node": NODES[rank // 2], "line": line,
            "agent_rank": 0, "ver": self._lines, "run_date": 20_718,
        }  # fmt: skip
        self._insert(tables.CONSOLE, [row])

    def keep(self) -> Recorded:
        """Add artifacts: a dataset that the run read, three checkpoints it made, a registered model."""
        self._version("imagenet", 0, "dataset", "", self._dataset(), tags=("clean",))
        for number in range(3):
            self._version("checkpoint", number, "model", WIDE.run_id, self._checkpoint(number))
        self._version("predictions", 0, "evaluation", "eval-1", self._predictions())
        editor = ArtifactEditor(self.store)
        for run_id, name, number, is_output in (
            (WIDE.run_id, "imagenet", 0, False),
            *((WIDE.run_id, "checkpoint", number, True) for number in range(3)),
            ("eval-1", "checkpoint", 2, False),
            ("eval-1", "predictions", 0, True),
        ):
            editor.add_edge(
                Edge(WIDE.project, run_id, WIDE.project, name, number, is_output, START_US)
            )
        editor.add_model_change(
            WIDE.project,
            ModelChange(
                "classifier", 1, "checkpoint", 2, WIDE.run_id, START_US, "production", ("champion",),
                "best so far", "ada", START_US,
            ),
        )  # fmt: skip
        return self

    # ── below ─────────────────────────────────────────────────────────────

    def _dataset(self) -> list[ManifestFile]:
        table = pa.table(
            {"path": [f"{i}.jpg" for i in range(50)], "label": [i % 10 for i in range(50)]}
        )
        buffer = BytesIO()
        pq.write_table(table, buffer)
        return [
            self._file("index.parquet", buffer.getvalue(), "application/vnd.apache.parquet"),
            self._file("README.md", b"# A dataset\n\nof <b>pictures</b>\n", "text/markdown"),
            ManifestFile("raw", "", 0, "", "s3://bucket/imagenet/train", "e1"),
        ]  # fmt: skip

    def _checkpoint(self, number: int) -> list[ManifestFile]:
        weights = np.random.default_rng(number).standard_normal(4_096).astype("<f4").tobytes()
        config = json.dumps({"hidden": 768, "layers": 12, "epoch": number}, indent=2).encode()
        return [
            self._file("model.safetensors", weights, "application/octet-stream"),
            self._file("config.json", config, "application/json"),
            self._file("tokenizer/vocab.txt", b"the\nof\nand\n", "text/plain"),
        ]

    def _predictions(self) -> list[ManifestFile]:
        return [self._file("predictions.csv", b"path,label\n0.jpg,3\n1.jpg,7\n", "text/csv")]

    def _version(
        self,
        name: str,
        number: int,
        kind: str,
        run_id: str,
        files: list[ManifestFile],
        tags: tuple[str, ...] = (),
    ) -> None:
        editor, at_us = ArtifactEditor(self.store), START_US + number * 60_000_000
        made = ArtifactVersion(
            WIDE.project, name, number, digest_of(files), kind, run_id, f"**{name}** of the run",
            json.dumps({"epoch": number}), sum(file.size_bytes for file in files), len(files), at_us, "ada", 0,
        )  # fmt: skip
        editor.add_files(WIDE.project, made.digest, files, at_us)
        editor.put_version(made, at_us)
        if tags:
            editor.put_tags(WIDE.project, name, number, at_us, add=tags)

    def _with_files(self, run: Run, at: int) -> Run:
        packages = "numpy==1.26.4\ntorch==2.9.1\nweir==0.1.0\n"
        if at % 2:
            packages = packages.replace("2.9.1", "2.8.0") + "wandb==0.22.0\n"
        files = {
            "code/diff.patch": PATCHES[at % 2],
            "environment/requirements.txt": packages.encode(),
        }
        told = {path: self._blob(run.project, content) for path, content in files.items()}
        return replace(
            run, files={p: json.dumps({**t, "mime": "text/plain"}) for p, t in told.items()}
        )

    def _file(self, path: str, content: bytes, mime: str) -> ManifestFile:
        told = self._blob(WIDE.project, content)
        return ManifestFile(path, str(told["sha256"]), len(content), mime)

    def _blob(self, project: str, content: bytes) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        self.objects.write(blob_key(project, digest), BytesIO(content), len(content))
        return {"sha256": digest, "size": len(content)}

    def _insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        self._frames += 1
        held = pa.Table.from_pylist(list(rows), schema=columns.BY_TABLE[table])
        block = {table: held}
        if table == tables.CONSOLE:  # what is committed tells who follows how far to look
            agent = UUID(int=(START_US // 1_000) << 80 | 7 << 76 | 2 << 62)
            row = {
                **_named(WIDE),
                "producer": agent.bytes,
                "seq": self._frames,
                "at": _moment(START_US),
            }
            block[tables.INGEST_COMMITS] = pa.Table.from_pylist(
                [row], schema=columns.BY_TABLE[tables.INGEST_COMMITS]
            )  # fmt: skip
        self.store.insert(block, str(self._frames))


def _named(ref: RunRef) -> dict[str, object]:
    return {"project": ref.project, "run_id": ref.run_id}


def _moment(unix_us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=unix_us)


def _measured(node: str) -> Iterable[tuple[str, str, int, float]]:
    draw = random.Random(node)
    for at_s in range(0, HOUR_S, EVERY_S):
        at_us = START_US + at_s * 1_000_000
        # every ten minutes a checkpoint is written: cards wait, the disk works
        saving = at_s % 600 < 60 and at_s > 0
        yield "cpu.percent", "", at_us, 22 + 3 * draw.random() + 30 * saving
        yield "memory.used_bytes", "", at_us, 180e9 + 2e7 * at_s + 1e9 * draw.random()
        yield "disk.written_bytes_per_s", "", at_us, (2.1e9 if saving else 4e6) * draw.random()
        yield "net.sent_bytes_per_s", "", at_us, 6e9 * (0.1 if saving else 1) * draw.random()
        for card in range(4):
            busy = 3 * draw.random() if saving else 93 + 6 * draw.random()
            warm = 40 + 25 * (1 - math.exp(-at_s / 400)) + card
            yield "gpu.utilization", f"gpu{card}", at_us, busy
            yield "gpu.memory_used_bytes", f"gpu{card}", at_us, 61e9 + 3e9 * draw.random()
            yield "gpu.power_w", f"gpu{card}", at_us, 120 + 5.6 * busy + 10 * draw.random()
            yield "gpu.temperature_c", f"gpu{card}", at_us, warm - 8 * saving


def _printed() -> Iterable[dict[str, Any]]:
    for rank in range(4):
        at_us = START_US + rank * 1_000
        yield {"rank": rank, "at_us": at_us, "line": f"\x1b[1;36mrank {rank}\x1b[0m of 16 is up"}
        for step in range(0, 400, 10):
            loss = 2.3 * math.exp(-step / 200) + 0.01 * rank
            text = f"step \x1b[33m{step:>5}\x1b[0m  loss=\x1b[32m{loss:.4f}\x1b[0m"
            yield {"rank": rank, "at_us": at_us + step * 8_000_000 // 10 * 10, "line": text}
    late = START_US + 3_300_000_000
    for line in (
        "Traceback (most recent call last):",
        '  File "train.py", line 88, in <module>',
        "    loss.backward()",
        "RuntimeError: \x1b[31mCUDA error: uncorrectable ECC error encountered\x1b[0m",
    ):
        late += 1_000
        yield {"rank": 2, "at_us": late, "stream": "stderr", "line": line}
    markup = '<script>document.title="hacked"</script><img src=x onerror=alert(1)> & **bold**'
    yield {"rank": 1, "at_us": late + 5_000, "line": markup}
    for level, word in ((20, "saved checkpoint 2"), (30, "queue is short"), (40, "worker lost")):
        late += 10_000
        yield {"rank": 0, "at_us": late, "stream": "logging", "level": level, "line": word}
