"""`weir export` and `weir import` against a real engine: out as Parquet, and back row for row."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner

import weir
from tests.contract.fixtures_tables import connection
from tests.integration.fixtures_export import api_of, exporting, fill, rows_of, stored
from tests.integration.fixtures_live import Job
from weir import _export, _export_rows
from weir._export import export
from weir._export_command import export_command, import_command
from weir._export_manifest import MANIFEST, Manifest
from weir._export_place import place_of
from weir._import import import_export
from weir.errors import Forbidden, NotAsStored, Rejected, UsageError
from weir_proto.v1 import export_pb2 as pb
from weir_server.gateway.tokens import Role, create_token
from weir_store import columns
from weir_store.clickhouse import ClickHouse
from weir_store.editor import Editor
from weir_store.export.base import SCOPES, of_artifacts, of_runs
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import migrate
from weir_store.records import RunRef

DATABASE = "export_from"
FRESH = "export_to"
__all__ = ["connection"]


@pytest.fixture(scope="module")
def fresh(connection: ClickHouse) -> str:
    migrate(connection, FRESH)
    return FRESH


@pytest.fixture(scope="module")
def source(connection: ClickHouse) -> Iterator[weir.Api]:
    with api_of(connection, DATABASE) as api:
        yield api


@pytest.fixture(scope="module")
def target(connection: ClickHouse, fresh: str) -> Iterator[weir.Api]:
    with api_of(connection, fresh) as api:
        yield api


@pytest.fixture
def run(connection: ClickHouse) -> RunRef:
    """A run of a project of its own, with rows in every table."""
    one = RunRef(f"vision-{uuid.uuid4().hex[:8]}", "k3j9")
    fill(connection, DATABASE, one, artifacts=True)
    return one


@pytest.fixture
def exported(source: weir.Api, run: RunRef, tmp_path: Path) -> Path:
    export(source, [run.project], place_of(str(tmp_path / "out")))
    return tmp_path / "out"


def test_every_table_is_decided_on() -> None:
    assert set(SCOPES) == {*columns.BY_TABLE, "run_attr_history"}
    assert of_runs()[-1] == "ingest_commits"
    assert of_runs().index("run_attr_history") < of_runs().index("run_attrs")


def test_a_run_comes_back_bit_for_bit_and_twice_is_once(
    connection: ClickHouse, target: weir.Api, run: RunRef, exported: Path
) -> None:
    for _ in range(2):
        import_export(target, place_of(str(exported)))
        for table in of_runs():
            want = stored(connection, DATABASE, table, run)
            assert want, table
            assert stored(connection, FRESH, table, run) == want, table


def test_what_the_ledger_says_of_a_run_is_the_same_after_it_came_back(
    source: weir.Api, target: weir.Api, run: RunRef, exported: Path
) -> None:
    import_export(target, place_of(str(exported)))
    path = f"{run.project}/{run.run_id}"
    before, after = source.verify(path), target.verify(path)
    assert after.verdict == before.verdict
    assert after.lines == before.lines


def test_artifacts_come_back_with_their_versions_tags_and_names(
    connection: ClickHouse, source: weir.Api, target: weir.Api, run: RunRef, tmp_path: Path
) -> None:
    export(source, [f"{run.project}/{run.run_id}"], place_of(str(tmp_path)), artifacts=True)
    import_export(target, place_of(str(tmp_path)))
    for table in of_artifacts():
        want = stored(connection, DATABASE, table, run)
        assert want, table
        assert stored(connection, FRESH, table, run) == want, table


def test_rows_are_read_without_weir(exported: Path) -> None:
    points = exported / "points"
    arrow = rows_of("points", RunRef("x", "y"))
    wanted = sorted(map(repr, arrow["value"].to_pylist()))
    duck = duckdb.sql(f"SELECT value FROM '{points}/*.parquet'").fetchall()
    assert sorted(repr(value) for (value,) in duck) == wanted
    frame = pl.read_parquet(points / "*.parquet")
    assert sorted(map(repr, frame["value"].to_list())) == wanted
    assert frame.schema["step"] == pl.Int64
    assert frame.schema["ts"] == pl.Datetime("us", "UTC")
    assert frame.schema["run_id"] == pl.String
    table = pd.read_parquet(points)
    assert sorted(map(repr, table["value"])) == wanted
    for folder in sorted(each for each in exported.iterdir() if each.is_dir()):
        found = duckdb.sql(f"SELECT count(*) FROM '{folder}/*.parquet'").fetchone()
        assert found is not None
        assert (
            found[0] == len(pl.read_parquet(folder / "*.parquet")) == len(pd.read_parquet(folder))
        )


def test_the_manifest_says_what_there_is(exported: Path, run: RunRef) -> None:
    told = json.loads((exported / MANIFEST).read_text())
    assert told["format"] == 1
    assert told["row_counts"]["points"] == 6
    assert [(each["project"], each["run_id"]) for each in told["runs"]] == [(run.project, "k3j9")]
    assert told["runs"][0]["rows"]["points"] == 6
    on_disk = {str(f.relative_to(exported)) for f in exported.rglob("*") if f.is_file()}
    assert on_disk == {MANIFEST, *(each["path"] for each in told["files"])}


def test_a_file_that_was_changed_is_named_and_nothing_is_imported(
    connection: ClickHouse, target: weir.Api, run: RunRef, exported: Path
) -> None:
    file = next((exported / "ledger").iterdir())
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(NotAsStored, match=r"ledger/00000.parquet is not what was exported"):
        import_export(target, place_of(str(exported)))
    file.unlink()
    with pytest.raises(NotAsStored, match=r"ledger/00000.parquet is missing"):
        import_export(target, place_of(str(exported)))
    assert stored(connection, FRESH, "points", run) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"rows": 6', '"rows": 7', 1),
        lambda text: text[: len(text) // 2],
        lambda _: "[]",
        lambda text: text.replace('"format": 1', '"format": 2'),
    ],
)
def test_a_manifest_that_was_changed_is_refused(
    target: weir.Api, exported: Path, change: Callable[[str], str]
) -> None:
    manifest = exported / MANIFEST
    manifest.write_text(change(manifest.read_text()))
    with pytest.raises(NotAsStored):
        import_export(target, place_of(str(exported)))


def test_another_run_of_the_same_id_is_not_overwritten(
    connection: ClickHouse, target: weir.Api, run: RunRef, exported: Path
) -> None:
    other = Job(ClickHouseInserter(connection, FRESH), run)
    other.begin()
    with pytest.raises(UsageError, match=f"{run.project}/k3j9: another run has this id here"):
        import_export(target, place_of(str(exported)))
    assert stored(connection, FRESH, "points", run) == []
    import_export(target, place_of(str(exported)), rename_runs="-theirs")
    renamed = RunRef(run.project, "k3j9-theirs")
    assert stored(connection, FRESH, "points", renamed) == stored(
        connection, DATABASE, "points", run
    )
    assert target.run(f"{run.project}/k3j9").state == "running"


def test_a_run_that_was_deleted_here_is_not_brought_back_unasked(
    connection: ClickHouse, target: weir.Api, run: RunRef, exported: Path
) -> None:
    import_export(target, place_of(str(exported)))
    editor = Editor(ClickHouseInserter(connection, FRESH))
    editor.delete_run(run, by="me", at_unix_us=1_800_000_000_000_000)
    with pytest.raises(UsageError, match="was deleted here"):
        import_export(target, place_of(str(exported)))


def test_another_project_takes_the_runs_under_its_name(
    connection: ClickHouse, target: weir.Api, run: RunRef, exported: Path
) -> None:
    moved = RunRef(f"{run.project}-copy", run.run_id)
    import_export(target, place_of(str(exported)), project=moved.project)
    for table in of_runs():
        assert stored(connection, FRESH, table, moved) == stored(connection, DATABASE, table, run)
    assert stored(connection, FRESH, "points", run) == []


def test_an_artifact_version_of_other_content_is_not_overwritten(
    connection: ClickHouse, source: weir.Api, target: weir.Api, run: RunRef, tmp_path: Path
) -> None:
    export(source, [run.project], place_of(str(tmp_path)), artifacts=True)
    rows = rows_of("artifact_versions", run).slice(0, 1)
    index = rows.schema.get_field_index("digest")
    other = rows.set_column(index, rows.schema.field(index), pa.array(["e" * 64]))
    ClickHouseInserter(connection, FRESH).insert({"artifact_versions": other}, uuid.uuid4().hex)
    with pytest.raises(UsageError, match=f"{run.project}/weights:v3: another artifact"):
        import_export(target, place_of(str(tmp_path)))
    assert stored(connection, FRESH, "points", run) == []


def test_an_export_that_broke_off_goes_on_and_reads_nothing_twice(
    source: weir.Api, run: RunRef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    read_rows = source._transport.read_rows

    def breaking(request: pb.ReadRowsRequest) -> Any:
        read.append(request.table)
        if len(read) == 5:
            raise KeyboardInterrupt
        return read_rows(request)

    monkeypatch.setattr(source._transport, "read_rows", breaking)
    place = place_of(str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        export(source, [run.project], place)
    assert not (tmp_path / MANIFEST).exists()
    with pytest.raises(UsageError, match="an export of something else was begun there"):
        export(source, [], place)
    made = export(source, [run.project], place)
    broken = read[4]
    assert sorted(read) == sorted([*of_runs(), broken])
    assert made.rows()["points"] == 6
    assert {each.name for each in tmp_path.iterdir()} == {MANIFEST, *of_runs()}
    with pytest.raises(UsageError, match="complete export already"):
        export(source, [run.project], place)


def test_a_server_that_goes_away_for_a_moment_costs_nothing(
    source: weir.Api, run: RunRef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from weir.errors import Unavailable

    tries: list[str] = []
    read_rows = source._transport.read_rows

    def failing(request: pb.ReadRowsRequest) -> Any:
        tries.append(request.table)
        if len(tries) % 2:
            raise Unavailable("restarting")
        return read_rows(request)

    monkeypatch.setattr(source._transport, "read_rows", failing)
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert export(source, [run.project], place_of(str(tmp_path))).rows()["points"] == 6


def test_many_runs_are_cut_into_chunks_and_a_fork_takes_its_parents_along(
    connection: ClickHouse, source: weir.Api, target: weir.Api, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(_export, "CHUNK_RUNS", 2)
    project = uuid.uuid4().hex
    inserter = ClickHouseInserter(connection, DATABASE)
    for number in range(5):
        job = Job(inserter, RunRef(project, f"r{number}"))
        job.begin()
        job.log([float(number)])
    branch = rows_of("branches", RunRef(project, "r4"), 1)
    index = branch.schema.get_field_index("parent_run_id")
    branch = branch.set_column(index, "parent_run_id", pa.array(["r1"]))
    inserter.insert({"branches": branch.cast(columns.BRANCHES)}, uuid.uuid4().hex)
    made = export(source, [project], place_of(str(tmp_path / "all")))
    assert [run.run_id for run in made.runs] == ["r0", "r1", "r2", "r3", "r4"]
    assert len(made.files_of("points")) == 3
    one = export(source, [f"{project}/r4"], place_of(str(tmp_path / "one")))
    assert [run.run_id for run in one.runs] == ["r1", "r4"]
    import_export(target, place_of(str(tmp_path / "one")))
    assert target.run(f"{project}/r4").parent == f"{project}/r1"


def test_pieces_stay_small_whatever_is_in_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io
    import random

    monkeypatch.setattr(_export_rows, "_AT_ONCE_BYTES", 1 << 16)
    texts = [random.Random(n).randbytes(20_000).hex() for n in range(40)]
    table = pa.table({"project": ["p"] * 40, "value": texts})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    path = tmp_path / "x.parquet"
    _export_rows.write_parquet(io.BytesIO(sink.getvalue()), path)
    pieces = list(_export_rows.read_pieces(path, {}, ""))
    assert max(len(data) for data, _ in pieces) < 1 << 17
    read = [pa.ipc.open_stream(data).read_all()["value"].to_pylist() for data, _ in pieces]
    assert [text for some in read for text in some] == texts


def points_as_sent(run: RunRef) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pylist(rows_of("points", run).to_pylist())
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def test_only_an_admin_imports_and_only_a_reader_exports(
    connection: ClickHouse, fresh: str, run: RunRef, exported: Path, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens.toml"
    writer = create_token(tokens, name="w", role=Role.WRITER, projects=[run.project])
    admin = create_token(tokens, name="a", role=Role.ADMIN, projects=["elsewhere"])
    with exporting(connection, fresh, tokens) as gateway:
        data = points_as_sent(run)
        reading = pb.ReadRowsRequest(table="points", project=run.project, run_ids=["k3j9"])
        for token in (writer, admin):
            with weir.Api(gateway.address, token) as api, pytest.raises(Forbidden):
                import_export(api, place_of(str(exported)))
            with weir.Api(gateway.address, token) as api, pytest.raises(Forbidden):
                api._transport.write_rows(pb.WriteRowsRequest(table="points", data=data))
        with weir.Api(gateway.address, admin) as api, pytest.raises(Forbidden):
            api._transport.read_rows(reading).read()
    assert stored(connection, fresh, "points", run) == []


@pytest.mark.parametrize("table", ["webhooks", "holds", "nope", "points; DROP TABLE x", ""])
def test_tables_that_are_not_exported_can_be_neither_read_nor_written(
    source: weir.Api, table: str
) -> None:
    with pytest.raises(Rejected, match="no table"):
        source._transport.read_rows(pb.ReadRowsRequest(table=table, project="p")).read()
    empty = pa.BufferOutputStream()
    with pa.ipc.new_stream(empty, pa.schema({"project": pa.string()})):
        pass
    data = empty.getvalue().to_pybytes()
    with pytest.raises(Rejected, match="no table"):
        source._transport.write_rows(pb.WriteRowsRequest(table=table, data=data))


def test_rows_that_are_no_rows_are_refused(source: weir.Api) -> None:
    def write(data: bytes) -> None:
        source._transport.write_rows(pb.WriteRowsRequest(table="points", data=data))

    def stream_of(table: pa.Table) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        content: bytes = sink.getvalue().to_pybytes()
        return content

    plain = rows_of("points", RunRef("p", "r")).to_pylist()
    whole = pa.Table.from_pylist(plain)
    for data in (b"", b"nonsense", stream_of(whole)[:-200], stream_of(whole.drop_columns("ver"))):
        with pytest.raises(Rejected):
            write(data)
    index = whole.schema.get_field_index("step")
    stepless = stream_of(whole.set_column(index, "step", pa.nulls(6, pa.int64())))
    with pytest.raises(Rejected, match="step has no value in 6 rows"):
        write(stepless)


def test_the_commands_do_both(
    connection: ClickHouse, fresh: str, run: RunRef, tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    with exporting(connection, DATABASE) as gateway:
        typed = [run.project, "-o", out, "--server", gateway.address]
        said = CliRunner().invoke(export_command, typed)
        assert said.exit_code == 0, said.output
        assert "1 runs, " in said.output
        again = CliRunner().invoke(export_command, typed)
        assert isinstance(again.exception, UsageError)
        neither = CliRunner().invoke(export_command, ["-o", out, "--server", gateway.address])
        assert neither.exit_code == 2
    with exporting(connection, fresh) as gateway:
        said = CliRunner().invoke(import_command, [out, "--server", gateway.address, "--json"])
        assert said.exit_code == 0, said.output
        assert json.loads(said.stdout[said.stdout.index("{\n") :])["rows"]["points"] == 6


def test_a_url_is_a_place_too(
    source: weir.Api, target: weir.Api, run: RunRef, tmp_path: Path
) -> None:
    place = place_of(f"file://{tmp_path}/bucket")
    made = export(source, [run.project], place)
    content = place.read(MANIFEST)
    assert content is not None
    assert Manifest.from_text(content.decode()) == made
    import_export(target, place)
    assert target.run(f"{run.project}/{run.run_id}").id == run.run_id
    with pytest.raises(UsageError, match="no place for an export"):
        place_of("nonsense://x")
