"""What people write in params/ becomes tables like any other."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import tiny_workbook

from pbr_lib import canonical, paperwork, params
from pbr_lib.schema import TABLES


def test_actions_targets_and_facts_are_rows(tmp_path: Path) -> None:
    """With the schema of the model, money apart from counts."""
    root = tiny_workbook.write(tmp_path, tiny_workbook.usual())
    tiny_workbook.agree(root, "2026-Q3", ["A,leads_q,5", "A,revenue_q,1000"])
    head = "action_id,partner_id,action,side,opened,due,status,closed_on\n"
    action = head + "X1,A,Call,joint,2026-Q3,2026-08-01,done,2026-07-30\n"
    tiny_workbook.put(root, "params/actions.csv", action)
    facts = "fact,partner_id,valid_on,value,currency\nsponsor_met,A,2026-09-30,1,\nspend,A,2026-09-30,250,EUR\n"
    tiny_workbook.put(root, "params/manual_facts.csv", facts)
    made = paperwork.tables(params.read(root))
    for name, table in made.items():
        assert table.schema.equals(canonical.schema_of(TABLES[name]))
    assert made["actions"]["status"].to_pylist() == ["done"]
    rows = {row["goal"]: row for row in made["targets"].to_pylist()}
    assert (rows["leads_q"]["count"], rows["leads_q"]["amount"], rows["leads_q"]["is_agreed"]) == (
        Decimal(5),
        None,
        True,
    )
    assert (rows["revenue_q"]["amount"], rows["revenue_q"]["currency"]) == (Decimal(1000), "USD")
    facts_made = {
        row["fact"]: (row["value"], row["amount"], row["currency"]) for row in made["manual_facts"].to_pylist()
    }
    assert facts_made == {"sponsor_met": (Decimal(1), None, None), "spend": (None, Decimal(250), "EUR")}


def test_nothing_written_gives_empty_tables(tmp_path: Path) -> None:
    """The tables are there, without rows."""
    made = paperwork.tables(params.read(tiny_workbook.write(tmp_path, tiny_workbook.usual())))
    assert {name: len(table) for name, table in made.items()} == {"actions": 0, "targets": 0, "manual_facts": 0}
