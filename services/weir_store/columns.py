"""The Arrow shape of every table a block can hold: what the writer builds and the store takes.

Dictionary columns are LowCardinality in ClickHouse: their indices are shipped as
they are, and a dictionary must not hold a value twice. UUIDs are 16 bytes,
big-endian. tests/integration/test_migrate.py compares these with the tables.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from weir_store import tables

_NAME: Final = pa.dictionary(pa.int32(), pa.string())
_UUID: Final = pa.binary(16)
_UNIX_US: Final = pa.timestamp("us", "UTC")
_UNIX_MS: Final = pa.timestamp("ms", "UTC")

RANK_OF_A_PERSON: Final = 0xFFFF_FFFF
"""The `rank` of attributes that no process of the run has set."""

POINTS: Final = pa.schema(
    {
        "project": _NAME,
        "run_id": _NAME,
        "metric": _NAME,
        "step": pa.int64(),
        "rank": pa.uint32(),
        "value": pa.float64(),
        "ts": _UNIX_US,
        "ver": pa.uint64(),
        "rewrite": pa.uint8(),
        "run_date": pa.uint16(),  # days since 1970
    }
)

TEXT_POINTS: Final = pa.schema(
    {
        "project": _NAME,
        "run_id": _NAME,
        "metric": _NAME,
        "step": pa.int64(),
        "rank": pa.uint32(),
        "value": pa.string(),
        "ts": _UNIX_US,
        "ver": pa.uint64(),
        "kind": _NAME,
        "run_date": pa.uint16(),
    }
)

SYSTEM_POINTS: Final = pa.schema(
    {
        "project": _NAME,
        "run_id": _NAME,
        "metric": _NAME,
        "node": _NAME,
        "device": _NAME,
        "ts": _UNIX_US,
        "value": pa.float64(),
        "rank": pa.uint32(),
        "ver": pa.uint64(),
        "run_date": pa.uint16(),
    }
)

CONSOLE: Final = pa.schema(
    {
        "project": _NAME,
        "run_id": _NAME,
        "rank": pa.uint32(),
        "ts": _UNIX_US,
        "process": _UUID,
        "number": pa.uint64(),
        "stream": _NAME,
        "level": pa.uint8(),
        "node": _NAME,
        "line": pa.string(),
        "agent_rank": pa.uint32(),
        "ver": pa.uint64(),
        "run_date": pa.uint16(),
    }
)

RUNS: Final = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "created_at": _UNIX_US,
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

RUN_ATTRS: Final = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "ns": pa.string(),
        "path": pa.string(),
        "type": pa.string(),
        "num": pa.float64(),
        "int": pa.int64(),
        "str": pa.string(),
        "rank": pa.uint32(),
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

SESSIONS: Final = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "producer": _UUID,
        "rank": pa.uint32(),
        "local_rank": pa.uint32(),
        "world_size": pa.uint32(),
        "node": pa.string(),
        "pid": pa.uint32(),
        "launcher": pa.string(),
        "role": pa.string(),
        "attempt": pa.uint32(),
        "state": pa.string(),
        "exit_code": pa.int32(),
        "reason": pa.string(),
        "started_at": _UNIX_US,
        "updated_at": _UNIX_US,
        "ver": pa.uint64(),
    }
)

EVENTS: Final = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "event_id": _UUID,
        "ts": _UNIX_US,
        "kind": pa.string(),
        "severity": pa.string(),
        "title": pa.string(),
        "body": pa.string(),
        "step": pa.int64(),
        "rank": pa.uint32(),
        "attrs": pa.map_(pa.string(), pa.string()),
        "ver": pa.uint64(),
        "source": pa.string(),
    }
)

DEAD_LETTERS: Final = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "producer": _UUID,
        "seq": pa.uint64(),
        "reason": pa.string(),
        "entry": pa.binary(),
        "at": _UNIX_MS,
        "state": pa.string(),
        "by": pa.string(),
    }
)

BRANCHES: Final = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "producer": _UUID,
        "rank": pa.uint32(),
        "world_size": pa.uint32(),
        "parent_run_id": pa.string(),
        "step": pa.int64(),
        "launch": pa.string(),
        "ver": pa.uint64(),
    }
)

_CUT: Final = pa.struct(
    {
        "1": pa.int64(),
        "2": pa.uint8(),
        "3": pa.int64(),
        "4": pa.list_(pa.int64()),
        "5": pa.list_(pa.int64()),
    }
)

SHOWN: Final = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "parent_run_id": pa.string(),
        "fork_step": pa.int64(),
        "rewinds": pa.list_(pa.int64()),
        "sources": pa.list_(pa.string()),
        "upto": pa.list_(pa.int64()),
        "upto_ranks": pa.list_(pa.list_(pa.int64())),
        "upto_own": pa.list_(pa.list_(pa.int64())),
        "cuts": pa.list_(pa.list_(_CUT)),
        "seen": pa.uint64(),
    }
)

LEDGER: Final = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "producer": _UUID,
        "rank": pa.uint32(),
        "kind": pa.string(),
        "account": pa.string(),
        "part": pa.uint64(),
        "count": pa.uint64(),
        "digest": pa.uint64(),
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

INGEST_COMMITS: Final = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "producer": _UUID,
        "seq": pa.uint64(),
        "at": _UNIX_MS,
    }
)

BLOBS: Final = pa.schema(
    {
        "project": pa.string(),
        "sha256": pa.string(),
        "size": pa.uint64(),
        "etag": pa.string(),
        "stored_at": _UNIX_US,
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

BLOB_TOUCHES: Final = pa.schema(
    {"project": pa.string(), "sha256": pa.string(), "touched_at": _UNIX_US, "ver": pa.uint64()}
)

BLOB_MARKS: Final = pa.schema(
    {
        "project": pa.string(),
        "sha256": pa.string(),
        "collection": _UUID,
        "marked_at": _UNIX_US,
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

BLOB_UPLOADS: Final = pa.schema(
    {
        "project": pa.string(),
        "upload_id": pa.string(),
        "sha256": pa.string(),
        "size": pa.uint64(),
        "part_bytes": pa.uint64(),
        "begun_at": _UNIX_US,
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

ARTIFACT_FILES: Final = pa.schema(
    {
        "project": pa.string(),
        "digest": pa.string(),
        "path": pa.string(),
        "sha256": pa.string(),
        "size": pa.uint64(),
        "mime": pa.string(),
        "uri": pa.string(),
        "etag": pa.string(),
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

ARTIFACT_VERSIONS: Final = pa.schema(
    {
        "project": pa.string(),
        "name": pa.string(),
        "version": pa.uint32(),
        "digest": pa.string(),
        "type": pa.string(),
        "run_id": pa.string(),
        "description": pa.string(),
        "metadata": pa.string(),
        "size": pa.uint64(),
        "files": pa.uint32(),
        "created_at": _UNIX_US,
        "created_by": pa.string(),
        "expires_at": _UNIX_US,
        "state": pa.string(),
        "ver": pa.uint64(),
    }
)

ARTIFACT_TAGS: Final = pa.schema(
    {
        "project": pa.string(),
        "name": pa.string(),
        "version": pa.uint32(),
        "tag": pa.string(),
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

ALIASES: Final = pa.schema(
    {
        "project": pa.string(),
        "kind": pa.string(),
        "name": pa.string(),
        "alias": pa.string(),
        "version": pa.uint32(),
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

LINEAGE: Final = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "artifact_project": pa.string(),
        "name": pa.string(),
        "version": pa.uint32(),
        "is_output": pa.uint8(),
        "at": _UNIX_US,
        "ver": pa.uint64(),
    }
)

MODELS: Final = pa.schema(
    {
        "project": pa.string(),
        "model": pa.string(),
        "version": pa.uint32(),
        "artifact": pa.string(),
        "artifact_version": pa.uint32(),
        "run_id": pa.string(),
        "created_at": _UNIX_US,
        "ver": pa.uint64(),
    }
)

MODEL_CHANGES: Final = pa.schema(
    {
        "project": pa.string(),
        "model": pa.string(),
        "version": pa.uint32(),
        "at": _UNIX_US,
        "change_id": _UUID,
        "by": pa.string(),
        "note": pa.string(),
        "stage": pa.string(),
        "aliases": pa.list_(pa.string()),
        "ver": pa.uint64(),
    }
)

RULES: Final = pa.schema(
    {
        "project": pa.string(),
        "name": pa.string(),
        "rule_id": _UUID,
        "definition": pa.string(),
        "version": pa.uint32(),
        "by": pa.string(),
        "at": _UNIX_US,
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

RULE_STATES: Final = pa.schema(
    {
        "project": pa.string(),
        "rule_id": _UUID,
        "run_id": pa.string(),
        "rank": pa.int64(),
        "node": pa.string(),
        "state": pa.string(),
        "since": _UNIX_US,
        "value": pa.float64(),
        "message": pa.string(),
        "alert_id": _UUID,
        "told": pa.uint8(),
        "told_at": _UNIX_US,
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

RULE_HEALTH: Final = pa.schema(
    {
        "project": pa.string(),
        "rule_id": _UUID,
        "version": pa.uint32(),
        "evaluated_at": _UNIX_US,
        "took_s": pa.float64(),
        "groups": pa.uint32(),
        "firing": pa.uint32(),
        "is_cut": pa.uint8(),
        "error": pa.string(),
        "failures": pa.uint32(),
        "every_s": pa.float64(),
        "evaluations": pa.uint64(),
        "spent_s": pa.float64(),
        "ver": pa.uint64(),
    }
)

DELIVERIES: Final = pa.schema(
    {
        "project": pa.string(),
        "delivery_id": _UUID,
        "rule_id": _UUID,
        "rule": pa.string(),
        "alert_id": _UUID,
        "run_id": pa.string(),
        "kind": pa.string(),
        "action": pa.string(),
        "payload": pa.string(),
        "state": pa.string(),
        "tries": pa.uint32(),
        "problem": pa.string(),
        "at": _UNIX_US,
        "tried_at": _UNIX_US,
        "ver": pa.uint64(),
    }
)

WEBHOOKS: Final = pa.schema(
    {
        "project": pa.string(),
        "url": pa.string(),
        "kinds": pa.list_(pa.string()),
        "secret": pa.string(),
        "created_by": pa.string(),
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

CHANGES: Final = pa.schema(
    {
        "project": pa.string(),
        "change_id": _UUID,
        "kind": pa.string(),
        "run_id": pa.string(),
        "state": pa.string(),
        "by": pa.string(),
        "reason": pa.string(),
        "at": _UNIX_US,
        "ended_at": _UNIX_US,
        "request": pa.string(),
        "receipt": pa.string(),
        "ver": pa.uint64(),
    }
)

LEDGER_CHANGES: Final = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "change_id": _UUID,
        "kind": pa.string(),
        "rank": pa.uint32(),
        "session": pa.uint32(),
        "removed": pa.uint64(),
        "removed_digest": pa.uint64(),
        "added": pa.uint64(),
        "added_digest": pa.uint64(),
        "ver": pa.uint64(),
    }
)

HOLDS: Final = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "reason": pa.string(),
        "by": pa.string(),
        "at": _UNIX_US,
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

RETENTION: Final = pa.schema(
    {
        "project": pa.string(),
        "what": pa.string(),
        "pattern": pa.string(),
        "keep_s": pa.uint64(),
        "thin_after_s": pa.uint64(),
        "thin_points": pa.uint64(),
        "by": pa.string(),
        "at": _UNIX_US,
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

DOCUMENTS: Final = pa.schema(
    {
        "project": pa.string(),
        "kind": pa.string(),
        "document_id": pa.string(),
        "version": pa.uint32(),
        "save_id": _UUID,
        "name": pa.string(),
        "owner": pa.string(),
        "by": pa.string(),
        "created_at": _UNIX_US,
        "at": _UNIX_US,
        "body": pa.string(),
        "size_bytes": pa.uint64(),
        "is_deleted": pa.uint8(),
        "ver": pa.uint64(),
    }
)

COLD_RUNS: Final = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "roll_id": _UUID,
        "files": pa.string(),
        "rows": pa.uint64(),
        "size_bytes": pa.uint64(),
        "by": pa.string(),
        "at": _UNIX_US,
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

COLD_RULES: Final = pa.schema(
    {
        "project": pa.string(),
        "after_s": pa.uint64(),
        "by": pa.string(),
        "at": _UNIX_US,
        "ver": pa.uint64(),
        "is_deleted": pa.uint8(),
    }
)

BY_TABLE: Final = {
    tables.POINTS: POINTS,
    tables.TEXT_POINTS: TEXT_POINTS,
    tables.SYSTEM_POINTS: SYSTEM_POINTS,
    tables.CONSOLE: CONSOLE,
    tables.RUNS: RUNS,
    tables.RUN_ATTRS: RUN_ATTRS,
    tables.SESSIONS: SESSIONS,
    tables.BRANCHES: BRANCHES,
    tables.SHOWN: SHOWN,
    tables.EVENTS: EVENTS,
    tables.DEAD_LETTERS: DEAD_LETTERS,
    tables.LEDGER: LEDGER,
    tables.INGEST_COMMITS: INGEST_COMMITS,
    tables.BLOBS: BLOBS,
    tables.BLOB_TOUCHES: BLOB_TOUCHES,
    tables.BLOB_MARKS: BLOB_MARKS,
    tables.BLOB_UPLOADS: BLOB_UPLOADS,
    tables.ARTIFACT_FILES: ARTIFACT_FILES,
    tables.ARTIFACT_VERSIONS: ARTIFACT_VERSIONS,
    tables.ARTIFACT_TAGS: ARTIFACT_TAGS,
    tables.ALIASES: ALIASES,
    tables.LINEAGE: LINEAGE,
    tables.MODELS: MODELS,
    tables.MODEL_CHANGES: MODEL_CHANGES,
    tables.WEBHOOKS: WEBHOOKS,
    tables.RULES: RULES,
    tables.RULE_STATES: RULE_STATES,
    tables.RULE_HEALTH: RULE_HEALTH,
    tables.DELIVERIES: DELIVERIES,
    tables.CHANGES: CHANGES,
    tables.LEDGER_CHANGES: LEDGER_CHANGES,
    tables.HOLDS: HOLDS,
    tables.RETENTION: RETENTION,
    tables.DOCUMENTS: DOCUMENTS,
    tables.COLD_RUNS: COLD_RUNS,
    tables.COLD_RULES: COLD_RULES,
}
