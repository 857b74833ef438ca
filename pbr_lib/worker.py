"""What a run calls in its workers; apart, because the process that runs a batch imports this to name it, and
must not pay for what only workers use.
"""

from __future__ import annotations

import importlib

from pbr_lib import startup
from pbr_lib.jobs import Job, Outcome

__all__ = ["make", "warm"]


def warm() -> None:
    """What a worker does before its first pack: load everything, then fork the host of its kernels."""
    startup.lighten()
    importlib.import_module("pbr_lib.warm")
    from pbr_lib import kernels

    kernels.use_forks()


def make(job: Job) -> Outcome:
    """One pack, in this process; see :func:`pbr_lib.packs.make`."""
    from pbr_lib import packs

    return packs.make(job)
