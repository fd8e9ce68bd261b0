"""The product: one file per duty, each listed once, here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.domain.contacts import CONTACT
from bot.domain.hours import Monthly
from bot.domain.messages import Message
from bot.domain.operations import Operation
from bot.domain.phrases import Words
from bot.domain.plans import Plan
from bot.domain.services import Catalogue, Environment, Service
from bot.ports.commands import Command
from bot.ports.desk import Desk, Volunteer
from bot.ports.flows import Flow, Turned
from bot.ports.presenters import Presenters
from bot.ports.schedules import Periodic, Timed
from bot.ports.store import Tx
from handlers.alerting import contacts
from handlers.alerting.rules import Rules, shifts_now
from handlers.cards import alert as alert_card
from handlers.cards import history, stored
from handlers.cards import news as news_card
from handlers.cards import operation as operation_card
from handlers.cards import release as release_card
from handlers.cards import storm as storm_card
from handlers.cards.release_changes import Changelogs
from handlers.commands import (
    alerts,
    audit,
    cordon,
    cost,
    diff,
    drain,
    events,
    failover,
    freeze,
    help,
    logs,
    oncall,
    operations,
    pods,
    posture,
    promote,
    releases,
    restart,
    rightsize,
    rollback,
    scale,
    silence,
    slo,
    status,
    sync,
    undo,
    whoami,
)
from handlers.commands.failover_plan import Planner
from handlers.commands.failover_rooms import Rooms
from handlers.commands.pods_deaths import Deaths
from handlers.commands.status_running import Running
from handlers.commands.vitals import Vitals
from handlers.flows import drill_contact
from handlers.flows import failover as failover_flow
from handlers.flows import failover_attest as attest_flow
from handlers.flows import nodes as nodes_flow
from handlers.flows import promote as promote_flow
from handlers.flows import pull as pull_flow
from handlers.flows import restart as restart_flow
from handlers.flows import scale as scale_flow
from handlers.flows import sync as sync_flow
from handlers.flows import undo as undo_flow
from handlers.flows.failover_tools import Tools as MoveTools
from handlers.flows.scale_git import InGit
from handlers.flows.tools import Tools
from handlers.operating import debrief, freezing, moves
from handlers.ports import Ports as Ports
from handlers.releasing import heard as released
from handlers.releasing import turns
from handlers.schedules import canary as canary_schedule
from handlers.schedules import (
    clocks,
    costs,
    digest,
    drift,
    freezes,
    handover,
    prune,
    ready_told,
    reconcile,
    reroute,
    rooms,
    week,
)
from handlers.schedules.drills import Rehearsing
from handlers.schedules.ready import Proposing
from handlers.schedules.regions import Sentry
from handlers.schedules.watch import Warden

frozen = freezing.lookup
"""What freezes a service at a time, given the calendar's windows."""


def on_call(rules: Rules) -> Callable[[Tx, datetime], frozenset[str]]:
    """Names of those who are on call."""
    return lambda tx, now: frozenset(shift.person for shift in shifts_now(tx, rules, now))


hearing = released.hearing
"""What becomes of what webhooks tell."""


def presenters(p: Ports) -> Presenters:
    """How each kind of card is drawn."""
    return {
        "alert": alert_card.presenter(p.services, p.surroundings.enrich),
        "op": operation_card.presenter(p.policy),
        "ask": operation_card.presenter(p.policy),
        "release": release_card.presenter(p.services, Changelogs(p.guard, p.forge, p.services).enrich),
        "news": news_card.presenter(),
        "storm": storm_card.presenter(),
        "contact": contacts.presenter(),
        "storm-list": storm_card.listing(),
        "canary": stored.canary(),
        "reply": stored.presenter("reply"),
        "notice": stored.presenter("notice"),
    }


def turning(services: Catalogue, words: Words) -> Turned:
    """What each turn of an operation means for releases, regions and reports, in its transaction. *words*: of files."""
    duties = (turns.turning(services), moves.turned, debrief.posting(words))

    def turned(tx: Tx, operation: Operation, now: datetime) -> None:
        for duty in duties:
            duty(tx, operation, now)

    return turned


draw_plan = operation_card.draw
"""The operation's card under its rule, for the desk's answer."""


