"""How the training was started: command line, interpreter, directory, script, module or notebook."""

import shlex

from weir._inputs._report import Findings
from weir._inputs._request import Request
from weir._redact import Redactor


def collect_command(request: Request, redactor: Redactor) -> Findings:
    """Return `command/…`; words that are secrets are masked, empty facts are left out."""
    words = redactor.words(request.argv)
    found = {
        "command/line": shlex.join(words),
        "command/argv": words,
        "command/directory": request.directory,
        "command/interpreter": request.executable,
        "command/script": "" if request.notebook else request.script,
        "command/module": request.module,
        "command/notebook": request.notebook,
    }
    return Findings({path: value for path, value in found.items() if value})
