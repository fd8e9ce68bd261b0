"""People: who they are, where their alerts go, who is on call, what each may do."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, Strict, StringConstraints, model_validator

from config.base import CLOCK, WEEKLY, Duration, Locale, Located, Many, Name, Names, Positive, Section, Zone, matching
from config.policy import MoreSettings, Percent

_HOURS = re.compile(f"{CLOCK}-{CLOCK}")


def _quiet(text: str) -> str:
    if not _HOURS.fullmatch(text):
        raise ValueError('two times of day: "22:00-08:00"')
    begins, _, ends = text.partition("-")
    if begins == ends:
        raise ValueError("two different times of day, since nobody is to be undisturbed all day")
    return text


class PersonSettings(Section):
    """One person and all their accounts: a press on Slack and one on Telegram count once."""

    name: Name
    """What others call them in commands. No default."""
    slack: Annotated[str, matching(r"([UW][A-Z0-9]+)?", "a member id, U… or W…")] = ""
    """Slack member id (profile, "Copy member ID"), U… or W…"""
    telegram: int | None = Field(default=None, gt=0)
    """Telegram user id; "whoami" tells an unlisted person theirs."""
    github: str = ""
    """GitHub login."""
    token: SecretStr | None = None
    """Personal secret for the console and "pult ask". Unset: neither, for this person."""
    roles: Names = frozenset()
    """What they may do, by the policy's roles. None: look, but not touch."""
    locale: Locale | None = None
    """Language of private answers. Unset: the chat's."""
    timezone: Zone | None = None
    """Time zone of private answers. Unset: the chat's."""
    quiet: Annotated[str, AfterValidator(_quiet)] | None = None
    """Hours in which only critical news disturbs them, in their zone: "22:00-08:00". Unset: none."""


class RouteSettings(Section):
    """Where alerts go: the first route that matches wins, unless it continues. The last must be without match."""

    match: dict[Annotated[str, StringConstraints(min_length=1)], str] = Field(default_factory=dict)
    """Label conditions that must all hold. "x" equals, "~x.*" is an anchored regular expression, "!" before negates."""
    to: Many[str] = Field(min_length=1)
    """Destinations: "slack:C…", "telegram:-100…", "telegram:-100…/17" (topic), "console:name", "person:name"."""
    page: bool = False
    """Wake people: goes out before everything else, and to whoever is on call."""
    goes_on: bool = Field(default=False, alias="continue")
    """Try the following routes as well."""
    locale: Locale | None = None
    """Language of this route's destinations. Unset: the chat's."""
    timezone: Zone | None = None
    """Time zone of this route's destinations. Unset: the chat's."""


class OncallSettings(Section):
    """Who is on call, and what happens when nobody acknowledges a page."""

    rotation: Many[str] = ()
    """Names of people who take turns, a week each."""
    handover: Annotated[str, matching(WEEKLY, 'a day and a time: "Mon 10:00"')] = "Mon 10:00"
    """When the turn passes on, in the chat's time zone."""
    ical: Located | None = None
    """Calendar to read instead of rotation: a file or an https:// address; its events are named like people.

    A secret, since whoever has the address of a private calendar can read it.
    """
    escalate_after: Positive = timedelta(minutes=5)
    """How long a page may stay without an ack before the next level is told."""
    levels: Many[Many[str]] = ()
    """Destinations of each level after the person on call."""
    ack_expires: Positive = timedelta(hours=1)
    """How long an ack holds while its alert still fires; then escalation goes on."""
    reroute_after: Positive = timedelta(seconds=60)
    """How long a page may wait for a chat that takes nothing before it is shown in another, with the reason."""
    watchdog: Positive = timedelta(minutes=10)
    """How long a Watchdog alert, once heard, may be silent before "monitoring is blind" wakes people.

    Longer than its repeat_interval in Alertmanager.
    """

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.rotation and self.ical:
            raise ValueError("either rotation or ical")
        return self


class RuleSettings(Section):
    """Who may do one action, and how many people it takes. What is left out keeps the action's default."""

    roles: Names | None = None
    """Roles that may propose and approve. Default: sre."""
    approvals: int | None = Field(default=None, ge=0, le=10)
    """People who must press; 0 runs at once. Default: 0 for what is easily taken back, else 1."""
    four_eyes: bool | None = None
    """The proposer's own press does not count. Default: true for promote and failover."""
    expires: Annotated[Duration, Field(gt=timedelta(), le=timedelta(days=7))] = timedelta(minutes=30)
    """How long a plan waits for its approvals."""
    environments: Names = frozenset()
    """Environments this is allowed in. Default: all."""
    break_glass: str = ""
    """Role that may go on alone, with a reason; everyone on call is told at once. Default: nobody."""
    require: Annotated[frozenset[Literal["ci", "trivy", "e2e", "soak", "incident"]], Strict(strict=False)] = frozenset()
    """For promote: evidence that must be known and good. Bad, the first four always hold a plan; "incident" (a critical
    alert of the service is open) only where it is named here. Default: none: what nobody tells is only shown."""
    soak: Duration = timedelta(0)
    """For promote: how long a version must have run well in the environment before. Default: no time."""
    override: Names = frozenset()
    """Roles that may override what holds a plan, with a reason. Default: those that may approve."""
    more: Many[MoreSettings] = ()
    """When more people must press."""
    floor: Percent | None = None
    """Percent of an error budget left at which, and below, promotions are held; so are those of an unknown budget.

    Only for promote. Unset: no floor.
    """
