"""A process that becomes a kernel on request; apart, because it must stay clean.

It is a fork of a worker that has loaded its libraries and started no thread. Each request forks it again:
the child is an ordinary ipykernel in a process of its own, so nothing of one partner reaches the next. It
speaks JSON lines over a socket pair and ends, with its children, when the other side closes.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import signal
import socket
import sys
from typing import Any, NoReturn

__all__ = ["serve", "threads"]


def serve(connection: socket.socket) -> NoReturn:
    """Answer ``fork`` and ``poll`` until the other side closes; runs in a fork and never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whatever else the worker had open is not ours, and holding it would hide the worker's death.
    keep = connection.fileno()
    os.closerange(3, keep)
    os.closerange(keep + 1, 4096)
    gc.collect()
    gc.freeze()
    children: dict[int, int | None] = {}
    with connection, connection.makefile("rw", encoding="utf-8") as stream:
        for line in stream:
            request = json.loads(line)
            if request["op"] == "fork":
                pid = os.fork()
                if pid == 0:
                    os.close(keep)
                    _become_kernel(request)
                children[pid] = None
                answer: dict[str, Any] = {"pid": pid}
            else:
                answer = {"code": _poll(children, request["pid"])}
            stream.write(json.dumps(answer) + "\n")
            stream.flush()
    for pid in children:
        if _poll(children, pid) is None:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    os._exit(0)


def threads() -> int:
    """How many threads this process has, as the system counts them; 0 when it cannot be told."""
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return 0


def _become_kernel(request: dict[str, Any]) -> NoReturn:
    """Turn this fork into the kernel that was asked for."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        sys.argv = ["ipykernel_launcher", *request["argv"]]
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
