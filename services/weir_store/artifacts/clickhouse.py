"""Artifacts in ClickHouse: `ArtifactReader` over the tables of 0005_artifacts.sql."""

from __future__ import annotations

from weir_store.artifacts.clickhouse_blobs import BlobQuestions
from weir_store.artifacts.clickhouse_garbage import GarbageQuestions
from weir_store.artifacts.clickhouse_models import ModelQuestions
from weir_store.artifacts.clickhouse_versions import VersionQuestions


class ClickHouseArtifacts(BlobQuestions, VersionQuestions, ModelQuestions, GarbageQuestions):
    """Implements base.ArtifactReader."""
