"""In which container, under which scheduler: from files and variables every runtime leaves behind."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from weir._inputs._report import Findings
from weir._inputs._request import Request
from weir._redact import Redactor

_CONTAINER_ID: Final = re.compile(r"(?:^|[/\-:])([0-9a-f]{64})(?:\.scope)?(?:$|/)")
_POD_ID: Final = re.compile(r"pod([0-9a-f]{8}[-_][0-9a-f_\-]{27})")
_SCHEDULERS: Final = {
    "slurm": "SLURM_JOB_ID",
    "sagemaker": "SM_TRAINING_ENV",
    "ray": "RAY_JOB_ID",
    "lsf": "LSB_JOBID",
    "pbs": "PBS_JOBID",
    "sge": "SGE_TASK_ID",
    "flux": "FLUX_JOB_ID",
    "vertex": "CLOUD_ML_JOB_ID",
    "azureml": "AZUREML_RUN_ID",
    "kubernetes": "KUBERNETES_SERVICE_HOST",
}
# Where runtimes and image builders write which image this is.
_IMAGE_FILES: Final = ("/.singularity.d/labels.json", "/etc/image-id", "/run/.containerenv")
_IMAGE_LINE: Final = re.compile(r"(?m)^(?:image|imageid)=\"?([^\"\n]+)")


def collect_container(request: Request, redactor: Redactor) -> Findings:
    """Return `container/…` and `machine/scheduler`; nothing where there is neither."""
    environ = dict(request.variables)
    cgroup = _read("/proc/self/cgroup")
    mounts = _read("/proc/self/mountinfo")
    found = {
        "container/kind": container_kind(cgroup, environ),
        "container/id": container_id(cgroup, mounts),
        "container/pod": _pod(cgroup, environ),
        "container/image": redactor.text(_image(environ)),
        "container/cgroup": cgroup.splitlines()[-1].rpartition(":")[2] if cgroup else "",
        "machine/scheduler": scheduler(environ),
    }
    if not (found["container/kind"] or found["container/id"]):
        found["container/cgroup"] = ""
    return Findings({path: value[:1_000] for path, value in found.items() if value})


def container_kind(cgroup: str, environ: Mapping[str, str]) -> str:
    """Return `kubernetes`, `podman`, `docker`, `apptainer`, `enroot`, `lxc`; "" outside of one."""
    if "kubepods" in cgroup or environ.get("KUBERNETES_SERVICE_HOST"):
        return "kubernetes"
    files = {
        "/run/.containerenv": "podman",
        "/.dockerenv": "docker",
        "/.singularity.d": "apptainer",
    }
    for path, kind in files.items():
        if Path(path).exists():
            return kind
    words = {"docker": "docker", "libpod": "podman", "/lxc": "lxc", "enroot": "enroot"}
    return next((kind for word, kind in words.items() if word in cgroup), "")


def container_id(cgroup: str, mounts: str) -> str:
    """Return the 64 hex digits that a runtime knows the container by; "" when nothing tells."""
    for text in (cgroup, "\n".join(line for line in mounts.splitlines() if "/containers/" in line)):
        for line in text.splitlines():
            if found := _CONTAINER_ID.search(line):
                return found[1]
    return ""


def scheduler(environ: Mapping[str, str]) -> str:
    """Return who started the job, by the variable it leaves; "" when nobody did."""
    return next((name for name, variable in _SCHEDULERS.items() if environ.get(variable)), "")


def _pod(cgroup: str, environ: Mapping[str, str]) -> str:
    found = _POD_ID.search(cgroup)
    return environ.get("POD_NAME", "") or (found[1].replace("_", "-") if found else "")


def _image(environ: Mapping[str, str]) -> str:
    for name in ("SLURM_CONTAINER", "NVIDIA_PRODUCT_NAME", "RUNPOD_IMAGE"):
        if environ.get(name):
            return environ[name]
    for path in _IMAGE_FILES:
        if found := _IMAGE_LINE.search(_read(path)):
            return found[1]
    return ""


def _read(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""