def draw_operation(p: Ports) -> Callable[[Operation], Message]:
    """The operation's card, for those that answer with it."""
    return lambda operation: operation_card.draw(operation, p.policy.rule(operation.plan.action))


def timed(p: Ports) -> tuple[Timed, ...]:
    """What the timers in the store stand for."""
    return (*clocks.clocks(p.rules), freezes.ending(p.rules.chats(p.approvals_in)))


def periodic(p: Ports, desk: Volunteer) -> tuple[Periodic, ...]:
    """What comes round again and again."""
    daily, spent = p.slo_digest, p.spending
    return (
        reroute.duty(p.store, p.clock, p.rules, p.approvals_in, p.trouble),
        canary_schedule.duty(p.store, p.clock, p.rules, p.canary, p.measure),
        handover.duty(p.store, p.clock, p.rules),
        handover.refreshing(p.rules.roster),
        digest.weekly(p.store, p.clock, p.rules, p.digest, spent, week.more(p.sizer, p.services)),
        costs.anomalies(p.store, p.clock, p.rules, p.costs),
        digest.head(p.store, p.clock, p.approvals_in),
        prune.duty(p.store, p.clock, p.retention),
        drift.duty(_drift(p)),
        Warden(p.store, p.clock, p.rules, p.watching, p.watch, (p.services, p.regions)).duty(),
        freezes.voiding(p.store, p.clock, p.policy, frozen(p.freezes)),
        *((digest.daily(p.store, p.clock, p.rules, daily, p.digest, spent),) if daily and spent else ()),
        _proposing(p, desk).duty(),
        *((ready_told.Telling(p.store, p.services, p.pipeline).duty(),) if p.pipeline else ()),
        *((rehearsing.duty(),) if (rehearsing := _rehearsing(p, desk)) else ()),
        *((sentry.duty(),) if (sentry := _sentry(p, desk)) else ()),
        *((rooms.duty(p.store, p.cluster, p.services, p.pair),) if p.pair else ()),
        *((reconcile.duty(p.store, p.clock, p.rules, p.silencer),) if p.silencer else ()),
    )


def _sentry(p: Ports, desk: Volunteer) -> Sentry | None:
    """Who watches the region that production runs in; None: no failover is configured."""
    plans = planner(p)
    if plans is None:
        return None
    chat = next(iter(p.rules.chats(p.approvals_in)), p.rules.shared[0] if p.rules.shared else "console:ops")
    return Sentry(
        p.store, p.rules, plans.pair, plans.witnesses, plans.estate.database, lambda: plans.move(plans.pair.move.way),
        desk, chat,
    )  # fmt: skip


def _rehearsing(p: Ports, desk: Volunteer) -> Rehearsing | None:
    """Who proposes the monthly drill; None: nobody asked for one."""
    plans = planner(p)
    if plans is None or not plans.pair.schedule:
        return None
    at, chats = Monthly.written(plans.pair.schedule, p.zone), p.rules.chats(p.approvals_in) or p.rules.shared
    return Rehearsing(p.store, p.clock, at, plans.drill, desk, chats or ("console:ops",))


def _proposing(p: Ports, desk: Volunteer) -> Proposing:
    """Who proposes what pipelines call ready."""
    sources, chats = p.sources, p.rules.chats(p.approvals_in) or p.rules.shared

    async def plan(service: Service, version: str, environment: Environment) -> Plan:
        return await promote.planned(sources, service, version, environment, p.clock.now())

    soak = p.policy.rule("promote").soak
    return Proposing(p.store, p.clock, p.services, plan, desk, chats or ("console:ops",), soak)


def _drift(p: Ports) -> drift.Watch:
    return drift.Watch(
        p.store, p.clock, p.rules, services=p.services, cluster=p.cluster, gitops=p.gitops, forge=p.forge,
        guard=p.guard,
    )  # fmt: skip


