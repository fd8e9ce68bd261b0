"""Short hands for domain values, all at one noon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.domain.alerts import Alert, Group, Notification, fold
from bot.domain.cards import Place
from bot.domain.operations import Approval, Operation, State, StepReport, Verdict
from bot.domain.people import Person
from bot.domain.phrases import Code, phrase
from bot.domain.plans import Plan, PlannedStep

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

ANNA = Person("anna", slack="U0ANNA", telegram="1001", roles=frozenset({"sre"}))
BORIS = Person("boris", slack="U0BORIS", telegram="1002", roles=frozenset({"sre"}))
CHEN = Person("chen", slack="U0CHEN", telegram="1003", roles=frozenset({"sre", "lead"}))
VERA = Person("vera", slack="U0VERA", telegram="1004")


def alert(name: str = "a", starts: datetime = NOON, ends: datetime | None = None, **labels: str) -> Alert:
    """One alert; *name* is its fingerprint."""
    named = {"alertname": "HighErrors", "service": "api", "severity": "critical", **labels}
    return Alert(name, named, {"summary": f"{name} burns"}, starts, ends)


def told(*alerts: Alert, truncated: int = 0, url: str = "http://am-0.example") -> Notification:
    """One webhook's word on the group."""
    return Notification("alertmanager", "{}:{}", "pult", {"alertname": "HighErrors"}, alerts, url, truncated)


def folded(*words: tuple[datetime, Notification], group: Group | None = None) -> Group | None:
    """*words*, each with the time it was received, folded one after the other. Ids are g1, g2…"""
    for number, (now, word) in enumerate(words, 1):
        group = fold(group, word, now, f"g{number}")
    return group


def opened(*alerts: Alert, now: datetime = NOON) -> Group:
    """The group after one notification."""
    group = fold(None, told(*alerts), now, "g0")
    assert group is not None
    return group


def fold_word(group: Group, *alerts: Alert, now: datetime) -> Group:
    """*group* after one more notification."""
    after = fold(group, told(*alerts), now, "new")
    assert after is not None
    return after


def plan(**changes: object) -> Plan:
    """A plan with something in every field."""
    values: dict[str, object] = {
        "action": "promote",
        "title": phrase("Promote {service} {version}", service="api", version="1.8.0"),
        "service": "api",
        "environment": "production",
        "steps": (
            PlannedStep("apply", phrase("Set the image to {digest}", digest=Code("sha256:12")), phrase("set it back")),
            PlannedStep("rollout", phrase("Watch"), skippable=True),
        ),
        "params": {"digest": "sha256:12", "cluster": "nyc2"},
        "pins": {"template": "t1", "file": "f1"},
        "blast": (phrase("{count} pods are replaced.", count=4),),
        "evidence": ((phrase("tests"), phrase("passed")),),
        "lock": "api in production",
    }
    return Plan(**{**values, **changes})  # type: ignore[arg-type]


def operation(state: State = State.WAITING, **changes: object) -> Operation:
    """An operation of :func:`plan`, proposed by anna at noon, open for half an hour."""
    made = plan()
    values: dict[str, object] = {
        "id": "op-41c9",
        "plan": made,
        "proposer": "anna",
        "state": state,
        "created_at": NOON,
        "expires_at": NOON + 30 * MINUTE,
        "asked_in": Place("slack:C0OPS"),
        "steps": tuple(StepReport(step.name) for step in made.steps),
    }
    return Operation(**{**values, **changes})  # type: ignore[arg-type]


def approval(person: str, of: Operation, verdict: Verdict = Verdict.APPROVE, platform: str = "slack") -> Approval:
    """One person's word on the plan of *of*."""
    return Approval(of.id, person, verdict, of.plan.hash, platform, NOON)
