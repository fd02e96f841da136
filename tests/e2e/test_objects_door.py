"""`weir up` brings the object store along: a directory, its door, and a gateway that hands out addresses."""

from __future__ import annotations

import os
import secrets
import signal

import grpc

from tests.e2e.fixtures_up import EmbeddedWeir, wait_until
from tests.integration.fixtures_artifacts import Uploader, project_name
from weir_proto.v1 import artifacts_pb2_grpc
from weir_server.up.data_dir import DataDir


def test_an_artifact_goes_through_the_door_and_outlives_a_killed_gateway(
    embedded_weir: EmbeddedWeir,
) -> None:
    assert "objects     http://127.0.0.1:" in embedded_weir.said
    content = secrets.token_bytes(3_000_000)
    project = project_name()
    with grpc.insecure_channel(embedded_weir.gateway) as channel:
        client = Uploader(artifacts_pb2_grpc.ArtifactsStub(channel), project)
        made = client.log("data", {"f": content})
        assert client.read(made_file(client), len(content)) == content
    secret = DataDir(embedded_weir.data_dir).objects / "door.secret"
    assert os.stat(secret).st_mode & 0o777 == 0o600
    before = embedded_weir.parts()["gateway"].pid
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: embedded_weir.parts()["gateway"].pid != before, "another gateway")
    with grpc.insecure_channel(embedded_weir.gateway) as channel:
        grpc.channel_ready_future(channel).result(60)
        client = Uploader(artifacts_pb2_grpc.ArtifactsStub(channel), project)
        assert client.read(made_file(client), len(content)) == content
        again = client.log("data", {"f": content})
        assert (again.version, again.existed, again.digest) == (0, True, made.digest)
        assert client.ask("CollectGarbage").blobs == 0


def made_file(client: Uploader) -> str:
    (answer,) = client.ask("ListFiles", name="data")
    return str(answer.files[0].sha256)
