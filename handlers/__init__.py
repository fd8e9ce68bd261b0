"""The product: one file per duty, each listed once, here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.failover import Pair
from bot.domain.messages import Message
from bot.domain.operations import Operation
from bot.domain.policy import Policy
from bot.domain.services import Catalogue
from bot.domain.slo import Slo
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster
from bot.ports.commands import Command
from bot.ports.desk import Desk
from bot.ports.flows import Flow
from bot.ports.forge import Forge
from bot.ports.metrics import Metrics
from bot.ports.presenters import Presenters
from bot.ports.regions import Database, Traffic
from bot.ports.silencer import Silencer
from bot.ports.store import Store
from bot.ports.witnesses import Witnesses
from handlers.cards import alert as alert_card
from handlers.cards import operation as operation_card
from handlers.cards import release as release_card
from handlers.cards import stored
from handlers.commands import (
    alerts,
    audit,
    failover,
    help,
    operations,
    pods,
    promote,
    releases,
    restart,
    silence,
    slo,
    status,
    whoami,
)
from handlers.flows import failover as failover_flow
from handlers.flows import promote as promote_flow
from handlers.flows import restart as restart_flow


@dataclass(frozen=True)
class Ports:
    """Everything duties may ask for; each gets only what it uses. None: not configured."""

    store: Store
    clock: Clock
    cluster: Cluster
    policy: Policy
    services: Catalogue
    slos: tuple[Slo, ...]
    metrics: Metrics | None
    silencer: Silencer | None
    forge: Forge | None
    pair: Pair | None
    database: Database | None
    traffic: Traffic | None
    witnesses: Witnesses | None
    ack_lasts: timedelta


def presenters(p: Ports) -> Presenters:
    """How each kind of card is drawn."""
    return {
        "alert": alert_card.presenter(p.metrics),
        "op": operation_card.presenter(p.policy),
        "release": release_card.presenter(),
        "reply": stored.presenter("reply"),
        "notice": stored.presenter("notice"),
    }


draw_plan = operation_card.draw
"""The operation's card under its rule, for the desk's answer."""


def draw_operation(p: Ports) -> Callable[[Operation], Message]:
    """The operation's card, for those that answer with it."""
    return lambda operation: operation_card.draw(operation, p.policy.rule(operation.plan.action))


def commands(p: Ports, desk: Desk, trouble: Callable[[], Mapping[str, str]]) -> tuple[Command, ...]:
    """Every command, in the order that help shows them."""
    listed: list[Command] = []
    listed += (
        help.duty(p.policy, lambda: listed),
        whoami.duty(p.policy),
        status.duty(p.store, p.cluster, p.metrics, p.slos, p.services, trouble),
        alerts.listing(p.store),
        alerts.one(p.store),
        alerts.ack(p.store, p.ack_lasts),
        silence.silence(p.store, p.silencer),
        silence.unsilence(p.store, p.silencer),
        slo.duty(p.metrics, p.slos, p.services),
        releases.duty(p.store, p.cluster, p.services),
        promote.duty(p.store, p.cluster, p.forge, p.services),
        pods.duty(p.cluster, p.services),
        restart.duty(p.cluster, p.services),
        failover.failover(p.pair, p.database, p.traffic, p.witnesses),
        failover.drill(p.pair, p.database, p.traffic, p.witnesses),
        operations.listing(p.store),
        operations.one(p.store, draw_operation(p)),
        operations.approve(desk),
        operations.reject(desk),
        operations.cancel(desk),
        operations.resume(desk),
        audit.duty(p.store),
    )
    return tuple(listed)


def flows(p: Ports) -> Mapping[str, Flow]:
    """What runs behind each approved action."""
    found = [restart_flow.flow(p.cluster, p.clock), promote_flow.flow(p.cluster, p.forge, p.clock)]
    if p.database and p.traffic:
        found += [failover_flow.flow(action, p.database, p.traffic, p.clock) for action in ("failover", "drill")]
    return {flow.action: flow for flow in found}
