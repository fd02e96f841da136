"""A manifest becomes a version, once all its blobs are in the store."""

import json
import os
from collections.abc import Sequence
from typing import Any, Final

from weir._artifacts.manifest import ManifestFile, manifest_digest
from weir.agent._transport import ArtifactsTransport
from weir_proto.v1 import artifacts_pb2 as pb

PIECE_FILES: Final = 5_000
_TIMEOUT_S: Final = 300.0


def commit(
    transport: ArtifactsTransport,
    order: dict[str, Any],
    files: Sequence[ManifestFile],
    *,
    project: str,
    run_id: str,
) -> pb.ArtifactVersion:
    """Make a version of an order's files; the same order again gives the same version.

    A manifest of more than 5 000 files goes in pieces.

    Raises:
        TransportError: `Rejected` when the order cannot be followed.
    """
    rows = [
        pb.ManifestFile(
            path=file.path,
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            mime=file.mime,
            uri=file.uri,
            etag=file.etag,
        )
        for file in sorted(files, key=lambda file: file.path)
    ]
    upload_id = os.urandom(16).hex() if len(rows) > PIECE_FILES else ""
    while len(rows) > PIECE_FILES:
        piece, rows = rows[:PIECE_FILES], rows[PIECE_FILES:]
        request = pb.CommitArtifactRequest(
            project=project,
            name=order["name"],
            type=order["type"],
            run_id=run_id,
            files=piece,
            upload_id=upload_id,
            more_files_follow=True,
        )
        transport.ask("CommitArtifact", request, timeout_s=_TIMEOUT_S)
    version: pb.ArtifactVersion = transport.ask(
        "CommitArtifact",
        pb.CommitArtifactRequest(
            project=project,
            name=order["name"],
            type=order["type"],
            run_id=run_id,
            description=order.get("description", ""),
            metadata_json=json.dumps(order.get("metadata") or {}),
            aliases=order.get("aliases") or (),
            tags=order.get("tags") or (),
            ttl_s=order.get("ttl_s") or 0,
            files=rows,
            digest=manifest_digest(files),
            upload_id=upload_id,
        ),
        timeout_s=_TIMEOUT_S,
    )
    return version


def register(transport: ArtifactsTransport, version: pb.ArtifactVersion, model: str) -> None:
    """Make a version the newest one of a model, unless it is that already. Raises TransportError."""
    request = pb.ListModelsRequest(project=version.project, model=model)
    for known in transport.ask("ListModels", request).versions:
        if (known.artifact, known.artifact_version) == (version.name, version.version):
            return
    artifact = pb.GetArtifactRequest(
        project=version.project, name=version.name, version=f"v{version.version}"
    )
    transport.ask(
        "RegisterModel",
        pb.RegisterModelRequest(project=version.project, model=model, artifact=artifact),
    )
