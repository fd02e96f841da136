"""The child that asks the server for a training process, which loads no gRPC: `python -m weir._artifacts.fetch`.

One JSON object comes in on stdin, one goes out on stdout; progress goes to stderr, when that is a
terminal. The token comes in the object: command lines can be read by everybody.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from weir._artifacts.asking import DirectAsker
from weir._artifacts.bars import download_bar
from weir._artifacts.manifest import ManifestFile
from weir._artifacts.records import Wanted
from weir.agent._transport import Address, ArtifactsTransport
from weir.errors import Rejected, WeirError


def main() -> int:
    """Answer one question; the exit code is 0 whenever there is an answer."""
    question = json.load(sys.stdin)
    try:
        answer = {"answer": _answer(question)}
    except WeirError as error:
        code = error.code if isinstance(error, Rejected) else ""
        answer = {"error": type(error).__name__, "message": str(error), "code": code}
    except OSError as error:
        answer = {"error": "OSError", "errno": error.errno, "message": str(error)}
    json.dump(answer, sys.stdout)
    return 0


def _answer(question: dict[str, Any]) -> Any:
    transport = ArtifactsTransport(Address(question["server"], question["token"]))
    try:
        match question["do"]:
            case "find":
                wanted = Wanted(**question["wanted"])
                asker = DirectAsker(transport)
                return asdict(asker.find(wanted, question["run_id"], question["run_project"]))
            case "files":
                return [
                    asdict(f) for f in DirectAsker(transport).files(Wanted(**question["wanted"]))
                ]
            case "fetch":
                files = [ManifestFile(**each) for each in question["files"]]
                total_bytes = sum(file.size_bytes for file in files if not file.is_reference)
                with download_bar("weir: downloading", total_bytes) as passed:
                    asker = DirectAsker(transport, progress=passed)
                    asker.fetch(question["project"], files, Path(question["root"]))
                return None
    finally:
        transport.close()
    raise WeirError(f"no such question {question['do']!r}")


if __name__ == "__main__":
    sys.exit(main())
