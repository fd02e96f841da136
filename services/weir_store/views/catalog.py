"""What a view is, to people and to the gate: names, types, units and words, said once.

docs/sql.md is checked against it, `weir sql --schema` and the dashboard show it, and the gate
(weir_store/sql/gate.py) lets SQL see these views and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a view.

    Attributes:
        name: As SQL says it.
        type: As ClickHouse says it, e.g. `DateTime64(6, 'UTC')`.
        unit: Of the values; "" where they have none.
        about: One sentence.
    """

    name: str
    type: str
    about: str
    unit: str = ""

    @property
    def words(self) -> str:
        """What it is, with its unit."""
        return f"{self.about} ({self.unit})" if self.unit else self.about


@dataclass(frozen=True, slots=True)
class View:
    """One view. Every view has the column `project`: that is how rights are kept.

    Attributes:
        name: As SQL says it, without a database.
        about: What one row is, and what is not in it.
        columns: In their order.
        example: A SELECT that works on every Weir.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    example: str


_TIME = "DateTime64(6, 'UTC')"
_NAME = "LowCardinality(String)"

_PROJECT = Column("project", _NAME, "The project: what rights are given on.")
_RUN = Column("run_id", "String", "The run, unique within its project.")
_RUN_OF_POINT = Column("run_id", _NAME, "The run, unique within its project.")
_METRIC = Column("metric", _NAME, "The name it was logged under.")
_RANK = Column("rank", "UInt32", "Index of the process in the run.")
_STEP = Column("step", "Int64", "As logged, or counted by the rank.", "step")
_LOGGED = Column("time", _TIME, "When it was logged, by the clock of the process.", "UTC")

_ATTRIBUTE = (
    _PROJECT,
    _RUN,
    Column("path", "String", "Where it is; parts of nested settings are joined with a dot."),
    Column("value", "String", "As text, whatever its type."),
    Column("num", "Nullable(Float64)", "As a number: of float, int and bool; NULL of all others."),
    Column("type", _NAME, "float, int, bool, str, json or null."),
)

RUNS = View(
    "runs",
    "One row for each run. Deleted runs are not here, nor in any other view but audit.",
    (
        _PROJECT,
        _RUN,
        Column("name", "String", "What people call it."),
        Column("state", _NAME, "running, finished, failed, crashed or interrupted."),
        Column("user", "String", "Who started it."),
        Column("group", "String", "Runs that belong together. A word of SQL: write `group`."),
        Column("job_type", "String", "train, eval, or what people say."),
        Column("notes", "String", "Free text."),
        Column("tags", "Array(String)", "Sorted; the view tags has a row for each."),
        Column("created_at", _TIME, "When it was first heard of.", "UTC"),
        Column("started_at", f"Nullable({_TIME})", "When its first process began.", "UTC"),
        Column(
            "finished_at",
            f"Nullable({_TIME})",
            "When its last process ended; NULL while running.",
            "UTC",
        ),
        Column("last_seen_at", _TIME, "Its last sign of life.", "UTC"),
        Column(
            "duration_s", "Float64", "From created to finished, or to the last sign of life.", "s"
        ),
        Column(
            "world_size",
            "UInt32",
            "Ranks there are by the newest word of its processes; 0 = not told.",
        ),
        Column("ranks", "UInt32", "Ranks that were ever heard of."),
        Column("hosts", "Array(String)", "Nodes its processes ran on, sorted."),
        Column("parent_run_id", "String", "The run it was forked from; empty = none."),
        Column("fork_step", "Nullable(Int64)", "Last step it has from its parent.", "step"),
        Column("rewinds", "Array(Int64)", "Steps it was rewound to, oldest first.", "step"),
    ),
    """SELECT run_id, name, state, `group`, round(duration_s) AS seconds FROM runs
ORDER BY created_at DESC LIMIT 10""",
)

PARAMS = View(
    "params",
    "The config of runs, one row for each path. Forked runs have what their parents had and they did not change.",
    _ATTRIBUTE,
    """SELECT run_id, num AS lr FROM params WHERE path = 'lr' AND num < 0.01 ORDER BY lr""",
)

TAGS = View(
    "tags",
    "One row for each tag of each run.",
    (_PROJECT, _RUN, Column("tag", "String", "The tag.")),
    "SELECT tag, count() AS runs FROM tags GROUP BY tag ORDER BY runs DESC",
)

META = View(
    "meta",
    "What was found out about runs: git, command line, packages, hosts, facts of nodes, rules of metrics.",
    _ATTRIBUTE,
    "SELECT value AS commit, count() AS runs FROM meta WHERE path = 'git/commit' GROUP BY commit",
)

METRICS = View(
    "metrics",
    "Every point that is a number: once, in its newest version, as charts show it. Rewinds and forks are respected.",
    (
        _PROJECT,
        _RUN_OF_POINT,
        _METRIC,
        _RANK,
        _STEP,
        _LOGGED,
        Column("value", "Float64", "As logged; NaN and ±Inf are kept."),
    ),
    """SELECT step, avg(value) AS loss FROM metrics
