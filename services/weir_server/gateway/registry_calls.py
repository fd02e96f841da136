"""The registry's half of artifacts.proto: models, webhooks, and what happened to a project."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import grpc.aio

from weir_proto.v1 import artifacts_pb2 as pb
from weir_proto.v1 import artifacts_pb2_grpc
from weir_server.clock import Clock
from weir_server.gateway import artifact_checks as checks
from weir_server.gateway import webhook_address
from weir_server.gateway.artifact_messages import model_message, webhook_message
from weir_server.gateway.artifact_threads import Threads
from weir_server.gateway.auth import Auth, Principal
from weir_server.gateway.messages import event_message
from weir_server.gateway.registry import Registry
from weir_server.gateway.tokens import Role
from weir_server.gateway.webhooks import KINDS, Webhooks
from weir_store.artifacts.base import ArtifactReader
from weir_store.artifacts.editor import ArtifactEditor
from weir_store.artifacts.records import ModelChange, Webhook
from weir_store.errors import InvalidQuery

_EVENTS: Final = 100
_MOST_EVENTS: Final = 10_000


class RegistryCalls(artifacts_pb2_grpc.ArtifactsServicer):
    """What `ArtifactsService` answers of models; also who may call."""

    def __init__(
        self,
        reader: ArtifactReader,
        editor: ArtifactEditor,
        registry: Registry,
        webhooks: Webhooks,
        threads: Threads,
        auth: Auth,
        clock: Clock,
    ) -> None:
        self.webhooks = webhooks
        self._reader = reader
        self._editor = editor
        self._registry = registry
        self._threads = threads
        self._auth = auth
        self._clock = clock
        # Edits of one version read it, change it and write it: one at a time, on this gateway.
        self._editing = asyncio.Lock()

    async def RegisterModel(
        self, request: pb.RegisterModelRequest, context: grpc.aio.ServicerContext
    ) -> pb.ModelVersion:
        """Make a model version of an artifact version."""
        caller = self._allowed(context, Role.WRITER, request.project)
        async with self._editing:
            change = await self._registry.register(request, caller.name)
        self._tell("model.registered", request.project, change)
        return model_message(request.project, change)

    async def UpdateModel(
        self, request: pb.UpdateModelRequest, context: grpc.aio.ServicerContext
    ) -> pb.ModelVersion:
        """Change where a model version stands."""
        caller = self._allowed(context, Role.WRITER, request.project)
        async with self._editing:
            change = await self._registry.update(request, caller.name)
        self._tell("model.changed", request.project, change)
        return model_message(request.project, change)

    async def ListModels(
        self, request: pb.ListModelsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListModelsResponse:
        """Return models, versions of one, or its history."""
        self._allowed(context, Role.READER, request.project)
        found = await self._threads.call(self._registry.list_models, request)
        return pb.ListModelsResponse(
            versions=[model_message(request.project, change) for change in found]
        )

    async def SetWebhook(
        self, request: pb.Webhook, context: grpc.aio.ServicerContext
    ) -> pb.Webhook:
        """Tell somebody of changes, or do not any more."""
        caller = self._allowed(context, Role.ADMIN, request.project)
        webhook_address.check_url(request.url)
        checks.check_text("the secret", request.secret, 1_024)
        strange = set(request.kinds) - set(KINDS)
        if strange:
            raise InvalidQuery(f"nothing is {min(strange)!r}", hint=f"one of {', '.join(KINDS)}")
        if not request.deleted:
            await self.webhooks.check(request.url)
        hook = Webhook(request.url, tuple(request.kinds), request.secret, caller.name)
        await self._threads.call(
            self._editor.put_webhook,
            request.project,
            hook,
            self._clock.unix_us(),
            is_deleted=request.deleted,
        )
        message = webhook_message(request.project, hook)
        message.deleted = request.deleted
        return message

    async def ListWebhooks(
        self, request: pb.ListWebhooksRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListWebhooksResponse:
        """Return who is told of changes."""
        self._allowed(context, Role.ADMIN, request.project)
        hooks = await self._threads.call(self._reader.list_webhooks, request.project)
        return pb.ListWebhooksResponse(
            webhooks=[webhook_message(request.project, hook) for hook in hooks]
        )

    async def ListProjectEvents(
        self, request: pb.ListProjectEventsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListProjectEventsResponse:
        """Return what happened to a project as a whole."""
        self._allowed(context, Role.READER, request.project)
        limit = request.limit or _EVENTS
        if limit > _MOST_EVENTS:
            raise InvalidQuery(f"limit is {limit}", hint=f"at most {_MOST_EVENTS}")
        events = await self._threads.call(
            self._reader.list_notices, request.project, tuple(request.kinds), limit
        )
        return pb.ListProjectEventsResponse(events=[event_message(event) for event in events])

    # ── below ─────────────────────────────────────────────────────────────

    def _allowed(self, context: Any, role: Role, project: str) -> Principal:
        """Return who calls. Raises `Forbidden` unless they may act so, `InvalidQuery` for no project."""
        checks.check_project(project)
        caller = self._auth.principal(context.invocation_metadata())
        caller.require(role, project)
        return caller

    def _tell(self, kind: str, project: str, change: ModelChange) -> None:
        self.webhooks.announce(
            project,
            kind,
            {
                "model": change.model,
                "version": change.version,
                "stage": change.stage,
                "aliases": list(change.aliases),
                "artifact": change.artifact,
                "artifact_version": change.artifact_version,
                "note": change.note,
                "by": change.by,
            },
        )
