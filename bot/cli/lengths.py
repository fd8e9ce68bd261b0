"""Durations on the command line."""

from __future__ import annotations

from datetime import timedelta

import click

from bot.domain.durations import parse_duration


def length(written: str) -> timedelta:
    """A duration as the configuration writes it; anything else is misuse."""
    try:
        found = parse_duration(written)
    except ValueError as error:
        raise click.BadParameter(f"{written!r} is not {error}") from None
    if not found:
        raise click.BadParameter("it takes some time")
    return found
