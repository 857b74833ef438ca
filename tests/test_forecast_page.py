"""The page on forecasts: its figures are those of the code as it stands."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("forecast_page", ROOT / "docs" / "forecast_page.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_code_says(writer: ModuleType) -> None:
    """The text, and the figures of the shipped demo; if it fails, run ``python docs/forecast_page.py``."""
    text = (ROOT / "docs" / "explanation" / "forecast.md").read_text("utf-8")
    assert text.startswith(writer.TOP + writer.shipped())
    assert f"## A larger demo: {writer.PARTNERS} partners" in text
