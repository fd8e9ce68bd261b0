"""Verification of a new version where it runs: all through its bake time, and at least once.

Bad twice on end, it is bad: the step fails, and the first thing offered is to undo. What is not known at the end of the
bake is waited for a little, and then the step fails too, saying what nobody knows: it is never verified on missing data
(promise 14). A person may look and then retry, skip (on the record) or undo; nothing is undone by itself for a lack of
data, since a Prometheus that is away says nothing of the version. Where no verification was asked for, a version whose
pods are well stays, and the result says that it is not verified.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain import verification
from bot.domain.errors import BadVersionError, UserError
from bot.domain.phrases import Phrase, phrase
from bot.domain.services import Environment
from bot.domain.slo import Slo
from bot.domain.targets import Target
from bot.domain.verification import TWICE, Finding, Word
from bot.ports.flows import Did, Run, Say
from handlers.flows.looks import Judged, Looks
from handlers.flows.tools import Tools

LOOK_EVERY, AGAIN = 10.0, 3.0
"""Seconds between two looks; and after one that was bad."""
GRACE = timedelta(seconds=30)
"""How long after the bake what is unknown is asked for again: two scrapes of Prometheus."""
ROLLBACK = "rollback"
VERIFIED = "verified"
"""The value of a step that found it good."""


class Verifying:
    """Judges versions by their environment's rules."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def verify(self, run: Run, target: Target, say: Say) -> Did:
        """The new version. BadVersionError: it is bad. UserError: nobody knows, or something else runs."""
        environment = target.environment
        rules = environment.verification
        judged = self._judged(run, target, say.since)
        findings = await self._watched(Looks(self._tools, judged), rules.bake, say)
        word = verification.verdict(findings)
        if word is Word.BAD:
            raise BadVersionError(
                "{service} is bad in {environment}: {findings}.", at_once=rules.on_bad == "rollback",
                service=_named(run), environment=environment.name, findings=verification.listed(findings, Word.BAD),
            )  # fmt: skip
        if word is not Word.GOOD and (rules.asked or findings[0].word is not Word.GOOD):
            raise UserError(
                "Nobody knows whether {service} is well in {environment}: {findings}. Retry once that is known.",
                service=_named(run), environment=environment.name,
                findings=verification.listed(findings, Word.UNKNOWN),
            )  # fmt: skip
        return Did(verification.listed(findings), VERIFIED if word is Word.GOOD else "")

    def _judged(self, run: Run, target: Target, since: datetime) -> Judged:
        """A rollback that is not watched for long enough is judged by no number of the minutes before it."""
        environment = target.environment
        made = Judged(environment, target.digest or target.image, since, run.started)
        slos = self._slos(run, environment)
        if run.plan.action == ROLLBACK and environment.verification.bake < verification.SHORTEST:
            return replace(made, clouded=bool(slos))
        return replace(made, slos=slos, lines=self._tools.logs is not None)

    async def verify_back(self, run: Run, target: Target, say: Say) -> Did:
        """What was put back, once: its pods and probes. SLOs and error lines still hold the minutes of the bad one."""
        judged = Judged(target.environment, target.earlier, say.since, run.started)
        findings = await self._watched(Looks(self._tools, judged), timedelta(0), say)
        if verification.verdict(findings) is not Word.GOOD:
            raise UserError(
                "The earlier version is not well in {environment}: {findings}.",
                environment=target.environment.name, findings=verification.listed(findings),
            )  # fmt: skip
        return Did(verification.listed(findings), VERIFIED)

    async def _watched(self, looks: Looks, bake: timedelta, say: Say) -> tuple[Finding, ...]:
        """The last look's findings: the first that is bad twice on end, or the one at the end of the bake."""
        clock, bad, told = self._tools.clock, 0, Phrase("")
        while True:
            findings = await looks.look()
            word, age = verification.verdict(findings), clock.now() - say.since
            bad = bad + 1 if word is Word.BAD else 0
            over = age >= bake and (word is Word.GOOD or age >= bake + GRACE)
            if bad >= TWICE or (over and not bad):
                return findings
            so_far = _so_far(findings, age, bake)
            if so_far != told:  # at most once in a look: no more often than every few seconds
                told = so_far
                await say(so_far)
            await clock.sleep(AGAIN if bad else _pause(bake - age))

    def _slos(self, run: Run, environment: Environment) -> tuple[Slo, ...]:
        """SLOs are about production: what runs elsewhere has no part in them."""
        service = self._tools.services.named(run.plan.service)
        if environment.name not in {each.name for each in service.production}:
            return ()
        return tuple(slo for slo in self._tools.slos if slo.service == service.name)


def _pause(left: timedelta) -> float:
    """Seconds until the next look: never long past the end of a bake that has so much left."""
    seconds = left.total_seconds()
    return min(LOOK_EVERY, seconds) if seconds > 0 else LOOK_EVERY


def _so_far(findings: tuple[Finding, ...], age: timedelta, bake: timedelta) -> Phrase:
    said = verification.listed(findings)
    if not bake:
        return said
    whole = timedelta(minutes=1)
    return phrase("watched {age} of {bake}: {findings}", age=age // whole * whole, bake=bake, findings=said)


def _named(run: Run) -> Phrase:
    return phrase("{service} {version}", service=run.plan.service, version=run.plan.params["version"])
