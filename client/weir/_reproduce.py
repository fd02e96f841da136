"""From the record of a run to what brings it back: scripts, files, and what cannot be. Pure.

A record may be somebody else's: nothing of it gets into a script but quoted, and no file is named
by it.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from weir._redact import MASK
from weir._run_record import (
    CONDA_PATH,
    PATCH_PATH,
    REQUIREMENTS_PATH,
    UNTRACKED_PATH,
    RunRecord,
)

_HEX: Final = re.compile(r"[0-9a-f]{7,64}")
_PYTHON: Final = re.compile(r"\d+(?:\.\d+){1,2}")
_SHELL: Final = "#!/bin/sh\nset -eu\n"
_NAMED: Final = 5  # names listed in a warning
# Of the variables recorded, those that change what a run computes rather than where it ran.
_SETTING_PREFIXES: Final = ("NCCL_", "CUBLAS_", "TORCH_", "PYTORCH_", "XLA_", "JAX_", "TF_")
_SETTINGS: Final = frozenset({"OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_LAUNCH_BLOCKING"})


@dataclass(slots=True)
class Recipe:
    """How to bring a run back.

    Attributes:
        files: Name in the folder → content. Names ending in .sh are to be executable.
        warnings: What cannot be brought back, or only in part.
    """

    files: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def warn(self, text: str, names: Any = ()) -> None:
        """Add a warning, with the first names behind it."""
        listed = [str(name) for name in names or ()]
        shown = ", ".join(listed[:_NAMED]) + (", …" if len(listed) > _NAMED else "")
        self.warnings.append(_line(f"{text}: {shown}" if shown else text))


def recipe_for(run: RunRecord) -> Recipe:
    """Return the recipe of a run: code.sh, environment.sh, data.json, config.json, run.sh, README.md."""
    recipe = Recipe()
    _code(run, recipe)
    _environment(run, recipe)
    _config(run, recipe)
    _data(run, recipe)
    _command(run, recipe)
    _seeds(run, recipe)
    recipe.files["record.json"] = _json(dict(run.meta))
    recipe.files["README.md"] = _readme(run, recipe)
    return recipe


# ── code ──────────────────────────────────────────────────────────────────


def _code(run: RunRecord, recipe: Recipe) -> None:
    commit, remote = str(run.meta.get("git/commit", "")), str(run.meta.get("git/remote", ""))
    artifact = str(run.meta.get("code/artifact", ""))
    if not _HEX.fullmatch(commit):
        if artifact:
            get = f"weir artifact get {shlex.quote(_artifact_path(run, artifact))} --into code"
            recipe.files["code.sh"] = f"{_SHELL}{get}\n"
        else:
            recipe.warn("the code is not known: it was in no git repository, and no copy was kept")
        return
    source = remote or str(run.meta.get("git/root", ""))
    lines = [
        f"git clone -- {shlex.quote(source)} code",
        "cd code",
        f"git checkout --detach {commit}",
    ]
    if run.meta.get("git/submodules"):
        lines.append("git submodule update --init --recursive")
    if patch := run.text(PATCH_PATH):
        recipe.files["code.patch"] = patch
        lines.append("git apply --whitespace=nowarn ../code.patch")
    recipe.files["code.sh"] = _SHELL + "".join(f"{line}\n" for line in lines)
    _warn_of_code(run, recipe, remote)
    if untracked := run.text(UNTRACKED_PATH):
        recipe.files["untracked.txt"] = untracked


def _warn_of_code(run: RunRecord, recipe: Recipe, remote: str) -> None:
    meta = run.meta
    if not remote:
        recipe.warn(f"the repository has no remote; it was at {meta.get('git/root', '?')}")
    elif meta.get("git/pushed") is False:
        recipe.warn("the commit was on no branch of the remote that was known: it may not be there")
    if PATCH_PATH in run.files and not run.text(PATCH_PATH):
        recipe.warn("there are uncommitted changes, but they could not be fetched")
    if meta.get("git/dirty") and PATCH_PATH not in run.files and not meta.get("git/diff/binary"):
        recipe.warn(
            "files were changed, and the changes were not recorded", meta.get("git/changed")
        )
    recipe_names = {
        "git/diff/binary": "changed binary files are not in the patch",
        "git/diff/withheld": "files that hold secrets are not in the patch",
        "git/diff/omitted": "the patch was too large; changes are missing of",
        "git/diff/masked": "secrets are masked in the patch, which may not apply to",
    }
    for path, text in recipe_names.items():
        if meta.get(path):
            recipe.warn(text, meta[path])
    if count := meta.get("git/untracked"):
        have = (
            f"; a copy of the code is the artifact {meta['code/artifact']}"
            if "code/artifact" in meta
            else ""
        )
        recipe.warn(f"{count} untracked files are only named (untracked.txt){have}")
    dirty = [each.get("path") for each in _dicts(meta.get("git/submodules")) if each.get("dirty")]
    if dirty:
        recipe.warn("submodules with changes of their own", dirty)


# ── environment ───────────────────────────────────────────────────────────


def _environment(run: RunRecord, recipe: Recipe) -> None:
    requirements = run.text(REQUIREMENTS_PATH)
    packages = run.meta.get("environment/packages")
    if not requirements and isinstance(packages, Mapping):
        requirements = "".join(f"{name}=={version}\n" for name, version in packages.items())
    if not requirements:
        recipe.warn("the packages are not known")
        return
    found = _PYTHON.search(str(run.meta.get("environment/python") or run.meta.get("python") or ""))
    version = found[0] if found else "3"
    minor = ".".join(version.split(".")[:2])
    recipe.files["requirements.txt"] = requirements
    lines = [f"# the run had Python {version}", f"python{minor} -m venv env"]
    lines.append("env/bin/pip install -r requirements.txt")
    if conda := run.text(CONDA_PATH):
        recipe.files["conda.txt"] = conda
        lines.insert(1, "# it was a conda environment: conda create --prefix env --file conda.txt")
    recipe.files["environment.sh"] = _SHELL + "".join(f"{line}\n" for line in lines)
    local = [
        line for line in requirements.splitlines() if line.startswith(("# editable", "# local"))
    ]
    if local:
        recipe.warn(
            "packages that were installed from folders", [_line(each[2:]) for each in local]
        )
    machine = [
        str(run.meta[path])
        for path in ("machine/os", "machine/cpu", "machine/gpu", "library/cuda")
        if run.meta.get(path)
    ]
    if machine:
        recipe.warn("another machine may come to other numbers; this one had " + ", ".join(machine))


# ── config, data, command, seeds ──────────────────────────────────────────


def _config(run: RunRecord, recipe: Recipe) -> None:
    if run.config:
        recipe.files["config.json"] = _json(nested(run.config))


def nested(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config by path as sections in sections; a path that is a section too keeps its name."""
    whole: dict[str, Any] = {}
    for path, value in config.items():
        section, names = whole, path.split(".")
        for name in names[:-1]:
            below = section.setdefault(name, {})
            if not isinstance(below, dict):
                section, names = whole, [path]
                break
            section = below
        section[names[-1]] = value
    return whole


