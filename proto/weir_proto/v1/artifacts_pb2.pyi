from weir_proto.v1 import runs_pb2 as _runs_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Blob(_message.Message):
    __slots__ = ("sha256", "size_bytes")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    size_bytes: int
    def __init__(self, sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class PrepareBlobsRequest(_message.Message):
    __slots__ = ("project", "blobs")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    BLOBS_FIELD_NUMBER: _ClassVar[int]
    project: str
    blobs: _containers.RepeatedCompositeFieldContainer[Blob]
    def __init__(self, project: _Optional[str] = ..., blobs: _Optional[_Iterable[_Union[Blob, _Mapping]]] = ...) -> None: ...

class BlobUpload(_message.Message):
    __slots__ = ("sha256", "exists", "upload_id", "part_bytes", "urls")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    PART_BYTES_FIELD_NUMBER: _ClassVar[int]
    URLS_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    exists: bool
    upload_id: str
    part_bytes: int
    urls: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, sha256: _Optional[str] = ..., exists: bool = ..., upload_id: _Optional[str] = ..., part_bytes: _Optional[int] = ..., urls: _Optional[_Iterable[str]] = ...) -> None: ...

class PrepareBlobsResponse(_message.Message):
    __slots__ = ("uploads", "expires_unix_us")
    UPLOADS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    uploads: _containers.RepeatedCompositeFieldContainer[BlobUpload]
    expires_unix_us: int
    def __init__(self, uploads: _Optional[_Iterable[_Union[BlobUpload, _Mapping]]] = ..., expires_unix_us: _Optional[int] = ...) -> None: ...

class PartUrlsRequest(_message.Message):
    __slots__ = ("project", "blob", "upload_id", "part_bytes", "numbers")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    BLOB_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    PART_BYTES_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    project: str
    blob: Blob
    upload_id: str
    part_bytes: int
    numbers: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, project: _Optional[str] = ..., blob: _Optional[_Union[Blob, _Mapping]] = ..., upload_id: _Optional[str] = ..., part_bytes: _Optional[int] = ..., numbers: _Optional[_Iterable[int]] = ...) -> None: ...

class PartUrlsResponse(_message.Message):
    __slots__ = ("urls", "arrived", "expires_unix_us")
    class ArrivedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: str
        def __init__(self, key: _Optional[int] = ..., value: _Optional[str] = ...) -> None: ...
    URLS_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    urls: _containers.RepeatedScalarFieldContainer[str]
    arrived: _containers.ScalarMap[int, str]
    expires_unix_us: int
    def __init__(self, urls: _Optional[_Iterable[str]] = ..., arrived: _Optional[_Mapping[int, str]] = ..., expires_unix_us: _Optional[int] = ...) -> None: ...

class FinishedBlob(_message.Message):
    __slots__ = ("blob", "upload_id", "part_bytes", "etags")
    BLOB_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    PART_BYTES_FIELD_NUMBER: _ClassVar[int]
    ETAGS_FIELD_NUMBER: _ClassVar[int]
    blob: Blob
    upload_id: str
    part_bytes: int
    etags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, blob: _Optional[_Union[Blob, _Mapping]] = ..., upload_id: _Optional[str] = ..., part_bytes: _Optional[int] = ..., etags: _Optional[_Iterable[str]] = ...) -> None: ...

class FinishBlobsRequest(_message.Message):
    __slots__ = ("project", "blobs")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    BLOBS_FIELD_NUMBER: _ClassVar[int]
    project: str
    blobs: _containers.RepeatedCompositeFieldContainer[FinishedBlob]
    def __init__(self, project: _Optional[str] = ..., blobs: _Optional[_Iterable[_Union[FinishedBlob, _Mapping]]] = ...) -> None: ...

class FinishBlobsResponse(_message.Message):
    __slots__ = ("problems",)
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, problems: _Optional[_Iterable[str]] = ...) -> None: ...

