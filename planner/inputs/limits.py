"""What a reader takes at most: a small file may claim, or unpack to, more than a machine holds.

Each is far above what a county has, and stated in docs/intake.md; whoever meets one is told the number and what to do.
"""

from __future__ import annotations

MAX_ROWS = 1_048_576
"""Rows of a worksheet: what a spreadsheet can hold. A text table may have more."""
MAX_TABLE_CELLS = 200_000_000
"""Rows times columns of a columnar file (Parquet), told by its own head."""
MAX_RASTER_CELLS = 2_000_000_000
"""Cells of a raster that are read: a county of 10,000 km2 at 2.5 m."""
MAX_TANGLED_VERTICES = 20_000
"""Vertices of one invalid shape that is mended: a star that crosses itself everywhere takes all memory."""
MAX_QUOTED_LINES = 50
"""Lines that one quoted cell of a text table may hold."""
