"""Artifacts as they are sent. Pure."""

from __future__ import annotations

from weir_proto.v1 import artifacts_pb2
from weir_store.artifacts.records import (
    ArtifactSummary,
    ArtifactVersion,
    Edge,
    ManifestFile,
    ModelChange,
    Webhook,
)


def version_message(
    version: ArtifactVersion, *, existed: bool = False
) -> artifacts_pb2.ArtifactVersion:
    """Return a version as sent."""
    return artifacts_pb2.ArtifactVersion(
        project=version.project,
        name=version.name,
        version=version.version,
        type=version.type,
        digest=version.digest,
        run_id=version.run_id,
        description=version.description,
        metadata_json=version.metadata_json,
        aliases=version.aliases,
        tags=version.tags,
        size_bytes=version.size_bytes,
        files=version.files,
        created_unix_us=version.created_unix_us,
        created_by=version.created_by,
        expires_unix_us=version.expires_unix_us,
        existed=existed,
    )


def summary_message(summary: ArtifactSummary) -> artifacts_pb2.ArtifactSummary:
    """Return an artifact as sent."""
    return artifacts_pb2.ArtifactSummary(
        latest=version_message(summary.latest),
        versions=summary.versions,
        size_bytes=summary.size_bytes,
    )


def file_message(file: ManifestFile) -> artifacts_pb2.ManifestFile:
    """Return a file of a manifest as sent."""
    return artifacts_pb2.ManifestFile(
        path=file.path,
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        mime=file.mime,
        uri=file.uri,
        etag=file.etag,
    )


def edge_message(edge: Edge) -> artifacts_pb2.LineageEdge:
    """Return what a run made or read, as sent."""
    return artifacts_pb2.LineageEdge(
        run_id=edge.run_id,
        name=edge.name,
        version=edge.version,
        is_output=edge.is_output,
        at_unix_us=edge.at_unix_us,
        run_project=edge.project,
        artifact_project=edge.artifact_project,
    )


def model_message(project: str, change: ModelChange) -> artifacts_pb2.ModelVersion:
    """Return where a model version stands, or stood, as sent."""
    return artifacts_pb2.ModelVersion(
        project=project,
        model=change.model,
        version=change.version,
        artifact=change.artifact,
        artifact_version=change.artifact_version,
        stage=change.stage,
        aliases=change.aliases,
        note=change.note,
        changed_by=change.by,
        changed_unix_us=change.at_unix_us,
        created_unix_us=change.created_unix_us,
        run_id=change.run_id,
    )


def webhook_message(project: str, webhook: Webhook) -> artifacts_pb2.Webhook:
    """Return a webhook as sent: without its secret."""
    return artifacts_pb2.Webhook(project=project, url=webhook.url, kinds=webhook.kinds)
