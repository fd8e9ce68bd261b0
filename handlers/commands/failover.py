"""``failover`` and ``drill``: the way to the other region, shown, planned, rehearsed."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.errors import TemporaryError, UserError
from bot.domain.failover import Pair, Sight, lost
from bot.domain.messages import Facts, Paragraph, Table, Tone
from bot.domain.phrases import Code, Phrase, Quantity, phrase, verbatim
from bot.domain.plans import Plan, PlannedStep
from bot.ports.commands import Call, Command, Proposal, Reply
from bot.ports.regions import Database, Replication, Traffic
from bot.ports.witnesses import Witnesses
from handlers.commands.replies import said

SIGHT_WORDS = {
    Sight.UP: phrase("sees it up"),
    Sight.LOST: phrase("sees it lost"),
    Sight.UNKNOWN: phrase("does not know"),
}
USAGE = "failover status | failover <from> to <to>"


def failover(
    pair: Pair | None, database: Database | None, traffic: Traffic | None, witnesses: Witnesses | None
) -> Command:
    """Status is a read for everyone; the other form is a plan."""

    async def run(call: Call) -> Reply | Proposal:
        ready = _configured(pair, database, traffic, witnesses)
        if call.args[:1] in {(), ("status",), ("статус",)}:
            return await _status(*ready)
        words = [word for word in call.args if word not in {"to", "в", "на"}]
        if words != [ready[0].source, ready[0].target]:
            raise UserError(
                "Write it like this: {usage}", usage=Code(f"failover {ready[0].source} to {ready[0].target}")
            )
        return Proposal(await _plan("failover", *ready))

    example = (f"failover {pair.source} to {pair.target}",) if pair else ()
    return Command(
        ("failover", "переключить"), USAGE, phrase("how the regions stand; move production to the other one"), run,
        "failover", examples=("failover status", *example), reads=("status", "статус"),
    )  # fmt: skip


def drill(
    pair: Pair | None, database: Database | None, traffic: Traffic | None, witnesses: Witnesses | None
) -> Command:
    """The failover's own plan, rehearsed: every step looks, none changes anything."""

    async def run(_: Call) -> Proposal:
        return Proposal(await _plan("drill", *_configured(pair, database, traffic, witnesses)))

    return Command(
        ("drill", "учения"), "drill", phrase("rehearse the failover without changing anything"), run, "drill"
    )


def _configured(
    pair: Pair | None, database: Database | None, traffic: Traffic | None, witnesses: Witnesses | None
) -> tuple[Pair, Database, Traffic, Witnesses]:
    if pair is None or database is None or traffic is None or witnesses is None:
        raise UserError("No failover is configured. Add the section {section}.", section=Code("[failover]"))
    return pair, database, traffic, witnesses


async def _status(pair: Pair, database: Database, traffic: Traffic, witnesses: Witnesses) -> Reply:
    sights = await witnesses.ask()
    rows = tuple((verbatim(name), SIGHT_WORDS[sight]) for name, sight in sights.items())
    gone = lost(sights.values())
    verdict = (
        phrase("A majority sees {region} lost.", region=pair.source)
        if gone
        else phrase("No majority sees {region} lost.", region=pair.source)
    )
    return said(
        phrase("Failover {source} to {target}", source=pair.source, target=pair.target),
        Paragraph(verdict),
        Facts((*await _database(database, pair), *await _traffic(traffic))),
        Table((phrase("Witness"), phrase("Says")), rows),
        tone=Tone.CRITICAL if gone else Tone.OK,
    )


async def _database(database: Database, pair: Pair) -> tuple[tuple[Phrase, Phrase], ...]:
    try:
        now = await database.replication()
    except TemporaryError:
        return ((phrase("Database"), phrase("its API does not answer")),)
    servers = {"primary": Code(now.primary), "standby": Code(now.standby)}
    role = phrase("promoted") if now.promoted else phrase("replica")
    return (
        (phrase("Database"), phrase("{primary}, standby {standby} ({role})", **servers, role=role)),
        (phrase("Replication lag"), _lag(now, pair)),
        (phrase("Old primary"), phrase("fenced") if now.fenced else phrase("takes writes")),
    )  # fmt: skip


def _lag(now: Replication, pair: Pair) -> Phrase:
    if now.lag is None:
        return phrase("unknown")
    return phrase("{lag}, allowed {rpo}", lag=Quantity(now.lag, "s", 1), rpo=pair.rpo)


async def _traffic(traffic: Traffic) -> tuple[tuple[Phrase, Phrase], ...]:
    try:
        region = await traffic.region()
    except TemporaryError:
        return ((phrase("Traffic"), phrase("its API does not answer")),)
    return ((phrase("Traffic"), verbatim(region) if region else phrase("to none of our regions")),)


async def _plan(action: str, pair: Pair, database: Database, traffic: Traffic, witnesses: Witnesses) -> Plan:
    sights = await witnesses.ask()
    facts = (*await _database(database, pair), *await _traffic(traffic))
    rehearsed, names = action == "drill", {"source": pair.source, "target": pair.target}
    drill_title = phrase("Rehearse the failover {source} to {target}", **names)
    return Plan(
        action=action,
        title=drill_title if rehearsed else phrase("Fail over {source} to {target}", **names),
        service="",
        environment="",
        steps=_steps(pair),
        params={**names, "rpo": str(pair.rpo.total_seconds())},
        blast=(phrase("Nothing is changed: every step only looks."),) if rehearsed else _blast(pair),
        evidence=(*facts, *_votes(sights)),
        lock="failover",
    )


def _steps(pair: Pair) -> tuple[PlannedStep, ...]:
    values = {"source": pair.source, "target": pair.target}
    return (
        PlannedStep("lag", phrase("Replication lag is known and at most {rpo}", rpo=pair.rpo)),
        PlannedStep("fence", phrase("Fence the database in {source}: it takes no more writes", **values)),
        PlannedStep("promote", phrase("Promote the database in {target}", **values)),
        PlannedStep("shift", phrase("Point traffic at {target}", **values)),
        PlannedStep("verify", phrase("Verify from outside that {target} serves", **values), skippable=True),
    )


def _blast(pair: Pair) -> tuple[Phrase, ...]:
    return (
        phrase("Writes stop from the fence until the promotion is done."),
        phrase("{source} stays fenced until a planned failback.", source=pair.source),
    )


def _votes(sights: Mapping[str, Sight]) -> tuple[tuple[Phrase, Phrase], ...]:
    return tuple((phrase("Witness {name}", name=name), SIGHT_WORDS[sight]) for name, sight in sights.items())
