"""Changes as people ask for them: `weir.Api`, the commands, rights, and what runs in the background."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import weir
from tests.contract.fixtures_redis import RedisServer
from tests.integration.fixtures_changes import House, house_on
from tests.integration.fixtures_engine import EngineProcess
from tests.integration.fixtures_gateway import RunningGateway, eventually
from tests.integration.test_changes_move import with_a_file
from tests.unit.server import frames
from weir.cli import weir_command
from weir.errors import Forbidden, Rejected, UsageError
from weir_server.clock import SystemClock
from weir_server.gateway.changes import changes_service
from weir_server.gateway.tokens import Role, create_token
from weir_server.objects.garbage import Collector
from weir_server.settings import StreamSettings
from weir_server.stream import keys
from weir_server.stream.memory import MemoryAppender, MemoryStream
from weir_server.stream.redis import RedisRuns
from weir_server.stream.redis.vendor import ask, connect
from weir_server.sweeper.leftovers import Leftovers
from weir_store.artifacts.clickhouse import ClickHouseArtifacts
from weir_store.artifacts.editor import ArtifactEditor
from weir_store.objects.keys import blob_key
from weir_store.objects.local import LocalObjects
from weir_store.objects.signing import Signer
from weir_store.records import RunRef

DATABASE = "changes_service"


class Service:
    """A gateway that offers changes over a real store, and clients with tokens of every role."""

    def __init__(self, house: House, folder: Path, redis: RedisServer) -> None:
        self.house = house
        self.objects = LocalObjects(
            folder / "objects", Signer("http://nowhere", b"s" * 32), unix_s=lambda: 1.0
        )
        self.redis_url = redis.url
        tokens_file, own = folder / "tokens.toml", [house.project, f"{house.project}-2"]
        self.tokens = {
            str(role): create_token(tokens_file, name=role, role=role, projects=own)
            for role in Role
        }
        self.tokens["stranger"] = create_token(
            tokens_file, name="stranger", role=Role.ADMIN, projects=["elsewhere"]
        )
        self.gateway = RunningGateway(
            lambda: MemoryAppender(MemoryStream(shards=1, max_bytes=1 << 20)),
            store=house.inserter,
            reader=house.reader,
            services=lambda auth: [self._service(auth)],
            tokens_file=tokens_file,
        )

    def _service(self, auth: Any) -> Any:
        house = self.house
        collector = Collector(
            ClickHouseArtifacts(house.clickhouse, house.database),
            ArtifactEditor(house.inserter),
            self.objects,
            grace_s=0.0,
        )
        runs = RedisRuns(StreamSettings(url=self.redis_url))
        house.now_unix_us = SystemClock().unix_us()
        house.changes = house.make(
            objects=self.objects,
            leftovers=Leftovers(
                collector,
                runs,
                grace_s=0.0,
                refuse_held=house.changes.book.refuse_held,
                now_unix_us=house.tick,
            ),
        )
        return changes_service(house.changes, house.reader, auth, SystemClock(), period_s=0.2)

    def api(self, role: str = "admin") -> weir.Api:
        return weir.Api(self.gateway.address, token=self.tokens[role])

    def shell(self, *words: str, role: str = "admin", fails: bool = False, **more: Any) -> str:
        env = {
            "WEIR_SERVER": self.gateway.address,
            "WEIR_TOKEN": self.tokens[role],
            "COLUMNS": "160",
        }
        done = CliRunner(env=env).invoke(weir_command(), list(words), **more)
        assert (done.exit_code != 0) is fails, (done.output, done.exception)
        return f"{done.output}{done.exception or ''}"


@pytest.fixture
def service(engine: EngineProcess, redis_server: RedisServer, tmp_path: Path) -> Iterator[Service]:
    for house in house_on(engine, DATABASE):
        started = Service(house, tmp_path, redis_server)
        yield started
        started.gateway.stop()


@pytest.fixture
def run(service: Service) -> RunRef:
    return service.house.log("r", frames.grid(0, rows=20))


def test_points_are_corrected_deleted_and_read_as_they_were(service: Service, run: RunRef) -> None:
    path = f"{run.project}/r"
    with service.api("writer") as api:
        view = api.run(path)
        begun = datetime.now(UTC)
        receipt = view.correct("loss", 3, -1.0, reason="sensor fault")
        between = datetime.now(UTC)
        view.correct("loss", {4: math.inf, 5: 0.0})
        deleted = view.delete_points("loss", range(10, 20))

        shown = dict(view.history("loss")[["step", "value"]].to_numpy().tolist())
        assert shown == {**{s: float(s) for s in range(10)}, 3: -1.0, 4: math.inf, 5: 0.0}
        assert (receipt.kind, receipt.state, receipt.by) == ("correct", "done", "writer")
        assert receipt.request["points"] == [
            {"step": 3, "rank": 0, "before": "3.0", "after": "-1.0"}
        ]
        assert deleted.result["points"] == 10

        first = view.history_as_of("loss", begun)["value"].tolist()
        assert first == [float(step) for step in range(20)]
        second = view.history_as_of("loss", between)["value"].tolist()
        assert second == [-1.0 if step == 3 else float(step) for step in range(20)]
        assert len(view.versions("loss", [3, 4])) == 4
        assert view.verify().verdict == "whole"
        with pytest.raises(Rejected, match="no point at step 99"):
            view.correct("loss", 99, 1.0)
        with pytest.raises(UsageError):
            view.correct("loss", {1: 1.0}, 2.0)

        view.delete_metric("acc")
        assert [metric.name for metric in view.metrics()] == ["loss"]
        asked = [each.kind for each in api.receipts(run.project, "r")]
        assert asked == ["delete_points", "delete_points", "correct", "correct"]
    said = service.shell("verify", path)
    assert "30 deleted or thinned out; " not in said
    assert "+ 30 deleted or thinned out" in said
    assert "corrections beside them" in said


def test_a_deleted_run_is_freed_in_every_store_and_its_receipt_stays(
    service: Service, run: RunRef
) -> None:
    sha256 = with_a_file(service.house, service.objects, "r", b"x" * 5_000)
    redis = connect(service.redis_url)
    name = keys.run(run.project, "r")
    ask(redis, "HSET", name, "created_unix_us", 1)

    told = json.loads(
        service.shell("delete", f"{run.project}/r", "--yes", "--reason", "no use", "--json")
    )

    assert (told["state"], told["reason"], told["by"]) == ("done", "no use", "admin")
    assert told["result"]["objects"] == {
        "blobs": 1,
        "bytes": 5_000,
        "uploads": 0,
        "waiting": 0,
        "waiting_bytes": 0,
    }
    assert service.objects.stat(blob_key(run.project, sha256)) is None
    assert told["result"]["redis_keys"] == 1
    assert ask(redis, "EXISTS", name) == 0
    assert told["result"]["before"]["points"]["rows"] == 46
    assert told["result"]["after"]["points"]["rows"] == 0
    assert not service.house.exists(run)
    again = json.loads(service.shell("receipt", told["id"], "--json", role="reader"))
    assert again == told
    assert told["id"] in service.shell("receipt", run.project)
    redis.close()


def test_deleting_asks_first(service: Service, run: RunRef) -> None:
    service.shell("delete", f"{run.project}/r", input="n\n", fails=True)
    assert service.house.exists(run)


@pytest.mark.parametrize(
    ("role", "what"),
    [
        ("reader", lambda api, p: api.delete(f"{p}/r")),
        ("reader", lambda api, p: api.run(f"{p}/r").correct("loss", 1, 2.0)),
        ("reader", lambda api, p: api.run(f"{p}/r").delete_points("loss")),
        ("reader", lambda api, p: api.merge([f"{p}/r", f"{p}/s"])),
        ("writer", lambda api, p: api.delete(p)),
        ("writer", lambda api, p: api.move(p, f"{p}-2")),
        ("writer", lambda api, p: api.move(f"{p}/r", "elsewhere")),
        ("writer", lambda api, p: api.hold(p, "why")),
        ("writer", lambda api, p: api.set_retention(p, keep_s=1)),
        ("stranger", lambda api, p: api.delete(f"{p}/r")),
        ("stranger", lambda api, p: api.receipts(p)),
        ("stranger", lambda api, p: api.preview_retention(p)),
    ],
)
def test_nobody_changes_what_they_may_not(
    service: Service, run: RunRef, role: str, what: Callable[[weir.Api, str], object]
) -> None:
    with service.api(role) as api, pytest.raises(Forbidden):
        what(api, run.project)
    assert len(service.house.points(run, "loss")) == 20


def test_a_receipt_is_shown_to_readers_of_its_project_only(service: Service, run: RunRef) -> None:
    with service.api("writer") as api:
        made = api.run(f"{run.project}/r").correct("loss", 1, 2.0)
    with service.api("stranger") as api, pytest.raises(Forbidden):
        api.receipt(made.id)
    with service.api("reader") as api:
        assert api.receipt(made.id).by == "writer"
        with pytest.raises(Rejected, match="no receipt"):
            api.receipt("0" * 32)


def test_a_hold_refuses_every_deletion_by_name_until_it_is_lifted(
    service: Service, run: RunRef
) -> None:
    path = f"{run.project}/r"
    assert "lawsuit" in service.shell("hold", path, "--reason", "lawsuit")
    for words in (("delete", path, "--yes"), ("delete", run.project, "--yes")):
        assert "legal hold" in service.shell(*words, fails=True)
    with service.api("writer") as api, pytest.raises(Rejected, match="lawsuit"):
        api.run(path).delete_points("loss")
    assert "no holds" in service.shell("hold", path, "--lift", "--reason", "settled")
    service.shell("delete", path, "--yes")
    assert not service.house.exists(run)


def test_runs_that_still_write_are_neither_moved_nor_merged(
    service: Service, run: RunRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "ACCEPTED_UNIX_US", SystemClock().unix_us())
    body = frames.grid(0)
    body.session.state = body.session.RUNNING
    service.house.log("live", body, birth_s=int(datetime.now(UTC).timestamp()))
    with service.api("writer") as api:
        if api.run(f"{run.project}/live").state != "running":
            pytest.fail("the run of this test ought to be running")
        for refused in (
            lambda: api.move(f"{run.project}/live", f"{run.project}-2"),
            lambda: api.merge([f"{run.project}/r", f"{run.project}/live"]),
        ):
            with pytest.raises(Rejected, match="is running"):
                refused()


def test_runs_are_moved_and_merged_from_a_shell(service: Service, run: RunRef) -> None:
    service.house.log("s", frames.grid(20, rows=5))
    there = f"{run.project}-2"
    said = service.shell("merge", f"{run.project}/r", f"{run.project}/s", role="writer")
    assert "done" in said
    assert len(service.house.points(RunRef(run.project, "s"), "loss")) == 25
    said = service.shell("move", run.project, there)
    assert "done" in said
    assert len(service.house.points(RunRef(there, "s"), "loss")) == 25


def test_policies_are_set_previewed_and_carried_out(service: Service, run: RunRef) -> None:
    service.shell("retention", "set", run.project, "--metric", "acc", "--keep", "10y")
    assert "nothing is old enough" in service.shell("retention", "preview", run.project)
    service.shell("hold", run.project, "--reason", "not yet")
    said = service.shell("retention", "set", run.project, "--metric", "l*", "--keep", "30d")
    assert "30 d" in said
    assert len(service.house.points(run, "loss")) == 20
    service.shell("hold", run.project, "--lift", "--reason", "go on")

    eventually(lambda: not service.house.points(run, "loss"))
    assert len(service.house.points(run, "acc")) == 20
    with service.api("reader") as api:
        (done,) = [each for each in api.receipts(run.project) if each.kind == "retention"]
        assert (done.by, done.result["rows"]) == ("retention", 20)
        assert api.run(f"{run.project}/r").verify().verdict == "whole"
    service.shell("retention", "remove", run.project, "--metric", "l*")
    assert "l*" not in service.shell("retention", "list", run.project)


@pytest.mark.parametrize(
    "words",
    [
        ("--keep", "30"),
        ("--keep", "0d"),
        ("--thin-after", "7d"),
        ("--thin-after", "7d:many"),
        ("--thin-after", "7d:3"),
        ("--keep", "1d", "--thin-after", "2d:100"),
        ("--console", "--thin-after", "7d:100"),
        ("--console", "--metric", "x", "--keep", "1d"),
        (),
    ],
)
def test_a_policy_that_says_nothing_sensible_is_refused(
    service: Service, words: tuple[str, ...]
) -> None:
    project = service.house.project
    service.shell("retention", "set", project, *words, fails=True)
    assert "for ever" in service.shell("retention", "list", project)
