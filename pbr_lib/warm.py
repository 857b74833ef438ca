"""Loads what every pack needs, once, in the clean process that workers are forked from; importing it is its
whole effect. Nothing here may start a thread, open a socket, query a database or compile a document: a fork
inherits locks that nobody would ever release.
"""

from __future__ import annotations

from decimal import Decimal

from pbr_lib import startup

startup.lighten()

import ipykernel.ipkernel  # noqa: E402
import ipykernel.kernelapp  # noqa: E402, F401
import pandas as pd  # noqa: E402

import pbr_lib.desk  # noqa: E402
import pbr_lib.packs  # noqa: E402
import pbr_lib.review  # noqa: E402, F401
from pbr_lib import charts  # noqa: E402
from pbr_lib.export import fonts  # noqa: E402
from pbr_lib.model import Amount, Unit  # noqa: E402

# One throw-away chart warms fonts and drawing, one amount the currency names, one word the letters of fonts.
_drawing, _axes = charts.figure("half")
_axes.bar([0, 1], [0, 1], hatch="//")
_axes.text(0, 0, "0123456789 $,.%", weight=600)
charts.chart(_drawing, pd.DataFrame({"x": [0, 1]}), "warm", "warm", {"type": "line", "x": "x", "series": ["x"]})
Amount(Decimal("1.5"), Unit("money", "USD")).text  # noqa: B018
fonts.missing("a極")
fonts.measure("a")
