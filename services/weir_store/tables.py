"""Table names, once. Columns are in `schema/*.sql` and docs/formats/tables.md."""

POINTS = "points"
TEXT_POINTS = "text_points"
RUNS = "runs"
RUN_ATTRS = "run_attrs"
RUN_ATTR_HISTORY = "run_attr_history"  # filled by a view
BRANCHES = "branches"
SESSIONS = "sessions"
EVENTS = "events"
DEAD_LETTERS = "dead_letters"
LEDGER = "ledger"
INGEST_COMMITS = "ingest_commits"
SCHEMA_VERSIONS = "schema_versions"

INSERT_ORDER = (
    POINTS,
    TEXT_POINTS,
    RUN_ATTRS,
    BRANCHES,
    SESSIONS,
    EVENTS,
    DEAD_LETTERS,
    LEDGER,
    RUNS,
    INGEST_COMMITS,  # last: a watermark never runs ahead of its rows
)


def raw_database(database: str) -> str:
    """Return the database that holds the tables; `database` itself is kept for users' views."""
    return f"{database}_raw"
