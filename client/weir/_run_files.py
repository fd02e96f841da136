"""The half of a run that is files: artifacts it makes and reads, models, files of its own."""

import os
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from datetime import timedelta
from glob import has_magic, iglob
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from weir._artifacts.artifact import Artifact
from weir._artifacts.logged import LoggedArtifact
from weir._artifacts.paths import as_artifact_name, path_fault, portable
from weir._artifacts.staging import files_order, order_for, seconds_of
from weir._artifacts.waiting import wait_for_uploads
from weir._run_inputs import RunInputs
from weir._settings import Settings
from weir._speak import Speaker, log
from weir._spool import Outbox
from weir.errors import UsageError

if TYPE_CHECKING:
    from weir._artifacts.used import UsedArtifact

SavePolicy = Literal["now", "end", "live"]
_MOST_FILES: Final = 10_000  # of one call of save()


class RunFiles(RunInputs):
    """What `Run` can do with files. Bytes are uploaded by the agent, never by this process."""

    _settings: Settings
    _speaker: Speaker

    def __init__(self) -> None:
        super().__init__()
        self._box: Outbox | None = None
        self._logged: list[LoggedArtifact] = []

    @property
    @abstractmethod
    def project(self) -> str:
        """The project the run belongs to."""

    def log_artifact(
        self,
        artifact: Artifact | str | os.PathLike[str],
        name: str | None = None,
        type: str | None = None,
        aliases: Iterable[str] | None = None,
        tags: Iterable[str] | None = None,
        ttl: float | timedelta | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        copy: bool | None = None,
    ) -> LoggedArtifact:
        """Make a version of an artifact. Costs a look at each file; the agent uploads the bytes.

        The files may be removed, or replaced by others of the same name, as soon as this returns.
        Up to 64 files of 1 GiB together may be written into as well: where the file system cannot
        share blocks they are copied. Of larger artifacts, writing *into* a file before it was
        uploaded makes the upload fail, with an event of the run that names it.

        Args:
            artifact: An `Artifact`, or the path of a file or folder to make one of.
            name: With a path: the artifact's name; None = the last part of the path.
            type: With a path: what kind of thing it is; None = `file` or `folder`.
            aliases: Names that then mean this version, beside `latest`.
            tags: Words to find the version by.
            ttl: Seconds (or timedelta) after which garbage collection may take it; None = never.
            metadata: With a path: anything that JSON can say.
            copy: True: however large, it may be written into as soon as this returns. False: never
                copy a byte here.

        Returns:
            A handle: `.wait()` for the version, or go on.

        Raises:
            UsageError: A file is not there, or a name cannot be taken.
            RunFinished: The run was finished before.
        """
        if not isinstance(artifact, Artifact):
            artifact = artifact_of(artifact, name, type, metadata)
        elif name is not None or type is not None or metadata is not None:
            raise UsageError(
                "name, type and metadata are the artifact's own", hint="set them there"
            )
        ttl_s = seconds_of(ttl)
        if not self._admit() or (outbox := self._outbox()) is None:
            return LoggedArtifact(artifact.name, artifact.type, None, 0)
        try:
            order = order_for(
                artifact,
                outbox,
                aliases=_words(aliases),
                tags=_words(tags),
                ttl_s=ttl_s,
                copy=copy,
            )
            number = outbox.put(order)
        except OSError as error:
            problem = f"the disk does not take it: {error.strerror or error}"
            self._speaker.warn("outbox", f"artifact {artifact.name} is not uploaded: {problem}")
            return LoggedArtifact(artifact.name, artifact.type, outbox, 0, problem)
        logged = LoggedArtifact(artifact.name, artifact.type, outbox, number)
        self._logged.append(logged)
        return logged

    def log_model(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        aliases: Iterable[str] | None = None,
        registered_name: str | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        copy: bool | None = None,
    ) -> LoggedArtifact:
        """Make a version of a model: `log_artifact` with the type `model`.

        Args:
            path: Its file or folder.
            name: Of the artifact; None = the last part of the path.
            aliases: Names that then mean this version, beside `latest`.
            registered_name: Also make it the newest version of this model in the registry.
            metadata: Anything that JSON can say.
            copy: See `log_artifact`.
        """
        artifact = artifact_of(path, name, "model", metadata)
        artifact.register_as = registered_name or ""
        return self.log_artifact(artifact, aliases=aliases, copy=copy)

    def use_artifact(self, reference: str) -> "UsedArtifact":
        """Read a version of an artifact, and note that this run does.

        Asks the server, and waits for the answer. A run that is offline or disabled may ask too;
        then nothing is noted.

        Args:
            reference: `name:alias`, `name:v3`, `name` (the latest), or one of these behind
                `project/` for another project.

        Raises:
            TransportError: The server is away, or there is no such version.
        """
        from weir._artifacts.child import ChildAsker
        from weir._artifacts.used import use

        self._admit()
        asker = ChildAsker(self._settings.server, self._settings.token)
        run_id = self.id if self._settings.mode == "online" else ""
        return use(reference, asker, project=self.project, run_id=run_id)

    def save(
        self,
        glob: str | os.PathLike[str],
        policy: SavePolicy = "now",
        base_path: str | os.PathLike[str] | None = None,
        *,
        copy: bool | None = None,
    ) -> list[str]:
        """Keep files with the run itself, under their names.

        Args:
            glob: A path, or a pattern such as `configs/*.yaml` (`**` for any depth). A folder
                means all that is in it.
            policy: `now` once; `end` as they are at the end of this process, however it ends;
                `live` whenever they have changed, and at the end.
            base_path: Names are relative to it; None = the folder before the pattern begins.
            copy: With `now`: see `log_artifact`.

        Returns:
            With `now` the names in the run; else none, since they are not known yet.

        Raises:
            UsageError: No file matches (with `now`), or one lies outside of `base_path`.
        """
        if policy not in get_args(SavePolicy):
            raise UsageError(f"no such policy {policy!r}", hint=", ".join(get_args(SavePolicy)))
        pattern = os.path.abspath(os.fspath(glob))
        if os.path.isdir(pattern):
            pattern = os.path.join(pattern, "**", "*")
        base = os.path.abspath(base_path) if base_path is not None else _base_of(pattern)
        files = _matching(pattern, base) if policy == "now" else []
        if not self._admit() or (outbox := self._outbox()) is None:
            return [name for name, _ in files]
        try:
            if policy == "now":
                outbox.put(files_order(files, outbox, copy=copy))
            else:
                outbox.put({"order": "watch", "glob": pattern, "base": base, "policy": policy})
        except OSError as error:
            self._speaker.warn("outbox", f"{glob} is not uploaded: {error.strerror or error}")
        return [name for name, _ in files]

    # ── for Run ───────────────────────────────────────────────────────────

    def _await_uploads(self, timeout_s: float) -> None:
        """Wait until the agent has brought all files, and say what it goes on with.

        Called before the last frame: until then the agent keeps the outbox, and what it says there.
        """
        outbox = self._outbox()
        if outbox is None or not outbox.path.is_dir():
            return
        try:
            outbox.say_closing()
        except OSError as error:
            self._speaker.warn("outbox", f"cannot write to {outbox.path}: {error.strerror}")
        sends = self._settings.agent and self._settings.mode == "online"
        left = wait_for_uploads(outbox, timeout_s if sends else 0.0)
        for logged in self._logged:
            logged.look()
        if left and sends:
            log.warning("weir: %s of run %s left; the agent goes on with it", left, self.id)
        elif left:
            log.info("weir: %s of run %s left", left, self.id)

    def _outbox(self) -> Outbox | None:
        spool = self._spool_here()
        if spool is None:
            return None
        if self._box is None or self._box.path != spool.outbox_path:  # a forked child has its own
            self._box = Outbox(spool)
        return self._box


