"""Forgetting the past in small steps, so slowly that nobody who writes meanwhile notices.

Measured on a SQLite store with 300,000 groups: a step of 100 holds the one writer for 1.4 ms, 10 ms where nothing is
in the cache, and shares its commit with the webhooks of that moment; one of 1,000 held it for 30 to 100 ms. Beside 50
connections that send webhooks as fast as they are answered, 1,600 rows a second went and the p99 stayed within the
noise of the machine (``make bench``, history).
"""

from __future__ import annotations

from datetime import timedelta

STEP = 100
"""Of each kind, in one transaction: ``Chronicle.forget``'s limit."""
REST = timedelta(milliseconds=250)
"""Between two steps, at least: 400 groups a second go, more than any department's alerts come."""
SHARE = 9
"""A step is followed by so many times its own length, so that a slow disk is given a rest in proportion."""
AGAIN = timedelta(hours=1)
"""After all that was old has gone: a day's worth never gathers."""


def pause(took: timedelta, *, more: bool) -> timedelta:
    """How long to wait after a step that *took* so long. ``more``: there was more to forget."""
    return max(REST, SHARE * took) if more else AGAIN
