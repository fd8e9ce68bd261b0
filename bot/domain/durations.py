"""Durations as people write them: ``30s``, ``5m``, ``2h``, ``7d``, ``4w`` (ruling 28)."""

from __future__ import annotations

import re
from datetime import timedelta

ALLOWED = "a whole number and one of s, m, h, d, w: 30s, 5m, 2h, 7d, 4w"
_WRITTEN = re.compile(r"(\d{1,9})([smhdw])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LONGEST = timedelta(days=3_660).total_seconds()  # ten years: more is a slip of the finger


def parse_duration(written: object) -> timedelta:
    """*written* as a length of time. ValueError says what is allowed (ten years at most)."""
    if isinstance(written, timedelta):
        return written
    match = _WRITTEN.fullmatch(written.strip()) if isinstance(written, str) else None
    seconds = int(match[1]) * _SECONDS[match[2]] if match else None
    if seconds is None or seconds > _LONGEST:
        raise ValueError(ALLOWED)
    return timedelta(seconds=seconds)


def write_duration(length: timedelta) -> str:
    """*length* in the largest unit that holds it whole: the inverse of ``parse_duration``. Parts of seconds are cut."""
    seconds = int(length.total_seconds())
    for unit, size in reversed(_SECONDS.items()):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def write_window(length: timedelta) -> str:
    """*length* as the field writes windows: 7d and 28d, where :func:`write_duration` says weeks."""
    written = write_duration(length)
    return f"{7 * int(written[:-1])}d" if written.endswith("w") else written
