"""The Python environment: every installed distribution, as the trainer's `sys.path` has them."""

import hashlib
import json
import platform
import re
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final

from weir._inputs._report import Findings
from weir._inputs._request import Request
from weir._redact import Redactor

REQUIREMENTS_PATH: Final = "environment/requirements.txt"
PACKAGES_PATH: Final = "environment/packages.json"
_DASHES: Final = re.compile(r"[-_.]+")


@dataclass(frozen=True, slots=True)
class Package:
    """One installed distribution.

    Attributes:
        name: Normalised as packaging has it: lower case, dashes.
        version: As its metadata says.
        direct: Where it came from when from no index: `direct_url.json`, redacted.
    """

    name: str
    version: str
    direct: dict[str, Any] | None = None

    @property
    def requirement(self) -> str:
        """Its line of requirements.txt; a comment where pip cannot bring it back by itself."""
        direct = self.direct or {}
        url = str(direct.get("url", ""))
        if vcs := direct.get("vcs_info"):
            at = vcs.get("commit_id") or vcs.get("requested_revision") or ""
            below = f"#subdirectory={direct['subdirectory']}" if direct.get("subdirectory") else ""
            return f"{self.name} @ {vcs.get('vcs', 'git')}+{url}{f'@{at}' if at else ''}{below}"
        if url.startswith("file:"):
            editable = (direct.get("dir_info") or {}).get("editable")
            how = "editable" if editable else "local"
            return f"# {how}: {self.name}=={self.version} from {url}"
        if url:
            return f"{self.name} @ {url}"
        return f"{self.name}=={self.version}"


def collect_packages(request: Request, redactor: Redactor) -> Findings:
    """Return `environment/…` and the run files requirements.txt and packages.json."""
    found = list_packages(list(request.sys_path), redactor)
    lines = [package.requirement for package in found]
    findings = Findings()
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    findings.facts = {
        "environment/python": request.python,
        "environment/implementation": platform.python_implementation(),
        "environment/prefix": request.prefix,
        "environment/packages": {package.name: package.version for package in found},
        "environment/package_count": len(found),
        "environment/digest": f"sha256:{digest}",
    }
    header = f"# Python {request.python.split()[0]}\n"
    findings.files = {
        REQUIREMENTS_PATH: (header + "".join(f"{line}\n" for line in lines)).encode(),
        PACKAGES_PATH: _as_json(found),
    }
    _add_conda(findings, request)
    return findings


def list_packages(sys_path: list[str], redactor: Redactor) -> list[Package]:
    """Return the distributions on a path by name; of several versions the one that is imported."""
    found: dict[str, Package] = {}
    for distribution in distributions(path=sys_path):
        package = _package(distribution, redactor)
        if package is not None:
            found.setdefault(package.name, package)
    return [found[name] for name in sorted(found)]


def _package(distribution: Distribution, redactor: Redactor) -> Package | None:
    """None where the metadata is damaged, as what a broken uninstall leaves."""
    try:
        name, version = distribution.metadata["Name"], distribution.version
        if not name or not version:
            return None
        direct = _direct(distribution, redactor)
        return Package(_DASHES.sub("-", name).lower(), str(version), direct)
    except (KeyError, TypeError, ValueError, OSError):
        return None


def _direct(distribution: Distribution, redactor: Redactor) -> dict[str, Any] | None:
    text = distribution.read_text("direct_url.json")
    if not text:
        return None
    try:
        direct = json.loads(redactor.text(text))
    except ValueError:
        return None
    return direct if isinstance(direct, dict) else None


def _as_json(packages: list[Package]) -> bytes:
    listed = [
        {
            "name": each.name,
            "version": each.version,
            **({"direct_url": each.direct} if each.direct else {}),
        }
        for each in packages
    ]
    return json.dumps(listed, indent=1).encode()


def _add_conda(findings: Findings, request: Request) -> None:
    """A conda environment has packages that are no Python's: name=version=build of each."""
    records = sorted(Path(request.prefix).glob("conda-meta/*.json"))
    if not records:
        return
    lines = []
    for record in records:
        name, _, rest = record.stem.rpartition("-")[0].rpartition("-")
        lines.append(f"{name}={rest}={record.stem.rpartition('-')[2]}")
    findings.files["environment/conda.txt"] = "".join(f"{line}\n" for line in lines).encode()
    named = request.variables.get("CONDA_DEFAULT_ENV", "")
    findings.facts["environment/conda"] = named or Path(request.prefix).name
    findings.facts["environment/conda_packages"] = len(lines)
