"""Kernels that are forked instead of started; apart, because a kernel provisioner is jupyter_client's notion.

Starting a kernel costs more than running a pack: it is nearly all imports. :class:`ForkingProvisioner` asks
a :mod:`pbr_lib.kernelhost`, which has them loaded, to fork; what comes out is an ordinary ipykernel process
that Papermill and nbclient drive like any other. Where forking is unsafe, the stock way takes over by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.provisioning import LocalProvisioner

__all__ = ["PROVISIONER", "ForkingProvisioner", "use_forks"]

PROVISIONER = "pbr-fork"


def use_forks() -> None:
    """Let this process start its kernels by forking, where that is safe (Linux, for now)."""
    if sys.platform == "linux":
        os.environ.setdefault("JUPYTER_DEFAULT_PROVISIONER_NAME", PROVISIONER)


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
    """The running host of this process; made on first use, gone with this process."""

    _mine: ClassVar[KernelHost | None] = None

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pbr_lib.kernelhost"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        answer = self._read()
        # More than one thread, and a fork could inherit a lock that nobody will ever release.
        self.safe = answer.get("threads") == 1
        # Unlike atexit, this also runs at the end of a multiprocessing worker.
        Finalize(None, self.close, exitpriority=10)

    @classmethod
    def mine(cls) -> KernelHost:
        """The host of this process, started when there is none or it has died."""
        if cls._mine is None or cls._mine.process.poll() is not None:
            cls._mine = cls()
        return cls._mine

    def close(self) -> None:
        """Let the host and its kernels end, and wait for it."""
        _piped(self.process.stdin).close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request, one answer; a host that is gone answers that everything ended."""
        try:
            _piped(self.process.stdin).write(json.dumps(request) + "\n")
        except (BrokenPipeError, OSError):
            return {"code": 1}
        return self._read()

    def _read(self) -> dict[str, Any]:
        line = _piped(self.process.stdout).readline()
        return dict(json.loads(line)) if line else {"code": 1}


class ForkingProvisioner(LocalProvisioner):
    """Launches Python kernels by forking the host; anything else the stock way."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel for ``cmd``, or start it when it is not ours to fork."""
        host = KernelHost.mine() if _is_ours(cmd) else None
        if host is None or not host.safe:
            return await super().launch_kernel(cmd, **kwargs)
        where = str(kwargs.get("cwd") or Path.cwd())
        environment = dict(kwargs.get("env") or os.environ)
        argv = cmd[cmd.index("ipykernel_launcher") + 1 :]
        request = {"op": "fork", "argv": argv, "env": environment, "cwd": where, "host_cwd": str(Path.cwd())}
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


def _piped(pipe: Any) -> Any:
    """The pipe that Popen was told to make."""
    if pipe is None:
        raise RuntimeError("the kernel host was started without pipes")
    return pipe
