"""The script of a report's file: our modules as one, that stands alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from weir_dashboard import assets, documents, report_html
from weir_dashboard.report_bundle import bundle

NODE = shutil.which("node")


def ran(script: str, tmp_path: Path) -> str:
    if NODE is None:
        pytest.skip("no node on PATH")
    file = tmp_path / "bundle.cjs"
    file.write_text(script)
    done = subprocess.run([NODE, str(file)], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_modules_keep_names_apart_and_run_once(tmp_path):
    sources = {
        "main.js": """import one from "./a.js";
import { two as second, THREE } from "./b.js";
const own = 7;
console.log(one(), second(), THREE, own);
""",
        "a.js": """import { THREE } from "./b.js";
const own = 1;
export default function one() { return own + THREE; }
""",
        "b.js": """const own = 2;
export function two() { return own; }
/*
export function three() {}
*/
export const THREE = 3;
console.log("once");
""",
    }
    assert ran(bundle("main.js", sources), tmp_path) == "once\n4 2 3 7"


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({"main.js": 'import x from "./gone.js";\n'}, "not there"),
        (
            {"main.js": 'import x from "./a.js";\n', "a.js": 'import y from "./main.js";\n'},
            "circle",
        ),
        ({"main.js": 'import "./a.js";\n', "a.js": ""}, "cannot bundle"),
        ({"main.js": 'export * from "./a.js";\n', "a.js": ""}, "cannot bundle"),
        ({"main.js": 'import * as a from "./a.js";\n', "a.js": ""}, "cannot bundle"),
    ],
)
def test_what_is_not_understood_is_refused(sources, said):
    with pytest.raises(ValueError, match=said):
        bundle("main.js", sources)


def test_the_script_of_a_report_stands_alone(tmp_path):
    script = report_html._script()
    assert not re.search(
        r"^\s*(import|export)\b", re.sub(r"/\*.*?\*/", "", script, flags=re.DOTALL), re.MULTILINE
    )
    assert "Leon Sorokin" in script  # whose chart engine it is
    if NODE is not None:
        file = tmp_path / "script.js"
        file.write_text(script)
        subprocess.run([NODE, "--check", str(file)], check=True, timeout=60)


def test_browser_and_server_agree_on_which_addresses_are_long():
    found = assets.read("address.js")
    assert found is not None
    text = found.body.decode()
    keys = re.search(r"LONG_KEYS = \[(.*?)\]", text)
    assert keys is not None
    assert tuple(re.findall(r'"(\w+)"', keys[1])) == documents.LONG_KEYS
    assert f"LONG_ADDRESS = {documents.LONG_ADDRESS};" in text


def test_addresses_in_the_browser():
    if NODE is None:
        pytest.skip("no node on PATH")
    script = Path(__file__).with_name("address.test.mjs")
    done = subprocess.run([NODE, "--test", str(script)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-4_000:]
