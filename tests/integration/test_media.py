"""Media from `log()` to the reader: uploaded by the agent, stored as points, had again through the api."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import weir
from tests.contract.fixtures_objects import minio, objects
from tests.e2e.fixtures_up import EmbeddedWeir, embedded_weir, wait_until
from tests.integration.fixtures_uploads import bodies, open_gateway, open_run
from weir._reading import read_media
from weir._spool import list_spools
from weir_store.objects.base import ObjectStore
from weir_store.objects.keys import blob_key

__all__ = ["embedded_weir", "minio", "objects", "open_gateway"]
GENERATOR = np.random.default_rng(5)
PICTURE = GENERATOR.integers(0, 255, (300, 400, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_ARTIFACT_CACHE", str(tmp_path / "cache"))


def digests_in(value: Any) -> set[tuple[str, int]]:
    if isinstance(value, list):
        return set().union(*map(digests_in, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    own = {(value["sha256"], value["size"])} if "sha256" in value else set()
    return own.union(*map(digests_in, value.values()))


def test_every_blob_that_a_point_names_is_uploaded_whole_and_the_outbox_is_emptied(
    objects: ObjectStore, open_gateway: Any, tmp_path: Path
) -> None:
    gateway = open_gateway(objects)
    run = open_run(tmp_path / "spool", gateway.address)
    mask = {"truth": {"mask_data": np.zeros((300, 400), np.uint8)}}
    for step in range(5):
        run.log({"picture": weir.Image(PICTURE + step, masks=mask), "loss": 0.5}, step=step)
    cells = [[at, weir.Image(PICTURE[:40, :40] + at)] for at in range(3)]
    run.log({"table": weir.Table(["n", "picture"], cells), "page": weir.Html("<p>" * 100)})
    run.finish()

    def points() -> list[Any]:
        found = [p for body in bodies(gateway) for p in read_media(body, run_id="", rank=0)]
        return [json.loads(str(point.value)) for point in found]

    wait_until(lambda: len(points()) == 7, "the points came")
    named = set().union(*map(digests_in, points()))
    assert len(named) == 5 * 2 + 1 + 3 + 1 + 1  # pictures with thumbs, mask, cells, table, page

    def arrived() -> bool:
        return all(objects.stat(blob_key("p", digest)) is not None for digest, _ in named)

    wait_until(arrived, "every blob is there")
    for digest, size_bytes in named:
        content = b"".join(objects.read(blob_key("p", digest)))
        assert len(content) == size_bytes
        assert hashlib.sha256(content).hexdigest() == digest
    spools = list(list_spools(tmp_path / "spool"))
    wait_until(
        lambda: (
            not any(
                path.is_file()
                for spool in spools
                for path in (spool.outbox_path / "blobs").glob("*")
            )
        ),
        "nothing is held any more",
    )


def test_what_was_logged_is_had_again_through_the_api(
    embedded_weir: EmbeddedWeir, tmp_path: Path
) -> None:
    frame = pd.DataFrame({"n": [1, 2], "word": ["a", "b"]})
    run = weir.init(
        "media", id="all", dir=tmp_path / "spool", settings={"server": embedded_weir.gateway}
    )
    for step in (3, 1):
        run.log({"samples": [weir.Image(PICTURE + at, caption=f"{at}") for at in range(2)]}, step)
    run.log({"table": frame, "spread": weir.Histogram([1.0, 2.0, np.nan]), "loss": 1.0}, 7)
    run.log({"samples": weir.Text("the last word")}, 9)
    run.finish()
    with weir.Api(embedded_weir.gateway) as api:
        stored = api.run("media/all")
        wait_until(lambda: len(stored.media("samples")) == 5, "all points are stored")
        views = stored.media("samples")
        assert [(view.step, view.index, view.caption) for view in views[:4]] == [
            (1, 0, "0"),
            (1, 1, "1"),
            (3, 0, "0"),
            (3, 1, "1"),
        ]
        wait_until(lambda: readable(views[0]), "the agent has uploaded")
        assert np.array_equal(views[1].value(), PICTURE + 1)
        assert views[4].value() == "the last word"
        path = views[2].download(tmp_path)
        assert path.name == "samples-3-0-0.png"
        assert path.read_bytes() == views[0].read()
        [table] = stored.media("table")
        wait_until(lambda: readable(table), "the agent has uploaded")
        pd.testing.assert_frame_equal(table.value(), frame, check_dtype=False)
        [spread] = stored.media("spread")
        assert spread.facts["nan"] == 1
        assert stored.media("loss") == []
        assert stored.media("samples", as_="arrow").num_rows == 3
        assert stored.history("loss")["value"].tolist() == [1.0]


def readable(view: Any) -> bool:
    try:
        return bool(view.read())
    except weir.errors.WeirError:
        return False