def artifact_of(
    path: str | os.PathLike[str],
    name: str | None,
    type: str | None,
    metadata: Mapping[str, Any] | None = None,
) -> Artifact:
    """Return an artifact of one file or folder."""
    path = os.path.abspath(path)
    folder = os.path.isdir(path)
    name = name or as_artifact_name(os.path.basename(path))
    artifact = Artifact(name, type or ("folder" if folder else "file"), metadata=metadata)
    if folder:
        artifact.add_dir(path)
    else:
        artifact.add_file(path)
    return artifact


def _words(words: Iterable[str] | None) -> list[str]:
    return [words] if isinstance(words, str) else list(words or ())


def _base_of(pattern: str) -> str:
    """The folder before the first part of a pattern that matches more than itself."""
    folder = os.path.dirname(pattern)
    while has_magic(folder):
        folder = os.path.dirname(folder)
    return folder


def _matching(pattern: str, base: str) -> list[tuple[str, str]]:
    files = []
    for path in sorted(iglob(pattern, recursive=True)):
        if not os.path.isfile(path):
            continue
        name = portable(os.path.relpath(path, base))
        if fault := path_fault(name):
            raise UsageError(f"{path} cannot be saved as {name!r}: {fault}", hint="give base_path")
        files.append((name, path))
        if len(files) > _MOST_FILES:
            hint = "use log_artifact for many files"
            raise UsageError(f"{pattern} matches over {_MOST_FILES} files", hint=hint)
    if not files:
        raise UsageError(f"no file matches {pattern}")
    return files
