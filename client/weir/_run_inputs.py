"""The part of a run that is about its inputs: code, data, seeds and what it was started with."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from weir._facts import Facts
from weir._in_turn import InTurn
from weir._opening import Opening
from weir._spool import SpoolDir
from weir._surroundings import Surroundings
from weir_proto.v1 import ingest_pb2 as pb

_DATA_LIMIT_S: Final = 1800.0
_CODE_LIMIT_S: Final = 120.0


class RunInputs(Facts):
    """What `Run` can do with inputs. `Run` gives it a spool and says when it begins, logs and ends."""

    _opening: Opening

    def __init__(self) -> None:
        super().__init__()
        self._surroundings: Surroundings | None = None
        self._logs_first = False  # the next log() is the first
        self._data: dict[str, str] = {}  # names in use, and for what
        self._fingerprints = InTurn(self._fingerprint)

    def use_data(
        self,
        source: Any,
        *,
        name: str | None = None,
        version: str | None = None,
        etag: str | None = None,
    ) -> str:
        """Record which data this run uses, under `data/<name>/…`. Copies nothing, asks no network.

        A file or folder is fingerprinted by a process of its own, at low priority (up to 16 GiB are
        read whole; beyond that large files are sampled, and the run says so); what DVC and Git-LFS
        say of it is read too. A table is fingerprinted here: up to 100 MB whole, else 100 000 rows.

        Args:
            source: A path; a URI such as `s3://bucket/key`; a pandas or polars data frame, an Arrow
                table or a Hugging Face dataset.
            name: What to call it. None = the last part of the path or URI.
            version: What you call its version.
            etag: Of a URI: what tells its versions apart.

        Returns:
            The name it has now; numbered when other data of this run has it already.

        Raises:
            UsageError: The source is nothing of the kind, or the name cannot be one.
            RunFinished: The run was finished before.
        """
        from weir._data import data_of  # loads hashlib: 4 MB that most runs do without

        data = data_of(source, name=name, version=version, etag=etag, taken=self._data)
        if not self._admit():
            return data.name
        self._data[data.name] = str(data.facts.get("source") or data.facts.get("fingerprint", ""))
        for key, value in data.facts.items():
            self._record(pb.Attr.META, f"data/{data.name}/{key}", value)
        if data.path:
            self._fingerprints.ask({"name": data.name, "path": data.path})
        return data.name

    def log_code(
        self,
        root: str | Path = ".",
        *,
        name: str | None = None,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> None:
        """Keep a copy of the code as it is now, as an artifact of type `code`. Returns at once.

        What git ignores is left out; so are files that hold nothing but secrets. Secrets in the
        others are masked.

        Args:
            root: Folder to copy.
            name: Of the artifact. None = `code-<script>`.
            include: Patterns such as `*.py`; empty = sources, configuration and notebooks.
            exclude: Patterns that win over `include`.
        """
        if self._admit():
            options = {"root": str(root), "include": list(include), "exclude": list(exclude)}
            options |= {"name": name} if name else {}
            self._collect(("code",), job="code", limit_s=_CODE_LIMIT_S, **options)

    def look_at_seeds(self) -> None:
        """Record the seeds in use again. `weir.seed_everything` calls it."""
        if self._surroundings is not None:
            self._surroundings.look_again()

    # ── for Run ───────────────────────────────────────────────────────────

    def _spool_here(self) -> SpoolDir | None:
        """Return this process's spool; None when nothing is recorded."""
        raise NotImplementedError

    def _begin_inputs(self) -> None:
        """Start looking, in the process that describes the run."""
        settings = self._opening.settings
        if self._opening.placement.rank and not settings.every_rank_describes:
            return
        if settings.record_seeds:
            self._surroundings = Surroundings(self._record_fact, self._config.as_dict)
            self._surroundings.look()
            self._logs_first = True
        if settings.agent:
            from weir._inputs._start import start_sections

            self._collect(start_sections(settings))

    def _admit_points(self) -> bool:
        """Do what `_admit` does, for points; before the first ones, look at seeds again."""
        if not self._admit():
            return False
        if self._logs_first and self._surroundings is not None:
            self._logs_first = False
            self._surroundings.look(logs=True)
        return True

    def _look_at_end(self) -> None:
        """Look a last time, before the run takes no more facts."""
        if self._surroundings is not None:
            self._surroundings.look()
        self._fingerprints.ask_all()

    def _let_go_of_inputs(self) -> None:
        """In a forked child: what was begun is the parent's to tell."""
        self._surroundings = None
        self._fingerprints = InTurn(self._fingerprint)

    def _fingerprint(self, items: list[dict[str, str]], then: Callable[[], None]) -> None:
        self._collect(("data",), job="data", limit_s=_DATA_LIMIT_S, then=then, items=items)

    def _collect(self, sections: tuple[str, ...], **options: Any) -> None:
        spool = self._spool_here()
        if spool is not None and sections:
            from weir._inputs import start_collector

            start_collector(spool, sections, **options)

    def _record_fact(self, path: str, value: Any) -> None:
        self._record(pb.Attr.META, path, value)