WHERE run_id = 'demo' AND metric = 'loss' GROUP BY step ORDER BY step""",
)

TEXTS = View(
    "texts",
    "Every point whose value is text, or names a file; once, in its newest version.",
    (
        _PROJECT,
        _RUN_OF_POINT,
        _METRIC,
        _RANK,
        _STEP,
        _LOGGED,
        Column(
            "value",
            "String",
            "The text; of media JSON that says which file (docs/formats/media.md).",
        ),
        Column("kind", "Enum8('text' = 0, 'media' = 1)", "text or media."),
    ),
    "SELECT step, value FROM texts WHERE kind = 'text' ORDER BY time DESC LIMIT 5",
)


_PLACE = (_PROJECT, _RUN)
_NODE = Column("node", _NAME, "The machine.")

SERIES = View(
    "series",
    "What each series came to: one row for each metric and rank of each run. Many times faster than asking metrics.",
    (
        _PROJECT,
        _RUN_OF_POINT,
        _METRIC,
        _RANK,
        Column("first", "Float64", "Value at the first step."),
        Column("last", "Float64", "Value at the last step."),
        Column("min", "Float64", "Lowest finite value; NaN where there is none."),
        Column("max", "Float64", "Highest finite value; NaN where there is none."),
        Column("min_at", "Nullable(Int64)", "A step of the lowest value.", "step"),
        Column("max_at", "Nullable(Int64)", "A step of the highest value.", "step"),
        Column("first_step", "Int64", "The first.", "step"),
        Column("last_step", "Int64", "The last.", "step"),
        Column("last_time", _TIME, "When the point of the last step was logged.", "UTC"),
        Column("has_nan", "Bool", "Whether some value is NaN."),
        Column("has_inf", "Bool", "Whether some value is infinite."),
    ),
    """SELECT run_id, min, min_at FROM series
WHERE metric = 'loss' AND rank = 0 ORDER BY min LIMIT 10""",
)

SUMMARY = View(
    "summary",
    "What runs came to: values set in code, and of each metric the one its rule asks for, else the last. "
    "The lowest rank that has it speaks for the run.",
    (
        *_PLACE,
        Column("path", "String", "Name of the metric, or what it was set under."),
        Column("value", "String", "As text, whatever its type."),
        Column(
            "num", "Nullable(Float64)", "As a number: of float, int and bool; NULL of all others."
        ),
        Column("type", _NAME, "float, int, bool, str, json or null."),
        Column("source", _NAME, "set (in code) or metric."),
    ),
    """SELECT run_id, num AS loss FROM summary WHERE path = 'loss' ORDER BY loss LIMIT 10""",
)

SYSTEM = View(
    "system",
    "What nodes measured of themselves while a run was on them: docs/formats/system.md lists metrics and units.",
    (
        _PROJECT,
        _RUN_OF_POINT,
        _NODE,
        Column("device", _NAME, "gpu0, cpu3, eth0, …; empty = the node as a whole."),
        Column("metric", _NAME, "Its name; the unit ends it: gpu.power_w, memory.used_bytes, …"),
        Column("time", _TIME, "When it was measured, by the clock of the node.", "UTC"),
        Column("value", "Float64", "In the unit of the metric."),
    ),
    """SELECT node, device, round(avg(value)) AS watts FROM system
WHERE metric = 'gpu.power_w' GROUP BY node, device ORDER BY watts DESC""",
)

LOGS = View(
    "logs",
    "What processes printed, line by line.",
    (
        _PROJECT,
        _RUN_OF_POINT,
        _RANK,
        Column("time", _TIME, "When the line began, by the clock of the node.", "UTC"),
        Column(
            "stream", "Enum8('stdout' = 1, 'stderr' = 2, 'logging' = 3)", "Where it was printed."
        ),
        Column(
            "level", "UInt8", "As in Python's logging: 20 info, 30 warning, 40 error; 0 = not said."
        ),
        _NODE,
        Column("process", "UUID", "The process, as session_id of sessions."),
        Column("number", "UInt64", "Of the process's lines, from 1."),
        Column("line", "String", "The line, with its colours."),
        Column(
            "plain",
            "String",
            "Without colours, ASCII letters small: search here, hasToken is fast.",
        ),
    ),
    """SELECT time, rank, line FROM logs WHERE hasToken(plain, 'error') ORDER BY time DESC LIMIT 20""",
)

EVENTS = View(
    "events",
    "What happened to runs: told by their processes, found by Weir, or done by people.",
    (
        *_PLACE,
        Column("time", _TIME, "When.", "UTC"),
        Column("kind", _NAME, "loss, alert, gpu_throttled, gpu_ecc, oom_kill, edited, …"),
        Column(
            "severity",
            "Enum8('debug' = 1, 'info' = 2, 'warn' = 3, 'error' = 4, 'critical' = 5)",
            "How bad.",
        ),
        Column("title", "String", "In one line."),
        Column("body", "String", "The rest."),
        Column("step", "Nullable(Int64)", "Of the run; NULL where it has none.", "step"),
        _RANK,
        Column("attrs", f"Map({_NAME}, String)", "Details, e.g. node, device, code, by."),
        Column("source", _NAME, "client: told by the process; server: found by Weir."),
        Column("event_id", "UUID", "Its own."),
    ),
    """SELECT time, run_id, kind, title FROM events
