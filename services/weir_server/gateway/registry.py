"""The model registry: models, their versions, where each stands, and who put it there when and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from weir_proto.v1 import artifacts_pb2 as pb
from weir_server.clock import Clock
from weir_server.gateway import artifact_checks as checks
from weir_server.gateway.artifact_threads import Threads
from weir_server.gateway.artifact_versions import Versions
from weir_server.gateway.findings import has_control, is_longer, shown
from weir_server.stream.numbers import VersionNumbers
from weir_store.artifacts.base import ArtifactReader
from weir_store.artifacts.editor import ArtifactEditor
from weir_store.artifacts.records import LATEST, AliasKind, ArtifactVersion, ModelChange
from weir_store.errors import InvalidQuery, UnknownArtifact

_MAX_STAGE_BYTES: Final = 64
_MAX_NOTE_BYTES: Final = 65_536


class Registry:
    """Coroutines of one event loop; what blocks happens in threads."""

    def __init__(
        self,
        reader: ArtifactReader,
        editor: ArtifactEditor,
        numbers: VersionNumbers,
        versions: Versions,
        threads: Threads,
        clock: Clock,
    ) -> None:
        self._reader = reader
        self._editor = editor
        self._numbers = numbers
        self._versions = versions
        self._threads = threads
        self._clock = clock

    async def register(self, request: pb.RegisterModelRequest, by: str) -> ModelChange:
        """Make a model version of an artifact version; of the same one it is the same again.

        From then on the artifact version does not expire.
        """
        checks.check_name(request.model, "model name")
        aliases = checks.check_aliases(request.aliases)
        checks.check_text("the note", request.note, _MAX_NOTE_BYTES)
        if request.artifact.project != request.project:
            raise InvalidQuery(
                f"the artifact is in project {request.artifact.project!r}",
                hint=f"register it there, or log it in {request.project!r}",
            )
        artifact = await self._threads.call(self._versions.get, request.artifact)
        known = await self._threads.call(self._standing, request.project, request.model)
        same = [each for each in known if _is_of(each, artifact)]
        if same:
            return await self._threads.call(
                self._change, request.project, same[0], same[0].stage, aliases, (), request.note, by
            )
        floor = await self._threads.call(
            self._reader.highest_model_version, request.project, request.model
        )
        number = await self._numbers.allocate(
            request.project,
            f"model/{request.model}",
            f"{artifact.name}:v{artifact.version}",
            floor,
        )
        new = self._first(request, artifact, number, by)
        return await self._threads.call(self._add, request.project, new, artifact, aliases)

    async def update(self, request: pb.UpdateModelRequest, by: str) -> ModelChange:
        """Change stage and aliases of a model version, and note who did it and why."""
        checks.check_name(request.model, "model name")
        add, remove = checks.check_aliases(request.add_aliases), tuple(request.remove_aliases)
        checks.check_text("the note", request.note, _MAX_NOTE_BYTES)
        _check_stage(request.stage)
        if set(add) & set(remove) or LATEST in remove:
            raise InvalidQuery(
                "an alias is both added and removed, or is `latest`", hint="do one of the two"
            )
        known = await self._threads.call(self._standing, request.project, request.model)
        found = [each for each in known if each.version == request.version]
        if not found:
            raise UnknownArtifact(
                f"no version {request.version} of model {request.model!r} in {request.project!r}"
            )
        stage = request.stage if request.HasField("stage") else found[0].stage
        return await self._threads.call(
            self._change, request.project, found[0], stage, add, remove, request.note, by
        )

    def list_models(self, request: pb.ListModelsRequest) -> list[ModelChange]:
        """Return models, the versions of one, or its whole history. Blocks."""
        if request.model:
            checks.check_name(request.model, "model name")
        elif request.history:
            raise InvalidQuery("the history of what?", hint="say model")
        if request.history:
            return self._reader.list_changes(request.project, request.model)
        return self._reader.list_models(request.project, request.model)

    # ── below: blocks ─────────────────────────────────────────────────────

    def _standing(self, project: str, model: str) -> list[ModelChange]:
        return self._reader.list_models(project, model)

    def _first(
        self, request: pb.RegisterModelRequest, artifact: ArtifactVersion, number: int, by: str
    ) -> ModelChange:
        now = self._clock.unix_us()
        return ModelChange(
            model=request.model,
            version=number,
            artifact=artifact.name,
            artifact_version=artifact.version,
            run_id=artifact.run_id,
            created_unix_us=now,
            stage="",
            aliases=(),
            note=request.note,
            by=by,
            at_unix_us=now,
        )

    def _add(
        self, project: str, new: ModelChange, artifact: ArtifactVersion, aliases: tuple[str, ...]
    ) -> ModelChange:
        self._versions.keep(artifact)
        return self._put(project, new, aliases, ())

    def _change(
        self,
        project: str,
        standing: ModelChange,
        stage: str,
        add: tuple[str, ...],
        remove: tuple[str, ...],
        note: str,
        by: str,
    ) -> ModelChange:
        at_unix_us = max(self._clock.unix_us(), standing.at_unix_us + 1)
        changed = replace(standing, stage=stage, note=note, by=by, at_unix_us=at_unix_us)
        return self._put(project, changed, add, remove)

    def _put(
        self, project: str, change: ModelChange, add: tuple[str, ...], remove: tuple[str, ...]
    ) -> ModelChange:
        """Store a change; an alias that moves is taken from the version that had it, as a change of that."""
        for other in self._standing(project, change.model):
            moved = set(other.aliases) & set(add)
            if moved and other.version != change.version:
                robbed = replace(
                    other,
                    aliases=tuple(alias for alias in other.aliases if alias not in moved),
                    by=change.by,
                    note=f"{', '.join(sorted(moved))} moved to version {change.version}",
                    at_unix_us=max(change.at_unix_us, other.at_unix_us + 1),
                )
                self._editor.add_model_change(project, robbed)
                change = replace(change, at_unix_us=robbed.at_unix_us + 1)
        kept = (alias for alias in change.aliases if alias not in remove)
        stored = replace(change, aliases=tuple(sorted({*kept, *add})))
        self._editor.add_model_change(project, stored)
        now = change.at_unix_us
        self._editor.put_names(
            project, AliasKind.MODEL, change.model, change.version, now, add=add, remove=remove
        )
        return stored


def _is_of(change: ModelChange, artifact: ArtifactVersion) -> bool:
    return (change.artifact, change.artifact_version) == (artifact.name, artifact.version)


def _check_stage(stage: str) -> None:
    if has_control(stage) or is_longer(stage, _MAX_STAGE_BYTES):
        raise InvalidQuery(
            f"stage {shown(stage)!r} is over {_MAX_STAGE_BYTES} bytes, or holds control characters"
        )