def commands(p: Ports, desk: Desk) -> tuple[Command, ...]:
    """Every command, in the order that help shows them."""
    listed: list[Command] = []
    vitals = Vitals(p.rules, p.trouble, frozen(p.freezes), p.watching, p.pair)
    listed += (
        help.duty(p.policy, lambda: listed),
        whoami.duty(p.policy),
        status.duty(p.store, Running(p.cluster, p.diagnoses, p.jobs), p.budgets, p.slos, p.services, vitals),
        alerts.listing(p.store, {"noisy": history.noisy, "stats": history.stats}.get),
        alerts.one(p.store, p.surroundings, p.services),
        alerts.ack(p.store, p.rules),
        silence.silence(p.store, p.silencer),
        silence.unsilence(p.store, p.silencer, p.rules),
        oncall.oncall(p.store, p.rules),
        oncall.page(p.store, p.rules),
        slo.duty(p.store, p.budgets, p.slos, p.services),
        releases.duty(p.sources),
        diff.duty(p.sources),
        promote.duty(p.sources),
        rollback.duty(p.sources),
        freeze.freeze(p.store, p.services, p.rules, p.approvals_in),
        freeze.unfreeze(p.store, p.services),
        sync.duty(p.gitops, p.services),
        pods.duty(p.diagnoses, p.jobs, Deaths(p.pod_logs, p.metrics, p.regions), p.services),
        events.duty(p.happenings, p.services),
        logs.duty((p.logs, p.pod_logs) if p.logs is not p.pod_logs else (p.logs,), p.services, p.zone),
        restart.duty(p.cluster, p.rollouts, p.evictions, p.services),
        scale.duty(p.cluster, p.scaling, p.services, p.forge),
        undo.duty(p.cluster, p.rollouts, p.services),
        cordon.cordon(p.nodes, p.regions),
        cordon.uncordon(p.nodes, p.regions),
        drain.duty(p.nodes, p.evictions, p.regions),
        cost.duty(p.costs, p.services),
        rightsize.duty(p.sizer, p.services, p.forge),
        failover.failover(planner(p), p.store, p.words),
        failover.drill(planner(p), p.store, p.words),
        operations.listing(p.store),
        operations.one(p.store, draw_operation(p)),
        operations.approve(desk),
        operations.reject(desk),
        operations.cancel(desk),
        operations.resume(desk),
        audit.duty(p.store, posture.asked(p.sizer.anatomies, p.services, p.forge)),
    )
    return tuple(listed)


def planner(p: Ports) -> Planner | None:
    """Who plans moves: for the commands, and for whoever proposes one by itself. None: no failover is configured."""
    if p.pair is None or p.estate is None or p.witnesses is None:
        return None
    rooms = Rooms(p.store, p.cluster, p.scaling, p.services, p.sizer.anatomies)
    extra = (drill_contact.planned(p.pair.answer),) if p.pair.answer else ()
    return Planner(p.pair, p.estate, p.witnesses, rooms, p.clock, p.staged, moves.lost_since(p.store), extra)


def flows(p: Ports) -> Mapping[str, Flow]:
    """What runs behind each approved action."""
    tools = Tools(
        p.store, p.clock, p.services, p.slos, p.cluster, p.examine, rollouts=p.rollouts, gitops=p.gitops,
        forge=p.forge, pipeline=p.pipeline, budgets=p.budgets, logs=p.logs,
    )  # fmt: skip
    found = [restart_flow.flow(p.cluster, p.rollouts, p.evictions, p.clock), sync_flow.flow(p.gitops, p.clock)]
    in_git = InGit(p.forge, p.gitops, p.clock)
    found += [scale_flow.flow(p.cluster, p.scaling, p.clock, in_git), undo_flow.flow(p.cluster, p.rollouts, p.clock)]
    found += [nodes_flow.marking(action, p.nodes) for action in ("cordon", "uncordon")]
    found += [nodes_flow.drain(p.nodes, p.evictions, p.clock)]
    found += [pull_flow.flow(action, p.forge) for action in ("rightsize", "posture")]
    found += [promote_flow.flow(action, tools) for action in ("promote", "rollback")]
    if p.estate:
        moves = MoveTools(
            p.store, p.clock, p.cluster, p.scaling, p.gitops, p.examine, p.slos, p.budgets,
            p.rules.chats(p.approvals_in), p.regions,
        )  # fmt: skip
        contact = drill_contact.Contacting(p.store, p.clock, p.rules, p.pair.answer if p.pair else None)
        extra = {CONTACT: contact.step}
        found.append(failover_flow.flow("failover", moves, p.estate))
        found.append(failover_flow.flow("drill", moves, p.estate, staged=p.staged, extra=extra))
        found.append(attest_flow.flow(p.store, p.clock))
    return {flow.action: flow for flow in found}
