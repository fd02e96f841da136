"""The artifact service over gRPC, from the bytes to the version: on memory and a directory, and on real engines."""

from __future__ import annotations

import json
import os
import secrets
import threading
from pathlib import Path

import grpc
import pytest

from tests.contract.fixtures_objects import minio
from tests.integration.fixtures_artifacts import (
    House,
    client,
    house,
    http_put,
    local_house,
    memory_house,
    messages,
    project_name,
    real_house,
    refused,
    sha,
)
from weir_proto.v1 import artifacts_pb2 as pb
from weir_server.gateway import artifact_commit
from weir_server.gateway.tokens import Role, create_token
from weir_server.objects.open import open_objects
from weir_server.settings import GatewaySettings, ObjectsSettings
from weir_store.artifacts.manifest import digest_of
from weir_store.artifacts.records import ManifestFile
from weir_store.objects.base import MIN_PART_BYTES

__all__ = ["client", "house", "memory_house", "minio", "real_house"]


FILES = {"a.txt": b"one", "b/c.bin": b"two two", "b/ü – ' \".txt": b""}


# ── from bytes to a version ────────────────────────────────────────────────


def test_what_was_sent_is_a_version_with_every_file_and_every_byte(client) -> None:
    large = secrets.token_bytes(2 * MIN_PART_BYTES + 77)
    files = {**FILES, "large.bin": large}
    version = client.log(
        "data/train", files, run_id="r1", description="d", metadata_json='{"k":1}',
        aliases=["best", "latest"], tags=["t"],
    )  # fmt: skip
    assert (version.version, version.existed, version.files) == (0, False, 4)
    assert version.size_bytes == sum(map(len, files.values()))
    assert list(version.aliases) == ["latest", "best"]
    assert (list(version.tags), json.loads(version.metadata_json)) == (["t"], {"k": 1})
    listed = [
        file
        for answer in client.ask("ListFiles", name="data/train", version="v0")
        for file in answer.files
    ]
    assert [file.path for file in listed] == sorted(files)
    for file in listed:
        assert client.read(file.sha256, file.size_bytes) == files[file.path]


def test_bytes_that_are_there_are_not_sent_again(client) -> None:
    client.log("data", FILES)
    sent = client.sent
    changed = {**FILES, "a.txt": b"other"}
    version = client.log("data", changed)
    assert (version.version, client.sent - sent) == (1, 1)


def test_an_upload_goes_on_where_it_was_cut_off(client) -> None:
    content = secrets.token_bytes(2 * MIN_PART_BYTES + 5)
    blob = pb.Blob(sha256=sha(content), size_bytes=len(content))
    (upload,) = client.ask("PrepareBlobs", blobs=[blob]).uploads
    assert (len(upload.urls), upload.part_bytes) == (3, MIN_PART_BYTES)
    parts = [content[i : i + MIN_PART_BYTES] for i in range(0, len(content), MIN_PART_BYTES)]
    tag = http_put(upload.urls[1], parts[1])
    of = {"blob": blob, "upload_id": upload.upload_id, "part_bytes": upload.part_bytes}
    assert dict(client.ask("PartUrls", **of).arrived) == {2: tag}
    urls = client.ask("PartUrls", **of, numbers=[1, 3]).urls
    tags = [http_put(urls[0], parts[0]), tag, http_put(urls[1], parts[2])]
    finished = pb.FinishedBlob(**of, etags=tags)
    assert list(client.ask("FinishBlobs", blobs=[finished]).problems) == [""]
    assert list(client.ask("FinishBlobs", blobs=[finished]).problems) == [""]
    assert client.read(blob.sha256, len(content)) == content


def test_bytes_that_changed_on_the_way_make_no_blob_and_no_version(client) -> None:
    problems = client.upload(b"good", put=lambda url, part: http_put(url, b"evil"))
    assert "did not arrive as it was sent" in problems[0]
    error = refused(client.commit, "data", {"f": b"good"})
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert sha(b"good") in error.details()


def test_a_version_is_refused_while_blobs_are_missing_and_the_missing_ones_are_named(
    client,
) -> None:
    client.upload(b"there")
    error = refused(client.commit, "data", {"a": b"there", "b": b"missing", "c": b"gone"})
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "2 blobs are not stored" in error.details()
    assert sha(b"missing") in error.details()
    assert sha(b"there") not in error.details()
    assert refused(client.ask, "GetArtifact", name="data").code() is grpc.StatusCode.NOT_FOUND
    assert client.log("data", {"a": b"there", "b": b"missing", "c": b"gone"}).version == 0


