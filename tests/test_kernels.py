"""Forked kernels are ordinary kernels: same outputs as stock ones, and nothing of one reaches the next."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")

ODDITIES = [
    "import sys, os, random\nprint('out'); print('err', file=sys.stderr)\n1 + 1",
    "from IPython.display import display, HTML\nhandle = display('first', display_id=True)\nhandle.update('second')",
    "display(HTML('<b>x</b>')); 'value';",
    "import matplotlib\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nmatplotlib.get_backend()",
    "import asyncio\nawait asyncio.sleep(0)\n'awaited'",
    "__name__, sys.argv[0].endswith('ipykernel_launcher') or sys.argv[0].endswith('ipykernel_launcher.py')",
    "'LEAK' in os.environ, 'leak' in dir(sys), os.getcwd() == os.path.realpath(os.getcwd())",
    "os.environ['LEAK'] = '1'; sys.leak = 1; import pandas as pd; pd.options.display.max_rows = 7",
]

RUN = """
import sys
from pbr_lib import startup
startup.lighten()
forked = sys.argv[3] == "forked"
if forked:
    import pbr_lib.warm
    from pbr_lib import kernels
    kernels.use_forks()
    assert kernels.KernelHost.mine is not None, "this process was not clean"
import papermill
for number in (1, 2):
    papermill.execute_notebook(sys.argv[1], sys.argv[2] + str(number), progress_bar=False, kernel_name="python3")
"""


def outputs(tmp_path: Path, way: str) -> list[list[dict]]:
    """What each cell shows when the notebook runs for the second time in the same worker."""
    source, out = tmp_path / "odd.ipynb", tmp_path / f"{way}.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in ODDITIES])
    nbformat.write(notebook, source)
    command = [sys.executable, "-c", RUN, str(source), str(out), way]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    executed = nbformat.read(f"{out}2", as_version=4)
    return [[plain(output) for output in cell.outputs] for cell in executed.cells]


def plain(output: nbformat.NotebookNode) -> dict:
    """An output without what must differ: addresses in memory and the bytes of pictures."""
    data = {kind: "" if kind.startswith("image") else text for kind, text in output.get("data", {}).items()}
    if "text/plain" in data and "0x" in data["text/plain"]:
        data["text/plain"] = data["text/plain"].split("0x")[0]
    return {**output, "data": data} if data else dict(output)


def test_a_forked_kernel_is_like_a_stock_one(tmp_path: Path) -> None:
    """Streams, results, updated displays, pictures, awaits and a clean start come out the same both ways."""
    forked, stock = outputs(tmp_path, "forked"), outputs(tmp_path, "stock")
    assert forked == stock
    assert "(False, False, True)" in str(forked[6])
