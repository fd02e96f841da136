"""What a filter sees of a made-up run: the language of docs/filter.md, without a store."""

from __future__ import annotations

from weir_store.conditions import Condition, Field
from weir_store.filter_match import Operand, Subject, matches
from weir_store.records import Run


def fits(run: Run, condition: Condition) -> bool:
    searched = (run.name, run.run_id, str(run.config), *run.tags)
    return matches(condition, Subject(lambda field: _value(run, field), run.tags, searched))


def _value(run: Run, field: Field) -> Operand | None:
    if field.space != "run":
        space = {"metrics": "summary", "metric": "summary"}.get(field.space, field.space)
        held = getattr(run, space).get(field.name)
        return held if held is None or isinstance(held, str) else float(held)
    match field.name:
        case "id":
            return run.run_id
        case "created":
            return float(run.created_unix_us)
        case "finished":
            return float(run.finished_unix_us) or None
        case "duration":
            return ((run.finished_unix_us or run.last_seen_unix_us) - run.created_unix_us) / 1e6
    return str(getattr(run, field.name))
