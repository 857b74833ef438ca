"""Kernels that are forked instead of started; apart, because a kernel provisioner is jupyter_client's notion.

Starting a kernel costs more than running a pack: it is nearly all imports. :class:`ForkingProvisioner` asks
a :mod:`pbr_lib.kernelhost`, which has them loaded, to fork; what comes out is an ordinary ipykernel process
that Papermill and nbclient drive like any other. Where forking is unsafe, kernels start the stock way.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.provisioning import LocalProvisioner

from pbr_lib import kernelhost

__all__ = ["PROVISIONER", "ForkingProvisioner", "use_forks"]

PROVISIONER = "pbr-fork"


def use_forks() -> None:
    """Let this process start its kernels by forking, where that is safe.

    To be called early, with the libraries loaded that kernels shall inherit. A process that already has
    threads cannot be forked safely, and then, as on systems other than Linux, kernels start the stock way.
    """
    if sys.platform == "linux" and kernelhost.threads() == 1:
        KernelHost.mine = KernelHost()
        os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] = PROVISIONER


class ForkedKernel:
    """A kernel process that belongs to the host; answers what ``subprocess.Popen`` would."""

    stdin = stdout = stderr = None

    def __init__(self, host: KernelHost, pid: int) -> None:
        self.host = host
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self.returncode is None:
            self.returncode = self.host.ask({"op": "poll", "pid": self.pid})["code"]
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired("kernel", timeout or 0)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        """Signal it, if it still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class KernelHost:
    """The host of this process: a fork of it, made while it was clean, and gone when it goes."""

    mine: ClassVar[KernelHost | None] = None

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            kernelhost.serve(theirs)
        theirs.close()
        self.stream = ours.makefile("rw", encoding="utf-8")
        self.socket = ours
        # Unlike atexit, this also runs at the end of a multiprocessing worker.
        Finalize(None, self.close, exitpriority=10)

    def close(self) -> None:
        """Let the host and its kernels end, and wait for them."""
        with contextlib.suppress(OSError, ValueError, ChildProcessError):
            self.stream.close()
            self.socket.close()
            os.waitpid(self.pid, 0)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request, one answer; a host that is gone answers that everything ended."""
        try:
            self.stream.write(json.dumps(request) + "\n")
            self.stream.flush()
            line = self.stream.readline()
        except (OSError, ValueError):
            line = ""
        return dict(json.loads(line)) if line else {"code": 1}


class ForkingProvisioner(LocalProvisioner):
    """Launches Python kernels by forking the host; anything else the stock way."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel for ``cmd``, or start it when it is not ours to fork."""
        host = KernelHost.mine if _is_ours(cmd) else None
        if host is None:
            return await super().launch_kernel(cmd, **kwargs)
        where = str(kwargs.get("cwd") or Path.cwd())
        environment = dict(kwargs.get("env") or os.environ)
        argv = cmd[cmd.index("ipykernel_launcher") + 1 :]
        request = {"op": "fork", "argv": argv, "env": environment, "cwd": where}
        answer = host.ask(request)
        if "pid" not in answer:
            return await super().launch_kernel(cmd, **kwargs)
        self.process = ForkedKernel(host, answer["pid"])
        self.pid = answer["pid"]
        # The child leads a session of its own, so its group is signalled as a whole.
        self.pgid = None
        self.cwd = where
        return self.connection_info


def _is_ours(cmd: list[str]) -> bool:
    return "ipykernel_launcher" in cmd and Path(cmd[0]).resolve() == Path(sys.executable).resolve()
