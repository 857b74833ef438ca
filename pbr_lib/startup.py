"""What must happen before heavy libraries are imported; apart, because it has to be imported before them.

``jsonschema`` imports ``rfc3987_syntax`` when it is installed (JupyterLab brings it), and that module
compiles a grammar for seconds of processor time in every process. Nothing here checks IRIs, and jsonschema
does well without it.
"""

from __future__ import annotations

import os
import sys

__all__ = ["lighten"]


def lighten() -> None:
    """Make starting cheap: leave that grammar out, and keep number libraries from starting threads."""
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # makes its import an ImportError
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    # The allocators that Arrow brings would start a thread of their own, and a process with threads cannot
    # be forked safely.
    os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # matplotlib reads its backend at import; a stock kernel sets this before.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
