"""The Ranks page in every state, its picture, and what is said of ranks."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from tests.unit.dashboard.ranked import Ranked, astray, first_nan, hang, short, wide_run
from tests.unit.dashboard.recorded import Recorded
from tests.unit.dashboard.synthetic import SyntheticReader, two_projects
from weir_dashboard import data, navigation, rank_heat, rank_words
from weir_store.ranks import shapes
from weir_store.ranks.base import StragglerQuery
from weir_store.records import RunRef, SeriesQuery

NODES = {rank: f"node-{rank // 8:02d}" for rank in range(512)}


def script() -> None:
    from tests.unit.dashboard.test_ranks_page import page

    page()


def page() -> None:
    import streamlit as st

    st.navigation([navigation.page(name) for name in navigation.names()], position="hidden")
    importlib.import_module("weir_dashboard.views.ranks").render()


def show(ranked: Ranked, **address: object) -> AppTest:
    sources = replace(Recorded(ranked.reader).sources, ranks=ranked)
    data.use(sources, "gateway.example:7700")
    test = AppTest.from_function(script, default_timeout=60)
    for key, value in address.items():
        test.query_params[key] = value
    return test.run()


def wide(ranks: int = 16, *, steps: int = 400, **more: object) -> Ranked:
    reader = short(SyntheticReader([wide_run(ranks, running=True)]), steps)
    return Ranked(reader, **more)  # type: ignore[arg-type]


def texts(test: AppTest) -> str:
    found = [*test.info, *test.error, *test.warning, *test.caption, *test.markdown]
    plain = "\n".join(str(one.value) for one in found).replace("\\", "")
    return plain + "".join(str(one.proto.body) for one in test.get("html"))


# ── the page ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ranks", [1, 16, 512])
def test_a_run_of_any_width_is_shown(ranks):
    test = show(wide(ranks))
    assert not test.exception
    assert not test.error
    assert f"{ranks:,} of {ranks:,}" in texts(test)


def test_the_run_is_in_the_address_and_wide_runs_come_first():
    test = show(Ranked(short(two_projects(3), 200)), project="ddp")
    assert "ddp/ddp16" in test.query_params["run"]
    named = show(Ranked(short(two_projects(3), 200)), run="gpt-small/r0001")
    assert not named.exception
    assert named.selectbox[0].value == "gpt-small"


def test_a_run_that_does_not_exist_is_named():
    test = show(Ranked(two_projects(3)), run="gpt-small/nosuch")
    assert "no run 'nosuch'" in test.error[0].value


def test_an_empty_store_shows_how_to_begin():
    test = show(Ranked(SyntheticReader([])))
    assert not test.exception
    assert len(test.code) == 1


def test_a_silent_store_is_said_with_a_retry():
    ranked = wide()
    ranked.reader.down = True
    test = show(ranked)
    assert "does not answer" in test.error[0].value
    ranked.reader.down = False
    test.button(key="retry").click().run()
    assert not test.error


def test_a_store_that_falls_silent_leaves_the_last_answer_and_says_so():
    ranked = wide()
    test = show(ranked)
    ranked.reader.down = True
    for kept in (data.ask()._kept, data.ask().ranks._kept):
        kept._clock = lambda: 4e9
    test.run()
    assert not test.exception
    assert "showing" in test.warning[0].value


def test_a_dashboard_without_ranks_says_so():
    data.use(Recorded(two_projects(1)).sources, "")
    test = AppTest.from_function(script, default_timeout=30).run()
    assert not test.exception
    assert "without" in test.info[0].value


def test_missing_ranks_are_named_and_have_a_line_without_cells():
    test = show(wide(32, gone=(3, 17, 18)))
    assert "29 of 32" in texts(test)
    assert "3, 17–18" in texts(test)


def test_a_hang_stands_above_everything_and_names_the_suspects():
    test = show(wide(hangs=[hang(RunRef("pretrain", "wide16")), hang(RunRef("pretrain", "other"))]))
    assert len(test.error) == 1
    assert "No step for 12 min" in test.error[0].value
    assert "rank 17–18, 40" in test.error[0].value


def test_who_left_the_others_and_the_first_nan_are_said():
    said = texts(show(wide(wrong=[first_nan(), astray()])))
    assert "first NaN in train/loss at step 4,200, on rank 3 on node-00; 2 ranks in all" in said
    assert (
        "rank 7 on node-00 left the others in train/loss at step 900: 9.5 where they have 1.25"
        in said
    )


def test_the_straggler_is_on_a_card_and_first_on_the_board():
    test = show(wide(slow=5))
    values = {one.label: one.value for one in test.metric}
    assert values["Waited for most"] == "rank 5"
    assert values["Lost by waiting"] == "42 s"
    board = next(one.value for one in test.dataframe if "lost_s" in one.value.columns)
    assert board["rank"].iloc[0] == 5


def test_choices_come_from_the_address():
    test = show(wide(), metric="train/loss", cell="lowest", rows="by node", by_node="true")
    assert not test.exception
    assert [box.value for box in test.selectbox[2:]] == ["train/loss", "lowest", "by node"]
    assert "2 × " in texts(test)


def test_a_metric_in_the_address_that_nobody_logged_counts_as_not_there():
    assert not show(wide(), metric="nosuch", nodes="nosuch").exception


def test_nodes_that_are_chosen_are_all_that_is_drawn():
    test = show(wide(32), nodes=["node-01"])
    assert not test.exception
    assert "8 × " in texts(test)


def test_nodes_over_all_runs_are_compared_when_asked():
    test = show(wide())
    test.toggle(key="all_nodes").set_value(True).run()
    assert any("expected_share" in one.value.columns for one in test.dataframe)


# ── the picture ──────────────────────────────────────────────────────────────


def cells(ranks: int, steps: int, buckets: int = 64) -> pa.Table:
    reader = short(SyntheticReader([wide_run(ranks)]), steps)
    query = SeriesQuery(
        (RunRef("pretrain", f"wide{ranks}"),), ("train/step_time",), max_points=buckets
    )
    return reader.read_series(query)


def test_every_bucket_of_every_rank_is_a_cell():
    table = cells(16, 1_000)
    heat = rank_heat.picture(table, NODES, "highest", "by rank", by_node=False)
    assert heat is not None
    assert (heat.lines, heat.columns, heat.width) == (16, 63, 16)
    assert len(heat.rows) == 16 * 63
    assert heat.blank == heat.marked == 0
    assert heat.rows["value"].max() == max(table["max"].to_pylist())


def test_few_steps_are_shown_one_by_one():
    heat = rank_heat.picture(cells(4, 50), NODES, "last", "by rank", by_node=False)
    assert heat is not None
    assert (heat.columns, heat.width) == (50, 0)
    assert heat.spec["xAxis"]["data"][:2] == ["0", "1"]


def test_the_highest_of_a_node_is_the_highest_of_its_ranks():
    table = cells(16, 1_000)
    heat = rank_heat.picture(table, NODES, "highest", "by rank", by_node=True)
    assert heat is not None
    assert heat.lines == 2
    first = table.to_pandas().query("rank < 8")
    assert heat.rows.query("who == 'node-00'")["value"].max() == first["max"].max()


def test_rank_zero_stands_above_and_missing_ranks_in_between():
    heat = rank_heat.picture(
        cells(4, 50).filter(pa.compute.field("rank") != 2),
        NODES,
        "last",
        "by rank",
        by_node=False,
        missing=[2],
    )
    assert heat is not None
    assert heat.spec["yAxis"]["data"] == [
        "3 · node-00",
        "2 · missing",
        "1 · node-00",
        "0 · node-00",
    ]
    assert heat.blank == 50


def test_the_slowest_stands_above_when_ordered_by_value():
    table = cells(8, 1_000)
    heat = rank_heat.picture(table, NODES, "highest", "by value", by_node=False)
    assert heat is not None
    means = table.to_pandas().groupby("rank")["max"].mean()
    assert heat.spec["yAxis"]["data"][-1].startswith(f"{means.idxmax()} ·")


def test_nan_is_marked_and_not_coloured():
    table = cells(2, 10)
    nan = pa.array([float("nan")] + [0.18] * 19)
    bad = pa.array([1] + [0] * 19, pa.uint8())
    for name, column in (("max", nan), ("nonfinite", bad)):
        table = table.set_column(table.column_names.index(name), name, column)
    heat = rank_heat.picture(table, NODES, "highest", "by rank", by_node=False)
    assert heat is not None
    assert heat.marked == 1
    assert len(heat.rows) == 19
    assert heat.spec["series"][1]["data"] == [[0, 1]]


def test_one_spike_does_not_take_all_the_colours_and_is_counted():
    table = cells(4, 1_000)
    values = table["max"].to_numpy().copy()
    values[7] = 1e6
    table = table.set_column(table.column_names.index("max"), "max", pa.array(values))
    heat = rank_heat.picture(table, NODES, "highest", "by rank", by_node=False)
    assert heat is not None
    assert heat.spec["visualMap"]["max"] < 1
    assert heat.clipped > 0
    assert heat.rows["value"].max() == 1e6


def test_nothing_logged_is_no_picture():
    assert rank_heat.picture(cells(2, 10).slice(0, 0), {}, "last", "by rank", by_node=False) is None


def test_values_that_are_all_the_same_have_a_colour():
    table = cells(2, 10)
    table = table.set_column(table.column_names.index("max"), "max", pa.array(np.ones(20)))
    heat = rank_heat.picture(table, NODES, "highest", "by rank", by_node=False)
    assert heat is not None
    assert heat.spec["visualMap"]["min"] < 1 < heat.spec["visualMap"]["max"]


# ── words ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("ranks", "text"), [([], ""), ([3], "3"), ([17, 18, 3, 19, 20, 3], "3, 17–20"), ([1, 0], "0–1")]
)
def test_ranks_are_written_shortly(ranks, text):
    assert rank_words.spans(ranks) == text


def test_the_share_of_time_lost_is_of_the_whole_time():
    board = wide().read_stragglers(StragglerQuery(RunRef("pretrain", "wide16")))
    assert rank_words.lost_share(board) == pytest.approx(42 / (42 + 0.18 * 1_000))
    assert rank_words.lost_share(replace(board, steps=0, lost_s=0.0)) == 0.0


def test_where_times_are_from_is_said():
    board = wide().read_stragglers(StragglerQuery(RunRef("pretrain", "wide16")))
    assert "train/step_time" in rank_words.source(board)
    assert "no step time is logged" in rank_words.source(replace(board, from_times=True))
    assert "log step_time_s" in rank_words.source(replace(board, metric=""))


def test_the_rank_furthest_behind_is_found():
    ranks = wide(4).list_ranks(RunRef("pretrain", "wide4"))
    assert rank_words.behind(ranks) == (-1, 0)
    behind = ranks.set_column(
        shapes.RANKS.get_field_index("behind"), "behind", pa.array([0, 5, 90, 0], pa.int64())
    )
    assert rank_words.behind(behind) == (2, 90)
