"""Asking for the names of metrics, for text series, and for files that were logged."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from weir_store import answers
from weir_store.clickhouse import ClickHouse
from weir_store.errors import InvalidQuery
from weir_store.parameters import Parameters
from weir_store.points_source import newest_sql
from weir_store.reader_lineage import LineageReader
from weir_store.reader_live import of_runs
from weir_store.records import Metric, MetricPage, RunRef
from weir_store.sight import SESSION, Sight, bent_sql, piece_sql, plain_columns, shown_sql

MAX_NAMES = 100_000
MAX_TEXTS = 1_000_000
_TEXT = "rank, step, ts, value, kind"


class MetricsReader:
    """Answers `list_metrics`, `read_text` and `read_media`."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database
        self._lineages = LineageReader(clickhouse, database)

    def list_metrics(
        self,
        runs: Sequence[RunRef],
        *,
        project: str = "",
        search: str = "",
        limit: int = 1_000,
        after: str = "",
    ) -> MetricPage:
        """Return metrics by name; see `Reader.list_metrics`."""
        check(runs, project, limit)
        parameters = Parameters()
        scope = of_runs(runs, parameters) if runs else f"project = {parameters.text(project)}"
        bent = self._lineages.bent(scope, parameters)
        names = self._names_sql(scope, bent, search_sql(search, parameters), parameters)
        page = f"SELECT *, count() OVER () AS total FROM ({names}) ORDER BY metric"
        if after:
            page = f"SELECT * FROM ({page}) WHERE metric > {parameters.text(after)} ORDER BY metric"
        rows = self._clickhouse.query_rows(f"{page} LIMIT {limit}", parameters.values)
        if not rows and after:  # beyond the end: no row could carry the total
            counted = f"SELECT count() FROM ({names})"
            return MetricPage((), self._clickhouse.query_rows(counted, parameters.values)[0][0])
        metrics = tuple(
            Metric(name, found, first, last, bool(nonfinite), bool(text), bool(media))
            for name, found, first, last, nonfinite, text, media, _ in rows
        )
        return MetricPage(metrics, rows[0][-1] if rows else 0)

    def read_text(
        self,
        ref: RunRef,
        metric: str,
        *,
        limit: int = 10_000,
        after: tuple[int, int] | None = None,
    ) -> pa.Table:
        """Read a text series from its first step on; see `Reader.read_text`."""
        return self._read(ref, metric, "text", limit, after)

    def read_media(
        self,
        ref: RunRef,
        metric: str,
        *,
        limit: int = 10_000,
        after: tuple[int, int] | None = None,
    ) -> pa.Table:
        """Read the files of a name from the first step on; see `Reader.read_media`."""
        return self._read(ref, metric, "media", limit, after)

    def _read(
        self, ref: RunRef, metric: str, kind: str, limit: int, after: tuple[int, int] | None
    ) -> pa.Table:
        if not 1 <= limit <= MAX_TEXTS:
            raise InvalidQuery(f"limit is {limit}", hint=f"1 … {MAX_TEXTS}")
        sight = self._lineages.live([ref])
        if not (sight.plain or sight.bent):
            return answers.TEXT.empty_table()
        parameters = Parameters()
        behind = ""
        if after is not None:
            rank, step = map(parameters.whole, after)
            behind = f" AND (toInt64(rank), step) > ({rank}, {step})"
        # The kind of the newest version counts: a text may have been put in place of a file.
        sql = f"""
SELECT rank, step, toUnixTimestamp64Micro(ts) AS time_unix_us, value
FROM ({self._texts_sql(ref, metric, sight, parameters)})
WHERE kind = '{kind}'{behind} ORDER BY rank, step LIMIT {limit}"""
        return answers.conform(self._clickhouse.query_arrow(sql, parameters.values), answers.TEXT)

    def _texts_sql(self, ref: RunRef, metric: str, sight: Sight, parameters: Parameters) -> str:
        select = f"SELECT {_TEXT}, run_id, ver FROM {self._database}.text_points FINAL WHERE "
        of_metric = f" AND metric = {parameters.text(metric)}"
        if ref not in sight.bent:
            texts = f"({select}{of_runs([ref], parameters)}{of_metric})"
            return newest_sql(_TEXT, texts, "step, rank")
        pieces = [
            piece_sql(
                [ref], depth, piece, select, of_metric + shown_sql(piece, parameters), parameters
            )
            for depth, piece in enumerate(sight.bent[ref].pieces)
        ]
        return newest_sql(_TEXT, f"({' UNION ALL '.join(pieces)})", "step, rank", depth=True)

    def _names_sql(self, scope: str, bent: Sight, found: str, parameters: Parameters) -> str:
        rank_and_session = f"rank, toUInt32({SESSION}) AS session"
        numbers = f"SELECT * FROM {self._database}.series WHERE "
        texts = f"""
SELECT project, run_id, metric, {rank_and_session}, min(step) AS min_step, max(step) AS max_step,
  max(kind = 'media') AS is_media
FROM {self._database}.text_points WHERE """
        by_life = " GROUP BY project, run_id, metric, rank, session"
        nonfinite = "has_nan OR has_pos_inf OR has_neg_inf"
        live = f"SELECT project, run_id FROM {self._database}.runs FINAL WHERE {scope}"
        return f"""
SELECT metric, uniqExact(project, run_id) AS runs, min(first_step) AS first_step,
  max(last_step) AS last_step, max(nonfinite) AS nonfinite, max(is_text) AS is_text,
  max(is_media) AS is_media
FROM (
  SELECT project, run_id, metric, min_step AS first_step, least(max_step, top) AS last_step,
    {nonfinite} AS nonfinite, false AS is_text, false AS is_media
  FROM ({_seen(numbers, scope, bent, found, parameters)}) WHERE min_step <= top
  UNION ALL
  SELECT project, run_id, metric, min_step, least(max_step, top), false, true, is_media
  FROM ({_seen(texts, scope, bent, found + by_life, parameters)}) WHERE min_step <= top)
WHERE (project, run_id) IN ({live})
GROUP BY metric"""


