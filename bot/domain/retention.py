"""Forgetting the past in small steps, so slowly that nobody who writes meanwhile notices.

Measured on SQLite with 100,000 to 300,000 groups: a step of 100 holds the one writer for 1.4 ms, 10 ms where nothing is
in the cache; one of 1,000 for 30 to 100 ms. Whoever writes during a step waits for it: at four steps a second that was
one webhook in seven, and their p99 rose by a quarter; at one in two seconds (``make bench``, history) it does not show.
"""

from __future__ import annotations

from datetime import timedelta

STEP = 100
"""Of each kind, in one transaction: ``Chronicle.forget``'s limit."""
REST = timedelta(seconds=2)
"""Between two steps, at least: 50 groups a second go, more than any department's alerts come."""
SHARE = 9
"""A step is followed by so many times its own length, so that a slow disk is given a rest in proportion."""
AGAIN = timedelta(hours=1)
"""After all that was old has gone: a day's worth never gathers."""


def pause(took: timedelta) -> timedelta:
    """How long to wait after a step that *took* so long, where there is more to forget."""
    return max(REST, SHARE * took)
