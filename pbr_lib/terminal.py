"""The two consoles that commands write to; apart, because every file of commands shares them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console

__all__ = ["err", "print_json", "print_line", "print_lines"]

out = Console(highlight=False, markup=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def print_line(line: str) -> None:
    """One line to standard output, as it is."""
    out.print(line)


def print_lines(lines: Iterable[str]) -> None:
    """Lines to standard output."""
    for line in lines:
        print_line(line)


def print_json(value: Any) -> None:
    """A value as JSON to standard output, and nothing else."""
    print_line(json.dumps(value, ensure_ascii=False, indent=1))