class ManifestFile(_message.Message):
    __slots__ = ("path", "sha256", "size_bytes", "mime", "uri", "etag")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MIME_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    path: str
    sha256: str
    size_bytes: int
    mime: str
    uri: str
    etag: str
    def __init__(self, path: _Optional[str] = ..., sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ..., mime: _Optional[str] = ..., uri: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class CommitArtifactRequest(_message.Message):
    __slots__ = ("project", "name", "type", "run_id", "description", "metadata_json", "aliases", "tags", "ttl_s", "files", "digest", "upload_id", "more_files_follow")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    METADATA_JSON_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    TTL_S_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    MORE_FILES_FOLLOW_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    type: str
    run_id: str
    description: str
    metadata_json: str
    aliases: _containers.RepeatedScalarFieldContainer[str]
    tags: _containers.RepeatedScalarFieldContainer[str]
    ttl_s: int
    files: _containers.RepeatedCompositeFieldContainer[ManifestFile]
    digest: str
    upload_id: str
    more_files_follow: bool
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., type: _Optional[str] = ..., run_id: _Optional[str] = ..., description: _Optional[str] = ..., metadata_json: _Optional[str] = ..., aliases: _Optional[_Iterable[str]] = ..., tags: _Optional[_Iterable[str]] = ..., ttl_s: _Optional[int] = ..., files: _Optional[_Iterable[_Union[ManifestFile, _Mapping]]] = ..., digest: _Optional[str] = ..., upload_id: _Optional[str] = ..., more_files_follow: bool = ...) -> None: ...

class ArtifactVersion(_message.Message):
    __slots__ = ("project", "name", "version", "type", "digest", "run_id", "description", "metadata_json", "aliases", "tags", "size_bytes", "files", "created_unix_us", "created_by", "expires_unix_us", "existed")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    METADATA_JSON_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    CREATED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    version: int
    type: str
    digest: str
    run_id: str
    description: str
    metadata_json: str
    aliases: _containers.RepeatedScalarFieldContainer[str]
    tags: _containers.RepeatedScalarFieldContainer[str]
    size_bytes: int
    files: int
    created_unix_us: int
    created_by: str
    expires_unix_us: int
    existed: bool
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[int] = ..., type: _Optional[str] = ..., digest: _Optional[str] = ..., run_id: _Optional[str] = ..., description: _Optional[str] = ..., metadata_json: _Optional[str] = ..., aliases: _Optional[_Iterable[str]] = ..., tags: _Optional[_Iterable[str]] = ..., size_bytes: _Optional[int] = ..., files: _Optional[int] = ..., created_unix_us: _Optional[int] = ..., created_by: _Optional[str] = ..., expires_unix_us: _Optional[int] = ..., existed: bool = ...) -> None: ...

