"""The model registry over gRPC, and the webhooks that tell of its changes."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.contract.fixtures_objects import minio
from tests.integration.fixtures_artifacts import (
    House,
    Uploader,
    client,
    house,
    local_house,
    memory_house,
    project_name,
    real_house,
    refused,
)
from tests.integration.fixtures_gateway import eventually
from weir_proto.v1 import artifacts_pb2 as pb

__all__ = ["client", "house", "memory_house", "minio", "real_house"]


def of(client: Uploader, name: str, version: str = "") -> pb.GetArtifactRequest:
    return pb.GetArtifactRequest(project=client.project, name=name, version=version)


def history(client: Uploader, model: str) -> list[tuple[Any, ...]]:
    found = client.ask("ListModels", model=model, history=True).versions
    return [(each.version, each.stage, list(each.aliases), each.note) for each in found]


# ── models ─────────────────────────────────────────────────────────────────


def test_models_are_numbered_from_one_and_the_same_artifact_is_the_same_version(
    house: House, client: Uploader
) -> None:
    client.log("weights", {"f": b"0"}, run_id="train")
    client.log("weights", {"f": b"1"})
    first = client.ask("RegisterModel", model="net", artifact=of(client, "weights", "v0"))
    second = client.ask("RegisterModel", model="net", artifact=of(client, "weights", "v1"))
    again = client.ask("RegisterModel", model="net", artifact=of(client, "weights", "v0"))
    assert [first.version, second.version, again.version] == [1, 2, 1]
    assert (first.artifact, first.artifact_version, first.run_id) == ("weights", 0, "train")
    newest = client.ask("ListModels").versions
    assert [(each.model, each.version) for each in newest] == [("net", 2)]


def test_a_promotion_says_who_when_and_why_and_nothing_is_forgotten(
    house: House, client: Uploader
) -> None:
    for number in range(2):
        client.log("weights", {"f": b"%d" % number})
        client.ask("RegisterModel", model="net", artifact=of(client, "weights", f"v{number}"))
    client.ask(
        "UpdateModel", model="net", version=1, stage="production", add_aliases=["champion"],
        note="passed the review",
    )  # fmt: skip
    moved = client.ask(
        "UpdateModel", model="net", version=2, stage="production", add_aliases=["champion"],
        note="better by 2 %",
    )  # fmt: skip
    assert (moved.stage, list(moved.aliases), moved.changed_by) == (
        "production", ["champion"], "anonymous",
    )  # fmt: skip
    client.ask("UpdateModel", model="net", version=1, stage="archived")
    standing = client.ask("ListModels", model="net").versions
    assert [(each.version, each.stage, list(each.aliases)) for each in standing] == [
        (2, "production", ["champion"]),
        (1, "archived", []),
    ]
    assert history(client, "net") == [
        (1, "archived", [], ""),
        (2, "production", ["champion"], "better by 2 %"),
        (1, "production", [], "champion moved to version 2"),
        (1, "production", ["champion"], "passed the review"),
        (2, "", [], ""),
        (1, "", [], ""),
    ]


def test_what_is_not_there_cannot_be_registered_or_promoted(memory_house: House) -> None:
    client = memory_house.client(project_name())
    error = refused(client.ask, "RegisterModel", model="net", artifact=of(client, "none"))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    error = refused(client.ask, "UpdateModel", model="net", version=1, stage="production")
    assert error.code() is grpc.StatusCode.NOT_FOUND
    client.log("weights", {"f": b"0"})
    for wrong in ({"model": "a b"}, {"model": "net", "aliases": ["v1"]}):
        error = refused(client.ask, "RegisterModel", **wrong, artifact=of(client, "weights"))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


# ── webhooks ───────────────────────────────────────────────────────────────


class Listener:
    """An HTTP server that notes what is posted, and answers as told."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.heard.append((dict(self.headers), body))
                self.send_response(listener.statuses.pop(0) if listener.statuses else 200)
                self.send_header("Location", f"{listener.url}elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self._server.server_port}/hook?a=1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    yield server
    server.close()


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[House]:
    """A house whose webhooks may go to this machine, and do not pause long."""
    with local_house(tmp_path, webhooks_anywhere=True) as house:
        house.service.webhooks._pause_s = 0.01
        yield house


def idle(house: House) -> None:
    house.gateway.run(house.service.webhooks.idle())


def failures(client: Uploader) -> list[Any]:
    return list(client.ask("ListProjectEvents", kinds=["webhook_failed"]).events)


def test_a_change_is_told_with_a_signature_that_proves_who_tells_it(
    open_house: House, listener: Listener
) -> None:
    client = open_house.client("p")
    answer = client.ask("SetWebhook", url=listener.url, secret="s3cret", kinds=["model.changed"])
    assert answer.secret == ""
    client.log("weights", {"f": b"0"})
    client.ask("RegisterModel", model="net", artifact=of(client, "weights"))
    client.ask("UpdateModel", model="net", version=1, stage="production", note="größer")
    idle(open_house)
    ((headers, body),) = listener.heard
    expected = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["X-Weir-Signature-256"] == f"sha256={expected}"
    assert headers["X-Weir-Event"] == "model.changed"
    told = json.loads(body)
    assert (told["project"], told["kind"], told["model"]) == ("p", "model.changed", "net")
    assert (told["stage"], told["note"], told["by"]) == ("production", "größer", "anonymous")
    assert headers["X-Weir-Delivery"] == told["id"]
    assert failures(client) == []


def test_every_kind_is_told_when_none_is_chosen_and_none_after_the_deletion(
    open_house: House, listener: Listener
) -> None:
    client = open_house.client("p")
    client.ask("SetWebhook", url=listener.url)
    client.log("weights", {"f": b"0"})
    client.commit("weights", {"f": b"0"})  # it existed: no change
    client.ask("RegisterModel", model="net", artifact=of(client, "weights"))
    idle(open_house)
    kinds = [json.loads(body)["kind"] for _, body in listener.heard]
    assert sorted(kinds) == ["artifact.committed", "model.registered"]
    assert [each.url for each in client.ask("ListWebhooks").webhooks] == [listener.url]
    client.ask("SetWebhook", url=listener.url, deleted=True)
    client.log("weights", {"f": b"1"})
    idle(open_house)
    assert len(listener.heard) == 2
    assert list(client.ask("ListWebhooks").webhooks) == []


def test_a_delivery_is_tried_three_times_and_then_seen_as_an_event(
    open_house: House, listener: Listener
) -> None:
    client = open_house.client("p")
    client.ask("SetWebhook", url=listener.url)
    listener.statuses = [500, 503]
    client.log("weights", {"f": b"0"})
    idle(open_house)
    assert (len(listener.heard), failures(client)) == (3, [])
    assert len({body for _, body in listener.heard}) == 1  # the same delivery, by its id
    listener.statuses = [500, 500, 500]
    client.log("weights", {"f": b"1"})
    idle(open_house)
    (event,) = failures(client)
    assert len(listener.heard) == 6
    assert event.attrs["url"] == listener.url
    assert "500" in event.body


def test_a_redirect_is_not_followed(open_house: House, listener: Listener) -> None:
    client = open_house.client("p")
    client.ask("SetWebhook", url=listener.url)
    listener.statuses = [302, 302, 302]
    client.log("weights", {"f": b"0"})
    idle(open_house)
    assert [headers["X-Weir-Event"] for headers, _ in listener.heard] == ["artifact.committed"] * 3
    assert len(failures(client)) == 1


def test_nobody_who_listens_holds_up_nobody(open_house: House) -> None:
    client = open_house.client("p")
    client.ask("SetWebhook", url="http://127.0.0.1:9/")
    client.ask("SetWebhook", url="http://no.such.host.invalid/")
    assert client.log("weights", {"f": b"0"}).version == 0
    idle(open_house)
    assert len(failures(client)) == 2


def test_a_name_that_comes_to_mean_this_machine_is_refused_at_delivery(
    memory_house: House, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    from weir_server.gateway import webhook_address

    client = memory_house.client(project_name())
    answers = [["203.0.113.7"]]
    monkeypatch.setattr(
        webhook_address, "resolved", lambda *_: answers.pop() if answers else ["127.0.0.1"]
    )
    client.ask("SetWebhook", url=listener.url)
    client.log("weights", {"f": b"0"})
    idle(memory_house)
    assert listener.heard == []
    (event,) = failures(client)
    assert "must not go to localhost (127.0.0.1)" in event.body


def test_what_waits_when_the_gateway_stops_is_told_or_noted(
    tmp_path: Path, listener: Listener
) -> None:
    with local_house(tmp_path, webhooks_anywhere=True, drain_s=0.4) as house:
        client = house.client("p")
        client.ask("SetWebhook", url="http://127.0.0.1:9/")
        house.service.webhooks._pause_s = 1_000.0
        client.log("weights", {"f": b"0"})
        eventually(lambda: house.service.webhooks._waiting.empty())
        house.gateway.stop()
        events = house.reader.list_notices("p", ["webhook_failed"], 10)
    assert [event.body for event in events] == ["the gateway stopped before it was delivered"]
