"""The half of `weir.Api()` that is artifacts and models."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Final

from weir._artifacts.asking import DirectAsker, found_of
from weir._artifacts.staging import seconds_of
from weir._artifacts.used import UsedArtifact, wanted_of
from weir.agent._transport import Address, ArtifactsTransport
from weir.errors import UsageError
from weir_proto.v1 import artifacts_pb2 as pb

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class ArtifactView:
    """One artifact: its newest version, and how much there is of it.

    Attributes:
        versions: How many there are.
        size_bytes: Of all versions, equal files counted once.
    """

    latest: UsedArtifact
    versions: int
    size_bytes: int

    @property
    def name(self) -> str:
        """Its name."""
        return self.latest.name


@dataclass(frozen=True, slots=True)
class ModelView:
    """One version of a registered model.

    Attributes:
        version: Its number, from 1.
        artifact: Which version of an artifact it is, `project/name:v3`.
        stage: `staging`, `production`, `archived`, your own word, or "".
        note: Why it was changed last.
        changed_by: Who did.
        run_id: The run that made the artifact.
    """

    project: str
    model: str
    version: int
    artifact: str
    stage: str
    aliases: tuple[str, ...]
    note: str
    changed_by: str
    changed: datetime
    created: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A run made a version, or read it.

    Attributes:
        is_output: The run made it.
    """

    run_id: str
    artifact: str
    is_output: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a garbage collection did, or would do.

    Attributes:
        versions: That had expired or were deleted, and are gone.
        blobs: That were removed.
        size_bytes: That are free now.
        kept_young: Blobs that nobody names, too young to be sure.
        kept_young_bytes: Of those.
        receipt: Names the event of the project that tells of it.
    """

    versions: int
    blobs: int
    size_bytes: int
    kept_young: int
    kept_young_bytes: int
    receipt: str


class ArtifactApi:
    """What `Api` can do with artifacts and models. `Api` gives it an address."""

    _address: Address
    __transport: ArtifactsTransport | None = None
    __lock = Lock()

    def artifact(self, reference: str) -> UsedArtifact:
        """Return a version: `project/name:alias`, `project/name:v3`, `project/name` (the latest)."""
        wanted = wanted_of(reference, "")
        asker = DirectAsker(self.artifacts_transport)
        return UsedArtifact(asker.find(wanted), asker)

    def artifacts(
        self,
        project: str,
        type: str = "",
        search: str = "",
    ) -> Iterator[ArtifactView]:
        """Iterate over a project's artifacts, newest first, fetched as they are looked at.

        Args:
            project: Whose.
            type: Only of this type; "" = all.
            search: Only those whose name holds this.
        """
        offset = 0
        while True:
            request = pb.ListArtifactsRequest(
                project=project, type=type, search=search, limit=_PAGE, offset=offset
            )
            page = self.artifacts_transport.ask("ListArtifacts", request)
            asker = DirectAsker(self.artifacts_transport)
            for each in page.artifacts:
                latest = UsedArtifact(found_of(each.latest), asker)
                yield ArtifactView(latest, each.versions, each.size_bytes)
            offset += len(page.artifacts)
            if not page.artifacts or offset >= page.total:
                return

    def versions(self, path: str, *, run_id: str = "") -> Iterator[UsedArtifact]:
        """Iterate over versions, newest first.

        Args:
            path: `project/name`; or a project, with `run_id`.
            run_id: Those that this run made or read.
        """
        if run_id:
            project, name = path, ""
        else:
            wanted = wanted_of(path, "")
            project, name = wanted.project, wanted.name
        offset = 0
        while True:
            request = pb.ListVersionsRequest(
                project=project, name=name, run_id=run_id, limit=_PAGE, offset=offset
            )
            page = self.artifacts_transport.ask("ListVersions", request)
            asker = DirectAsker(self.artifacts_transport)
            yield from (UsedArtifact(found_of(each), asker) for each in page.versions)
            offset += len(page.versions)
            if not page.versions or offset >= page.total:
                return

    def update_artifact(
        self,
        reference: str,
        *,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        add_aliases: Sequence[str] = (),
        remove_aliases: Sequence[str] = (),
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        ttl: float | timedelta | None = None,
    ) -> UsedArtifact:
        """Change what is said of a version, never its files; return it as it is now.

        Args:
            reference: As for `artifact`.
            description: For people.
            metadata: Replaces what was there.
            add_aliases: Taken away from the version that had them.
            remove_aliases: Names that then mean nothing.
            add_tags: Words to find it by.
            remove_tags: Likewise.
            ttl: Seconds from now; 0 = for ever, None = as it is.
        """
        import json

        wanted = wanted_of(reference, "")
        request = pb.UpdateArtifactRequest(
            project=wanted.project,
            name=wanted.name,
            version=wanted.version,
            description=description,
            metadata_json=None if metadata is None else json.dumps(dict(metadata)),
            add_aliases=add_aliases,
            remove_aliases=remove_aliases,
            add_tags=add_tags,
            remove_tags=remove_tags,
            ttl_s=None if ttl is None else (seconds_of(ttl) if ttl else 0),
        )
        changed = self.artifacts_transport.ask("UpdateArtifact", request)
        return UsedArtifact(found_of(changed), DirectAsker(self.artifacts_transport))

    def delete_artifact(
        self, reference: str, *, all_versions: bool = False, even_with_aliases: bool = False
    ) -> int:
        """Delete a version; its bytes go with the next garbage collection. Returns how many.

        Args:
            reference: As for `artifact`, with a version.
            all_versions: Of `project/name`: all there are.
            even_with_aliases: Also one that somebody named.
        """
        wanted = wanted_of(reference, "")
        if bool(wanted.version) == all_versions:
            hint = "project/name:v3, or project/name with all_versions"
            raise UsageError(f"which versions of {reference!r}?", hint=hint)
        request = pb.DeleteArtifactRequest(
            project=wanted.project,
            name=wanted.name,
            version=wanted.version,
            even_with_aliases=even_with_aliases,
        )
        return int(self.artifacts_transport.ask("DeleteArtifact", request).versions)

    def lineage(self, path: str, *, depth: int = 3) -> list[Edge]:
        """Return what came out of what around `project/name:v3`, or around `project/RUN_ID` as `run:`.

        Args:
            path: A version, or `project/run:RUN_ID` for a run.
            depth: How many steps away, at most 10.
        """
        project, _, rest = path.partition("/")
        request = pb.ReadLineageRequest(project=project, depth=depth)
        if rest.startswith("run:"):
            request.run_id = rest.removeprefix("run:")
        else:
            wanted = wanted_of(path, "")
            request.artifact.CopyFrom(
                pb.GetArtifactRequest(
                    project=wanted.project, name=wanted.name, version=wanted.version
                )
            )
        return [
            Edge(
                edge.run_id,
                f"{project}/{edge.name}:v{edge.version}",
                edge.is_output,
                _time(edge.at_unix_us),
            )
            for edge in self.artifacts_transport.ask("ReadLineage", request).edges
        ]

    def collect_garbage(self, project: str, *, dry_run: bool = False) -> Receipt:
        """Remove blobs that nothing names any more. With `dry_run`, only say which.

        Waits until it is done: minutes, where there is much.
        """
        request = pb.CollectGarbageRequest(project=project, dry_run=dry_run)
        done = self.artifacts_transport.ask("CollectGarbage", request, timeout_s=3600.0)
        return Receipt(
            done.versions,
            done.blobs,
            done.bytes,
            done.kept_young,
            done.kept_young_bytes,
            done.receipt,
        )

    # ── registry ──────────────────────────────────────────────────────────

    def models(self, project: str, model: str = "", *, history: bool = False) -> list[ModelView]:
        """Return the newest version of each model; of one, all its versions, or every change.

        Args:
            project: Whose.
            model: Only this one.
            history: Every change of it, newest first.
        """
        request = pb.ListModelsRequest(project=project, model=model, history=history)
        answer = self.artifacts_transport.ask("ListModels", request)
        return [_model_of(each) for each in answer.versions]

    def register_model(
        self, model: str, reference: str, *, note: str = "", aliases: Sequence[str] = ()
    ) -> ModelView:
        """Make a version of an artifact the newest version of a model, which may be new.

        Args:
            model: Its name in the registry.
            reference: The artifact, `project/name:v3`.
            note: Why.
            aliases: Names that then mean it.
        """
        wanted = wanted_of(reference, "")
        artifact = pb.GetArtifactRequest(
            project=wanted.project, name=wanted.name, version=wanted.version
        )
        request = pb.RegisterModelRequest(
            project=wanted.project, model=model, artifact=artifact, note=note, aliases=aliases
        )
        return _model_of(self.artifacts_transport.ask("RegisterModel", request))

    def promote(
        self,
        path: str,
        version: int,
        stage: str,
        *,
        note: str = "",
        add_aliases: Sequence[str] = (),
        remove_aliases: Sequence[str] = (),
    ) -> ModelView:
        """Move a version of a model to a stage; who, when and why is kept.

        Args:
            path: `project/model`.
            version: Its number.
            stage: `staging`, `production`, `archived`, or your own word.
            note: Why.
            add_aliases: Names that then mean it.
            remove_aliases: Names that then do not.
        """
        project, slash, model = path.partition("/")
        if not (slash and project and model):
            raise UsageError(f"{path!r} names no model", hint="write project/model")
        request = pb.UpdateModelRequest(
            project=project,
            model=model,
            version=version,
            stage=stage,
            note=note,
            add_aliases=add_aliases,
            remove_aliases=remove_aliases,
        )
        return _model_of(self.artifacts_transport.ask("UpdateModel", request))

    @property
    def artifacts_transport(self) -> ArtifactsTransport:
        """What asks the server; opened when it is first needed."""
        with self.__lock:
            if self.__transport is None:
                self.__transport = ArtifactsTransport(self._address)
            return self.__transport

    def _close_artifacts(self) -> None:
        with self.__lock:
            if self.__transport is not None:
                self.__transport.close()
                self.__transport = None


def _model_of(model: Any) -> ModelView:
    return ModelView(
        project=model.project,
        model=model.model,
        version=model.version,
        artifact=f"{model.project}/{model.artifact}:v{model.artifact_version}",
        stage=model.stage,
        aliases=tuple(model.aliases),
        note=model.note,
        changed_by=model.changed_by,
        changed=_time(model.changed_unix_us),
        created=_time(model.created_unix_us),
        run_id=model.run_id,
    )


def _time(unix_us: int) -> datetime:
    return datetime.fromtimestamp(unix_us / 1e6, UTC)
