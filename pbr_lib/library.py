"""Definitions taken from ``params/library.yaml``; apart, because which of two definitions holds, and what comes
along with it, is a rule of its own.

``use`` in ``metrics.yaml`` names what is taken; a metric of the same name that stands in ``metrics.yaml`` itself
wins. The parts of a ratio come along by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pbr_lib.definitions import Metric, MetricsFile, RatioMetric
from pbr_lib.errors import InputError, did_you_mean
from pbr_lib.yamlfile import Document

__all__ = ["ALL", "taken", "with_currency"]

ALL = "all"


def with_currency(document: Document, currency: str) -> Document:
    """The library with the workbook's currency in every unit of money that names none."""
    data = document.data
    metrics = data.get("metrics") if isinstance(data, Mapping) else None
    if not isinstance(metrics, Mapping):
        return document
    filled = {name: _filled(metric, currency) for name, metric in metrics.items()}
    return replace(document, data={**data, "metrics": filled})


def _filled(metric: Any, currency: str) -> Any:
    unit = metric.get("unit") if isinstance(metric, Mapping) else None
    if not isinstance(unit, Mapping) or unit.get("kind") != "money" or "currency" in unit:
        return metric
    return {**metric, "unit": {**unit, "currency": currency}}


def taken(
    file: MetricsFile, library: Mapping[str, Metric], document: Document
) -> tuple[dict[str, Metric], list[InputError]]:
    """What ``use`` takes from the library, parts of ratios included, and the faults of ``use``.

    The order is that of the library, so that the same params always give the same order.
    """
    errors = []
    wanted = set(library) if ALL in file.use else set(file.use)
    for place, name in enumerate(file.use):
        if name != ALL and name not in library:
            what = f'the library has no metric called "{name}"'
            fix = f"{did_you_mean(name, list(library))} (the library is params/library.yaml)"
            errors.append(document.fault(("use", place), what, fix))
    for name in sorted(wanted & set(library)):
        metric = library[name]
        if name not in file.metrics and isinstance(metric, RatioMetric):
            wanted.update(metric.parts)
    out = {name: metric for name, metric in library.items() if name in wanted and name not in file.metrics}
    return out, errors