WHERE severity >= 'warn' ORDER BY time DESC LIMIT 20""",
)

ARTIFACTS = View(
    "artifacts",
    "One row for each version of each artifact that is there: not deleted and not expired.",
    (
        _PROJECT,
        Column("artifact", "String", "Its name."),
        Column("version", "UInt32", "From 0."),
        Column("type", _NAME, "model, dataset, checkpoint, or what people say."),
        Column("digest", "String", "Of its manifest: the same content, the same digest."),
        Column("run_id", "String", "The run that made it; empty = none."),
        Column("description", "String", "Free text."),
        Column("metadata", "String", "JSON."),
        Column("size_bytes", "UInt64", "Of all its files.", "bytes"),
        Column("files", "UInt32", "How many."),
        Column("created_at", _TIME, "When it was logged.", "UTC"),
        Column("created_by", "String", "By whom."),
        Column("expires_at", f"Nullable({_TIME})", "When it will be deleted; NULL = never.", "UTC"),
        Column("aliases", "Array(String)", "Names that point at it, latest among them; sorted."),
        Column("tags", "Array(String)", "Sorted."),
    ),
    """SELECT artifact, version, formatReadableSize(size_bytes) AS size FROM artifacts
WHERE has(aliases, 'latest') ORDER BY size_bytes DESC""",
)

ARTIFACT_FILES = View(
    "artifact_files",
    "One row for each file of each version that is there.",
    (
        _PROJECT,
        Column("artifact", "String", "Its name."),
        Column("version", "UInt32", "From 0."),
        Column("path", "String", "Within the artifact."),
        Column("size_bytes", "UInt64", "Of the file.", "bytes"),
        Column("mime", _NAME, "Its kind."),
        Column("sha256", "String", "Of its bytes, hex; empty = a reference."),
        Column("uri", "String", "Where a reference points."),
    ),
    """SELECT path, size_bytes FROM artifact_files
WHERE artifact = 'model' AND version = 0 ORDER BY size_bytes DESC""",
)

LINEAGE = View(
    "lineage",
    "Which run made (output) or read (input) which version of an artifact.",
    (
        *_PLACE,
        Column("direction", _NAME, "output or input."),
        Column("artifact_project", _NAME, "Where the artifact is."),
        Column("artifact", "String", "Its name."),
        Column("version", "UInt32", "From 0."),
        Column("time", _TIME, "When.", "UTC"),
    ),
    """SELECT made.run_id AS made_by, read.run_id AS read_by, made.artifact, made.version
FROM lineage AS made INNER JOIN lineage AS read USING (artifact_project, artifact, version)
WHERE made.direction = 'output' AND read.direction = 'input'""",
)

ANCESTORS = View(
    "ancestors",
    "Where forked runs come from: one row for each run whose points they show.",
    (
        *_PLACE,
        Column("generation", "UInt32", "1 = its parent, 2 = the parent of that, …"),
        Column("ancestor_run_id", "String", "Whose points it shows. It may have been deleted."),
        Column("last_step", "Int64", "Last step that it shows of them.", "step"),
    ),
    """SELECT run_id, groupArray(ancestor_run_id) AS line
