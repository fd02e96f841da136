"""Artifacts in memory: the twin of ClickHouse for tests."""

from __future__ import annotations

from weir_store.artifacts.memory_blobs import BlobAnswers
from weir_store.artifacts.memory_garbage import GarbageAnswers
from weir_store.artifacts.memory_models import ModelAnswers


class MemoryArtifacts(BlobAnswers, GarbageAnswers, ModelAnswers):
    """Implements base.ArtifactReader on a `MemoryStore`."""
