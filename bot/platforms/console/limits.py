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
LAST_CELL: Final = 240
"""Characters of the last one of a row, which pushes nothing aside."""
PENDING: Final = 1_000
"""Cards that may wait for one slow page before it is dropped."""
CURVES: Final = 6
"""Curves of one graph: as many as there are colours that can be told apart."""
POINTS: Final = 240
"""Points of one curve that are sent to a page: a card is 800 pixels wide at most."""
POINT: Final = 56
"""Bytes of one point in JSON at most: a time with its zone, a number, brackets."""
BARS: Final = 48
"""Bars of one curve in a terminal: with the figures beside them within a usual window's 100 columns."""
MARKS: Final = 8
"""Marks of one graph in a terminal; each takes a line."""
STEP: Final = 44
"""Columns of a bar's name: a step's title is a sentence."""
NAME: Final = 24
"""Columns of a curve's name in a terminal, where several stand under each other."""
