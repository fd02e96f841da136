"""Bad input against a whole embedded Weir: each meets a named limit, and good clients notice nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import grpc
import zstandard

from tests.e2e.fixtures_up import EmbeddedWeir, running_weir, wait_until
from tests.unit.server.frames import producer
from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1 import ingest_pb2_grpc
from weir_server.gateway.unpack import crc32_of
from weir_store.records import RunRef, RunState, SeriesQuery


def train(weir: EmbeddedWeir, folder: Path, program: str, **environment: str) -> str:
    """Run a training program to its end; return what it wrote to stderr."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**weir.environment(folder / "spool"), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def events(weir: EmbeddedWeir, run_id: str) -> list[tuple[str, str]]:
    store = weir.store()
    try:
        sql = (
            "SELECT kind, title FROM weir_raw.events FINAL WHERE run_id = {run:String} ORDER BY ts"
        )
        return [(kind, title) for kind, title in store.query_rows(sql, {"run": run_id})]
    finally:
        store.close()


def test_bad_values_are_named_once_and_everything_else_of_the_step_is_kept(
    embedded_weir: EmbeddedWeir, tmp_path: Path
) -> None:
    said = train(
        embedded_weir,
        tmp_path,
        r"""
        import math, weir
        run = weir.init("bad", id="values")
        for step in range(3):
            run.log({
                "good": step, "nan": math.nan, "inf": math.inf, "neg": -math.inf, "yes": True,
                "list": [1, 2], "none": None, "object": object(), "x" * 600: 1.0, "bell\x07": 1.0, "": 1.0,
                "text": "words",
            })
        """,
    )
    ref = RunRef("bad", "values")
    with embedded_weir.reader() as reader:
        names = {metric.name for metric in reader.list_metrics([ref]).metrics}
        table = reader.read_series(SeriesQuery((ref,), ("good", "nan", "inf", "neg", "yes")))
        run = reader.get_run(ref)
    assert names == {"good", "nan", "inf", "neg", "yes", "text"}
    values: dict[str, list[str]] = {}
    for metric, value in zip(table["metric"].to_pylist(), table["value"].to_pylist(), strict=True):
        values.setdefault(metric, []).append(str(value))
    assert values["good"] == ["0.0", "1.0", "2.0"]
    assert values["nan"] == ["nan"] * 3
    assert values["inf"] == ["inf"] * 3
    assert values["neg"] == ["-inf"] * 3
    assert run.state is RunState.FINISHED
    for name in ("list", "none", "object"):
        assert said.count(f"'{name}' cannot be logged") == 1
    rejected = [title for kind, title in events(embedded_weir, "values") if kind == "rejected"]
    assert any(title.startswith("list was not logged") for title in rejected)


def test_a_run_of_100_000_metrics_is_stored_and_its_names_are_listed_page_by_page(
    embedded_weir: EmbeddedWeir, tmp_path: Path
) -> None:
    train(
        embedded_weir,
        tmp_path,
        """
        import weir
        with weir.init("bad", id="wide", settings={"finish_timeout_s": 120}) as run:
            run.log({f"layer/{index:06d}": index for index in range(100_000)})
        """,
    )
    ref, after, found = RunRef("bad", "wide"), "", 0
    with embedded_weir.reader() as reader:
        while page := reader.list_metrics([ref], limit=40_000, after=after).metrics:
            found, after = found + len(page), page[-1].name
        assert reader.list_metrics([ref], search="layer/0999*").total == 100
    assert found == 100_000


