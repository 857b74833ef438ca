"""What an analyst calls first: load a review, list partners, see findings, set goals, write a sentence; apart, because
opening a workbook in a notebook means finding it, refreshing what is stale, and only then reading a slice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pbr_lib import workspace
from pbr_lib.blocks import Note
from pbr_lib.review import Review, open_slice

if TYPE_CHECKING:
    from pbr_lib.checkview import Check
    from pbr_lib.goaldesk import Goals

__all__ = ["check", "load", "note", "partners", "plan"]


def load(partner: str, quarter: str, edition: str = "partner") -> Review:
    """The review of one partner and one quarter.

    In a batch the slice is handed over and nothing else is opened. At a desk, exports, params and code are
    looked at first, and whatever is stale is read and measured again.

    Parameters
    ----------
    partner:
        The partner's id, e.g. ``P-001``.
    quarter:
        A label such as ``2026-Q3``.
    edition:
        ``partner`` shows what partners may see, ``internal`` everything.

    Raises
    ------
    UnknownPartner, UnknownQuarter, ParamsError, SourceError
        Each says what is wrong, where, and how to mend it.
    """
    handed = workspace.handed_slice()
    if handed is not None:
        return open_slice(handed, partner, quarter, edition)
    # Ibis, DuckDB and pydantic cost a second to import; a notebook of the batch never needs them.
    from pbr_lib import slices

    ready = slices.ensure(workspace.find_root(), quarter)
    return open_slice(ready.path(partner), partner, ready.quarter, edition)


def partners(quarter: str) -> pd.DataFrame:
    """The partners of a quarter: columns partner_id and name."""
    from pbr_lib import slices

    ready = slices.ensure(workspace.find_root(), quarter)
    return pd.DataFrame({"partner_id": list(ready.partners), "name": list(ready.partners.values())})


def check(quarter: str = "") -> Check:
    """What a look at params and exports finds, for analysts: it holds the data of every partner.

    Everything is read and measured, and nothing is built; databases and addresses are asked anew.

    Parameters
    ----------
    quarter:
        A label such as ``2026-Q3``; left out, the newest in the data.

    Raises
    ------
    UnknownQuarter, ParamsError, SourceError
        For what nothing can be measured with; everything else is a finding.
    """
    from pbr_lib import slices
    from pbr_lib.checkview import Check

    return Check(slices.check(workspace.find_root(), quarter))


def note(text: str) -> Note:
    """Prose that you compute, in Markdown: shows in the notebook and prints in the pack."""
    return Note(markdown=text)


def plan(quarter: str = "") -> Goals:
    """The goals of all partners, for those who set them: it holds the targets of every partner.

    Everything is measured once, and nothing is built or written.

    Parameters
    ----------
    quarter:
        A label such as ``2026-Q3``; left out, the newest in the data. The quarter after it may be asked for as well.

    Raises
    ------
    UnknownQuarter, ParamsError, SourceError
        For what nothing can be measured with; everything else is a finding.
    """
    from pbr_lib import goaldesk

    return goaldesk.look(workspace.find_root(), quarter)
