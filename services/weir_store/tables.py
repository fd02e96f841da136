"""Table names, once. Columns are in `schema/*.sql` and docs/formats/tables.md."""

POINTS = "points"
TEXT_POINTS = "text_points"
RUNS = "runs"
RUN_ATTRS = "run_attrs"
RUN_ATTR_HISTORY = "run_attr_history"  # filled by a view
SYSTEM_POINTS = "system_points"
CONSOLE = "console"
BRANCHES = "branches"
SHOWN = "shown"  # made from branches by whoever stores these
POINT_LIVES = "point_lives"  # filled by a view
SESSIONS = "sessions"
EVENTS = "events"
DEAD_LETTERS = "dead_letters"
LEDGER = "ledger"
INGEST_COMMITS = "ingest_commits"
BLOBS = "blobs"
BLOB_TOUCHES = "blob_touches"
BLOB_MARKS = "blob_marks"
BLOB_UPLOADS = "blob_uploads"
ARTIFACT_FILES = "artifact_files"
ARTIFACT_VERSIONS = "artifact_versions"
ARTIFACT_TAGS = "artifact_tags"
ALIASES = "aliases"
LINEAGE = "lineage"
MODELS = "models"
MODEL_CHANGES = "model_changes"
WEBHOOKS = "webhooks"
RULES = "rules"
RULE_STATES = "rule_states"
RULE_HEALTH = "rule_health"
DELIVERIES = "deliveries"
CHANGES = "changes"
LEDGER_CHANGES = "ledger_changes"
REMOVED_POINTS = "removed_points"  # filled by a query
REMOVED_TEXTS = "removed_texts"  # likewise
HOLDS = "holds"
RETENTION = "retention"
DOCUMENTS = "documents"
COLD_RUNS = "cold_runs"
COLD_RULES = "cold_rules"
SCHEMA_VERSIONS = "schema_versions"

OF_FRAMES = (
    POINTS,
    TEXT_POINTS,
    SYSTEM_POINTS,
    CONSOLE,
    RUN_ATTRS,
    BRANCHES,
    SESSIONS,
    EVENTS,
    DEAD_LETTERS,
    LEDGER,
    RUNS,
    INGEST_COMMITS,  # last: a watermark never runs ahead of its rows
)
"""What the writer fills, in the order in which a block's tables are stored."""

# A version comes after its files and before its names.
OF_ARTIFACTS = (
    BLOB_TOUCHES,
    BLOBS,
    BLOB_MARKS,
    BLOB_UPLOADS,
    ARTIFACT_FILES,
    ARTIFACT_VERSIONS,
    MODELS,
    MODEL_CHANGES,
    LINEAGE,
    ARTIFACT_TAGS,
    ALIASES,
    WEBHOOKS,
)

OF_CHANGES = (LEDGER_CHANGES, HOLDS, RETENTION, COLD_RUNS, COLD_RULES, CHANGES)

# After events, which are among those of frames: a state that says `told` is never there without its alert.
OF_RULES = (RULES, DELIVERIES, RULE_STATES, RULE_HEALTH)

INSERT_ORDER = (*OF_FRAMES, *OF_ARTIFACTS, *OF_CHANGES, *OF_RULES, DOCUMENTS)


def raw_database(database: str) -> str:
    """Return the database that holds the tables; `database` itself is kept for users' views."""
    return f"{database}_raw"
