"""Which data a run used: names, fingerprints, pointers of DVC and Git-LFS, references."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import weir
from tests.unit.client.repositories import request_in
from weir._data_fingerprint import Memory, fingerprint
from weir._data_pointers import dvc_entry, entries_of, lfs_pointer
from weir._data_tables import table_facts
from weir._in_turn import InTurn
from weir._inputs._collect import collect
from weir._inputs._data import collect_data
from weir._inputs._request import Request
from weir._redact import MASK, Redactor
from weir.errors import UsageError
from weir.testing import capture


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


# ── fingerprints ──────────────────────────────────────────────────────────


def test_a_files_fingerprint_is_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10_000_001)
    found = fingerprint(tmp_path / "a")
    assert found.digest == f"sha256:{sha256(b'x' * 10_000_001)}"
    assert (found.of, found.size_bytes, found.files) == ("content", 10_000_001, 1)


def test_a_folders_fingerprint_is_that_of_its_manifest_wherever_it_lies(tmp_path: Path) -> None:
    files = {"b.txt": b"2", "a/ü.txt": b"1", "a/empty": b""}
    found = fingerprint(fill(tmp_path / "one", files))
    lines = [["a/empty", sha256(b""), 0], ["a/ü.txt", sha256(b"1"), 1], ["b.txt", sha256(b"2"), 1]]
    text = "".join(
        f"{json.dumps(each, ensure_ascii=False, separators=(',', ':'))}\n" for each in lines
    )
    assert found.digest == f"sha256:{sha256(text.encode())}"
    assert found.digest == fingerprint(fill(tmp_path / "two", dict(reversed(files.items())))).digest


@given(st.dictionaries(st.sampled_from("abcd"), st.binary(max_size=3), min_size=1, max_size=3),
       st.dictionaries(st.sampled_from("abcd"), st.binary(max_size=3), min_size=1, max_size=3))  # fmt: skip
def test_folders_have_one_fingerprint_exactly_when_they_hold_the_same(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, bytes], two: dict[str, bytes]
) -> None:
    first = fingerprint(fill(tmp_path_factory.mktemp("one"), one)).digest
    second = fingerprint(fill(tmp_path_factory.mktemp("two"), two)).digest
    assert (first == second) == (one == two)


def test_beyond_the_budget_large_files_are_sampled_and_it_is_said(tmp_path: Path) -> None:
    large = b"".join(bytes([number]) * (1 << 20) for number in range(12))
    fill(tmp_path, {"large": large, "small": b"1"})
    found = fingerprint(tmp_path, full_bytes=1 << 20)
    assert found.of == "content, 1 of 2 files sampled: size and 3 pieces of 1 MiB"
    (tmp_path / "large").write_bytes(large[:-1] + b"!")
    assert fingerprint(tmp_path, full_bytes=1 << 20).digest != found.digest
    assert fingerprint(tmp_path).of == "content"


def test_an_unchanged_file_is_not_read_again_and_a_changed_one_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fill(data, {"a": b"1", "b": b"2"})
    for path in data.iterdir():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    memory = Memory.load(tmp_path / "memory.json")
    before = fingerprint(data, memory).digest
    memory.save()
    remembered = Memory.load(tmp_path / "memory.json")
    for known in remembered.known.values():
        known[3] = sha256(b"remembered")
    assert fingerprint(data, remembered).digest != before  # it believed what it remembered
    (data / "a").write_bytes(b"3")
    assert (
        fingerprint(data, Memory.load(tmp_path / "memory.json")).digest == fingerprint(data).digest
    )


def test_a_file_that_was_just_written_is_not_remembered(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.json")
    fingerprint(fill(tmp_path / "d", {"a": b"1"}), memory)
    assert not memory.known


def test_what_has_no_end_is_told_and_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for endless in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="neither a file nor a folder"):
            fingerprint(endless)


def test_sockets_and_dead_links_are_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, {"a": b"1"})
    (tmp_path / "dead").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert fingerprint(tmp_path).files == 1


# ── pointers ──────────────────────────────────────────────────────────────

_LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 12345\n"
_DVC = """outs:
- md5: a304afb96060aad90176268345e10355.dir
  size: 71
  nfiles: 3
  hash: md5
  path: images
"""
_LOCK = """schema: '2.0'
stages:
  prepare:
    cmd: python prepare.py --split 0.2
    deps:
    - path: data/raw.csv
      hash: md5
      md5: 1111aaaa
      size: 10
    outs:
    - path: data/clean.csv
      hash: md5
      md5: 2222bbbb
      size: 20
      isexec: true