FROM (SELECT * FROM ancestors ORDER BY run_id, generation) GROUP BY run_id""",
)

SESSIONS = View(
    "sessions",
    "One row for each process life of each run: a process that is started again has another.",
    (
        *_PLACE,
        Column("session_id", "UUID", "Its own."),
        _RANK,
        Column("local_rank", "UInt32", "Index of the process on its node."),
        Column("world_size", "UInt32", "How many ranks it knew of; 0 = not told."),
        Column("node", "String", "The machine."),
        Column("pid", "UInt32", "Of the process."),
        Column("role", _NAME, "trainer, rollout, evaluator, agent, …; empty = not said."),
        Column("launcher", _NAME, "torchrun, slurm, mpi, …; empty = none."),
        Column("attempt", "UInt32", "As the launcher counts them."),
        Column("state", _NAME, "running, finished, failed, crashed or interrupted."),
        Column("exit_code", "Int32", "Of the process."),
        Column("reason", "String", "Why it ended."),
        Column("started_at", _TIME, "When it began.", "UTC"),
        Column("ended_at", f"Nullable({_TIME})", "When it ended; NULL while running.", "UTC"),
        Column("last_seen_at", _TIME, "Its last sign of life.", "UTC"),
    ),
    """SELECT run_id, rank, node, state, reason FROM sessions
WHERE state IN ('failed', 'crashed') ORDER BY last_seen_at DESC""",
)

AUDIT = View(
    "audit",
    "What people and policies did: edits, deletions, stops. Of deleted runs, too.",
    (
        *_PLACE,
        Column("time", _TIME, "When.", "UTC"),
        Column("who", "String", "Name of the token, or of the rule."),
        Column("action", _NAME, "edited, deleted, stop_requested, …"),
        Column("field", "String", "What was edited; empty = something else was done."),
        Column("before", "String", "What it was."),
        Column("after", "String", "What it became."),
        Column("title", "String", "In one line."),
        Column("reason", "String", "As given."),
        Column("attrs", f"Map({_NAME}, String)", "Details."),
    ),
    """SELECT time, who, action, run_id, field, before, after FROM audit ORDER BY time DESC LIMIT 20""",
)

GPU_USAGE = View(
    "gpu_usage",
    "What each run took of each GPU or other accelerator, added up from system. Slices (MIG) are not counted.",
    (
        _PROJECT,
        _RUN_OF_POINT,
        _NODE,
        Column("device", _NAME, "gpu0, tpu1, …"),
        Column(
            "hours", "Float64", "Time in which it was measured; gaps over a minute are not.", "h"
        ),
        Column(
            "energy_wh",
            "Float64",
            "By its counter, else power over time; NaN without either.",
            "Wh",
        ),
        Column(
            "idle_hours", "Float64", "Time under 5 % utilisation; NaN where that is not known.", "h"
        ),
        Column(
            "idle_share", "Float64", "The same as a share of the time it is known for.", "0 … 1"
        ),
        Column("mean_utilization", "Float64", "Weighted by time; NaN where not known.", "%"),
    ),
    """SELECT run_id, sum(hours) AS gpu_hours, sum(idle_hours) AS idle FROM gpu_usage
GROUP BY run_id ORDER BY idle DESC""",
)

EFFICIENCY = View(
    "efficiency",
    "Training beside hardware: what each run that had accelerators took of them, and the tokens it saw for that.",
    (
        _PROJECT,
        _RUN,
        Column("user", "String", "Who started it."),
        Column("group", "String", "Runs that belong together. A word of SQL: write `group`."),
        Column("commit", "String", "Of git; empty = not known."),
        Column("nodes", "UInt64", "Machines with accelerators."),
        Column("gpus", "UInt64", "Accelerators."),
        Column("gpu_hours", "Float64", "Sum over them.", "h"),
        Column("energy_wh", "Float64", "Sum over those that tell; NaN where none does.", "Wh"),
        Column("idle_gpu_hours", "Float64", "Under 5 % utilisation; NaN where not known.", "h"),
        Column(
            "idle_share", "Float64", "The same as a share of the time it is known for.", "0 … 1"
        ),
        Column("mean_utilization", "Float64", "Weighted by time; NaN where not known.", "%"),
        Column(
            "tokens",
            "Nullable(Float64)",
            "Last value of tokens, train/tokens, tokens_seen, train/tokens_seen or total_tokens at the lowest rank.",
        ),
        Column("tokens_per_joule", "Nullable(Float64)", "tokens by energy.", "1/J"),
        Column("tokens_per_gpu_hour", "Nullable(Float64)", "tokens by GPU hours.", "1/h"),
    ),
    """SELECT user, round(sum(gpu_hours), 1) AS hours, round(sum(gpu_hours) * 2.5, 2) AS dollars
FROM efficiency GROUP BY user ORDER BY hours DESC""",
)

VIEWS: tuple[View, ...] = (
    RUNS,
    PARAMS,
    TAGS,
    META,
    METRICS,
    SERIES,
    SUMMARY,
    TEXTS,
    SYSTEM,
    GPU_USAGE,
    EFFICIENCY,
    LOGS,
    EVENTS,
    SESSIONS,
    ANCESTORS,
    ARTIFACTS,
    ARTIFACT_FILES,
    LINEAGE,
    AUDIT,
)
"""In the order people read them."""