def test_a_blob_of_another_size_than_stored_makes_no_version(client) -> None:
    client.upload(b"12345")
    request = client.request("data", {"f": b"12345"})
    request.files[0].size_bytes = 4
    file = ManifestFile("f", sha(b"12345"), 4)
    request.digest = digest_of([file])
    error = refused(client.call, "CommitArtifact", request)
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION


def test_projects_share_no_blobs(client, house: House) -> None:
    client.log("data", FILES)
    other = house.client(project_name())
    blob = pb.Blob(sha256=sha(b"one"), size_bytes=3)
    assert not other.ask("PrepareBlobs", blobs=[blob]).uploads[0].exists
    assert other.read(sha(b"one"), 3) is None


# ── versions ───────────────────────────────────────────────────────────────


def test_the_same_files_again_are_the_same_version_with_more_names(client) -> None:
    first = client.log("data", FILES, run_id="r1", aliases=["a"])
    client.log("data", {"x": b"x"})
    again = client.commit("data", FILES, run_id="r2", aliases=["b"], tags=["t"])
    assert (again.version, again.existed, again.digest) == (0, True, first.digest)
    assert (list(again.aliases), list(again.tags)) == (["a", "b"], ["t"])
    versions = client.ask("ListVersions", name="data")
    assert [each.version for each in versions.versions] == [1, 0]
    edges = client.ask("ReadLineage", run_id="r2").edges
    assert {(edge.run_id, edge.version, edge.is_output) for edge in edges} == {
        ("r1", 0, True),
        ("r2", 0, True),
    }


