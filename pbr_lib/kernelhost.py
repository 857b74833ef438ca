"""A process that has the libraries loaded and becomes a kernel on request; apart, because it must stay clean.

It is started by exec, never forked from a process with threads; it opens no socket, no loop and no database,
and draws one throw-away chart so that fonts are warm. Each request forks it: the child is an ordinary
ipykernel in a process of its own, so nothing of one partner reaches the next. It speaks JSON lines on its
standard input and output and ends, children included, when its input closes.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import signal
import sys
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Load, say ready with the number of threads, then serve ``fork`` and ``poll`` until the input closes."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    _load()
    gc.collect()
    gc.freeze()
    replies.write(json.dumps({"threads": _threads()}) + "\n")
    children: dict[int, int | None] = {}
    for line in filter(str.strip, sys.stdin):
        request = json.loads(line)
        if request["op"] == "fork":
            pid = os.fork()
            if pid == 0:
                replies.close()
                _become_kernel(request)
            children[pid] = None
            replies.write(json.dumps({"pid": pid}) + "\n")
        else:
            replies.write(json.dumps({"code": _poll(children, request["pid"])}) + "\n")
    for pid in children:
        if _poll(children, pid) is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _load() -> None:
    """Import what every pack needs and warm the fonts; nothing here may start a thread."""
    from pbr_lib import startup

    startup.lighten()
    # matplotlib reads its backend at import; a stock kernel sets this before.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    import ipykernel.ipkernel
    import ipykernel.kernelapp  # noqa: F401
    import pandas as pd

    import pbr_lib.desk
    import pbr_lib.review  # noqa: F401
    from pbr_lib import charts

    drawing, axes = charts.figure("half")
    axes.plot([0, 1], [0, 1])
    charts.chart(drawing, pd.DataFrame({"x": [0, 1]}), "warm", "warm", {"type": "line", "x": "x", "series": ["x"]})


def _become_kernel(request: dict[str, Any]) -> None:
    """Turn this fork into the kernel that was asked for; never returns."""
    code = 1
    try:
        os.setsid()
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        sys.argv = ["ipykernel_launcher", *request["argv"]]
        # As the stock launcher does: the kernel itself puts its working folder in front.
        sys.path[:] = [entry for entry in sys.path if entry not in ("", request["host_cwd"])]
        random.seed()
        import numpy as np

        np.random.seed()
        from ipykernel.kernelapp import IPKernelApp

        IPKernelApp.launch_instance(argv=request["argv"])
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _poll(children: dict[int, int | None], pid: int) -> int | None:
    if children.get(pid) is None:
        try:
            done, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            done, status = pid, 0
        if done:
            children[pid] = os.waitstatus_to_exitcode(status)
    return children.get(pid)


def _threads() -> int:
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return 0


if __name__ == "__main__":
    main()
