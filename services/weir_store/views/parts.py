"""What several views have in common, as SQL: written here once, put in where a file says `${…}`.

Tables of points are large, so what is special about runs is looked up by run_id alone first: that
is one comparison for each value of a dictionary, not one for each row. Two runs of one id in two
projects are told apart behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from weir_store.attributes import METRIC_RULE
from weir_store.console.search import SHOWN_SQL
from weir_store.reader_details import LABELS
from weir_store.run_state import SILENCE, SILENT_AFTER_S, lives_sql, states_sql
from weir_store.system.usage import IDLE_BELOW, LONGEST_GAP_S
from weir_store.system.usage import METRICS as USAGE_METRICS
from weir_store.tables import raw_database

POINT_COLUMNS: Final = "project, run_id, metric, rank, step, time, value"

TOKEN_METRICS: Final = (
    "tokens",
    "train/tokens",
    "tokens_seen",
    "train/tokens_seen",
    "total_tokens",
)
"""Counters of the tokens that a run has seen so far; the first of them that a run has counts."""

# Runs that lie in files: what came late, and for a while what is in the file, too, lies in the table. Of two equal rows
# one is taken. They are asked apart, so that what is read of the others still comes in the order of the table.
_COLD: Final = "SELECT run_id FROM {db}.cold_runs FINAL"
_BOTH: Final = "(SELECT * FROM {db}.{table} UNION ALL SELECT * FROM {db}.cold_{table}) AS both"

_CAREFUL: Final = "SELECT run_id FROM {db}.careful_runs"
_DELETED: Final = "SELECT project, run_id FROM {db}.careful_runs WHERE why = 'deleted'"
_NOT_PLAIN: Final = "SELECT project, run_id FROM {db}.careful_runs WHERE why IN ('deleted', 'bent')"

# One row for each piece of each bent run that exists.
_PIECES: Final = """SELECT project AS of_project, run_id AS of_run, source, number - 1 AS depth,
    last_others, last_ranks, last_own, hidden
  FROM (SELECT * FROM {db}.shown FINAL WHERE (project, run_id) NOT IN ({deleted})) AS shown
  ARRAY JOIN sources AS source, arrayEnumerate(sources) AS number, upto AS last_others,
    upto_ranks AS last_ranks, upto_own AS last_own, cuts AS hidden"""

# Whether a piece shows the row at hand: lineage.Piece.shows, as SQL.
_SHOWS: Final = """step <= if(has(last_ranks, toInt64(rank)), last_own[indexOf(last_ranks, toInt64(rank))], last_others)
    AND NOT arrayExists(cut -> step > cut.1 AND (bitShiftRight(ver, 32) >=
      if(has(cut.4, toInt64(rank)), cut.5[indexOf(cut.4, toInt64(rank))], cut.3)) = (cut.2 = 1), hidden)"""

_POINT: Final = "project, run_id, metric, step, rank"

# Runs that may hold corrections: of each point the newest version.
_CORRECTED: Final = f"""SELECT {{columns}} FROM (
  SELECT project, run_id, metric, rank, step, ts AS time, {{values}}, ver
  FROM {{source}}
  WHERE {{which}} (project, run_id) NOT IN ({{not_plain}})
  ORDER BY {_POINT}, ver DESC LIMIT 1 BY {_POINT})"""

# Runs that were rewound or forked: of each point the nearest piece that has one, of that the newest version. All
# conditions stand within the join: people's own get past it then, down to the primary key, also where the gate
# keeps filters apart. Only rows of runs that somebody shows are looked at.
_SHOWN: Final = f"""SELECT {{columns}} FROM (
  SELECT project, toLowCardinality(of_run) AS run_id, metric, rank, step, ts AS time, {{values}}, depth, ver
  FROM (SELECT * FROM {{all}} WHERE run_id IN ({{sources}})) AS held
  INNER JOIN ({{pieces}}) AS piece ON held.project = piece.of_project AND held.run_id = piece.source AND {_SHOWS}
  ORDER BY {_POINT}, depth, ver DESC LIMIT 1 BY {_POINT})"""

# An attribute for people: as text, and as a number where it is one.
_VALUE: Final = """multiIf(attr.type = 'float', toString(attr.num), attr.type = 'int', toString(attr.int),
    attr.type = 'bool', if(attr.int = 0, 'false', 'true'), attr.type = 'null', 'null', attr.str) AS value,
  if(attr.type IN ('float', 'int', 'bool'), attr.num, NULL) AS num, toLowCardinality(toString(attr.type)) AS type"""

# fnmatch as RE2: a class that RE2 would refuse matches nothing, as in Python.
_REGEX: Final = r"""concat('(?s)^', arrayStringConcat(arrayMap(token -> multiIf(
    token = '*', '.*', token = '?', '.', length(token) = 1 OR NOT startsWith(token, '['), regexpQuoteMeta(token),
    arrayExists(range -> substringUTF8(range, 1, 1) > substringUTF8(range, 3, 1),
      extractAll(substring(token, 2, length(token) - 2), '(?s).-.')), '[^\\s\\S]',
    concat('[', if(substring(token, 2, 1) = '!', '^', ''),
      replaceRegexpAll(substring(token, if(substring(token, 2, 1) = '!', 3, 2),
        length(token) - if(substring(token, 2, 1) = '!', 3, 2)), '([\\\\\\[\\]^&~])', '\\\\\\1'), ']')),
    extractAll(glob, '(?s)\\[!?[^\\]][^\\]]*\\]|.'))), '$')"""

# One row for each run that has rules for its metrics: (version, glob, policy, regex) of each, the newest last.
_RULES: Final = f"""SELECT project, run_id, arraySort(groupArray((ver, glob, policy, {_REGEX}))) AS rules
  FROM (
    SELECT project, run_id, ver, substring(path, {len(METRIC_RULE) + 1}) AS glob,
      JSONExtractString(str, 'summary') AS told,
      if(told != 'best', told, if(JSONExtractString(str, 'goal') = 'maximize', 'max', 'min')) AS policy
    FROM {{db}}.run_attrs FINAL
    WHERE ns = 'meta' AND startsWith(path, '{METRIC_RULE}') AND type IN ('str', 'json')
      AND JSONType(str, 'summary') = 'String')
  GROUP BY project, run_id"""

_VERSIONS: Final = """SELECT * FROM {db}.artifact_versions FINAL
  WHERE state = 'live' AND (toUnixTimestamp64Micro(expires_at) = 0 OR expires_at > now64(6))"""

_SILENT_SINCE: Final = f"(toUnixTimestamp64Micro(now64(6)) - {SILENT_AFTER_S * 1_000_000})"


def parts(database: str) -> dict[str, str]:
    """Return what the `${…}` of views/sql/*.sql stand for.

    Args:
        database: Name of the store; views are made in it, over the tables of `<database>_raw`.
    """
    db = raw_database(database)
    deleted, careful = _DELETED.format(db=db), _CAREFUL.format(db=db)
    said = {
        "db": db,
        "not_plain": _NOT_PLAIN.format(db=db),
        "pieces": _PIECES.format(db=db, deleted=deleted),
        "sources": f"SELECT arrayJoin(sources) FROM {db}.shown",
    }
    cold, both = _COLD.format(db=db), _BOTH.format(db=db, table="points")
    points = {**said, "all": both, "columns": POINT_COLUMNS, "values": "value"}
    texts = {
        **said,
        "all": f"{db}.text_points",
        "columns": f"{POINT_COLUMNS}, kind",
        "values": "value, kind",
    }
    return {
        "db": db,
        "views": database,
        "careful": careful,
        "cold": cold,
        "both_system": _BOTH.format(db=db, table="system_points"),
        "both_lines": _BOTH.format(db=db, table="console"),
        "careful_points": _with_shown(
            points,
            _corrected(
                points, f"{db}.points", f"run_id IN ({careful}) AND run_id NOT IN ({cold}) AND"
            ),
            _corrected(points, both, f"run_id IN ({careful}) AND run_id IN ({cold}) AND"),
        ),
        "careful_or_cold_points": _with_shown(
            points,
            _corrected(
                points, f"{db}.points", f"run_id IN ({careful}) AND run_id NOT IN ({cold}) AND"
            ),
            _corrected(points, both, f"run_id IN ({cold}) AND"),
        ),
        "texts": _with_shown(texts, _corrected(texts, f"{db}.text_points", "")),
        "deleted": deleted,
        "pieces": said["pieces"],
        "exist": f"SELECT project, run_id FROM {db}.runs FINAL",
        "forked": f"SELECT project, run_id FROM {db}.shown FINAL WHERE length(sources) > 1",
        "value": _VALUE,
        "labels": ", ".join(
            f"anyIf(str, ns = 'meta' AND path = '{label}') AS `{label}`" for label in LABELS
        ),
        "states": states_sql(db, "true", _SILENT_SINCE),
        "lives": lives_sql(db, "true", _SILENT_SINCE),
        "silent_since": _SILENT_SINCE,
        "silence": SILENCE,
        "plain_line": SHOWN_SQL,
        "rules": _RULES.replace("{db}", db),
        "usage_metrics": ", ".join(f"'{metric}'" for metric in USAGE_METRICS),
        "longest_gap_us": f"{LONGEST_GAP_S}000000",
        "idle_below": f"{IDLE_BELOW}",
        "token_metrics": ", ".join(f"'{metric}'" for metric in TOKEN_METRICS),
        "versions": _VERSIONS.format(db=db),
    }


def _corrected(said: Mapping[str, str], source: str, which: str) -> str:
    return _CORRECTED.format(**said, source=source, which=which)


def _with_shown(said: Mapping[str, str], *selects: str) -> str:
    return "\nUNION ALL\n".join((*selects, _SHOWN.format(**said)))