def test_of_many_that_commit_at_once_each_content_has_one_number(client) -> None:
    contents = [f"content {n}".encode() for n in range(6)]
    client.upload(*contents)
    found: list[tuple[bytes, int]] = []

    def commit(content: bytes) -> None:
        found.append((content, client.commit("data", {"f": content}).version))

    threads = [threading.Thread(target=commit, args=(each,)) for each in contents for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted({number for _, number in found}) == list(range(6))
    assert len(set(found)) == 6


def test_numbers_go_on_when_redis_forgot_and_no_content_takes_anothers(
    client, house: House
) -> None:
    client.log("data", {"f": b"0"})
    client.log("data", {"f": b"1"})
    if not hasattr(house.numbers, "flush"):
        pytest.skip("the real Redis forgets in tests/contract/test_numbers.py")
    house.numbers.flush()
    assert client.log("data", {"f": b"0"}).version == 0
    assert client.log("data", {"f": b"2"}).version == 2
    house.numbers.flush()
    # What a number given and not stored yet looks like afterwards: another content gets it, too.
    house.numbers._last = {}
    house.reader.highest_version, kept = (lambda *_, **__: 1), house.reader.highest_version
    try:
        version = client.log("data", {"f": b"3"})
    finally:
        house.reader.highest_version = kept
    assert version.version == 3
    versions = client.ask("ListVersions", name="data").versions
    assert [each.version for each in versions] == [3, 2, 1, 0]


def test_a_version_is_found_by_number_alias_digest_and_as_the_latest(client) -> None:
    first = client.log("data", {"f": b"0"}, aliases=["best"])
    client.log("data", {"f": b"1"})
    for word, number in (("v0", 0), ("best", 0), (first.digest, 0), ("latest", 1), ("", 1)):
        assert client.ask("GetArtifact", name="data", version=word).version == number
    for word in ("v7", "none", "0" * 64):
        error = refused(client.ask, "GetArtifact", name="data", version=word)
        assert error.code() is grpc.StatusCode.NOT_FOUND


def test_edits_change_what_is_said_and_aliases_move(client) -> None:
    client.log("data", {"f": b"0"}, aliases=["best", "old"], tags=["a"])
    client.log("data", {"f": b"1"})
    edited = client.ask(
        "UpdateArtifact", name="data", version="v1", description="now", metadata_json='{"a":2}',
        add_aliases=["best"], add_tags=["b"],
    )  # fmt: skip
    assert (edited.description, edited.metadata_json) == ("now", '{"a":2}')
    assert list(edited.aliases) == ["latest", "best"]
    first = client.ask("UpdateArtifact", name="data", version="v0", remove_tags=["a"])
    assert (list(first.aliases), list(first.tags)) == (["old"], [])
    # Another version's alias is not taken away by naming the wrong version.
    client.ask("UpdateArtifact", name="data", version="v0", remove_aliases=["best"])
    assert client.ask("GetArtifact", name="data", version="best").version == 1
    error = refused(
        client.ask, "UpdateArtifact", name="data", version="v0", remove_aliases=["latest"]
    )
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_deleted_version_is_gone_and_its_number_is_never_given_again(client) -> None:
    client.log("data", {"f": b"0"})
    client.log("data", {"f": b"1"})
    assert client.ask("DeleteArtifact", name="data", version="v1").versions == 1
    assert client.ask("GetArtifact", name="data").version == 0
    assert client.log("data", {"f": b"1"}).version == 2
    events = client.ask("ListProjectEvents", kinds=["artifact_deleted"]).events
    assert [event.attrs["name"] for event in events] == ["data"]


def test_a_version_that_somebody_named_is_not_deleted_unawares(client) -> None:
    client.log("data", {"f": b"0"}, aliases=["best"])
    error = refused(client.ask, "DeleteArtifact", name="data", version="v0")
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "best" in error.details()
    client.log("model", {"f": b"1"})
    artifact = pb.GetArtifactRequest(project=client.project, name="model")
    client.ask("RegisterModel", model="net", artifact=artifact)
    assert "net" in refused(client.ask, "DeleteArtifact", name="model").details()
    assert client.ask("DeleteArtifact", name="data", even_with_aliases=True).versions == 1


def test_a_version_that_has_expired_is_hidden(client, house: House) -> None:
    client.log("data", {"f": b"0"})
    client.log("data", {"f": b"1"}, ttl_s=1_000)
    house.clock.ahead_s += 999
    assert client.ask("GetArtifact", name="data").version == 1
    house.clock.ahead_s += 2
    assert client.ask("GetArtifact", name="data").version == 0
    assert client.ask("ListArtifacts").artifacts[0].versions == 1


def test_artifacts_are_listed_with_equal_files_counted_once(client) -> None:
    client.log("data", {"a": b"xx", "b": b"yyy"})
    client.log("data", {"a": b"xx", "b": b"zzzz"})
    client.log("model", {"m": b"m"}, type="model")
    found = client.ask("ListArtifacts")
    summary = {each.latest.name: (each.versions, each.size_bytes) for each in found.artifacts}
    assert summary == {"data": (2, 9), "model": (1, 1)}
    assert found.total == 2
    assert len(client.ask("ListArtifacts", type="model").artifacts) == 1


def test_an_artifact_keeps_its_type(client) -> None:
    client.log("data", {"f": b"0"})
    error = refused(client.commit, "data", {"f": b"0"}, type="model")
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_references_are_part_of_the_digest_and_need_no_bytes(client) -> None:
    def reference(tag: str) -> pb.CommitArtifactRequest:
        file = ManifestFile("big.bin", "", 10**12, uri="s3://there/big.bin", etag=tag)
        return pb.CommitArtifactRequest(
            project=client.project, name="refs", type="dataset", files=[messages(file)],
            digest=digest_of([file]),
        )  # fmt: skip

    first = client.call("CommitArtifact", reference("t1"))
    assert (first.size_bytes, first.files) == (0, 1)
    assert client.call("CommitArtifact", reference("t2")).version == 1
    (answer,) = client.ask("ListFiles", name="refs", version="v0")
    assert (answer.files[0].uri, answer.files[0].etag) == ("s3://there/big.bin", "t1")


# ── manifests in pieces ────────────────────────────────────────────────────


def test_a_manifest_may_come_in_pieces_in_any_order_and_twice(client) -> None:
    files = {f"d/{n:03d}": f"content {n % 7}".encode() for n in range(50)}
    client.upload(*files.values())
    whole = client.request("data", files)
    pieces = [list(whole.files)[:20], list(whole.files)[20:40], list(whole.files)[40:]]
    of = {"project": client.project, "upload_id": "upload-0001"}
    for piece in (pieces[1], pieces[0], pieces[1]):
        answer = client.call(
            "CommitArtifact", pb.CommitArtifactRequest(**of, files=piece, more_files_follow=True)
        )
        assert answer == pb.ArtifactVersion()
    last = pb.CommitArtifactRequest(
        **of, name="data", type="dataset", files=pieces[2], digest=whole.digest
    )
    version = client.call("CommitArtifact", last)
    assert (version.files, version.digest, version.version) == (50, whole.digest, 0)
    assert client.call("CommitArtifact", whole).existed


def test_pieces_that_do_not_make_the_digest_make_no_version(client) -> None:
    files = {"a": b"a", "b": b"b"}
    client.upload(*files.values())
    whole = client.request("data", files)
    last = pb.CommitArtifactRequest(
        project=client.project, upload_id="upload-0002", name="data", type="dataset",
        files=list(whole.files)[:1], digest=whole.digest,
    )  # fmt: skip
    error = refused(client.call, "CommitArtifact", last)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "digest" in error.details()


def test_a_manifest_of_20_000_files_is_committed_in_a_few_questions(
    client, monkeypatch: pytest.MonkeyPatch, house: House
) -> None:
    contents = [f"{n}".encode() for n in range(500)]
    client.upload(*contents)
    files = {f"f/{n:05d}": contents[n % 500] for n in range(20_000)}
    asked: list[str] = []
    for name in ("read_blobs", "stream_needs", "stream_files", "count_marked", "list_versions"):
        kept = getattr(type(house.reader), name)

        def counted(self, *args, _kept=kept, _name=name, **named):
            asked.append(_name)
            return _kept(self, *args, **named)

        monkeypatch.setattr(type(house.reader), name, counted)
    version = client.commit("many", files)
    assert version.files == 20_000
    assert len(asked) <= 12, asked


# ── what is refused ────────────────────────────────────────────────────────

NINE = pb.Blob(sha256="0" * 64, size_bytes=9)
BAD_PATHS = [
    "", "/etc/passwd", "../up", "a/../b", "a//b", "a/./b", "a/", "./a", "a\nb", "a\x00b", "x" * 1_025,
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_that_could_leave_its_place_is_refused(memory_house: House, path: str) -> None:
    client = memory_house.client(project_name())
    error = refused(client.commit, "data", {path: b"x"})
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "path" in error.details()


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["é", "e\u0301"], "twice"),
        (["\u212a", "K"], "twice"),
        (["a", "a-b", "a/b"], "a file and a folder"),
    ],
)
def test_paths_that_would_fall_together_on_disk_are_refused(
    memory_house: House, paths: list[str], words: str
) -> None:
    client = memory_house.client(project_name())
    error = refused(client.commit, "data", dict.fromkeys(paths, b"x"))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert words in error.details()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"name": "a b"}, {"name": "a//b"}, {"name": "../a"}, {"name": "x" * 129},
        {"type": ""}, {"type": "a/b"}, {"metadata_json": "[1]"}, {"metadata_json": "{"},
        {"metadata_json": json.dumps({"k": "x" * (1 << 20)})}, {"aliases": ["v1"]},
        {"aliases": ["a/b"]}, {"aliases": ["0" * 64]}, {"tags": [" "]}, {"ttl_s": 1 << 40},
        {"digest": "0" * 64}, {"run_id": "r\n"}, {"upload_id": "short"},
    ],
    ids=lambda wrong: f"{next(iter(wrong))} {str(next(iter(wrong.values())))[:12]}",
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_what_to_change(memory_house: House, wrong) -> None:
    client = memory_house.client(project_name())
    client.upload(b"x")
    request = client.request("data", {"f": b"x"})
    name, value = next(iter(wrong.items()))
    if isinstance(value, list):
        getattr(request, name).extend(value)
    else:
        setattr(request, name, value)
    error = refused(client.call, "CommitArtifact", request)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, error.details()


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("PrepareBlobs", {"blobs": [pb.Blob(sha256="X" * 64)]}),
        ("PrepareBlobs", {"blobs": [pb.Blob(sha256="0" * 64)] * 1_001}),
        ("PrepareBlobs", {"blobs": [pb.Blob(sha256="0" * 64, size_bytes=1 << 60)]}),
        ("PartUrls", {"blob": NINE, "part_bytes": 3, "upload_id": "u", "numbers": [4]}),
        ("PartUrls", {"blob": NINE, "upload_id": "u"}),
        ("FinishBlobs", {"blobs": [pb.FinishedBlob(blob=pb.Blob(sha256="0" * 64), etags=["no md5"])]}),
        ("ListVersions", {}),
        ("ReadLineage", {"run_id": "r", "depth": 11}),
        ("ListArtifacts", {"limit": 1_001}),
        ("ListModels", {"history": True}),
        ("SetWebhook", {"url": "ftp://x/"}),
        ("SetWebhook", {"url": "http://127.0.0.1/"}),
        ("SetWebhook", {"url": "https://8.8.8.8/", "kinds": ["no.such"]}),
    ],
)  # fmt: skip
def test_a_question_that_breaks_a_limit_is_refused(memory_house: House, method, fields) -> None:
    error = refused(memory_house.client(project_name()).ask, method, **fields)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, error.details()


