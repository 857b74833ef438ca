"""What JupyterLab's export menu does: it asks the server for a format, by name, over HTTP."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("jupyter_server", reason="the extra lab is not installed")
pytestmark = pytest.mark.xdist_group("build")

TOKEN = "for-this-test-only"


@pytest.fixture
def server(built: Path, tmp_path: Path) -> Iterator[str]:
    """A Jupyter server over the built packs, on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shutil.copy(built / "output/2026-Q3/P-001/pack.ipynb", tmp_path / "pack.ipynb")
    arguments = [f"--ServerApp.root_dir={tmp_path}", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.port={port}"]
    arguments += ["--ServerApp.open_browser=False", "--allow-root", "--ServerApp.port_retries=0"]
    environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"), "HOME": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def fetched(address: str) -> bytes:
    """The answer of the server, once it is up."""
    request = urllib.request.Request(address, headers={"Authorization": f"token {TOKEN}"})
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError:
            raise
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def test_the_export_menu_gives_the_pack(server: str, built: Path) -> None:
    """Every entry of ours in the menu works, and the files equal the batch's."""
    listed = [name for name in json.loads(fetched(f"{server}/api/nbconvert")) if name.startswith("pbr")]
    assert listed == ["pbr_pdf", "pbr_xlsx"]
    assert all(re.fullmatch(r"\w+", name) for name in listed)
    for name, file in (("pbr_pdf", "pack.pdf"), ("pbr_xlsx", "pack.xlsx")):
        made = fetched(f"{server}/nbconvert/{name}/pack.ipynb?download=true")
        assert made == (built / "output/2026-Q3/P-001" / file).read_bytes()
