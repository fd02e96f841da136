"""Resuming: what the server knows about a run decides how its step count goes on."""

from weir._exit import Ending
from weir._rank import Placement
from weir._run import Run
from weir._settings import Settings
from weir._speak import log
from weir._spool import Welcome
from weir.errors import UsageError
from weir_proto.v1 import ingest_pb2 as pb


def resume_run(run: Run, settings: Settings, placement: Placement) -> None:
    """Wait (bounded) for the server, then continue the run's steps or refuse to.

    Raises:
        UsageError: What `settings.resume` asks for is not there. The run is ended.
    """
    waits = settings.mode == "online"
    welcome = run.await_welcome(settings.resume_timeout_s) if waits else None
    fault = resume_fault(settings, placement, welcome)
    if fault:
        run.end(Ending(pb.SessionUpdate.FAILED, 1, fault), 0.0)
        raise UsageError(f"cannot resume run {run.id}: {fault}", hint=_hint(settings))
    if welcome is None:
        log.warning("weir: no answer about run %s, so steps count from 0", run.id)
    elif welcome.last_step is not None:
        run.continue_after(welcome.last_step)


def resume_fault(settings: Settings, placement: Placement, welcome: Welcome | None) -> str | None:
    """Return why the run cannot go on as asked; None when it can. Pure.

    A new run of many ranks exists as soon as its first rank has said hello. So for `never` such a
    rank asks whether points of its own are stored.
    """
    if welcome is not None and welcome.refused_code:
        return f"the server refuses it: {welcome.refused_message}"
    if settings.resume == "must":
        if settings.mode == "offline":
            return "an offline run cannot ask the server"
        if welcome is None:
            return f"no answer from {settings.server} within {settings.resume_timeout_s:g} s"
        return None if welcome.run_existed else "there is no such run"
    if settings.resume == "never" and welcome is not None:
        alone = placement.world_size <= 1
        existed = welcome.run_existed if alone else welcome.last_step is not None
        return "it exists already" if existed else None
    return None


def _hint(settings: Settings) -> str:
    if settings.resume == "never":
        return "choose another id, or resume='allow'"
    return "check the id and the project, or use resume='allow'"