def test_every_call_needs_its_role(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.toml"
    secret = {
        role: create_token(tokens, name=role, role=Role(role), projects=["p"])
        for role in ("reader", "writer", "admin")
    }
    least = {
        "PrepareBlobs": "writer", "PartUrls": "writer", "FinishBlobs": "writer",
        "CommitArtifact": "writer", "GetArtifact": "reader", "ListArtifacts": "reader",
        "ListVersions": "reader", "ListFiles": "reader", "UpdateArtifact": "writer",
        "DeleteArtifact": "admin", "UseArtifact": "writer", "ReadLineage": "reader",
        "BlobUrls": "reader", "CollectGarbage": "admin", "RegisterModel": "writer",
        "UpdateModel": "writer", "ListModels": "reader", "SetWebhook": "admin",
        "ListWebhooks": "admin", "ListProjectEvents": "reader",
    }  # fmt: skip
    assert set(least) == {m.name for m in pb.DESCRIPTOR.services_by_name["Artifacts"].methods}
    order = ["reader", "writer", "admin"]
    with local_house(tmp_path / "objects", tokens_file=tokens) as house:

        def may(method: str, role: str, project: str) -> bool:
            client = house.client(project, secret[role])
            try:
                answer = client.ask(method)
                list(answer) if method == "ListFiles" else None
            except grpc.RpcError as error:
                return error.code() is not grpc.StatusCode.PERMISSION_DENIED
            return True

        for method, role in least.items():
            for number, other in enumerate(order):
                assert may(method, other, "p") == (number >= order.index(role)), (method, other)
            assert not may(method, "admin", "another"), method


def test_lineage_leads_from_run_to_version_to_run_as_far_as_asked(client) -> None:
    client.log("raw", {"f": b"0"}, run_id="fetch")
    for step in range(4):
        of = pb.GetArtifactRequest(project=client.project, name=f"m{step - 1}" if step else "raw")
        client.ask("UseArtifact", run_id=f"run{step}", artifact=of)
        client.log(f"m{step}", {"f": f"m{step}".encode()}, run_id=f"run{step}")

    def around(depth: int):
        answer = client.ask("ReadLineage", run_id="fetch", depth=depth)
        return [(e.run_id, e.name, e.is_output) for e in answer.edges], answer.cut

    assert around(1) == ([("fetch", "raw", True)], True)
    assert around(2) == ([("fetch", "raw", True), ("run0", "raw", False)], True)
    edges, cut = around(10)
    assert (len(edges), cut) == (9, False)
    back = client.ask(
        "ReadLineage", artifact=pb.GetArtifactRequest(project=client.project, name="m0"), depth=1
    )
    assert {(e.run_id, e.is_output) for e in back.edges} == {("run0", True), ("run1", False)}
    used = client.ask("ListVersions", run_id="run1").versions
    assert {each.name for each in used} == {"m0", "m1"}


def test_what_lies_in_a_project_one_may_not_see_is_not_shown(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.toml"
    both = create_token(tokens, name="both", role=Role.WRITER, projects=["a", "b"])
    only = create_token(tokens, name="only", role=Role.WRITER, projects=["a"])
    with local_house(tmp_path / "objects", tokens_file=tokens) as house:
        house.client("b", both).log("secret", {"f": b"0"})
        of = pb.GetArtifactRequest(project="b", name="secret")
        house.client("a", both).ask("UseArtifact", run_id="r", artifact=of)
        assert len(house.client("a", both).ask("ReadLineage", run_id="r").edges) == 1
        mine = house.client("a", only)
        assert len(mine.ask("ReadLineage", run_id="r").edges) == 0
        assert mine.ask("ListVersions", run_id="r").total == 0
        error = refused(mine.ask, "UseArtifact", run_id="r", artifact=of)
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED


def test_a_commit_cut_off_before_its_names_is_completed_by_its_repetition(
    memory_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = memory_house.client(project_name())
    client.upload(b"x")

    def dies(*_args, **_named):
        raise RuntimeError("killed here")

    monkeypatch.setattr(artifact_commit.Commits, "_name", dies)
    refused(client.commit, "data", {"f": b"x"}, run_id="r", aliases=["best"])
    monkeypatch.undo()
    again = client.commit("data", {"f": b"x"}, run_id="r", aliases=["best"])
    assert (again.version, list(again.aliases)) == (0, ["latest", "best"])
    assert len(client.ask("ReadLineage", run_id="r").edges) == 1


def test_the_secret_of_the_door_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    settings = ObjectsSettings(dir=tmp_path / "objects", door_port=0)
    addresses = []
    for _ in range(2):
        opened = open_objects(settings, GatewaySettings())
        addresses.append(opened.objects.signer.secret)
        opened.door._listener.close()
    assert addresses[0] == addresses[1]
    secret_file = tmp_path / "objects" / "door.secret"
    assert oct(os.stat(secret_file).st_mode & 0o777) == "0o600"