class Hostile:
    """A raw client that says whatever it likes."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self._stub = ingest_pb2_grpc.IngestStub(self._channel)
        self._producer = producer(99)
        self._origin = pb.Origin(
            producer=self._producer,
            project="bad",
            run_id="hostile",
            started_unix_us=1_760_000_000_000_000,
        )

    def send(
        self, body: bytes, *, codec: int = pb.CODEC_RAW, raw: bytes | None = None, **more: int
    ):
        """Send one frame in a request of its own; return the ack, or the status it was refused with."""
        seq = self.expected()
        crc = crc32_of(seq, 0, raw if raw is not None else body)
        frame = {"crc32": crc, "raw_bytes": len(raw if raw is not None else body), **more}
        return self.say(pb.Frame(producer=self._producer, seq=seq, codec=codec, body=body, **frame))

    def say(self, *frames: pb.Frame, protocol: int = 1):
        request = pb.AppendRequest(
            hello=pb.Hello(
                origin=self._origin, first_available=1, last_spooled=1_000, protocol=protocol
            ),
            frames=frames,
        )
        try:
            return self._stub.Append(request, timeout=30)
        except grpc.RpcError as refused:
            return refused

    def expected(self) -> int:
        return int(self.say().welcome.accepted_seq) + 1

    def close(self) -> None:
        self._channel.close()


def columns(steps: int, values: int) -> bytes:
    body = pb.Body(schema=1, names=["loss"])
    body.points.add(
        metric=b"\0\0\0\0" * steps, step=bytes(8 * steps), time_unix_us=bytes(8 * steps), value=bytes(8 * values)
    )  # fmt: skip
    return body.SerializeToString()


def test_a_hostile_client_is_answered_by_name_and_a_good_one_beside_it_notices_nothing(
    embedded_weir: EmbeddedWeir, tmp_path: Path
) -> None:
    steps = 2_000
    program = f"""
        import time, weir
        with weir.init("bad", id="good") as run:
            for step in range({steps}):
                run.log({{"loss": step}}, step=step)
                time.sleep(0.002)
        """
    good = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=embedded_weir.environment(tmp_path / "spool"),
        cwd=tmp_path,
    )
    hostile = Hostile(embedded_weir.gateway)
    bomb = bytes(64 << 20)
    try:
        answers = {
            "random bytes": hostile.send(os.urandom(5_000)),
            "mixed lengths": hostile.send(columns(3, 2)),
            "truncated": hostile.send(columns(3, 3)[:-5]),
            "bomb": hostile.send(
                zstandard.compress(bomb), codec=pb.CODEC_ZSTD, raw=b"", raw_bytes=len(bomb)
            ),
            "lying bomb": hostile.send(
                zstandard.compress(bomb), codec=pb.CODEC_ZSTD, raw=b"", raw_bytes=100
            ),
            "oversized": hostile.send(os.urandom(2 << 20)),
            "too new": hostile.say(protocol=99),
        }
    finally:
        hostile.close()
    for what, answer in answers.items():
        if isinstance(answer, grpc.RpcError):
            assert answer.code() in (
                grpc.StatusCode.INVALID_ARGUMENT,
                grpc.StatusCode.FAILED_PRECONDITION,
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                grpc.StatusCode.ABORTED,
            ), f"{what}: {answer}"
            assert answer.details(), what
        else:
            told = list(answer.ack.rejects)
            assert answer.ack.expect_seq or told, f"{what}: {answer}"
            assert all(reject.code and reject.message for reject in told), what
    assert good.wait(120) == 0
    ref = RunRef("bad", "good")
    with embedded_weir.reader() as reader:
        table = reader.read_series(SeriesQuery((ref,), ("loss",)))
    assert table["value"].to_pylist() == [float(step) for step in range(steps)]


def test_a_wrong_token_costs_one_warning_and_no_point(tmp_path: Path) -> None:
    weir_command = [sys.executable, "-m", "weir.cli"]
    tokens = tmp_path / "tokens.toml"
    made = subprocess.run(
        [*weir_command, "token", "create", "--file", str(tokens), "--name", "trainer", "--project", "*"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    token = next(word for word in made.stdout.split() if word.startswith("weir_"))
    flags = ("--no-dashboard", "--gateway.tokens-file", str(tokens))
    with running_weir(tmp_path / "data", *flags) as weir:
        program = """
            import weir
            run = weir.init("guarded", id="one")
            for step in range(100):
                run.log({"loss": step})
            run.finish(timeout=8)
            """
        said = train(weir, tmp_path, program, WEIR_TOKEN="weir_wrong")
        assert said.count("refuses") <= 1
        assert "weir sync" in said
        synced = subprocess.run(
            [*weir_command, "sync", str(tmp_path / "spool"), "--token", token],
            env=weir.environment(tmp_path / "spool"),
            capture_output=True, text=True, check=False, timeout=90,
        )  # fmt: skip
        assert synced.returncode == 0, synced.stdout + synced.stderr
        with weir.reader() as reader:
            ref = RunRef("guarded", "one")
            wait_until(lambda: reader.get_run(ref).state is RunState.FINISHED, "it is stored")
            table = reader.read_series(SeriesQuery((ref,), ("loss",)))
    assert table["value"].to_pylist() == [float(step) for step in range(100)]
