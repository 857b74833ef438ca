"""``python -m pbr_lib``: the same as ``pbr``."""

from pbr_lib.cli import main

main()
