"""Artifacts: a project's named sets of files, their versions, what they came out of, and what is in them."""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from weir_dashboard import data, lineage_graph, theme, units, words
from weir_dashboard.data_files import LISTED_FILES
from weir_dashboard.views import pick, preview, states
from weir_store.artifacts.records import ArtifactVersion, Edge
from weir_store.records import Run

_ROW_PX = 31


def render() -> None:
    """Show the artifacts of the project the address names."""
    with states.failures():
        projects = states.value(data.ask().projects())
        if not projects:
            states.empty()
            return
        left, right = st.columns([1, 4], vertical_alignment="center")
        with left:
            project = pick.project(projects, pick.shown().project)
        with right:
            search = st.text_input(
                "Find",
                key="art_q",
                bind="query-params",
                placeholder="part of a name",
                label_visibility="collapsed",
            )
        _list(project, (search or "").strip())


def show(run: Run) -> None:
    """Draw what one run made and read."""
    edges = states.value(data.ask().files.edges_of_run(run.ref))
    if not edges:
        st.caption("this run made and read no artifact")
        return
    st.graphviz_chart(lineage_graph.dot(edges, run.run_id), width="content")
    for title, outputs in (("Made", True), ("Read", False)):
        numbers = tuple(sorted({(e.name, e.version) for e in edges if e.is_output is outputs}))
        if numbers:
            st.html(theme.head(title, {"": words.count(len(numbers), "version")}, level=2))
            found = states.value(data.ask().files.chosen(run.project, numbers)).versions
            _choose_version(list(found), key=f"art_{title}")


def _list(project: str, search: str) -> None:
    page = states.value(data.ask().files.artifacts(project, search))
    if not page.artifacts:
        st.caption(
            "no artifact has such a name" if search else "no artifact was logged in this project"
        )
        if not search:
            st.code('run.log_artifact("checkpoint.pt", name="model", type="model")', width=640)
        return
    table = pd.DataFrame(
        {
            "name": [one.latest.name for one in page.artifacts],
            "type": [one.latest.type for one in page.artifacts],
            "versions": [one.versions for one in page.artifacts],
            "latest": [f"v{one.latest.version}" for one in page.artifacts],
            "size of all": [units.size(one.size_bytes) for one in page.artifacts],
            "changed": [words.instant(one.latest.created_unix_us) for one in page.artifacts],
            "by run": [one.latest.run_id for one in page.artifacts],
        }
    )
    st.caption(words.count(page.total, "artifact"))
    chosen = _choose(table, key="art_list")
    _models(project)
    if chosen is not None:
        name = page.artifacts[chosen].latest.name
        st.html(theme.head(name, level=2))
        _choose_version(
            list(states.value(data.ask().files.versions(project, name)).versions), key="art_version"
        )


def _models(project: str) -> None:
    models = states.value(data.ask().files.models(project))
    if not models:
        return
    with st.expander(words.count(len(models), "registered model")):
        rows = [
            {
                "model": one.model,
                "version": one.version,
                "stage": one.stage,
                "aliases": ", ".join(one.aliases),
                "artifact": f"{one.artifact}:v{one.artifact_version}",
                "changed by": one.by,
                "when": words.instant(one.at_unix_us),
                "note": one.note,
            }
            for one in models
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, row_height=_ROW_PX)


def _choose_version(versions: list[ArtifactVersion], key: str) -> None:
    table = pd.DataFrame(
        {
            "version": [f"{one.name}:v{one.version}" for one in versions],
            "aliases": [", ".join(one.aliases) for one in versions],
            "tags": [", ".join(one.tags) for one in versions],
            "files": [one.files for one in versions],
            "size": [units.size(one.size_bytes) for one in versions],
            "created": [words.instant(one.created_unix_us) for one in versions],
            "by": [one.created_by for one in versions],
            "run": [one.run_id for one in versions],
            "digest": [one.digest[:12] for one in versions],
        }
    )
    chosen = _choose(table, key=key)
    if chosen is not None:
        _version(versions[chosen])


def _choose(table: pd.DataFrame, key: str) -> int | None:
    """Draw a table; returns the row that was chosen."""
    height = min(38 + _ROW_PX * len(table), 320)
    event = st.dataframe(
        table,
        hide_index=True,
        height=height,
        row_height=_ROW_PX,
        on_select="rerun",
        selection_mode="single-row",
        key=key,
    )
    rows: list[int] = event["selection"]["rows"]
    return rows[0] if rows else None


def _version(version: ArtifactVersion) -> None:
    facts = {
        "type": version.type,
        "size": units.size(version.size_bytes),
        "created": words.instant(version.created_unix_us),
        "by": version.created_by,
        "expires": words.instant(version.expires_unix_us),
        "digest": version.digest,
    }
    st.html(theme.head(f"{version.name}:v{version.version}", facts, level=2))
    if version.description:
        st.markdown(version.description)
    metadata = json.loads(version.metadata_json or "{}")
    if metadata:
        st.json(metadata, expanded=1)
    edges = states.value(data.ask().files.lineage(version.project, version.name, version.version))
    _lineage(edges, version)
    _files(version)
    st.caption("In a terminal:")
    st.code(f"weir artifact get {version.project}/{version.name}:v{version.version}", width=640)


def _lineage(edges: list[Edge], version: ArtifactVersion) -> None:
    if edges:
        dot = lineage_graph.dot(edges, (version.name, version.version))
        st.graphviz_chart(dot, width="content")


def _files(version: ArtifactVersion) -> None:
    files = states.value(data.ask().files.files(version.project, version.digest))
    if len(files) >= LISTED_FILES:
        st.caption(f"the first {LISTED_FILES:,} of {version.files:,} files")
    table = pd.DataFrame(
        {
            "path": [file.path for file in files],
            "size": [units.size(file.size_bytes) for file in files],
            "type": [file.mime for file in files],
            "where": [file.uri or file.sha256[:16] for file in files],
        }
    )
    chosen = _choose(table, key=f"art_files_{version.digest[:16]}")
    if chosen is not None and files[chosen].sha256:
        file = files[chosen]
        preview.show(version.project, file.path, file.sha256, file.size_bytes)