"""


def test_a_git_lfs_pointer_tells_what_it_stands_for(tmp_path: Path) -> None:
    fill(
        tmp_path,
        {"p": _LFS.encode(), "q": b"data", "r": b"version https://git-lfs.github.com/spec/v1\nbad"},
    )
    assert lfs_pointer(tmp_path / "p") == {"oid": "ab" * 32, "size": 12345}
    assert (
        lfs_pointer(tmp_path / "q")
        == lfs_pointer(tmp_path / "r")
        == lfs_pointer(tmp_path / "no")
        == {}
    )


def test_a_dvc_file_is_read_beside_the_data_or_by_itself(tmp_path: Path) -> None:
    fill(tmp_path, {"images.dvc": _DVC.encode()})
    wanted = {
        "md5": "a304afb96060aad90176268345e10355.dir",
        "size": 71,
        "nfiles": 3,
        "hash": "md5",
        "path": "images",
        "file": str(tmp_path / "images.dvc"),
    }
    assert dvc_entry(tmp_path / "images") == wanted
    assert dvc_entry(tmp_path / "images.dvc") == wanted
    assert dvc_entry(tmp_path / "other") == {}


def test_dvc_lock_knows_what_stages_made(tmp_path: Path) -> None:
    fill(tmp_path, {"dvc.lock": _LOCK.encode(), "data/clean.csv": b"x"})
    assert dvc_entry(tmp_path / "data" / "clean.csv")["md5"] == "2222bbbb"
    assert dvc_entry(tmp_path / "data" / "raw.csv")["md5"] == "1111aaaa"
    assert dvc_entry(tmp_path / "data" / "new.csv") == {}


@given(st.text(alphabet=st.sampled_from("- :\nabpathmd5'0"), max_size=200))
def test_whatever_a_dvc_file_holds_reading_it_ends_well(text: str) -> None:
    assert isinstance(entries_of(text), list)


# ── tables ────────────────────────────────────────────────────────────────

_COLUMNS = {"a": [1, 2, 3], "b": ["x", "y", None], "c": [0.5, float("nan"), 1.0]}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_a_tables_fingerprint_tells_content_type_and_order_apart(make: Any) -> None:
    same = table_facts(make(_COLUMNS))
    assert same is not None
    assert same == table_facts(make(_COLUMNS))
    assert (same["rows"], same["columns"]) == (3, 3)
    assert same["fingerprint_of"] == "schema and content"
    others = [
        make({**_COLUMNS, "a": [1, 2, 4]}),
        make({**_COLUMNS, "a": [2, 1, 3]}),
        make({**_COLUMNS, "a": [1.0, 2.0, 3.0]}),
        make({"z" if name == "a" else name: values for name, values in _COLUMNS.items()}),
    ]
    prints = {(table_facts(other) or {})["fingerprint"] for other in others}
    assert len(prints | {same["fingerprint"]}) == 5


def test_chunks_of_an_arrow_table_do_not_matter() -> None:
    whole = pa.table({"a": list(range(10))})
    cut = pa.concat_tables([whole.slice(0, 3), whole.slice(3)])
    assert table_facts(whole) == table_facts(cut)


def test_a_pandas_column_of_lists_has_a_fingerprint() -> None:
    one, two = (table_facts(pd.DataFrame({"a": [[1], [last]]})) for last in (2, 3))
    assert one is not None
    assert two is not None
    assert one["fingerprint"] != two["fingerprint"]


def test_a_large_table_is_sampled_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weir._data_tables.FULL_BYTES", 1_000)
    monkeypatch.setattr("weir._data_tables._SAMPLED_ROWS", 100)
    for make in (pd.DataFrame, pa.table):
        found = table_facts(make({"a": list(range(10_000))}))
        assert found is not None
        assert found["fingerprint_of"] == "schema and 100 of 10000 rows"


def test_what_is_no_table_is_none() -> None:
    assert table_facts([1, 2]) is None
    assert table_facts(object()) is None


# ── use_data ──────────────────────────────────────────────────────────────


def test_references_are_recorded_without_asking_anybody() -> None:
    with capture() as captured:
        run = weir.init()
        assert run.use_data("s3://bucket/train/v3/", version="3") == "v3"
        assert (
            run.use_data("https://u:pw12345@h.org/a.csv?sig=abc", name="csv", etag="e-1") == "csv"
        )
        run.finish()
    meta = captured.meta()
    assert meta["data/v3/source"] == "s3://bucket/train/v3/"
    assert meta["data/v3/kind"] == "reference"
    assert meta["data/v3/version"] == "3"
    assert "data/v3/fingerprint" not in meta
    assert meta["data/csv/source"] == f"https://u:{MASK}@h.org/a.csv?sig={MASK}"
    assert meta["data/csv/fingerprint"] == "etag:e-1"


def test_a_data_frame_is_recorded_with_schema_and_fingerprint() -> None:
    with capture() as captured:
        run = weir.init()
        run.use_data(pd.DataFrame(_COLUMNS), name="train")
        run.finish()
    meta = captured.meta()
    assert meta["data/train/schema"]["a"] == "int64"
    assert meta["data/train/fingerprint"].startswith("sha256:")


def test_other_data_of_one_name_is_numbered_and_the_same_is_not(tmp_path: Path) -> None:
    with capture():
        run = weir.init()
        assert run.use_data("s3://a/x.csv") == "x.csv"
        assert run.use_data("s3://b/x.csv") == "x.csv-2"
        assert run.use_data("s3://a/x.csv") == "x.csv"
        run.finish()


@pytest.mark.parametrize("source", [5, None, [1], b"bytes"])
def test_what_is_no_data_is_refused(source: Any) -> None:
    with capture():
        run = weir.init()
        with pytest.raises(UsageError):
            run.use_data(source)
        with pytest.raises(UsageError):
            run.use_data("s3://a/b", name="a\nb")
        run.finish()


def test_a_disabled_run_records_nothing_and_starts_nothing(tmp_path: Path) -> None:
    run = weir.init(mode="disabled", dir=tmp_path / "spool")
    run.use_data(str(tmp_path))
    run.finish()
    assert not (tmp_path / "spool").exists()


def collected(tmp_path: Path, path: Path) -> Any:
    options = {"name": "d", "path": str(path)}
    (tmp_path / "spool").mkdir(exist_ok=True)
    return collect_data(request_in(tmp_path, tmp_path / "spool", options=options), Redactor())


def test_a_folder_is_fingerprinted_by_the_collector_with_its_manifest(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {"a": b"1", "b/c": b"22"})
    findings = collected(tmp_path, folder)
    assert findings.facts["data/d/kind"] == "directory"
    assert findings.facts["data/d/size_bytes"] == 3
    assert findings.facts["data/d/fingerprint"] == fingerprint(folder).digest
    assert findings.files["data/d/manifest.jsonl"].count(b"\n") == 2


def test_pointers_and_what_is_not_there_are_told(tmp_path: Path) -> None:
    fill(tmp_path, {"big.bin": _LFS.encode(), "images.dvc": _DVC.encode()})
    facts = collected(tmp_path, tmp_path / "big.bin").facts
    assert facts["data/d/lfs/oid"] == f"sha256:{'ab' * 32}"
    assert "pointer" in facts["data/d/problem"]
    facts = collected(tmp_path, tmp_path / "images").facts
    assert facts["data/d/dvc/md5"] == "a304afb96060aad90176268345e10355.dir"
    assert facts["data/d/problem"] == "it is not there"


def test_many_files_are_looked_at_one_after_the_other_and_none_is_forgotten() -> None:
    begun: list[tuple[list[int], Callable[[], None]]] = []
    turns = InTurn(lambda items, then: begun.append((items, then)))
    for number in range(5):
        turns.ask(number)
    assert [items for items, _ in begun] == [[0]]
    begun[0][1]()
    assert [items for items, _ in begun] == [[0], [1, 2, 3, 4]]
    begun[1][1]()
    turns.ask(5)
    turns.ask(6)
    turns.ask_all()
    turns.ask_all()
    assert [items for items, _ in begun][2:] == [[5], [6]]


def test_each_of_many_files_has_its_own_report(tmp_path: Path) -> None:
    spool = fill(tmp_path / "spool", {"p/r/producer/inputs/x": b""}) / "p/r/producer"
    items = [
        {"name": name, "path": str(fill(tmp_path, {name: name.encode()}) / name)} for name in "ab"
    ]
    sections = ("data",)
    collect(
        Request(job="data-1", sections=sections, spool_path=str(spool), options={"items": items}),
        Redactor(),
    )
    facts = {}
    for path in (spool / "inputs").glob("data-1-data-*.json"):
        facts |= json.loads(path.read_text())["facts"]
    for name in "ab":
        assert facts[f"data/{name}/fingerprint"] == f"sha256:{sha256(name.encode())}"
