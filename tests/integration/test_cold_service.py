"""Cold runs as people ask for them: `weir cold`, `weir.Api`, rights, and SQL through the gate's eyes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import weir
from tests.integration.fixtures_cold import ColdHouse, cold_house, local_objects
from tests.integration.fixtures_engine import EngineProcess
from tests.integration.fixtures_gateway import RunningGateway, eventually
from tests.unit.server import frames
from weir.cli import weir_command
from weir.errors import Forbidden, Rejected, UsageError
from weir_server.clock import SystemClock
from weir_server.gateway.changes import changes_service
from weir_server.gateway.cold import cold_service
from weir_server.gateway.service import Service as Offered
from weir_server.gateway.tokens import Role, create_token
from weir_server.stream.memory import MemoryAppender, MemoryStream
from weir_store.records import RunRef

DATABASE = "cold_service"


class Service:
    """A gateway that rolls runs of a real store, and tokens of every role."""

    def __init__(self, house: ColdHouse, folder: Path) -> None:
        self.house = house
        tokens_file = folder / "tokens.toml"
        self.tokens = {
            str(role): create_token(tokens_file, name=role, role=role, projects=[house.project])
            for role in Role
        }
        self.tokens["stranger"] = create_token(
            tokens_file, name="stranger", role=Role.ADMIN, projects=["elsewhere"]
        )
        self.gateway = RunningGateway(
            lambda: MemoryAppender(MemoryStream(shards=1, max_bytes=1 << 20)),
            store=house.inserter,
            reader=house.reader,
            services=self._services,
            tokens_file=tokens_file,
        )

    def _services(self, auth: Any) -> list[Offered]:
        house, clock = self.house, SystemClock()
        house.now_unix_us = clock.unix_us()
        return [
            changes_service(house.changes, house.reader, auth, clock, period_s=0.2),
            cold_service(house.cold, house.changes.book, auth, clock),
        ]

    def api(self, role: str = "writer") -> weir.Api:
        return weir.Api(self.gateway.address, token=self.tokens[role])

    def shell(self, *words: str, role: str = "writer", fails: bool = False) -> str:
        env = {
            "WEIR_SERVER": self.gateway.address,
            "WEIR_TOKEN": self.tokens[role],
            "COLUMNS": "160",
        }
        done = CliRunner(env=env).invoke(weir_command(), list(words))
        assert (done.exit_code != 0) is fails, (done.output, done.exception)
        return f"{done.output}{done.exception or ''}"


@pytest.fixture
def service(engine: EngineProcess, tmp_path: Path) -> Iterator[Service]:
    with cold_house(engine, DATABASE, *local_objects(tmp_path / "o")) as house:
        started = Service(house, tmp_path)
        yield started
        started.gateway.stop()


@pytest.fixture
def run(service: Service) -> RunRef:
    return service.house.log("r", frames.grid(0, rows=20))


def test_a_run_is_rolled_looked_at_and_brought_back_from_a_shell(
    service: Service, run: RunRef
) -> None:
    path = f"{run.project}/r"
    assert "no cold runs" in service.shell("cold", "status", run.project)
    said = service.shell("cold", "roll", path, "--reason", "tidy")
    assert f"{path} is cold: 40 rows" in said
    assert "bytes freed" in said
    assert path in service.shell("cold", "status", run.project, role="reader")
    with service.api("reader") as api:
        assert len(api.run(path).history("loss")) == 20
        assert api.verify(path).verdict == "whole"
        (found,) = api.cold_runs(run.project)
        assert (found.rows, found.by, list(found.files)) == (40, "writer", ["points"])
        (receipt,) = api.receipts(run.project, "r")
        assert (receipt.kind, receipt.state, receipt.reason) == ("roll", "done", "tidy")
    assert "is cold already" in service.shell("cold", "roll", path, fails=True)
    assert "back in the tables: 40 rows" in service.shell("cold", "thaw", path)
    assert service.house.hot_rows(run)["points"] == 40
    assert json.loads(service.shell("cold", "status", "--json")) == {"runs": [], "rules": []}
    assert "not cold" in service.shell("cold", "thaw", path, fails=True)


def test_corrections_bring_a_cold_run_back_by_themselves(service: Service, run: RunRef) -> None:
    path = f"{run.project}/r"
    service.shell("cold", "roll", path)
    with service.api() as api:
        api.run(path).correct("loss", 3, -1.0)
        assert api.run(path).history("loss")["value"].tolist()[3] == -1.0
        assert api.cold_runs() == []
        assert len(api.run(path).versions("loss", [3])) == 2
    service.shell("cold", "roll", path)
    with service.api() as api:
        assert len(api.run(path).versions("loss", [3])) == 2  # as it lies
        assert len(api.cold_runs()) == 1
        api.run(path).delete_points("acc", [0])
        assert len(api.run(path).history("acc")) == 19


def test_a_rule_rolls_what_ended_and_is_taken_away(service: Service, run: RunRef) -> None:
    said = service.shell("cold", "rule", run.project, "--older-than", "1d", role="admin")
    assert "rolled 1 d after their end, by admin" in said
    eventually(lambda: service.house.is_cold(run))
    assert "rolled 1 d" in service.shell("cold", "status", run.project, role="reader")
    assert "stay where they are" in service.shell(
        "cold", "rule", run.project, "--remove", role="admin"
    )
    assert service.house.is_cold(run)


def test_only_who_may_write_rolls_and_only_admins_make_rules(service: Service, run: RunRef) -> None:
    path = f"{run.project}/r"
    for role in ("reader", "stranger"):
        with service.api(role) as api:
            with pytest.raises(Forbidden):
                api.roll(path)
            with pytest.raises(Forbidden):
                api.thaw(path)
    with service.api("writer") as api, pytest.raises(Forbidden):
        api.set_cold_rule(run.project, 86_400)
    service.shell("cold", "roll", path)
    with service.api("stranger") as api:
        assert api.cold_runs() == []
        assert api.cold_runs(run.project) == []


def test_what_is_asked_wrongly_is_refused_with_the_reason(service: Service, run: RunRef) -> None:
    with service.api("admin") as api:
        with pytest.raises(Rejected, match="at least 60"):
            api.set_cold_rule(run.project, 1)
        with pytest.raises(Rejected, match="no run"):
            api.roll(f"{run.project}/nobody")
        with pytest.raises(UsageError):
            api.roll("nobody")
        with pytest.raises(Rejected, match="reason has"):
            api.roll(f"{run.project}/r", reason="x" * 5_000)
