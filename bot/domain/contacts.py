"""The contact check of a drill: who was asked to press one button, who did, and how soon."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.codec import stored

CONTACT = "contact"
"""Name of the drill's step that asks them."""


@dataclass(frozen=True)
class Asked:
    """One person, asked ``at`` on ``platforms``. ``answered`` on ``platform``: their first press; None: none yet.

    ``spared``: it was their quiet time, in which only critical news may disturb them, so that they were not asked.
    """

    person: str
    at: datetime
    platforms: tuple[str, ...] = ()
    answered: datetime | None = None
    platform: str = ""
    spared: bool = False

    @property
    def took(self) -> timedelta | None:
        """From the question to the answer."""
        return None if self.answered is None else self.answered - self.at


@dataclass(frozen=True)
class Roll:
    """The check of one drill: a round from ``since`` to ``until``; ``closed``: its time is over."""

    operation: str
    since: datetime
    until: datetime
    people: tuple[Asked, ...] = ()
    closed: bool = False

    def of(self, person: str) -> Asked | None:
        """What is known of *person*, None where they are not asked."""
        return next((each for each in self.people if each.person == person), None)

    def late(self, asked: Asked) -> bool:
        """Whether the answer came, and after its time."""
        return asked.answered is not None and asked.answered > self.until

    @property
    def waiting(self) -> tuple[Asked, ...]:
        """Those who were asked and have not answered."""
        return tuple(each for each in self.people if each.answered is None and not each.spared)

    @property
    def prompt(self) -> tuple[Asked, ...]:
        """Those who answered in time."""
        return tuple(each for each in self.people if each.answered is not None and not self.late(each))

    @property
    def spared(self) -> tuple[Asked, ...]:
        """Those whose quiet time it was."""
        return tuple(each for each in self.people if each.spared)

    def pressed(self, person: str, platform: str, at: datetime) -> Roll:
        """With the answer of *person*; the first one counts."""
        people = tuple(
            replace(each, answered=at, platform=platform) if each.person == person and each.answered is None else each
            for each in self.people
        )
        return replace(self, people=people)

    def again(self, since: datetime, until: datetime) -> Roll:
        """A further round for those who did not answer."""
        people = tuple(each if each.answered else replace(each, at=since) for each in self.people)
        return replace(self, since=since, until=until, people=people, closed=False)


def rolled(operation: str) -> str:
    """Name of the mark that keeps the contact check of *operation*."""
    return f"contact:{operation}"


stored(Asked, Roll)
