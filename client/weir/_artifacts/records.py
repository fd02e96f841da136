"""What the server says of versions, as values: no gRPC needed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """Names a version.

    Attributes:
        version: An alias, `v3`, or a digest; "" = the latest.
    """

    project: str
    name: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One version of an artifact.

    Attributes:
        version: Its number, from 0.
        aliases: Names that mean it now.
        size_bytes: Of all files, references not counted.
        created_unix_us: When it was made.
        expires_unix_us: When garbage collection may take it; 0 = never.
    """

    project: str
    name: str
    version: int
    type: str = ""
    digest: str = ""
    run_id: str = ""
    description: str = ""
    metadata_json: str = "{}"
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    size_bytes: int = 0
    files: int = 0
    created_unix_us: int = 0
    created_by: str = ""
    expires_unix_us: int = 0
