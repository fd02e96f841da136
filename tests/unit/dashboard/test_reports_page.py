"""Reports: listed, begun, written, read, brought back, taken away; in every state of store and of text."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import pyarrow as pa
import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from tests.unit.dashboard.asking import Reply, ask
from tests.unit.dashboard.documented import PROJECT, Documented
from tests.unit.dashboard.test_report_markdown import CORPUS
from weir_dashboard import api_documents, data, navigation, report_export
from weir_dashboard.report_markdown import Panel, panel
from weir_dashboard.report_panels import drawn_ids, fill
from weir_store.documents.records import Kind
from weir_store.errors import StoreUnavailable
from weir_store.objects.keys import blob_key
from weir_store.records import Metric, MetricPage

EVERYTHING = """One **word**.

```weir
chart: project=gpt-small&s=20
title: Losses
metric: train/loss
metric: val/loss
```

```weir
table: project=gpt-small
limit: 3
```

```weir
sql: SELECT state, count() AS runs FROM runs GROUP BY state
draw: bars
```

```weir
sql: SELECT 1
```

```weir
run: gpt-small/r0003
```
"""


def script(name: str) -> None:
    from tests.unit.dashboard.test_reports_page import page

    page(name)


def page(name: str) -> None:
    import streamlit as st

    st.navigation([navigation.page(other) for other in navigation.names()], position="hidden")
    importlib.import_module(f"weir_dashboard.views.{name}").render()


def show(
    documented: Documented, of: str = "report", *, offered: bool = True, **address: object
) -> AppTest:
    sources = documented.sources if offered else replace(documented.sources, documents=None)
    data.use(sources, "gateway.example:7700")
    test = AppTest.from_function(script, kwargs={"name": of}, default_timeout=30)
    for key, value in address.items():
        test.query_params[key] = value
    return test.run()


def texts(test: AppTest) -> str:
    found = [*test.info, *test.error, *test.warning, *test.caption, *test.markdown]
    plain = "\n".join(str(one.value) for one in found).replace("\\", "")
    return plain + "".join(str(one.proto.body) for one in test.get("html"))


def filled(text: str):
    found = panel(text)
    assert isinstance(found, Panel)
    return fill(found)


# ── the list ─────────────────────────────────────────────────────────────────


def test_a_project_without_reports_says_how_to_begin():
    test = show(Documented(), "reports", project=[PROJECT])
    assert not test.exception
    assert "Add to a report" in texts(test)


def test_reports_are_listed_with_hostile_names_as_text():
    documented = Documented()
    report = documented.report("x", name="<img src=x onerror=alert(1)>")
    said = texts(show(documented, "reports", project=[PROJECT]))
    assert f'href="/report?id={report.document_id}"' in said
    assert "&lt;img src=x" in said
    assert "<img" not in said


@pytest.mark.parametrize("of", ["reports", "report"])
def test_pages_say_what_they_lack(of):
    assert "started without reports" in texts(show(Documented(), of, offered=False))
    down = Documented()
    report = down.report("x")
    down.down = down.runs.down = True
    test = show(down, of, id=[report.document_id])
    assert not test.exception
    assert "does not answer" in texts(test)
    assert any(button.label == "Retry" for button in test.button)


def test_an_empty_weir_shows_the_quick_start():
    test = show(Documented(runs=0), "reports")
    assert not test.exception
    assert "weir.init" in test.code[0].value


def test_a_chart_of_the_wall_is_added_to_a_report():
    documented = Documented()
    report = documented.report("before")
    address = {"project": [PROJECT], "metric": ["a,b/loss"], "add": ["m=loss&s=5"]}
    test = show(documented, "reports", **address)
    next(button for button in test.button if button.label == "Add").click().run()
    newest = documented.reader.get_document(Kind.REPORT, report.document_id)
    assert newest.body == "before\n\n```weir\nchart: m=loss&s=5\nmetric: a,b/loss\n```\n"


# ── reading ──────────────────────────────────────────────────────────────────


def test_a_report_shows_its_text_and_all_its_panels():
    documented = Documented()
    report = documented.report(EVERYTHING)
    test = show(documented, id=[report.document_id])
    assert not test.exception
    assert "<strong>word</strong>" in texts(test)
    assert "Losses" in texts(test)
    assert len(test.dataframe) == 2
    assert "the first 3 of 5 runs" in texts(test)
    assert "5 of 5" not in texts(test)
    assert "version" in texts(test)


@pytest.mark.parametrize("document_id", ["", "abcdefgh", "<script>", "../../etc"])
def test_a_report_that_is_not_there_is_said(document_id):
    test = show(Documented(), id=[document_id])
    assert not test.exception
    assert "no such report" in texts(test)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chart: project=nope", "no run matches"),
        ("chart: q=x", "no project is named"),
        ("chart: project=gpt-small\nmetric: nope", ""),
        ("chart: project=gpt-small&m=nope", "no metric of these runs matches"),
        ("chart: project=gpt-small&q=((", "filter"),
        ("chart: ?v=abcdefgh", "was deleted, or has expired"),
        ("table: project=gpt-small&q=nothing-of-this-name", "no run matches"),
        ("run: gpt-small/gone", "no run"),
        ("run: x", "not a run"),
        ("media: gpt-small/r0001", "no media"),
    ],
)
def test_a_panel_that_cannot_be_filled_says_why(text, said):
    data.use(Documented().sources, "gateway.example:7700")
    found = filled(text)
    assert said in found.error or said in " ".join(found.notes)
    assert bool(found.error) is bool(said)


def test_a_run_that_is_gone_is_named_and_the_others_are_drawn():
    data.use(Documented().sources, "gateway.example:7700")
    found = filled(f"chart: run={PROJECT}/r0001&run={PROJECT}/gone\nmetric: train/loss")
    assert found.notes == (f"{PROJECT}/gone is not there any more",)
    assert drawn_ids(found.figure) == [f"{PROJECT}/r0001"]


def test_what_is_not_drawn_is_counted():
    documented = Documented(runs=24)
    data.use(documented.sources, "gateway.example:7700")
    found = filled(f"chart: project={PROJECT}&hide={PROJECT}/r0023\nmetric: train/loss")
    assert found.notes == ("9 of 24 runs drawn",)
    assert len(drawn_ids(found.figure)) == 9
    every = filled(f"chart: project={PROJECT}&all=1\nmetric: train/loss")
    assert every.notes == ()


def test_a_table_asks_for_the_columns_its_address_names():
    documented = Documented()
    data.use(documented.sources, "gateway.example:7700")
    asked = []
    told = documented.runs.list_runs
    documented.runs.list_runs = lambda query: asked.append(query) or told(query)  # type: ignore[method-assign]
    found = filled(f"table: project={PROJECT}&col=config.lr&col=metric.val/loss@min&sort=created")
    assert not found.error
    assert asked[0].columns == ("config.lr", "metric.val/loss@min")
    assert asked[0].order_by == "created"


def test_a_silent_store_silences_a_panel_and_not_the_report():
    documented = Documented()
    report = documented.report("Words stay.\n\n```weir\nsql: SELECT 1\n```\n")
    documented.sql.error = StoreUnavailable("connection refused")
    test = show(documented, id=[report.document_id])
    assert not test.exception
    assert "Words stay." in texts(test)
    assert "connection refused" in texts(test)


# ── writing ──────────────────────────────────────────────────────────────────


def edit(documented: Documented, report) -> AppTest:
    test = show(documented, id=[report.document_id], edit=["true"])
    assert not test.exception
    return test


def test_what_is_written_is_seen_beside_it_and_saved_as_the_next_version():
    documented = Documented()
    report = documented.report("one")
    test = edit(documented, report)
    test.text_area[0].set_value("two **bold**").run()
    assert "<strong>bold</strong>" in texts(test)
    assert documented.reader.get_document(Kind.REPORT, report.document_id).body == "one"
    test.button(key="report_save").click().run()
    newest = documented.reader.get_document(Kind.REPORT, report.document_id)
    assert (newest.body, newest.version, newest.owner) == ("two **bold**", 2, "ada")
    assert "edit" not in test.query_params


def test_the_later_of_two_writers_is_told_and_neither_text_is_lost():
    documented = Documented()
    report = documented.report("one")
    test = edit(documented, report)
    test.text_area[0].set_value("mine").run()
    documented.asked.save(report, "bob", body="theirs")
    test.button(key="report_save").click().run()
    assert "bob saved version 2 while you were writing" in texts(test)
    assert test.text_area[0].value == "mine"
    assert "+theirs" in test.code[0].value
    test.button(key="report_over").click().run()
    assert not test.exception
    assert documented.reader.get_document(Kind.REPORT, report.document_id).body == "mine"
    versions = documented.reader.list_versions(Kind.REPORT, report.document_id, PROJECT)
    assert [(one.version, one.by) for one in versions] == [(3, "dashboard"), (2, "bob"), (1, "ada")]


def test_every_insert_is_a_panel_that_can_be_read():
    documented = Documented()
    test = edit(documented, documented.report("one"))
    inserts = [button.key for button in test.button if str(button.key).startswith("insert-")]
    assert len(inserts) >= 5
    for key in inserts:
        test.button(key=key).click().run()
        assert not test.exception
    assert test.text_area[0].value.count("```weir") == len(inserts)
    assert "no panel" not in texts(test)


def test_an_old_version_can_be_read_compared_and_made_the_newest():
    documented = Documented()
    first = documented.report("one")
    documented.asked.save(first, "bob", body="two")
    test = show(documented, id=[first.document_id], version=[str(first.save_id)])
    assert "This is version 1; the newest is 2" in texts(test)
    assert "-one" in test.code[0].value
    assert "+two" in test.code[0].value
    test.button(key="version_restore").click().run()
    assert documented.reader.get_document(Kind.REPORT, first.document_id).body == "one"
    assert len(documented.reader.list_versions(Kind.REPORT, first.document_id, PROJECT)) == 3


def test_a_deleted_report_says_who_deleted_it_and_can_come_back():
    documented = Documented()
    report = documented.report("one")
    documented.asked.delete(report, "bob")
    test = show(documented, id=[report.document_id])
    assert "bob deleted this report" in texts(test)
    test.button(key="report_back").click().run()
    assert documented.reader.get_document(Kind.REPORT, report.document_id).body == "one"


def test_a_dashboard_that_only_reads_offers_no_pen():
    documented = Documented(may_edit=False)
    report = documented.report("one")
    test = show(documented, id=[report.document_id], edit=["true"])
    assert not test.text_area
    assert not [button for button in test.button if button.key == "report_edit"]


# ── taking away ──────────────────────────────────────────────────────────────


def exported(documented: Documented, body: str, name: str = "Findings") -> str:
    data.use(documented.sources, "gateway.example:7700")
    return report_export.export(documented.report(body, name)).html.decode()


def test_a_file_holds_the_points_of_its_charts_and_no_address():
    documented = Documented()
    html = exported(documented, EVERYTHING)
    held = json.loads(
        re.findall(r'<script type="application/json" id="figure-0">(.*?)</script>', html)[0]
    )
    assert set(held["packed"]) == {"train/loss", "val/loss"}
    assert len(b64decode(held["packed"]["train/loss"])) > 10_000
    outside = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert not re.search(r'(?:src|href|action|data)="(?!data:image/|#)', outside)
    assert "default-src 'none'" in html
    assert "<rect" in html  # the bars


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_no_text_or_name_gets_markup_into_a_file(text):
    documented = Documented(runs=1)
    run = documented.runs.runs[0]
    documented.runs.runs[0] = replace(run, name=text[:5_000] or "x", tags=(text[:500],))
    name = " ".join(text.split())[:200]
    html = exported(documented, f"{text}\n\n```weir\ntable: project={PROJECT}\ntitle: {name}\n```\n"
                    f"```weir\nchart: project={PROJECT}\nmetric: train/loss\n```\n", name)  # fmt: skip
    scripts = re.findall(r"<script[^>]*>", html)
    assert scripts == ['<script type="application/json" id="figure-0">', "<script>"]
    outside = re.sub(r"<script.*?</script>|<style.*?</style>", "", html, flags=re.DOTALL)
    tags = set(re.findall(r"<([a-zA-Z!/][\w-]*)", outside)) - {"!doctype", "!DOCTYPE"}
    assert not tags & {
        "iframe",
        "form",
        "svg",
        "math",
        "base",
        "link",
        "object",
        "embed",
        "button",
        "style",
    }
    assert not re.search(r"<[a-z][^>]*\son\w+\s*=", re.sub(r'"[^"]*"', '""', outside))


def with_media(documented: Documented, facts: dict[str, object]) -> None:
    """Let every run of the store have logged this as `sample` at step 7."""
    found = Metric("sample", 1, 7, 7, False, True, True)
    row = {"rank": [0], "step": [7], "time_unix_us": [0], "value": [json.dumps(facts)]}
    documented.runs.list_metrics = lambda *_, **__: MetricPage((found,), 1)  # type: ignore[method-assign]
    documented.runs.read_media = lambda *_, **__: pa.table(row)  # type: ignore[attr-defined]


MEDIA = f"```weir\nmedia: {PROJECT}/r0001\nname: sample\n```\n"
PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def test_a_picture_is_shown_and_lies_in_the_file():
    documented = Documented()
    sources = documented.sources
    digest = hashlib.sha256(PNG).hexdigest()
    sources.objects.write(blob_key(PROJECT, digest), BytesIO(PNG), len(PNG))
    caption = "<img src=x onerror=alert(1)>"
    named = {"sha256": digest, "size": len(PNG), "mime": "image/png"}
    with_media(documented, {"type": "image", **named, "caption": caption})
    data.use(sources, "gateway.example:7700")
    report = documented.report(MEDIA)
    made = report_export.export(report)
    assert b"data:image/png;base64,iVBORw0KGgo" in made.html
    assert b"&lt;img src=x" in made.html
    assert b"<img src=x" not in made.html
    assert made.left_out == ()
    (filled_media,) = fill(panel(MEDIA.split("\n", 1)[1].rsplit("```")[0])).media
    assert filled_media.title == caption


@pytest.mark.parametrize(
    "facts",
    [
        {"type": "audio", "sha256": "a" * 64, "size": 5, "caption": "<b>"},
        {"type": "image", "sha256": "a" * 64, "size": 5, "mime": "image/png"},
        {"type": "image", "sha256": "a" * 64, "size": 1 << 30, "mime": "image/png"},
        {"type": "image", "sha256": "../../x", "size": 5, "mime": "text/html"},
        {"type": 3},
    ],
)
def test_media_that_cannot_come_along_are_named(facts):
    documented = Documented()
    with_media(documented, facts)
    data.use(documented.sources, "gateway.example:7700")
    made = report_export.export(documented.report(MEDIA))
    assert len(made.left_out) == 1
    assert b"not in this file" in made.html
    test = show(documented, id=[documented.report(MEDIA, "again").document_id])
    assert not test.exception


APP = Starlette(routes=list(api_documents.ROUTES))


def test_the_route_answers_with_the_file_and_not_with_others():
    documented = Documented()
    report = documented.report(EVERYTHING)
    data.use(documented.sources, "gateway.example:7700")
    answer = ask(APP, "/api/report", f"id={report.document_id}")
    assert answer.status == 200
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.body.startswith(b"<!doctype html>")
    for wrong in ("", "id=abcdefgh", "id=%3Cscript%3E"):
        assert ask(APP, "/api/report", wrong).status == 404
    documented.asked.delete(report, "bob")
    data.use(documented.sources, "gateway.example:7700")
    assert ask(APP, "/api/report", f"id={report.document_id}").status == 404


def shorten(said: object, kind: str = "application/json") -> Reply:
    return ask(APP, "/api/view", body=json.dumps(said).encode(), headers={"Content-Type": kind})


def test_an_address_is_made_short_only_for_what_is_asked_as_json_of_a_project_that_is_there():
    documented = Documented()
    data.use(documented.sources, "gateway.example:7700")
    said = {"page": "workspace", "project": PROJECT, "search": "hide=a%2Fb&hide=a%2Fc&q=x"}
    v = json.loads(shorten(said).body)["v"]
    assert json.loads(shorten(said).body)["v"] == v
    held = documented.asked.short(v).body
    assert "hide=a%2Fb&hide=a%2Fc" in held
    assert "q=x" not in held
    for wrong in (
        {**said, "project": "nope"},
        {**said, "page": "rules"},
        {"page": "workspace"},
        [1],
    ):
        assert shorten(wrong).status == 400
    assert shorten(said, "text/plain").status == 400
    assert shorten({**said, "search": f"hide={'x' * 80_000}"}).status == 400
    data.use(Documented(may_edit=False).sources, "gateway.example:7700")
    assert shorten(said).status == 400