class GetArtifactRequest(_message.Message):
    __slots__ = ("project", "name", "version")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    version: str
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class ListArtifactsRequest(_message.Message):
    __slots__ = ("project", "type", "search", "limit", "offset")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    project: str
    type: str
    search: str
    limit: int
    offset: int
    def __init__(self, project: _Optional[str] = ..., type: _Optional[str] = ..., search: _Optional[str] = ..., limit: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class ArtifactSummary(_message.Message):
    __slots__ = ("latest", "versions", "size_bytes")
    LATEST_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    latest: ArtifactVersion
    versions: int
    size_bytes: int
    def __init__(self, latest: _Optional[_Union[ArtifactVersion, _Mapping]] = ..., versions: _Optional[int] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class ListArtifactsResponse(_message.Message):
    __slots__ = ("artifacts", "total")
    ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    artifacts: _containers.RepeatedCompositeFieldContainer[ArtifactSummary]
    total: int
    def __init__(self, artifacts: _Optional[_Iterable[_Union[ArtifactSummary, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class ListVersionsRequest(_message.Message):
    __slots__ = ("project", "name", "run_id", "limit", "offset")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    run_id: str
    limit: int
    offset: int
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., run_id: _Optional[str] = ..., limit: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class ListVersionsResponse(_message.Message):
    __slots__ = ("versions", "total")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[ArtifactVersion]
    total: int
    def __init__(self, versions: _Optional[_Iterable[_Union[ArtifactVersion, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class ListFilesRequest(_message.Message):
    __slots__ = ("project", "name", "version", "prefix")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    version: str
    prefix: str
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[str] = ..., prefix: _Optional[str] = ...) -> None: ...

class ListFilesResponse(_message.Message):
    __slots__ = ("files",)
    FILES_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[ManifestFile]
    def __init__(self, files: _Optional[_Iterable[_Union[ManifestFile, _Mapping]]] = ...) -> None: ...

class UpdateArtifactRequest(_message.Message):
    __slots__ = ("project", "name", "version", "description", "metadata_json", "add_aliases", "remove_aliases", "add_tags", "remove_tags", "ttl_s")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    METADATA_JSON_FIELD_NUMBER: _ClassVar[int]
    ADD_ALIASES_FIELD_NUMBER: _ClassVar[int]
    REMOVE_ALIASES_FIELD_NUMBER: _ClassVar[int]
    ADD_TAGS_FIELD_NUMBER: _ClassVar[int]
    REMOVE_TAGS_FIELD_NUMBER: _ClassVar[int]
    TTL_S_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    version: str
    description: str
    metadata_json: str
    add_aliases: _containers.RepeatedScalarFieldContainer[str]
    remove_aliases: _containers.RepeatedScalarFieldContainer[str]
    add_tags: _containers.RepeatedScalarFieldContainer[str]
    remove_tags: _containers.RepeatedScalarFieldContainer[str]
    ttl_s: int
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[str] = ..., description: _Optional[str] = ..., metadata_json: _Optional[str] = ..., add_aliases: _Optional[_Iterable[str]] = ..., remove_aliases: _Optional[_Iterable[str]] = ..., add_tags: _Optional[_Iterable[str]] = ..., remove_tags: _Optional[_Iterable[str]] = ..., ttl_s: _Optional[int] = ...) -> None: ...

class DeleteArtifactRequest(_message.Message):
    __slots__ = ("project", "name", "version", "even_with_aliases")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EVEN_WITH_ALIASES_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    version: str
    even_with_aliases: bool
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[str] = ..., even_with_aliases: bool = ...) -> None: ...

class DeleteArtifactResponse(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: int
    def __init__(self, versions: _Optional[int] = ...) -> None: ...

class UseArtifactRequest(_message.Message):
    __slots__ = ("project", "run_id", "artifact")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    artifact: GetArtifactRequest
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., artifact: _Optional[_Union[GetArtifactRequest, _Mapping]] = ...) -> None: ...

class ReadLineageRequest(_message.Message):
    __slots__ = ("project", "run_id", "artifact", "depth")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    artifact: GetArtifactRequest
    depth: int
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., artifact: _Optional[_Union[GetArtifactRequest, _Mapping]] = ..., depth: _Optional[int] = ...) -> None: ...

class LineageEdge(_message.Message):
    __slots__ = ("run_id", "name", "version", "is_output", "at_unix_us", "run_project", "artifact_project")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    IS_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    RUN_PROJECT_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_PROJECT_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    name: str
    version: int
    is_output: bool
    at_unix_us: int
    run_project: str
    artifact_project: str
    def __init__(self, run_id: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[int] = ..., is_output: bool = ..., at_unix_us: _Optional[int] = ..., run_project: _Optional[str] = ..., artifact_project: _Optional[str] = ...) -> None: ...

class ReadLineageResponse(_message.Message):
    __slots__ = ("edges", "cut")
    EDGES_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    edges: _containers.RepeatedCompositeFieldContainer[LineageEdge]
    cut: bool
    def __init__(self, edges: _Optional[_Iterable[_Union[LineageEdge, _Mapping]]] = ..., cut: bool = ...) -> None: ...

class BlobUrlsRequest(_message.Message):
    __slots__ = ("project", "blobs", "filename")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    BLOBS_FIELD_NUMBER: _ClassVar[int]
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    project: str
    blobs: _containers.RepeatedCompositeFieldContainer[Blob]
    filename: str
    def __init__(self, project: _Optional[str] = ..., blobs: _Optional[_Iterable[_Union[Blob, _Mapping]]] = ..., filename: _Optional[str] = ...) -> None: ...

class BlobUrlsResponse(_message.Message):
    __slots__ = ("urls", "expires_unix_us")
    URLS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    urls: _containers.RepeatedScalarFieldContainer[str]
    expires_unix_us: int
    def __init__(self, urls: _Optional[_Iterable[str]] = ..., expires_unix_us: _Optional[int] = ...) -> None: ...

class CollectGarbageRequest(_message.Message):
    __slots__ = ("project", "dry_run")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    project: str
    dry_run: bool
    def __init__(self, project: _Optional[str] = ..., dry_run: bool = ...) -> None: ...

class CollectGarbageResponse(_message.Message):
    __slots__ = ("versions", "blobs", "bytes", "kept_young", "kept_young_bytes", "receipt")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    BLOBS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    KEPT_YOUNG_FIELD_NUMBER: _ClassVar[int]
    KEPT_YOUNG_BYTES_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    versions: int
    blobs: int
    bytes: int
    kept_young: int
    kept_young_bytes: int
    receipt: str
    def __init__(self, versions: _Optional[int] = ..., blobs: _Optional[int] = ..., bytes: _Optional[int] = ..., kept_young: _Optional[int] = ..., kept_young_bytes: _Optional[int] = ..., receipt: _Optional[str] = ...) -> None: ...

class RegisterModelRequest(_message.Message):
    __slots__ = ("project", "model", "artifact", "note", "aliases")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    project: str
    model: str
    artifact: GetArtifactRequest
    note: str
    aliases: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, project: _Optional[str] = ..., model: _Optional[str] = ..., artifact: _Optional[_Union[GetArtifactRequest, _Mapping]] = ..., note: _Optional[str] = ..., aliases: _Optional[_Iterable[str]] = ...) -> None: ...

class ModelVersion(_message.Message):
    __slots__ = ("project", "model", "version", "artifact", "artifact_version", "stage", "aliases", "note", "changed_by", "changed_unix_us", "created_unix_us", "run_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_VERSION_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BY_FIELD_NUMBER: _ClassVar[int]
    CHANGED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    CREATED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    model: str
    version: int
    artifact: str
    artifact_version: int
    stage: str
    aliases: _containers.RepeatedScalarFieldContainer[str]
    note: str
    changed_by: str
    changed_unix_us: int
    created_unix_us: int
    run_id: str
    def __init__(self, project: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[int] = ..., artifact: _Optional[str] = ..., artifact_version: _Optional[int] = ..., stage: _Optional[str] = ..., aliases: _Optional[_Iterable[str]] = ..., note: _Optional[str] = ..., changed_by: _Optional[str] = ..., changed_unix_us: _Optional[int] = ..., created_unix_us: _Optional[int] = ..., run_id: _Optional[str] = ...) -> None: ...

class UpdateModelRequest(_message.Message):
    __slots__ = ("project", "model", "version", "stage", "add_aliases", "remove_aliases", "note")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    ADD_ALIASES_FIELD_NUMBER: _ClassVar[int]
    REMOVE_ALIASES_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    project: str
    model: str
    version: int
    stage: str
    add_aliases: _containers.RepeatedScalarFieldContainer[str]
    remove_aliases: _containers.RepeatedScalarFieldContainer[str]
    note: str
    def __init__(self, project: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[int] = ..., stage: _Optional[str] = ..., add_aliases: _Optional[_Iterable[str]] = ..., remove_aliases: _Optional[_Iterable[str]] = ..., note: _Optional[str] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ("project", "model", "history")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    project: str
    model: str
    history: bool
    def __init__(self, project: _Optional[str] = ..., model: _Optional[str] = ..., history: bool = ...) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[ModelVersion]
    def __init__(self, versions: _Optional[_Iterable[_Union[ModelVersion, _Mapping]]] = ...) -> None: ...

class Webhook(_message.Message):
    __slots__ = ("project", "url", "kinds", "secret", "deleted")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    project: str
    url: str
    kinds: _containers.RepeatedScalarFieldContainer[str]
    secret: str
    deleted: bool
    def __init__(self, project: _Optional[str] = ..., url: _Optional[str] = ..., kinds: _Optional[_Iterable[str]] = ..., secret: _Optional[str] = ..., deleted: bool = ...) -> None: ...

class ListWebhooksRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListWebhooksResponse(_message.Message):
    __slots__ = ("webhooks",)
    WEBHOOKS_FIELD_NUMBER: _ClassVar[int]
    webhooks: _containers.RepeatedCompositeFieldContainer[Webhook]
    def __init__(self, webhooks: _Optional[_Iterable[_Union[Webhook, _Mapping]]] = ...) -> None: ...

class ListProjectEventsRequest(_message.Message):
    __slots__ = ("project", "kinds", "limit")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    project: str
    kinds: _containers.RepeatedScalarFieldContainer[str]
    limit: int
    def __init__(self, project: _Optional[str] = ..., kinds: _Optional[_Iterable[str]] = ..., limit: _Optional[int] = ...) -> None: ...

class ListProjectEventsResponse(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_runs_pb2.RunEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[_runs_pb2.RunEvent, _Mapping]]] = ...) -> None: ...
