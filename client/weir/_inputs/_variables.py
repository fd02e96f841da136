"""Which environment variables are recorded: those of schedulers, containers and accelerators. Pure.

An allow-list: what is not named here is never looked at (`TF_` would let Terraform's in). A name
that says secret is left out even when a prefix would let it in.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from weir._inputs._report import Findings
from weir._inputs._request import Request
from weir._secrets import is_secret_name

if TYPE_CHECKING:
    from weir._redact import Redactor

_PREFIXES: Final = (
    *(
        "SLURM_",
        "SLURMD_",
        "OMPI_",
        "PMIX_",
        "PMI_",
        "MPI_",
        "MV2_",
        "I_MPI_",
        "PBS_",
        "LSB_",
        "SGE_",
    ),
    *("FLUX_", "COBALT_", "TORCHELASTIC_", "TORCH_", "PYTORCH_", "NCCL_", "RCCL_", "GLOO_", "UCX_"),
    *(
        "FI_",
        "CUDA_",
        "CUBLAS_",
        "CUDNN_",
        "NVIDIA_",
        "ROCR_",
        "HIP_",
        "HSA_",
        "XLA_",
        "JAX_",
        "TF_CPP_",
    ),
    *("TF_XLA_", "TF_GPU_", "TF_FORCE_", "TF_ENABLE_", "TF_CUDNN_", "TF_NUM_"),
    *(
        "LIBTPU_",
        "TPU_",
        "OMP_",
        "KMP_",
        "MKL_",
        "OPENBLAS_",
        "NUMEXPR_",
        "RAY_",
        "DS_",
        "ACCELERATE_",
    ),
    *("FSDP_", "HOROVOD_", "DASK_", "KUBERNETES_", "SM_", "SAGEMAKER_", "AZUREML_", "AZ_BATCH_"),
    *("CLOUD_ML_", "VERTEX_", "DET_", "KFP_", "LEPTON_", "RUNPOD_"),
)
_NAMES: Final = frozenset(
    {
        *("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_RANK", "ROLE_RANK"),
        *(
            "MASTER_ADDR",
            "MASTER_PORT",
            "NODE_RANK",
            "HOSTNAME",
            "PYTHONHASHSEED",
            "PYTHONOPTIMIZE",
        ),
        *("LD_PRELOAD", "MALLOC_CONF", "CONDA_DEFAULT_ENV", "CONDA_PREFIX", "VIRTUAL_ENV"),
        *(
            "JOB_COMPLETION_INDEX",
            "POD_NAME",
            "POD_NAMESPACE",
            "NODE_NAME",
            "TOKENIZERS_PARALLELISM",
        ),
        *(
            "HF_HUB_OFFLINE",
            "TRANSFORMERS_OFFLINE",
            "HF_DATASETS_OFFLINE",
            "LSF_ENVDIR",
            "TZ",
            "LANG",
        ),
        *("TF_CONFIG", "TF_DETERMINISTIC_OPS", "TF_USE_CUDNN_AUTOTUNE", "CI", "COLAB_GPU"),
        *("TRAINING_JOB_NAME", "HYDRA_FULL_ERROR"),
    }
)
_MAX_LETTERS: Final = 4_000
_MAX_VARIABLES: Final = 500
_BOILERPLATE: Final = ("_SERVICE_PORT", "_SERVICE_HOST", "_PORT_443_TCP", "_TCP_ADDR", "_TCP_PROTO")


def allowed_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that may be recorded, by name; values as they are.

    Runs in the training process, which does without the patterns of secrets: the collector leaves
    out names that say secret.
    """
    return {name: environ[name] for name in sorted(environ) if _is_allowed(name)}


def _is_allowed(name: str) -> bool:
    return (name in _NAMES or name.startswith(_PREFIXES)) and not name.endswith(_BOILERPLATE)


def collect_variables(request: Request, redactor: "Redactor") -> Findings:
    """Return `variables/NAME` for each, redacted, cut at 4 000 letters, at most 500."""
    findings = Findings()
    for name, value in list(request.variables.items())[:_MAX_VARIABLES]:
        if not is_secret_name(name):
            findings.facts[f"variables/{name}"] = redactor.text(value)[:_MAX_LETTERS]
    if len(request.variables) > _MAX_VARIABLES:
        findings.problem("variables", f"only {_MAX_VARIABLES} of {len(request.variables)} are kept")
    return findings
