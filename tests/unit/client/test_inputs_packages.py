"""The environment of a run: packages, machine, variables, container, command."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.client.repositories import request_in
from weir._inputs import _container
from weir._inputs._command import collect_command
from weir._inputs._container import collect_container, container_id, container_kind, scheduler
from weir._inputs._machine import collect_gpus, collect_machine
from weir._inputs._packages import PACKAGES_PATH, REQUIREMENTS_PATH, collect_packages
from weir._inputs._request import Request
from weir._inputs._variables import allowed_variables, collect_variables
from weir._redact import MASK, Redactor


def distribution(
    folder: Path, name: str, version: str, direct: dict[str, Any] | None = None
) -> None:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if direct:
        (info / "direct_url.json").write_text(json.dumps(direct))


@pytest.fixture
def ask(tmp_path: Path) -> Any:
    def request(**options: Any) -> Request:
        return request_in(tmp_path, tmp_path / "spool", python="3.11.7 (main)", **options)

    return request


def test_packages_are_those_on_the_trainers_path_and_the_first_of_two_counts(
    tmp_path: Path, ask: Any
) -> None:
    distribution(tmp_path / "one", "Some_Package", "2.0")
    distribution(tmp_path / "two", "some.package", "1.0")
    distribution(tmp_path / "two", "other", "0.1")
    findings = collect_packages(
        ask(sys_path=(str(tmp_path / "one"), str(tmp_path / "two"))), Redactor()
    )
    assert findings.facts["environment/packages"] == {"other": "0.1", "some-package": "2.0"}
    assert findings.files[REQUIREMENTS_PATH].decode() == (
        "# Python 3.11.7\nother==0.1\nsome-package==2.0\n"
    )


def test_what_was_installed_from_a_repository_or_a_folder_is_told_so_without_credentials(
    tmp_path: Path, ask: Any
) -> None:
    vcs = {"vcs": "git", "commit_id": "abc123"}
    distribution(
        tmp_path,
        "ofgit",
        "1",
        {"url": "https://u:hunter22@h.org/x.git", "vcs_info": vcs, "subdirectory": "py"},
    )
    distribution(tmp_path, "edit", "2", {"url": "file:///src/edit", "dir_info": {"editable": True}})
    distribution(tmp_path, "wheel", "3", {"url": "https://h.org/wheel.whl", "archive_info": {}})
    findings = collect_packages(ask(sys_path=(str(tmp_path),)), Redactor())
    lines = findings.files[REQUIREMENTS_PATH].decode().splitlines()
    assert lines[1:] == [
        "# editable: edit==2 from file:///src/edit",
        f"ofgit @ git+https://u:{MASK}@h.org/x.git@abc123#subdirectory=py",
        "wheel @ https://h.org/wheel.whl",
    ]
    told = {each["name"]: each for each in json.loads(findings.files[PACKAGES_PATH])}
    assert told["edit"]["direct_url"]["dir_info"] == {"editable": True}
    assert "hunter22" not in findings.files[PACKAGES_PATH].decode()


def test_damaged_metadata_hides_no_other_package(tmp_path: Path, ask: Any) -> None:
    distribution(tmp_path, "good", "1")
    (tmp_path / "bad-1.dist-info").mkdir()
    (tmp_path / "worse-1.dist-info").mkdir()
    (tmp_path / "worse-1.dist-info" / "METADATA").write_bytes(b"\xff\xfe\0")
    findings = collect_packages(ask(sys_path=(str(tmp_path),)), Redactor())
    assert findings.facts["environment/packages"] == {"good": "1"}


def test_the_digest_tells_environments_apart(tmp_path: Path, ask: Any) -> None:
    distribution(tmp_path / "a", "one", "1")
    distribution(tmp_path / "b", "one", "2")
    digests = {
        collect_packages(ask(sys_path=(str(tmp_path / each),)), Redactor()).facts[
            "environment/digest"
        ]
        for each in ("a", "b", "a")
    }
    assert len(digests) == 2


def test_a_conda_environment_is_listed_too(tmp_path: Path) -> None:
    meta = tmp_path / "conda-meta"
    meta.mkdir()
    (meta / "python-3.11.7-h955ad1f_0.json").write_text("{}")
    (meta / "cuda-cudart-12.4.127-0.json").write_text("{}")
    request = Request(
        job="start",
        sections=(),
        spool_path="/s/p/r/x",
        python="3.11.7",
        prefix=str(tmp_path),
        variables={"CONDA_DEFAULT_ENV": "train"},
    )
    findings = collect_packages(request, Redactor())
    assert findings.facts["environment/conda"] == "train"
    assert findings.files["environment/conda.txt"].decode().splitlines() == [
        "cuda-cudart=12.4.127=0",
        "python=3.11.7=h955ad1f_0",
    ]


def test_the_packages_of_this_very_environment(ask: Any) -> None:
    facts = collect_packages(ask(sys_path=tuple(sys.path)), Redactor()).facts
    assert facts["environment/packages"]["grpcio"]
    assert facts["environment/package_count"] > 30


# ── machine ───────────────────────────────────────────────────────────────


def test_the_machine_is_told(ask: Any) -> None:
    facts = collect_machine(ask(), Redactor()).facts
    assert facts["machine/cpu_count"] >= 1
    assert facts["machine/memory_bytes"] > 1 << 28
    assert facts["machine/os"]
    assert facts["machine/kernel"]


class _Nvml:
    """What we call of pynvml; the second card tells little, as some do."""

    class NVMLError(Exception):
        pass

    def nvmlInit(self) -> None: ...
    def nvmlShutdown(self) -> None: ...

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> bytes:
        return b"NVIDIA H200"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        if handle:
            raise self.NVMLError("not supported")
        return type("Memory", (), {"total": 150 << 30})

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return f"GPU-{handle}"

    def nvmlDeviceGetCudaComputeCapability(self, handle: int) -> tuple[int, int]:
        return (9, 0)

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: int) -> int:
        return 700_000

    def nvmlDeviceGetMigMode(self, handle: int) -> tuple[int, int]:
        return (0, 0)

    def nvmlSystemGetDriverVersion(self) -> bytes:
        return b"550.54"

    def nvmlSystemGetCudaDriverVersion_v2(self) -> int:
        return 12_040


def test_gpus_are_told_even_if_one_says_little(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", _Nvml())
    facts = collect_gpus(ask(), Redactor()).facts
    assert facts["machine/gpu"] == "NVIDIA H200"
    assert facts["machine/gpu_count"] == 2
    assert facts["machine/gpu_driver"] == "550.54"
    assert facts["machine/cuda_driver"] == "12.4"
    first, second = facts["machine/gpus"]
    assert first["memory_bytes"] == 150 << 30
    assert first["power_limit_w"] == 700
    assert "memory_bytes" not in second


def test_a_machine_without_a_driver_is_no_problem(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvml = _Nvml()
    monkeypatch.setattr(
        nvml, "nvmlInit", lambda: (_ for _ in ()).throw(_Nvml.NVMLError()), raising=False
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert not collect_gpus(ask(), Redactor()).facts


# ── variables, command, container ─────────────────────────────────────────


def test_only_allowed_variables_are_looked_at_and_never_secrets(ask: Any) -> None:
    environ = {
        "SLURM_JOB_ID": "5",
        "CUDA_VISIBLE_DEVICES": "0,1",
        "NCCL_DEBUG": "INFO",
        "RAY_AUTH_TOKEN": "t0ken-123456",
        "SLURM_SECRET": "s3cr3t-123",
        "HOME": "/root",
        "MY_VARIABLE": "x",
        "TF_VAR_db": "terraform",
        "KUBERNETES_PORT_443_TCP": "tcp://1.2.3.4",
        "OMPI_COMMAND": "train --password hunter22",
    }
    allowed = allowed_variables(environ)
    assert not {"HOME", "MY_VARIABLE", "TF_VAR_db", "KUBERNETES_PORT_443_TCP"} & set(allowed)
    facts = collect_variables(ask(variables=allowed), Redactor()).facts
    assert sorted(path.partition("/")[2] for path in facts) == [
        "CUDA_VISIBLE_DEVICES", "NCCL_DEBUG", "OMPI_COMMAND", "SLURM_JOB_ID",
    ]  # fmt: skip
    assert facts["variables/SLURM_JOB_ID"] == "5"
    assert facts["variables/OMPI_COMMAND"] == f"train --password {MASK}"


def test_the_command_is_told_without_secrets(ask: Any) -> None:
    argv = ("/env/bin/python", "-u", "train.py", "--token", "abc", "--name", "a b")
    facts = collect_command(
        ask(argv=argv, script="/w/train.py", module="pkg.train"), Redactor()
    ).facts
    assert facts["command/argv"] == [
        "/env/bin/python",
        "-u",
        "train.py",
        "--token",
        MASK,
        "--name",
        "a b",
    ]
    assert facts["command/line"] == "/env/bin/python -u train.py --token '***' --name 'a b'"
    assert facts["command/module"] == "pkg.train"


_ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("cgroup", "mounts", "found"),
    [
        (f"0::/system.slice/docker-{_ID}.scope", "", _ID),
        (f"12:pids:/docker/{_ID}\n", "", _ID),
        (f"0::/kubepods/besteffort/pod1/{_ID}", "", _ID),
        ("0::/", f"611 590 8:1 /var/lib/docker/containers/{_ID}/hostname /etc/hostname rw", _ID),
        ("0::/", "1 2 8:1 / / rw", ""),
    ],
)
def test_a_containers_id_is_found_where_runtimes_leave_it(
    cgroup: str, mounts: str, found: str
) -> None:
    assert container_id(cgroup, mounts) == found


def test_containers_and_schedulers_are_known_by_their_traces(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert container_kind("0::/kubepods.slice/x", {}) == "kubernetes"
    assert scheduler({"SLURM_JOB_ID": "1"}) == "slurm"
    assert scheduler({}) == ""
    pod = "pod12345678_1234_1234_1234_123456789012"
    texts = {"/proc/self/cgroup": f"0::/kubepods.slice/kubepods-{pod}.slice/{_ID}"}
    monkeypatch.setattr(_container, "_read", lambda path: texts.get(path, ""))
    facts = collect_container(
        ask(variables={"SLURM_CONTAINER": "docker://u:pw12345@h/img:1"}), Redactor()
    ).facts
    assert facts["container/pod"] == "12345678-1234-1234-1234-123456789012"
    assert facts["container/id"] == _ID
    assert facts["container/image"] == f"docker://u:{MASK}@h/img:1"