def _seen(select: str, scope: str, bent: Sight, more: str, parameters: Parameters) -> str:
    """Return the rows of a scope that can be seen; `bent` has all its rewound and forked runs."""
    if not bent.bent:
        return f"SELECT *, {plain_columns()} FROM ({select}{scope}{more})"
    pairs = parameters.tuples([(run.project, run.run_id) for run in bent.bent], 2)
    others = f"{select}{scope} AND (project, run_id) NOT IN {pairs}{more}"
    seen = bent_sql(select, bent.bent, more, parameters)
    return f"SELECT *, {plain_columns()} FROM ({others}) UNION ALL {seen}"


def check(runs: Sequence[RunRef], project: str, limit: int) -> None:
    """Raise `InvalidQuery` for a question that breaks a limit."""
    if not 1 <= limit <= MAX_NAMES:
        raise InvalidQuery(f"limit is {limit}", hint=f"1 … {MAX_NAMES}")
    if not (runs or project):
        raise InvalidQuery("neither runs nor a project to look at", hint="name a project")


def search_sql(search: str, parameters: Parameters, column: str = "metric") -> str:
    """Return the condition on `column`, to be appended: every word, or a glob."""
    conditions = [
        f" AND {column} ILIKE {parameters.text(glob_to_like(word))}"
        if "*" in word or "?" in word
        else f" AND positionCaseInsensitiveUTF8({column}, {parameters.text(word)}) > 0"
        for word in words_of(search)
    ]
    return "".join(conditions)


def words_of(search: str) -> list[str]:
    """Cut a search into words; one that holds `*` or `?` anywhere is a glob over the whole name."""
    return [search.strip()] if "*" in search or "?" in search else search.split()


def glob_to_like(glob: str) -> str:
    r"""Turn `*` and `?` into what LIKE knows; everything else stands for itself."""
    plain = glob.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return plain.replace("*", "%").replace("?", "_")
