"""What the back-test says is kept, and forgotten when something that it rests on changes; rows of targets do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pbr_lib import backtest, ground, ingest, params, tried
from pbr_lib.contest import OURS
from pbr_lib.ground import Ground


@pytest.fixture(scope="module")
def base(shared_workbook: Path) -> Ground:
    settings = params.read(shared_workbook)
    loaded = ingest.load(settings)
    return ground.lay(settings, loaded, settings.calendar.quarter_of(loaded.as_of))


def test_it_says_what_the_back_test_says(base: Ground) -> None:
    """Read back from the store as well, and a metric that nothing was tried of is forecast our way."""
    tested = backtest.of(base)
    for found in (tried.of(base), tried.of(base)):
        assert found.metrics
        for name in found.metrics:
            assert found.choice(name) == tested.choice(name)
            assert found.held(name) == tested.held(name)
        assert found.choice("nothing") == OURS and found.held("nothing")[0] == 0


def test_it_is_made_again_only_when_needed(base: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other targets change nothing; another definition does."""
    first = tried.of(base)

    def refuse(_: Ground) -> backtest.Backtest:
        raise AssertionError("tested again")

    monkeypatch.setattr(backtest, "of", refuse)
    without = replace(base, params=replace(base.params, instances={}))
    assert tried.of(without) == first
    name = next(iter(base.params.metrics))
    other = base.params.metrics[name].model_copy(update={"label": "Another"})
    changed = replace(base, params=replace(base.params, metrics={**base.params.metrics, name: other}))
    with pytest.raises(AssertionError, match="tested again"):
        tried.of(changed)


def test_targets_have_no_part_in_it(base: Ground) -> None:
    """Which way is shown follows from ranges and final values, whatever was agreed."""
    without = backtest.of(replace(base, params=replace(base.params, instances={})))
    with_rows = backtest.of(base)
    assert {name: with_rows.choice(name) for name in with_rows.labels} == {
        name: without.choice(name) for name in without.labels
    }
