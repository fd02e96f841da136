"""Runs put together from the rows of `MemoryStore`, and what a filter sees of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from weir_store import tables
from weir_store.attributes import Attributes, of_paths, policy_of, value_of
from weir_store.conditions import Field
from weir_store.filter_match import Subject
from weir_store.lineage import Lineage
from weir_store.memory import MemoryStore, Row
from weir_store.memory_lineage import inherited_config, lineages
from weir_store.memory_rows import alive_since, list_series, list_sessions, live_rows, unix_us
from weir_store.memory_series import Point, extremes, mean_of
from weir_store.memory_stats import read_metric_fields
from weir_store.records import Json, Run, RunRef, RunState, Scalar, Session
from weir_store.run_state import SILENCE, deciding, world_size, worst


def list_all_runs(
    store: MemoryStore, now_unix_us: int, columns: Sequence[str] | None = None
) -> list[Run]:
    """Return every run that exists, with everything known of it or with these columns."""
    held: dict[RunRef, Attributes] = {}
    for row in live_rows(store, tables.RUN_ATTRS):
        ref = RunRef(row["project"], row["run_id"])
        value = value_of(row["type"], row["num"], row["int"], row["str"])
        held.setdefault(ref, Attributes()).put(row["ns"], row["path"], value, row["ver"])
    paths, series = of_paths(columns), list_series(store)
    refs = [RunRef(row["project"], row["run_id"]) for row in live_rows(store, tables.RUNS)]
    for ref, config in inherited_config(store, refs).items():
        held.setdefault(ref, Attributes()).config = config
    lineage_by_run = lineages(store, refs)
    return [
        _run(
            row,
            held.get(RunRef(row["project"], row["run_id"])) or Attributes(),
            list_sessions(store, RunRef(row["project"], row["run_id"]), now_unix_us),
            _state(store, row, now_unix_us),
            series,
            paths,
            lineage_by_run[RunRef(row["project"], row["run_id"])],
        )
        for row in live_rows(store, tables.RUNS)
    ]


def _run(
    row: Row,
    held: Attributes,
    sessions: Sequence[Session],
    standing: tuple[RunState, int, int],
    series: Mapping[tuple[object, ...], Sequence[Point]],
    paths: Mapping[str, Sequence[str]] | None,
    lineage: Lineage,
) -> Run:
    ref = RunRef(row["project"], row["run_id"])
    state, ended, seen = standing
    summary = {**automatic_summary(ref, held, series), **held.summary}
    return Run(
        project=ref.project,
        run_id=ref.run_id,
        created_unix_us=unix_us(row["created_at"]),
        name=held.text("name"),
        group=held.text("group"),
        job_type=held.text("job_type"),
        user=held.text("user"),
        notes=held.text("notes"),
        state=state,
        tags=tuple(sorted(held.tags)),
        finished_unix_us=ended,
        last_seen_unix_us=seen,
        world_size=world_size(sessions),
        ranks=len({each.rank for each in sessions}),
        parent_run_id=lineage.parent_run_id,
        fork_step=lineage.fork_step,
        rewinds=lineage.rewinds,
        config=_only(held.config, "config", paths),
        summary=_only(summary, "summary", paths),
        meta=_only(held.meta, "meta", paths),
        files=held.files,
    )


def _state(store: MemoryStore, row: Row, now_unix_us: int) -> tuple[RunState, int, int]:
    """Return state, end (0 while running) and last sign of life."""
    created = unix_us(row["created_at"])
    sessions = list_sessions(store, RunRef(row["project"], row["run_id"]), now_unix_us)
    if not sessions:
        silent = created < alive_since(now_unix_us)
        return (RunState.CRASHED, created, created) if silent else (RunState.RUNNING, 0, created)
    lives = deciding(sessions)
    state = worst(each.state for each in lives)
    seen = max(each.last_seen_unix_us for each in sessions)
    if state is RunState.RUNNING:
        return state, 0, seen
    told = {row["producer"]: unix_us(row["updated_at"]) for row in store.list_rows(tables.SESSIONS)}
    return state, max(_ended(each, told[each.producer.bytes]) for each in lives), seen


def _ended(session: Session, told_unix_us: int) -> int:
    """Return when a life ended: as it said, or when it was seen last; 0 while it runs."""
    if session.state is RunState.RUNNING:
        return 0
    return session.last_seen_unix_us if session.reason == SILENCE else told_unix_us


def automatic_summary(
    ref: RunRef, held: Attributes, series: Mapping[tuple[object, ...], Sequence[Point]]
) -> dict[str, float]:
    """Return what each metric came to at the lowest rank that has it, by the run's rules."""
    lowest: dict[str, Sequence[Point]] = {}
    for points in series.values():
        project, run_id, metric = points[0].series
        known = lowest.get(metric)
        if (project, run_id) == (ref.project, ref.run_id) and (
            known is None or points[0].rank < known[0].rank
        ):
            lowest[metric] = points
    summary: dict[str, float] = {}
    for metric, points in lowest.items():
        values = [point.value for point in points]
        match policy_of(metric, held.rules):
            case "none":
                continue
            case "min" | "max" as policy:
                summary[metric] = extremes(values)[policy]
            case "mean":
                summary[metric] = mean_of(values)
            case _:
                summary[metric] = values[-1]
    return summary


def subject_of(store: MemoryStore, run: Run) -> Subject:
    """Return the run as a filter sees it."""
    searched = (run.name, run.run_id, run.notes, *run.tags)
    return Subject(lambda field: field_of(store, run, field), run.tags, searched)


def field_of(store: MemoryStore, run: Run, field: Field) -> float | str | None:
    """Return one field of a run, None where it has none."""
    match field.space, field.name:
        case "run", "id":
            return run.run_id
        case "run", "created":
            return float(run.created_unix_us)
        case "run", "finished":
            return float(run.finished_unix_us) or None
        case "run", "duration":
            end = run.finished_unix_us or run.last_seen_unix_us
            return (end - run.created_unix_us) / 1e6
        case "run", name:
            return str(getattr(run, name))
        case "metrics", metric:
            last = automatic_summary(run.ref, Attributes(), list_series(store, [run.ref]))
            return last.get(metric)
        case "metric", name:
            return read_metric_fields(store, run.ref, [name]).get(name)
    return _operand(getattr(run, field.space).get(field.name))


def _operand(value: Scalar | Json) -> float | str | None:
    if isinstance(value, Json):
        return value.text
    return value if isinstance(value, str) or value is None else float(value)


def sort_key(value: float | str | None, descending: bool) -> tuple[int, float, str]:
    """Order numbers, then text, then runs that have neither — last in both directions."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return (-1 if descending else 2, 0.0, "")
    if isinstance(value, str):
        return (0 if descending else 1, 0.0, value)
    return (1 if descending else 0, value, "")


def _only(
    values: Mapping[str, Scalar | Json], space: str, paths: Mapping[str, Sequence[str]] | None
) -> dict[str, Scalar | Json]:
    return {path: value for path, value in values.items() if paths is None or path in paths[space]}
