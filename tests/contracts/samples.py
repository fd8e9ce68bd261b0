"""Domain values for the store's contract: plain ones, and the nastiest that outside text can make them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.alerts import Ack, Alert, Group
from bot.domain.audit import Deed
from bot.domain.cards import Place, Priority, Wish
from bot.domain.events import Event, Heard
from bot.domain.operations import Approval, Operation, State, StepReport, Verdict
from bot.domain.phrases import Code, counted, phrase
from bot.domain.plans import Plan, PlannedStep
from bot.domain.releases import Deployment, Fate, Release
from bot.domain.requests import Request

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
OPS, INC = "slack:C0OPS", "telegram:-1001000000001"
NASTY = "тест \U0001f525 \x00 \ud800 '\"; DROP TABLE groups; -- %s ? :name \\ {x}\n"


def event(ident: str = "e1", key: str = "", source: str = "alertmanager", body: bytes = b"{}") -> Event:
    return Event(ident, source, key, NOON, Heard(), body)


def alert(name: str = "fp1", **labels: str) -> Alert:
    return Alert(name, {"alertname": "HighErrors", "service": "api", **labels}, {"summary": "it burns"}, NOON)


def group(ident: str = "a-7k2f", key: str = "am:{}", opened: datetime = NOON, episode: int = 1) -> Group:
    one = alert()
    held = Ack("anna", opened + MINUTE, None)
    return Group(ident, key, "alertmanager", one.labels, {"fp1": one}, opened, episode=episode, ack=held)


def wish(
    subject: str = "alert:a-7k2f", where: str = OPS, urgency: Priority = Priority.NORMAL, parent: str = ""
) -> Wish:
    return Wish(subject, Place(where), urgency, parent)


def request(ident: str = "slack:Ev1", at: datetime = NOON) -> Request:
    return Request(ident, "slack", "U0ANNA", "slo api", Place(OPS, thread="1.2"), Place(OPS, private_to="U0ANNA"), at)


def operation(ident: str = "op-41c9", at: datetime = NOON, state: State = State.WAITING) -> Operation:
    step = PlannedStep("roll", counted("Restart {n} pod", "Restart {n} pods", 4), phrase("Undo {x}", x=Code("api")))
    plan = Plan("restart", phrase("Restart"), "api", "production", (step,), {"replicas": "4"}, lock="api/production")
    report = StepReport("roll", started_at=at)
    return Operation(ident, plan, "anna", state, at, at + 30 * MINUTE, Place(OPS), steps=(report,))


def approved(by: str, of: Operation) -> Operation:
    approval = Approval(of.id, by, Verdict.APPROVE, of.plan.hash, "telegram", NOON, "looks right")
    return replace(of, approvals=(*of.approvals, approval))


def release(version: str = "1.8.0", service: str = "api", at: datetime = NOON) -> Release:
    return Release(service, version, "ready", at, digest="sha256:" + "0" * 64, evidence={"tests": "passed"})


def deployment(version: str = "1.8.0", environment: str = "production", at: datetime = NOON) -> Deployment:
    return Deployment("api", environment, version, "sha256:" + "0" * 64, Fate.RUNNING, at, operation=f"op-{version}")


def deed(target: str = "op-41c9", person: str = "anna", detail: str = "") -> Deed:
    return Deed(NOON, person, "slack", "approve", target, "approved", detail)
