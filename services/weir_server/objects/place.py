"""Settings → how ClickHouse reaches the objects, for runs that are rolled to files."""

from __future__ import annotations

from weir_server.objects.address import with_scheme
from weir_server.settings import ObjectsSettings
from weir_store.cold.base import ColdPlace
from weir_store.cold.place import BucketPlace, DirectoryPlace


def cold_place(settings: ObjectsSettings) -> ColdPlace:
    """Return what the settings describe; nothing is asked."""
    if settings.kind == "s3":
        return BucketPlace(
            with_scheme(settings.endpoint, settings),
            settings.bucket,
            settings.access_key,
            settings.secret_key.get_secret_value(),
        )
    return DirectoryPlace(settings.dir)
