"""Puts what collectors left in `inputs/` into the run (docs/formats/inputs.md)."""

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from weir import _body as body
from weir._names import name_fault
from weir.agent._attendance import Attended, trainers_of
from weir.agent._log import log
from weir.agent._node_log import Findings, facts
from weir.errors import InvalidPoint
from weir_proto.v1 import ingest_pb2 as pb

_LOOK_EVERY_S: Final = 0.5
_QUIET_EVERY_S: Final = 2.0  # once every collector here has said all
_MAX_REPORT_BYTES: Final = 8 << 20
_FRAME_BYTES: Final = 512 << 10
_START_GRACE_S: Final = 20.0  # until a collector has told its pid


class InputsObserver:
    """Reads reports, writes them to the node log, and forgets a report once its frame is on disk."""

    def observe(self, runs: Sequence[Attended]) -> float:
        """Harvest what lies there."""
        found = [self._harvest(run) for run in runs]
        working = [_awaits_collector(run) for run in runs]  # each: it also tells
        return _LOOK_EVERY_S if any(working) or any(found) else _QUIET_EVERY_S

    def finish(self, run: Attended) -> bool:
        """Wait for collectors that are still at work, then harvest the rest."""
        working = _awaits_collector(run)
        self._harvest(run)
        return not working

    def close(self) -> None:
        """Nothing is held."""

    def _harvest(self, run: Attended) -> bool:
        found = False
        for trainer in list(run.trainers.values()):
            for report in sorted(trainer.spool.inputs_path.glob("[!.]*.json")):
                for attrs in _in_frames(read_report(report)):
                    run.log.write(Findings(attrs=attrs))
                report.unlink(missing_ok=True)
                found = True
        return found


def read_report(path: Path) -> list[pb.Attr]:
    """Return the facts of one report; none when it cannot be read."""
    try:
        if path.stat().st_size > _MAX_REPORT_BYTES:
            raise ValueError("a report of over 8 MiB")
        found: dict[str, Any] = json.loads(path.read_bytes())["facts"]
        return [attr for name, value in found.items() if (attr := _attr(name, value)) is not None]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("a report of inputs cannot be read", path=path, error=repr(error))
        return []


def _attr(path: str, value: Any) -> pb.Attr | None:
    if name_fault(path):
        return None
    with suppress(InvalidPoint):
        return body.attr(pb.Attr.META, path, value)
    return None


def _in_frames(attrs: list[pb.Attr]) -> list[list[pb.Attr]]:
    """Cut facts so that each piece fits a frame well."""
    frames: list[list[pb.Attr]] = []
    room = 0
    for attr in attrs:
        size = attr.ByteSize()
        if size > room or not frames:
            frames.append([])
            room = _FRAME_BYTES
        frames[-1].append(attr)
        room -= size
    return frames


def _awaits_collector(run: Attended) -> bool:
    """Whether a collector may still leave something in a run; tells of those gone or overdue."""
    working = False
    for trainer in trainers_of([run]):
        for marker in trainer.spool.inputs_path.glob("[!.]*.working"):
            if _may_still_come(marker):
                working = True
            elif marker.exists():  # one that is done takes it away before it ends
                said = "its collector was killed, or took too long"
                run.log.write(Findings(attrs=facts([(f"inputs/problem/{marker.stem}", said)])))
                marker.unlink(missing_ok=True)
    return working


def _may_still_come(marker: Path) -> bool:
    try:
        told = json.loads(marker.read_bytes())
        until_unix_s, pid = float(told["until_unix_s"]), int(told["pid"])
        age_s = time.time() - marker.stat().st_mtime
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if time.time() > until_unix_s:
        return False
    return age_s < _START_GRACE_S if not pid else _lives(pid)


def _lives(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
