"""One suite for both artifact stores: what is written of artifacts is what is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple
from uuid import uuid4

import pytest

from tests.contract.small_stores import StoreBuilder
from tests.integration.fixtures_engine import EngineProcess
from weir_store.artifacts.base import ArtifactReader
from weir_store.artifacts.clickhouse import ClickHouseArtifacts
from weir_store.artifacts.editor import ArtifactEditor
from weir_store.artifacts.manifest import digest_of
from weir_store.artifacts.memory import MemoryArtifacts
from weir_store.artifacts.records import (
    AliasKind,
    ArtifactVersion,
    BegunUpload,
    Edge,
    ManifestFile,
    Mark,
    ModelChange,
    State,
    StoredBlob,
    VersionQuery,
    Webhook,
)
from weir_store.base import Inserter
from weir_store.clickhouse import connect
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.migrate import migrate
from weir_store.records import RunRef

NOW = 1_800_000_000_000_000
DAY = 86_400_000_000


class Store(NamedTuple):
    inserter: Inserter
    reader: ArtifactReader
    editor: ArtifactEditor


@pytest.fixture(scope="module")
def connection(engine: EngineProcess) -> Iterator[Store]:
    clickhouse, database = connect(engine.url), "artifacts_contract"
    migrate(clickhouse, database)
    inserter = ClickHouseInserter(clickhouse, database)
    yield Store(inserter, ClickHouseArtifacts(clickhouse, database), ArtifactEditor(inserter))
    clickhouse.close()


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        memory = MemoryStore()
        return Store(memory, MemoryArtifacts(memory), ArtifactEditor(memory))
    found: Store = request.getfixturevalue("connection")
    return found


@pytest.fixture
def project() -> str:
    return f"p-{uuid4().hex}"


def sha(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def blob(word: str, *, ver: int = NOW, size: int = 10) -> StoredBlob:
    return StoredBlob(sha(word), size, "e" * 32, NOW, ver)


def version(project: str, name: str, number: int, *words: str, **more: object) -> ArtifactVersion:
    files = [ManifestFile(f"{word}.bin", sha(word), 10) for word in words]
    told = {
        "project": project, "name": name, "version": number, "digest": digest_of(files),
        "type": "dataset", "run_id": "", "description": "", "metadata_json": "{}",
        "size_bytes": 10 * len(files), "files": len(files), "created_unix_us": NOW + number,
        "created_by": "ann", "expires_unix_us": 0,
    } | more  # fmt: skip
    return ArtifactVersion(**told)  # type: ignore[arg-type]


def put(store: Store, project: str, name: str, number: int, *words: str, **more: object):
    made = version(project, name, number, *words, **more)
    files = [ManifestFile(f"{word}.bin", sha(word), 10) for word in words]
    store.editor.add_files(project, made.digest, files, NOW)
    store.editor.put_version(made, NOW)
    return made


def loose(store: Store, project: str, now: int = NOW) -> set[str]:
    pieces = store.reader.stream_loose_blobs(project, now)
    return {each.sha256 for piece in pieces for each in piece}


# ── blobs ──────────────────────────────────────────────────────────────────


def test_a_blob_is_there_from_its_row_to_its_removal(store: Store, project: str) -> None:
    store.editor.add_blobs(project, [blob("a"), blob("b", size=2**40)])
    found = store.reader.read_blobs(project, [sha("a"), sha("b"), sha("c")])
    assert found == {sha("a"): blob("a"), sha("b"): blob("b", size=2**40)}
    assert store.reader.read_blobs("another", [sha("a")]) == {}
    store.editor.remove_blobs(project, [blob("a")])
    assert set(store.reader.read_blobs(project, [sha("a"), sha("b")])) == {sha("b")}
    assert store.reader.read_blobs(project, []) == {}


def test_a_removal_does_not_take_what_was_stored_later(store: Store, project: str) -> None:
    store.editor.add_blobs(project, [blob("a")])
    store.editor.add_blobs(project, [blob("a", ver=NOW + 5)])
    store.editor.remove_blobs(project, [blob("a")])
    assert sha("a") in store.reader.read_blobs(project, [sha("a")])


def test_a_touch_never_brings_a_removed_blob_back(store: Store, project: str) -> None:
    store.editor.add_blobs(project, [blob("a")])
    store.editor.remove_blobs(project, [blob("a")])
    store.editor.touch_blobs(project, [sha("a")], NOW + DAY)
    assert store.reader.read_blobs(project, [sha("a")]) == {}
    assert store.reader.read_touches(project, [sha("a"), sha("b")]) == {sha("a"): NOW + DAY}


def test_marks_of_two_collections_are_two_marks(store: Store, project: str) -> None:
    one, two = (Mark(sha("a"), uuid4(), NOW + number) for number in range(2))
    store.editor.add_marks(project, [one, two])
    assert sorted(m.marked_unix_us for m in store.reader.list_marks(project)) == [NOW, NOW + 1]
    store.editor.remove_marks(project, [one])
    assert store.reader.list_marks(project) == [two]
    assert store.reader.read_marked(project, [sha("a")], since_unix_us=NOW) == {sha("a")}
    assert store.reader.read_marked(project, [sha("a")], since_unix_us=NOW + 2) == set()


def test_an_upload_is_listed_from_its_beginning_to_its_end(store: Store, project: str) -> None:
    one, two = (BegunUpload(sha("a"), f"u/{n}", 2**40, 5 << 20, NOW + n) for n in range(2))
    store.editor.note_uploads(project, [two, one])
    assert store.reader.list_begun(project, before_unix_us=NOW + 5) == [one, two]
    assert store.reader.list_begun(project, before_unix_us=NOW + 1) == [one]
    store.editor.note_uploads(project, [one], is_deleted=True)
    store.editor.note_uploads(project, [one])
    assert store.reader.list_begun(project, before_unix_us=NOW + 5) == [two]


# ── manifests ──────────────────────────────────────────────────────────────


def test_a_manifest_is_read_by_path_with_everything_said_of_its_files(
    store: Store, project: str
) -> None:
    files = [
        ManifestFile("z/ü 'q\"\t.txt".replace("\t", ""), sha("z"), 7, "text/plain"),
        ManifestFile("a-b", sha("a"), 1),
        ManifestFile("a/b", "", 5, "", "s3://there/key?x=1#y", "tag-1"),
    ]
    store.editor.add_files(project, "d1", files, NOW)
    found = [file for piece in store.reader.stream_files(project, "d1") for file in piece]
    assert found == sorted(files, key=lambda file: file.path)
    below = [
        f.path for piece in store.reader.stream_files(project, "d1", prefix="a/") for f in piece
    ]
    assert below == ["a/b"]
    assert list(store.reader.stream_files(project, "unknown")) == []
    store.editor.remove_files(project, "d1", files[:2], NOW)
    left = [file.path for piece in store.reader.stream_files(project, "d1") for file in piece]
    assert left == ["a/b"]


def test_a_manifest_of_twenty_thousand_files_is_looked_up_as_one(
    store: Store, project: str
) -> None:
    files = [ManifestFile(f"f/{n:05d}", sha(str(n)), n) for n in range(20_000)]
    store.editor.add_files(project, "big", files, NOW)
    store.editor.add_blobs(
        project,
        [StoredBlob(f.sha256, f.size_bytes, "e", NOW, NOW) for f in files if f.size_bytes != 7],
    )
    store.editor.touch_blobs(project, [sha("1")], NOW + 3)
    needs = [need for piece in store.reader.stream_needs(project, "big") for need in piece]
    assert len(needs) == 20_000
    assert [need.sha256 for need in needs if need.stored_bytes is None] == [sha("7")]
    assert all(n.stored_bytes == n.size_bytes for n in needs if n.stored_bytes is not None)
    assert {n.sha256: n.touched_unix_us for n in needs if n.touched_unix_us} == {sha("1"): NOW + 3}
    assert store.reader.count_marked(project, "big", since_unix_us=0) == 0
    store.editor.add_marks(project, [Mark(sha("5"), uuid4(), NOW)])
    assert store.reader.count_marked(project, "big", since_unix_us=NOW) == 1


# ── versions ───────────────────────────────────────────────────────────────


def test_versions_come_newest_first_with_their_names(store: Store, project: str) -> None:
    for number in range(3):
        put(store, project, "data", number, f"w{number}")
    put(store, project, "other", 0, "x", type="model")
    store.editor.put_names(project, AliasKind.ARTIFACT, "data", 1, NOW, add=["best", "A"])
    store.editor.put_tags(project, "data", 0, NOW, add=["t2", "t1"])
    page = store.reader.list_versions(VersionQuery(project, NOW, name="data"))
    assert [each.version for each in page.versions] == [2, 1, 0]
    assert [each.aliases for each in page.versions] == [("latest",), ("A", "best"), ()]
    assert page.versions[2].tags == ("t1", "t2")
    assert page.total == 3
    cut = store.reader.list_versions(VersionQuery(project, NOW, name="data", limit=1, offset=1))
    assert ([each.version for each in cut.versions], cut.total) == ([1], 3)
    past = store.reader.list_versions(VersionQuery(project, NOW, name="data", limit=1, offset=9))
    assert (list(past.versions), past.total) == ([], 3)
    by_digest = VersionQuery(project, NOW, name="data", digest=page.versions[1].digest)
    assert store.reader.list_versions(by_digest).versions[0].version == 1
    numbers = VersionQuery(project, NOW, numbers=(("data", 0), ("other", 0), ("no", 1)))
    assert {each.name for each in store.reader.list_versions(numbers).versions} == {"data", "other"}


def test_everything_said_of_a_version_is_read_back(store: Store, project: str) -> None:
    made = put(
        store, project, "a/b-c_d.e", 7, "w", run_id="r1", description="größer\n",
        metadata_json='{"k": [1, "ü"]}', expires_unix_us=NOW + DAY, size_bytes=2**45,
    )  # fmt: skip
    (found,) = store.reader.list_versions(VersionQuery(project, NOW)).versions
    assert found.aliases == ("latest",)
    assert (found.metadata_json, found.description) == (made.metadata_json, made.description)
    assert (found.size_bytes, found.expires_unix_us, found.run_id) == (2**45, NOW + DAY, "r1")
    assert found.created_unix_us == made.created_unix_us


def test_latest_is_the_highest_version_that_is_not_deleted(store: Store, project: str) -> None:
    made = [put(store, project, "data", number, f"w{number}") for number in range(3)]
    store.editor.end_versions([made[2]], State.DELETED, NOW)
    (newest, *_) = store.reader.list_versions(VersionQuery(project, NOW, name="data")).versions
    assert (newest.version, newest.aliases) == (1, ("latest",))
    assert store.reader.highest_version(project, "data") == 2
    assert store.reader.highest_version(project, "data", live_at_unix_us=NOW) == 1
    assert store.reader.highest_version(project, "none") == -1


def test_an_edit_never_brings_a_deleted_version_back(store: Store, project: str) -> None:
    made = put(store, project, "data", 0, "w")
    store.editor.end_versions([made], State.DELETED, NOW)
    store.editor.put_version(made, NOW + DAY)
    assert store.reader.list_versions(VersionQuery(project, NOW)).total == 0
    gone = VersionQuery(project, NOW, states=(State.DELETED, State.GONE))
    assert store.reader.list_versions(gone).versions[0].state is State.DELETED


def test_a_version_that_has_expired_is_hidden_and_listed_as_ended(
    store: Store, project: str
) -> None:
    put(store, project, "data", 0, "w", expires_unix_us=NOW + 10)
    assert store.reader.list_versions(VersionQuery(project, NOW + 9)).total == 1
    assert store.reader.list_versions(VersionQuery(project, NOW + 10)).total == 0
    assert store.reader.list_artifacts(project, now_unix_us=NOW + 10).total == 0
    assert store.reader.list_ended(project, NOW + 9).total == 0
    (ended,) = store.reader.list_ended(project, NOW + 10).versions
    store.editor.end_versions([ended], State.GONE, NOW + 10)
    assert store.reader.list_ended(project, NOW + 11).total == 0


def test_an_alias_is_in_one_place_at_a_time(store: Store, project: str) -> None:
    where = (project, AliasKind.ARTIFACT, "data", "best")
    store.editor.put_names(project, AliasKind.ARTIFACT, "data", 1, NOW, add=["best"])
    store.editor.put_names(project, AliasKind.MODEL, "data", 9, NOW, add=["best"])
    store.editor.put_names(project, AliasKind.ARTIFACT, "data", 2, NOW + 1, add=["best"])
    assert store.reader.read_alias(*where) == 2
    store.editor.put_names(project, AliasKind.ARTIFACT, "data", 2, NOW + 2, remove=["best"])
    assert store.reader.read_alias(*where) is None


def test_artifacts_are_listed_with_bytes_of_equal_files_counted_once(
    store: Store, project: str
) -> None:
    put(store, project, "ckpt", 0, "a", "b")
    put(store, project, "ckpt", 1, "a", "c", created_unix_us=NOW + 100)
    put(store, project, "Data", 0, "x", type="dataset")
    page = store.reader.list_artifacts(project, now_unix_us=NOW)
    assert [each.latest.name for each in page.artifacts] == ["ckpt", "Data"]
    first = page.artifacts[0]
    assert (first.latest.version, first.versions, first.size_bytes) == (1, 2, 30)
    named = store.reader.list_artifacts(project, now_unix_us=NOW, search="DAT")
    assert [each.latest.name for each in named.artifacts] == ["Data"]
    assert store.reader.list_artifacts(project, now_unix_us=NOW, type="model").total == 0
    cut = store.reader.list_artifacts(project, now_unix_us=NOW, limit=1, offset=1)
    assert ([each.latest.name for each in cut.artifacts], cut.total) == (["Data"], 2)


def test_lineage_is_read_from_both_ends_and_the_first_use_counts(
    store: Store, project: str
) -> None:
    made = Edge(project, "train", project, "model", 3, True, NOW)
    used = Edge(project, "eval", project, "model", 3, False, NOW + 5)
    for edge in (made, used, Edge(*(*made_of(used), NOW + 99))):
        store.editor.add_edge(edge)
    assert store.reader.read_edges_of_runs([(project, "eval")]) == [used]
    assert store.reader.read_edges_of_versions([(project, "model", 3)]) == [made, used]
    assert store.reader.read_edges_of_versions([(project, "model", 4)]) == []
    assert store.reader.read_edges_of_runs([]) == []


def made_of(edge: Edge) -> tuple[object, ...]:
    return (
        edge.project, edge.run_id, edge.artifact_project, edge.name, edge.version, edge.is_output,
    )  # fmt: skip


# ── models ─────────────────────────────────────────────────────────────────


def change(number: int, stage: str, at: int, *aliases: str, model: str = "net") -> ModelChange:
    return ModelChange(
        model, number, "weights", number + 10, "r", NOW, stage, aliases, f"to {stage}", "ann", at
    )


def test_a_model_stands_where_its_newest_change_put_it_and_forgets_none(
    store: Store, project: str
) -> None:
    changes = [
        change(1, "", NOW), change(2, "", NOW + 1), change(1, "staging", NOW + 2, "cand"),
        change(1, "production", NOW + 3, "prod"), change(1, "", NOW + 4, model="other"),
    ]  # fmt: skip
    for each in changes:
        store.editor.add_model_change(project, each)
    assert store.reader.list_models(project, "net") == [changes[1], changes[3]]
    assert store.reader.list_models(project) == [changes[1], changes[4]]
    history = store.reader.list_changes(project, "net")
    assert history == [changes[3], changes[2], changes[1], changes[0]]
    assert store.reader.highest_model_version(project, "net") == 2
    registered = store.reader.list_registered(project, "weights")
    assert registered == [("net", 1, 11), ("net", 2, 12), ("other", 1, 11)]
    assert store.reader.highest_model_version(project, "none") == 0


def test_a_webhook_is_told_to_whom_until_it_is_deleted(store: Store, project: str) -> None:
    hook = Webhook("https://example.org/h?x=1", ("model.changed",), "s3cret", "ann")
    store.editor.put_webhook(project, hook, NOW)
    assert store.reader.list_webhooks(project) == [hook]
    store.editor.put_webhook(project, hook, NOW + 1, is_deleted=True)
    assert store.reader.list_webhooks(project) == []


def test_what_happened_to_a_project_is_listed_newest_first(store: Store, project: str) -> None:
    first = store.editor.add_notice(project, "a", "the a", NOW, attrs={"n": "1"}, body="b")
    second = store.editor.add_notice(project, "b", "the b", NOW + 1, severity="warn")
    found = store.reader.list_notices(project, [], 10)
    assert [event.event_id for event in found] == [second, first]
    assert (found[1].attrs, found[1].body, found[0].severity) == ({"n": "1"}, "b", "warn")
    assert [event.kind for event in store.reader.list_notices(project, ["a"], 10)] == ["a"]
    assert len(store.reader.list_notices(project, [], 1)) == 1


# ── garbage ────────────────────────────────────────────────────────────────


def test_a_blob_is_loose_when_no_live_version_names_it(store: Store, project: str) -> None:
    store.editor.add_blobs(project, [blob(word) for word in ("live", "dead", "old", "none")])
    put(store, project, "data", 0, "live")
    dead = put(store, project, "data", 1, "dead", "live")
    put(store, project, "data", 2, "old", expires_unix_us=NOW - 1)
    assert loose(store, project) == {sha("none"), sha("old")}
    store.editor.end_versions([dead], State.DELETED, NOW)
    assert loose(store, project) == {sha("none"), sha("old"), sha("dead")}


def test_files_and_media_of_runs_keep_their_blobs_until_the_run_is_deleted(
    store: Store, project: str
) -> None:
    words = ("file", "image", "thumb", "second", "other")
    store.editor.add_blobs(project, [blob(word) for word in words])
    builder, run = StoreBuilder(), RunRef(project, "run")
    builder.add_run(run)
    file = f'{{"sha256":"{sha("file")}","size":1,"mime":""}}'
    builder.add_attr(run, "file", "code/diff.patch", file.encode())
    media = f'[{{"sha256":"{sha("image")}","thumb":{{"sha256":"{sha("thumb")}"}}}},{{"sha256": "{sha("second")}"}}]'
    add_text(builder, run, media, kind="media")
    add_text(builder, run, f"I like {sha('other')}", kind="text", step=2)
    store.inserter.insert(builder.take_block(), uuid4().hex)
    assert loose(store, project) == {sha("other")}
    builder.add_run(run, deleted=True)
    store.inserter.insert(builder.take_block(), uuid4().hex)
    assert loose(store, project) == {sha(word) for word in words}


def test_media_of_a_deleted_run_stay_while_a_fork_shows_them(store: Store, project: str) -> None:
    store.editor.add_blobs(project, [blob("image")])
    builder, old, fork = StoreBuilder(), RunRef(project, "old"), RunRef(project, "fork")
    add_text(builder, old, f'{{"sha256":"{sha("image")}"}}', kind="media")
    builder.add_run(old)
    builder.add_run(fork)
    builder.add_branch(fork, "old", 5, birth_s=1_799_990_500)
    store.inserter.insert(builder.take_block(), uuid4().hex)
    builder.add_run(old, deleted=True)
    store.inserter.insert(builder.take_block(), uuid4().hex)
    assert loose(store, project) == set()
    builder.add_run(fork, deleted=True)
    store.inserter.insert(builder.take_block(), uuid4().hex)
    assert loose(store, project) == {sha("image")}


def add_text(builder: StoreBuilder, run: RunRef, value: str, *, kind: str, step: int = 1) -> None:
    builder.add_point(run, "sample", step, value)
    builder._rows["text_points"][-1]["kind"] = kind


def test_only_what_is_marked_loose_and_untouched_is_condemned(store: Store, project: str) -> None:
    words = ("loose", "named", "touched", "unmarked", "orphan")
    store.editor.add_blobs(project, [blob(word) for word in words[:-1]])
    put(store, project, "data", 0, "named")
    store.editor.touch_blobs(project, [sha("touched")], NOW)
    store.editor.touch_blobs(project, [sha("loose")], NOW - 1)
    mine, other = uuid4(), uuid4()
    store.editor.add_marks(
        project, [Mark(sha(word), mine, NOW) for word in words if word != "unmarked"]
    )
    store.editor.add_marks(project, [Mark(sha("unmarked"), other, NOW)])
    found = store.reader.read_condemned(project, mine, now_unix_us=NOW, touched_before_unix_us=NOW)
    assert found == {sha("loose"), sha("orphan")}


def test_a_manifest_is_loose_when_it_is_old_and_no_live_version_has_it(
    store: Store, project: str
) -> None:
    made = put(store, project, "data", 0, "a")
    store.editor.add_files(project, "loose", [ManifestFile("x", sha("x"), 1)], NOW)
    store.editor.add_files(project, "young", [ManifestFile("x", sha("x"), 1)], NOW + 10)

    def found() -> list[tuple[str, int]]:
        return store.reader.list_loose_manifests(project, now_unix_us=NOW, before_unix_us=NOW + 5)

    assert found() == [("loose", NOW)]
    store.editor.end_versions([made], State.GONE, NOW)
    assert {digest for digest, _ in found()} == {"loose", made.digest}
