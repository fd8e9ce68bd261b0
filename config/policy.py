"""Policy: when an action takes more people than usual, and when nothing is promoted."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, Strict, StringConstraints, model_validator

from config.base import CLOCK, WEEKLY, Names, Section, matching

Day = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
Clock = Annotated[str, matching(CLOCK, 'a time of day: "18:00"')]
Percent = Annotated[float, Strict(strict=False), Field(ge=-1000, le=100)]
Week = Annotated[str, matching(f"({WEEKLY}) - ({WEEKLY})", 'two days and times: "Fri 18:00 - Mon 08:00"')]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class ConditionSettings(Section):
    """Every key that is given must be met. What is not known counts as met."""

    budget_below: Percent | None = None
    """Percent of the error budget left, of any SLO of the service; only for promote and rollback."""
    weekdays: Annotated[frozenset[Day], Strict(strict=False)] = frozenset()
    """Days of the week, in the chat's zone. Default: all."""
    begins: Clock | None = Field(default=None, alias="from")
    """From this time of day on, in the chat's zone. Later than "to": it passes midnight, and is of the day it began."""
    ends: Clock | None = Field(default=None, alias="to")
    """Up to this time of day."""
    migrations: Literal[True] | None = None
    """The release changes data; only for promote and rollback."""
    environments: Names = frozenset()
    """Where it goes. Default: anywhere."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("at least one condition; what always holds is the rule's own number of approvals")
        if self.begins is not None and self.begins == self.ends:
            raise ValueError("two different times of day")
        return self


class MoreSettings(Section):
    """More people than usual, under a condition."""

    when: ConditionSettings
    """The condition. No default."""
    approvals: int = Field(ge=1, le=10)
    """At least so many people must press then. No default."""
    why: Why
    """What the card says: the department's own reason. No default."""


class FreezeSettings(Section):
    """A time in which nothing is promoted, every week or once."""

    services: Names = frozenset()
    """Which services. Default: every one."""
    weekly: Week | None = None
    """From one day and time of the week to another, in the chat's zone."""
    begins: datetime | date | None = Field(default=None, alias="from")
    """Begin of a freeze that comes once: a date or a moment, in the chat's zone unless it names one."""
    ends: datetime | date | None = Field(default=None, alias="to")
    """Its end; a date is part of it to its last minute."""
    why: Why
    """What the card says. No default."""

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        once = self.begins is not None and self.ends is not None
        if (self.weekly is None) is not once or (self.begins is None) is not (self.ends is None):
            raise ValueError("either weekly, or from and to")
        if self.weekly and len(set(self.weekly.split(" - "))) == 1:
            raise ValueError("two different times of the week, since everything would be frozen for good")
        return self
