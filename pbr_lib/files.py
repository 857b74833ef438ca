"""Files that are there whole or not at all, and names that every file system takes; apart, because packs,
slices and runs all write, and none of them may leave half a file behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["code_digest", "folder_name", "read_json", "write_bytes", "write_json"]

# What Windows keeps for devices, and the name of the index that lies beside the slices.
_RESERVED = {"con", "prn", "aux", "nul", "index", *(f"com{i}" for i in range(10)), *(f"lpt{i}" for i in range(10))}


@lru_cache(maxsize=1)
def code_digest() -> str:
    """A fingerprint of this package: when it changes, nothing made before is taken for fresh."""
    hasher = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.suffix in (".py", ".typ", ".jinja", ".yaml"):
            hasher.update(path.name.encode() + path.read_bytes())
    return hasher.hexdigest()


def write_json(path: Path, value: Any) -> bytes:
    """Canonical JSON: sorted keys, so that equal content gives equal bytes. Returns what was written."""
    data = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    write_bytes(path, data)
    return data


def read_json(path: Path) -> Any:
    """The value of a JSON file, None when it is missing or damaged."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def write_bytes(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(data)
    aside.replace(path)


def folder_name(partner_id: str) -> str:
    """A partner's id as a folder name: itself where that is safe everywhere, else a readable part and a hash.

    Ids in mixed case, such as those of a CRM, get the hash too: many file systems take aB and Ab for one.
    """
    plain = re.fullmatch(r"[A-Z0-9][A-Z0-9_-]{0,60}|[a-z0-9][a-z0-9_-]{0,60}", partner_id)
    if plain and partner_id.lower() not in _RESERVED:
        return partner_id
    ascii_ = unicodedata.normalize("NFKD", partner_id).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^A-Za-z0-9]+", "-", ascii_).strip("-")[:40] or "partner"
    return f"{readable}-{hashlib.sha256(partner_id.encode()).hexdigest()[:10]}"