def data_of(meta: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what is known of each data set, by name. Names may hold `/`; keys do not, but for two."""
    found: dict[str, dict[str, Any]] = {}
    for path, value in meta.items():
        if not path.startswith("data/"):
            continue
        name, _, key = path.removeprefix("data/").rpartition("/")
        for group in ("dvc", "lfs"):
            if name.endswith(f"/{group}"):
                name, key = name.removesuffix(f"/{group}"), f"{group}/{key}"
        if name:
            found.setdefault(name, {})[key] = value
    return found


def _data(run: RunRecord, recipe: Recipe) -> None:
    data = data_of(run.meta)
    if not data:
        recipe.warn("no data was named (Run.use_data): nothing tells what it was trained on")
        return
    recipe.files["data.json"] = _json(data)
    checks = []
    for name, facts in data.items():
        digest, source = str(facts.get("fingerprint", "")), str(facts.get("source", ""))
        if facts.get("kind") in {"file", "directory"} and digest:
            checks.append(f"weir fingerprint {shlex.quote(source)} --expect {shlex.quote(digest)}")
        else:
            how = "has no fingerprint" if not digest else "has to be checked by hand"
            recipe.warn(f"data {name} ({facts.get('kind', '?')}, {source or 'a table'}) {how}")
    if checks:
        recipe.files["data.sh"] = _SHELL + "".join(f"{check}\n" for check in checks)


def _command(run: RunRecord, recipe: Recipe) -> None:
    argv = run.meta.get("command/argv")
    if run.meta.get("command/notebook"):
        recipe.warn(f"it was a notebook: {run.meta['command/notebook']}; there is no command")
        return
    if not isinstance(argv, list) or not argv:
        recipe.warn("the command is not known")
        return
    words = [str(word) for word in argv]
    folder = str(run.meta.get("git/directory", "")).strip("/")
    lines = [f"export {name}={shlex.quote(value)}" for name, value in _settings(run).items()]
    lines.append(f"cd {shlex.quote(str(PurePosixPath('code', folder)))}")
    up = "/".join([".."] * (1 + len([part for part in folder.split("/") if part])))
    lines.append(shlex.join([f"{up}/env/bin/python", *_relative(words[1:], run)]))
    recipe.files["run.sh"] = _SHELL + "".join(f"{line}\n" for line in lines)
    if any(MASK in word for word in words):
        recipe.warn(f"secrets in the command were not recorded: run.sh has {MASK} in their place")
    world_size = run.about.get("world_size") or 0
    if world_size > 1:
        recipe.warn(f"it ran as {world_size} processes: run.sh starts one; use your launcher")


def _relative(words: list[str], run: RunRecord) -> list[str]:
    """The words with paths in the working directory as seen from there."""
    directory = str(run.meta.get("command/directory", "")).rstrip("/")
    return [word.removeprefix(f"{directory}/") if directory else word for word in words]


def _settings(run: RunRecord) -> dict[str, str]:
    found = {
        name: str(value)
        for path, value in run.meta.items()
        if (name := path.removeprefix("variables/")) != path
        and re.fullmatch(r"[A-Z][A-Z0-9_]*", name)
        and (name in _SETTINGS or name.startswith(_SETTING_PREFIXES))
    }
    seed = str(run.meta.get("seed/PYTHONHASHSEED", ""))
    return {**found, "PYTHONHASHSEED": seed} if seed.isdigit() else found


def _seeds(run: RunRecord, recipe: Recipe) -> None:
    seeds = {path: value for path, value in run.meta.items() if path.startswith("seed/")}
    known = {path: value for path, value in seeds.items() if path.endswith(("/seed", "/given"))}
    if seeds:
        recipe.files["seeds.json"] = _json(seeds)
    if not known:
        recipe.warn("no seed is known: call weir.seed_everything(n) in the script")
    if seeds.get("seed/PYTHONHASHSEED") == "random":
        recipe.warn("hashes were random (PYTHONHASHSEED): the order of sets may differ")


# ── words ─────────────────────────────────────────────────────────────────


def _readme(run: RunRecord, recipe: Recipe) -> str:
    steps = [
        name for name in ("code.sh", "environment.sh", "data.sh", "run.sh") if name in recipe.files
    ]
    notes = {
        "code.sh": "clones the repository, checks the commit out, applies code.patch",
        "environment.sh": "makes a virtual environment in env/",
        "data.sh": "checks that the data is what it was",
        "run.sh": "starts the run again",
    }
    lines = [f"# {_line(run.path)}", "", "Read the scripts before you run them, in this order:", ""]
    lines += [f"{number}. `sh {name}` {notes[name]}" for number, name in enumerate(steps, 1)]
    lines += ["", "config.json is its config, record.json all that was recorded.", ""]
    if recipe.warnings:
        lines += ["What cannot be brought back, or only in part:", ""]
        lines += [f"- {warning}" for warning in recipe.warnings]
    return "\n".join(lines).rstrip() + "\n"


def _artifact_path(run: RunRecord, name: str) -> str:
    return f"{run.path.rpartition('/')[0]}/{name}"


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _line(text: str) -> str:
    return " ".join(text.split())


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, default=str, ensure_ascii=False) + "\n"
