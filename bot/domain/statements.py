"""Statements: that a primary is off, said by one person and approved by others, where no machine can confirm it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.codec import stored
from bot.domain.phrases import Phrase, phrase


@dataclass(frozen=True)
class Statement:
    """What ``by`` states of the primary in ``region``, and who approved it; it counts for one operation alone."""

    by: str
    why: str
    approved: tuple[str, ...]
    at: datetime
    region: str

    @property
    def told(self) -> Phrase:
        """In one sentence."""
        values = {"person": self.by, "region": self.region, "why": self.why}
        if not self.approved:
            return phrase("{person} states that the primary in {region} is off: {why}", **values)
        names = ", ".join(self.approved)
        return phrase(
            "{person} states that the primary in {region} is off: {why}; approved by {names}", **values, names=names
        )


def attested(operation: str, region: str) -> str:
    """Name of the mark that keeps the statement made for *operation* about the primary in *region*."""
    return f"attested:{operation}:{region}"


stored(Statement)
