"""Reads what was stored of every run and compares it with what its trainers recorded (judge.py)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence

import pyarrow.compute as pc
from click.testing import CliRunner

from tests.soak.judge import Expected, judge
from tests.soak.load import Ended
from tests.soak.record import TEXT, Recorded, read_recorded
from tests.soak.serve import Served
from tests.soak.tally import Tally
from weir._verify_command import verify as verify_command
from weir_store.base import Reader
from weir_store.records import RunRef, RunState, SeriesQuery


def count_all(served: Served, reader: Reader, ended: Iterable[Ended]) -> Tally:
    """Count every run of these lives, and ask `weir verify` of each."""
    runs: dict[RunRef, list[Ended]] = defaultdict(list)
    for life in ended:
        runs[RunRef(life.life.project, life.life.run)].append(life)
    tally = Tally()
    for ref, lives in runs.items():
        count_run(served, reader, ref, lives, tally)
    return tally


def count_run(
    served: Served, reader: Reader, ref: RunRef, lives: Sequence[Ended], tally: Tally
) -> None:
    """Count one run: all metrics of all ranks, its texts, its state; then ask `weir verify`."""
    tally.runs += 1
    tally.lives += len(lives)
    tally.killed += sum(not life.whole for life in lives)
    ranks: dict[int, list[Recorded]] = defaultdict(list)
    for life in lives:
        recorded = read_recorded(life.folder, all_promised=life.whole)
        if len(recorded.steps):
            ranks[life.life.rank].append(recorded)
    for rank, recorded_lives in ranks.items():
        _count_points(reader, ref, rank, recorded_lives, tally)
        _count_versions(served, ref, rank, recorded_lives, tally)
        if recorded_lives[0].life.texts:
            _count_texts(reader, ref, rank, recorded_lives, tally)
    if ranks:
        _judge_state(reader, ref, lives, tally)
        _ask_verify(served, ref, tally)


def _count_points(
    reader: Reader, ref: RunRef, rank: int, lives: Sequence[Recorded], tally: Tally
) -> None:
    names, expected = lives[0].life.names(), Expected.of(lives)
    table = reader.read_series(SeriesQuery((ref,), names, ranks=(rank,)))
    for column, name in enumerate(names):
        series = table.filter(pc.equal(table["metric"], name))
        steps, values = series["step"].to_numpy(), series["value"].to_numpy()
        who = f"{ref.project}/{ref.run_id} {name} rank {rank}"
        judge(expected, column, steps, values, tally, who)


def _count_versions(
    served: Served, ref: RunRef, rank: int, lives: Sequence[Recorded], tally: Tally
) -> None:
    """Overwritten points stay: a series has as many versions as rows were logged."""
    least, most = sum(life.safe for life in lives), sum(len(life.steps) for life in lives)
    sql = (
        "SELECT metric, uniqExact(step, ver) FROM weir_raw.points WHERE project = {project:String} "
        "AND run_id = {run:String} AND rank = {rank:UInt32} GROUP BY metric"
    )
    store = served.weir.store()
    try:
        bound = {"project": ref.project, "run": ref.run_id, "rank": rank}
        for metric, versions in store.query_rows(sql, bound):
            if not least <= versions <= most:
                tally.versions_off += 1
                tally.name(
                    f"{ref.project}/{ref.run_id} {metric} rank {rank}: {versions} versions of "
                    f"{least} promised and {most} logged rows"
                )
    finally:
        store.close()


def _count_texts(
    reader: Reader, ref: RunRef, rank: int, lives: Sequence[Recorded], tally: Tally
) -> None:
    logged: dict[int, list[tuple[str, bool]]] = defaultdict(list)
    for life in lives:
        for row, step in enumerate(life.steps.tolist()):
            if (text := life.life.text(step)) is not None:
                logged[step].append((text, row < life.safe))
    table = reader.read_text(ref, TEXT, limit=1_000_000)
    read: dict[int, list[str]] = defaultdict(list)
    for at, step, text in zip(
        *(table[name].to_pylist() for name in ("rank", "step", "value")), strict=True
    ):
        if at == rank:
            read[step].append(text)
    who = f"{ref.project}/{ref.run_id} {TEXT} rank {rank}"
    tally.strange += len(read.keys() - logged.keys())
    for step, candidates in logged.items():
        promised, texts = any(safe for _, safe in candidates), read.get(step, [])
        tally.promised += promised
        tally.stored += len(texts)
        tally.doubled += max(0, len(texts) - 1)
        tally.lost += promised and not texts
        if len(texts) != 1 and (promised or texts):
            tally.name(f"{who} step {step}: read {texts}, logged {candidates}")
        elif texts and not _text_may_be(texts[0], candidates):
            tally.changed += 1
            tally.name(f"{who} step {step}: read {texts}, logged {candidates}")


def _text_may_be(text: str, candidates: Sequence[tuple[str, bool]]) -> bool:
    for logged, promised in reversed(candidates):
        if logged == text:
            return True
        if promised:
            return False
    return False


def _judge_state(reader: Reader, ref: RunRef, lives: Sequence[Ended], tally: Tally) -> None:
    """A run of one rank stands where its last life left it."""
    if len({life.life.rank for life in lives}) > 1:
        return
    shown, last = reader.get_run(ref).state, lives[-1]
    if last.whole and shown is not RunState.FINISHED:
        tally.states_off += 1
        tally.name(f"{ref.project}/{ref.run_id} is shown as {shown}, ended by {last.life.ending}")


def _ask_verify(served: Served, ref: RunRef, tally: Tally) -> None:
    verdict = verify(served, ref)
    tally.verdicts[verdict] = tally.verdicts.get(verdict, 0) + 1
    if verdict != "whole":
        tally.name(f"{ref.project}/{ref.run_id}: weir verify says {verdict}")


def verify(served: Served, ref: RunRef) -> str:
    """Return what `weir verify` says of a run."""
    command = [f"{ref.project}/{ref.run_id}", "--json", "--dir", str(served.root("a"))]
    done = CliRunner(env=served.environment("a")).invoke(verify_command, command)
    try:
        return str(json.loads(done.stdout)["verdict"])
    except (ValueError, KeyError, TypeError):
        return f"exit code {done.exit_code}: {done.output.strip()[-300:]}"
