"""The finished table of attributions, from numbers back to words; apart, because it is layout and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pbr_lib.canonical import ARROW_TYPES
from pbr_lib.credit_rules import CREDITS, NEVER, STATES, Standing
from pbr_lib.naming import Words
from pbr_lib.schema import TABLES
from pbr_lib.shares import WHOLE, Numbers
from pbr_lib.subjects import NEVER_DAY, Subjects, whole_column

__all__ = ["MICROSECONDS", "Rows"]

MICROSECONDS = 86_400_000_000
"""Of one day."""

_TAKEN = ("partnership_id", "partner_contact_id", "decided_by", "commission_pct", "tier_stamped")


@dataclass(frozen=True)
class Rows:
    """What attributions are written from: the claims, their words, the records and the partners."""

    whole: pa.Table = field(repr=False)
    words: Words
    records: Subjects
    partner_ids: pa.StringArray

    def table(self, standing: Standing, units: Numbers, late: Numbers, locked: Numbers) -> pa.Table:
        """The rows, sorted by type, record, partner and credit.

        ``units`` are shares in ten-thousandths; ``late`` says whether a claim was late, ``locked`` the last day for
        each record.
        """
        columns = self._who(standing)
        columns["share"] = _shares(units)
        columns["influence_role"] = self._words("influence_role", standing.role)
        columns["evidence_ref"] = self._evidence(standing)
        columns |= {name: self._taken(name, standing.at) for name in _TAKEN}
        columns["status"] = _take(STATES, standing.state)
        columns["is_primary"] = pa.array(standing.primary > 0, mask=standing.primary < 0)
        columns["is_primary"] = self._known("is_primary", columns["is_primary"])
        silent = standing.moment == NEVER
        columns["claimed_at"] = pa.array(standing.moment, pa.timestamp("us"), mask=silent)
        columns["is_late"] = pa.array(late, mask=silent)
        last = locked[standing.record]
        columns["locked_on"] = pa.array(last, mask=last == NEVER_DAY).cast(pa.date32())
        columns |= self._lineage(standing)
        spec = TABLES["attributions"]
        nothing = pa.nulls(len(standing), pa.string())  # one for all columns that hold nothing
        arrays = []
        for column in spec.columns:
            array = columns.pop(column.name, nothing)
            empty = array.null_count == len(array) and array.type == pa.string()
            arrays.append(nothing if empty and column.kind == "text" else array.cast(ARROW_TYPES[column.kind]))
        return pa.table(arrays, names=list(spec.names))

    def _who(self, standing: Standing) -> dict[str, Any]:
        partner = self.partner_ids.take(pa.array(standing.partner))
        credit = _take(CREDITS, standing.credit)
        kinds, ids, made = list[pa.Array](), list[pa.Array](), list[pa.Array]()
        for kind, span in self.records.kinds(standing.record):
            ids.append(self.records.ids(kind, standing.record[span]))
            kinds.append(pa.repeat(pa.scalar(kind), span.stop - span.start))
            # A lead and an opportunity may have one id; of the many opportunities no id is made longer for it.
            parts = [ids[-1], partner[span], credit[span]]
            parts = parts if kind == "opportunity" else [pa.scalar(kind), *parts]
            made.append(pc.binary_join_element_wise(*parts, "/"))
        # In pieces, one for each type of record: joining them would hold hundreds of megabytes twice.
        subject, subject_type, own = (pa.chunked_array(each, pa.string()) for each in (ids, kinds, made))
        return {
            "attribution_id": self._own_ids(own, standing),
            "subject_type": subject_type,
            "subject_id": subject,
            "partner_id": partner,
            "credit_type": credit,
            "method": self._words("method", standing.at),
        }

    def _own_ids(self, made: pa.ChunkedArray, standing: Standing) -> pa.ChunkedArray:
        """The ids that a junction gives its rows, but for credit that a lead handed on."""
        if self.whole["attribution_id"].null_count == len(self.whole):
            return made
        given = self._taken("attribution_id", np.where(standing.lead < 0, standing.at, -1))
        return pc.coalesce(pa.chunked_array([given]), made)

    def _evidence(self, standing: Standing) -> pa.Array:
        given = self._taken("evidence_ref", standing.evidence)
        return pc.coalesce(given, self._leads(standing)) if (standing.lead >= 0).any() else given

    def _leads(self, standing: Standing) -> pa.Array:
        handed = standing.lead >= 0
        at = pa.array(np.where(handed, standing.lead - self.records.starts["lead"], 0), mask=~handed)
        return self.records.keys["lead"].take(at)

    def _lineage(self, standing: Standing) -> dict[str, pa.Array]:
        out = {"src_system": self._words("system", standing.at), "src_extract": self._words("source", standing.at)}
        out["src_row"] = self._taken("row", standing.at)
        return out | ({"carried_from": self._leads(standing)} if (standing.lead >= 0).any() else {})

    def _known(self, name: str, column: pa.Array) -> pa.Array:
        return pa.nulls(len(column), column.type) if self.whole[name].null_count == len(self.whole) else column

    def _words(self, name: str, rows: Numbers) -> pa.Array:
        if name not in self.words.codes:
            return self._taken(name, rows)
        return _take(self.words.values[name], self.words.codes[name][rows])

    def _taken(self, name: str, rows: Numbers) -> pa.Array:
        """A column of the claims in those rows; null where the row is -1."""
        column = self.whole[name]
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if column.null_count == len(column):
            return pa.nulls(len(rows), kind)
        if pa.types.is_dictionary(column.type):
            column = column.unify_dictionaries()
        taken = whole_column(column).take(pa.array(rows, mask=rows < 0))
        return taken.cast(kind)


def _take(values: tuple[str, ...], codes: Numbers) -> pa.Array:
    codes = codes.astype(np.int32)
    return pa.array(values, pa.string()).take(pa.array(codes, mask=(codes < 0) | (codes >= len(values))))


def _shares(units: Numbers) -> pa.Array:
    """Ten-thousandths as shares; few differ, so each is written once."""
    used = np.flatnonzero(np.bincount(units, minlength=1))
    texts = pa.array([f"{unit // WHOLE}.{unit % WHOLE:04d}" for unit in used.tolist()], pa.string())
    places = np.zeros(WHOLE + 1, np.int16)
    places[used] = np.arange(len(used))
    return texts.cast(ARROW_TYPES["number"]).take(pa.array(places[units]))
