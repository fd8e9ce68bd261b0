"""What a console page can bear. Ours, not a vendor's: a browser has no published limit."""

from __future__ import annotations

from typing import Final

CARD: Final = 200_000
"""Bytes of one card as JSON: past it a phone on a bad line waits for seconds."""
PLAIN: Final = 200_000
"""Characters of one answer in a terminal."""
RUN_OVERHEAD: Final = 64
"""Bytes that the keys and brackets around one run of text take at most in JSON, besides its address and time."""
CELL: Final = 60
"""Columns of one table cell in a terminal; a longer one is cut, for the table to stay a table."""
PENDING: Final = 1_000
"""Cards that may wait for one slow page before it is dropped."""
