"""The past of alerts in figures: how often, how long, how soon somebody was there; and what to do about noise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

SHORT = timedelta(minutes=5)
"""An alert that was over sooner than this resolved before anybody could have helped."""


@dataclass(frozen=True)
class RuleRecord:
    """One rule (alert name) of one service over some time.

    ``groups`` opened, of these ``resolved`` (over ``lasted`` in sum), ``short`` (over sooner than SHORT), ``acked``
    (after ``ack_wait`` in sum) and ``pages``.
    """

    name: str
    service: str
    groups: int
    resolved: int
    lasted: timedelta
    short: int
    acked: int
    ack_wait: timedelta
    pages: int
