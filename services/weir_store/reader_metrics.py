"""Asking for the names of metrics, and for text series."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from weir_store import answers
from weir_store.clickhouse import ClickHouse
from weir_store.errors import InvalidQuery
from weir_store.parameters import Parameters
from weir_store.reader_live import live_runs, of_runs
from weir_store.records import Metric, MetricPage, RunRef

MAX_NAMES = 100_000
MAX_TEXTS = 1_000_000


class MetricsReader:
    """Answers `list_metrics` and `read_text`."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database

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
        names = self._names_sql(scope, search_sql(search, parameters))
        page = f"SELECT *, count() OVER () AS total FROM ({names}) ORDER BY metric"
        if after:
            page = f"SELECT * FROM ({page}) WHERE metric > {parameters.text(after)} ORDER BY metric"
        rows = self._clickhouse.query_rows(f"{page} LIMIT {limit}", parameters.values)
        if not rows and after:  # beyond the end: no row could carry the total
            counted = f"SELECT count() FROM ({names})"
            return MetricPage((), self._clickhouse.query_rows(counted, parameters.values)[0][0])
        metrics = tuple(
            Metric(name, found, first, last, bool(nonfinite), bool(text))
            for name, found, first, last, nonfinite, text, _ in rows
        )
        return MetricPage(metrics, rows[0][-1] if rows else 0)

    def read_text(self, ref: RunRef, metric: str, *, limit: int = 10_000) -> pa.Table:
        """Read a text series from its first step on; see `Reader.read_text`."""
        if not 1 <= limit <= MAX_TEXTS:
            raise InvalidQuery(f"limit is {limit}", hint=f"1 … {MAX_TEXTS}")
        if not live_runs(self._clickhouse, self._database, [ref]):
            return answers.TEXT.empty_table()
        parameters = Parameters()
        sql = f"""
SELECT rank, step, toUnixTimestamp64Micro(ts) AS time_unix_us, value
FROM {self._database}.text_points FINAL
WHERE {of_runs([ref], parameters)} AND metric = {parameters.text(metric)}
ORDER BY rank, step LIMIT {limit}"""
        return answers.conform(self._clickhouse.query_arrow(sql, parameters.values), answers.TEXT)

    def _names_sql(self, scope: str, found: str) -> str:
        live = f"SELECT project, run_id FROM {self._database}.runs FINAL WHERE {scope}"
        where = f"{scope}{found} AND (project, run_id) IN ({live})"
        return f"""
SELECT metric, uniqExact(project, run_id) AS runs, min(first_step) AS first_step,
  max(last_step) AS last_step, max(nonfinite) AS nonfinite, max(is_text) AS is_text
FROM (
  SELECT project, run_id, metric, min_step AS first_step, max_step AS last_step,
    has_nan OR has_pos_inf OR has_neg_inf AS nonfinite, false AS is_text
  FROM {self._database}.series WHERE {where}
  UNION ALL
  SELECT project, run_id, metric, min(step), max(step), false, true
  FROM {self._database}.text_points WHERE {where} GROUP BY project, run_id, metric)
GROUP BY metric"""


def check(runs: Sequence[RunRef], project: str, limit: int) -> None:
    """Raise `InvalidQuery` for a question that breaks a limit."""
    if not 1 <= limit <= MAX_NAMES:
        raise InvalidQuery(f"limit is {limit}", hint=f"1 … {MAX_NAMES}")
    if not (runs or project):
        raise InvalidQuery("neither runs nor a project to look at", hint="name a project")


def search_sql(search: str, parameters: Parameters) -> str:
    """Return the condition on `metric`, to be appended: every word, or a glob."""
    conditions = [
        f" AND metric ILIKE {parameters.text(glob_to_like(word))}"
        if "*" in word or "?" in word
        else f" AND positionCaseInsensitiveUTF8(metric, {parameters.text(word)}) > 0"
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
