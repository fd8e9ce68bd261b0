"""What failovers and drills came to: read off the operation that the real ledger wrote."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.drillreport import Report, reported
from bot.domain.failover import Move, Way
from bot.domain.markdown import markdown
from bot.domain.messages import Graph, Message, StepMark, Table
from bot.domain.operations import Choice, State
from bot.domain.phrases import Code, English, phrase, verbatim
from bot.platforms.console.plain import plain
from bot.ports.estate import Estate
from handlers.cards import drill
from handlers.flows import drill_contact
from handlers.operating import debrief
from tests.handlers.department import Check, Department
from tests.handlers.fakes_failover import FakeConnections, FakeDatabase, FakePools, FakeTraffic
from tests.handlers.moving import IDENT, Moving, quota
from tests.handlers.recorded import Recorded, approved, nothing, words

MINUTES = timedelta(minutes=1)


@pytest.fixture
def moving(department: Department) -> Moving:
    made = Moving(department)
    department.pair = replace(department.pair, rto=timedelta(minutes=15))
    return made


async def report(moving: Moving, ident: str) -> Report:
    operation = await moving.department.operation(ident)
    return await moving.store.read(lambda tx: debrief.of(tx, operation, moving.clock.now()))


async def page(moving: Moving, ident: str, locale: str = "en") -> str:
    found = markdown(drill.whole(await report(moving, ident)), words(moving, locale), "timeline.png")
    return found.replace(ident, IDENT)


async def posted(moving: Moving, ident: str) -> tuple[Message, set[str]]:
    """The report under the operation's card, and where it stands."""
    name = f"notice:{ident}/report"
    cards = await moving.store.read(lambda tx: tx.cards_of(name))
    message = await moving.store.read(lambda tx: tx.message(name))
    assert message is not None
    assert {card.parent for card in cards} <= {f"op:{ident}"}
    return message, {card.place.destination for card in cards}


async def test_a_failover_is_reported_whole(moving: Moving, reads_as: Check) -> None:
    moving.database.lag = 0.4
    ident = await approved(moving, "failover nyc2 to sfo3")
    made = await Recorded(moving, ident).run()
    assert made.state is State.SUCCEEDED
    found = await report(moving, ident)
    assert found.rto is not None
    assert found.rto >= timedelta(seconds=74) + sum((s.length for s in found.spans if s.step), timedelta()) - MINUTES
    assert found.in_time
    assert found.blocked == ()
    assert [span.step for span in found.spans][:3] == ["", "freeze", "lag"]
    assert found.spans[0].length == timedelta(seconds=74), "people's time is on the timeline"
    reads_as("reports/failover", await page(moving, ident))
    reads_as("reports/failover.ru", await page(moving, ident, "ru"))


async def test_the_report_is_posted_once_under_the_card_when_it_ends(moving: Moving, reads_as: Check) -> None:
    ident = await approved(moving, "failover nyc2 to sfo3")
    run = Recorded(moving, ident, locale="ru")
    await run.run()
    message, where = await posted(moving, ident)
    assert {"slack:C0OPS"} <= where
    assert not {chat for chat in where if chat.startswith(("webhook:", "canary:"))}
    assert any(isinstance(block, Graph) and block.bars for block in message.blocks)
    assert message.whole.startswith("# "), "the file goes along"
    assert "Цель" in message.whole or "цель" in message.whole, "in the department's own language"
    await run.ledger.end(ident, "succeeded", None)
    assert len(await moving.store.read(lambda tx: tx.cards_of(f"notice:{ident}/report"))) == len(where)
    reads_as("reports/failover-card", plain(message, English()).replace(ident, IDENT) + "\n")


async def test_what_held_it_up_is_said_with_its_reason_and_its_length(moving: Moving, reads_as: Check) -> None:
    quota(moving)
    later = 9 * MINUTES

    def mends() -> None:
        pool = moving.department.pools.found["sfo3"]
        moving.department.pools.found["sfo3"] = replace(pool, limit=8)

    ident = await approved(moving, "failover nyc2 to sfo3", 7 * MINUTES)
    await Recorded(moving, ident, {"capacity": (Choice.RETRY, later, mends)}).run()
    found = await report(moving, ident)
    (blocked,) = found.blocked
    assert blocked.step == "capacity"
    assert blocked.length == later
    assert found.held_up == later
    assert next(span for span in found.spans if span.step == "capacity").blocked == later
    assert found.in_time is False
    reads_as("reports/failover-late", await page(moving, ident))


async def test_a_drill_says_what_would_have_stopped_a_failover(moving: Moving, reads_as: Check) -> None:
    moving.traffic.seconds = 3600.0
    moving.connections.closed = "patch secrets in production"
    ident = await approved(moving, "drill", timedelta(seconds=20))
    skip = (Choice.SKIP, timedelta(seconds=30), nothing)
    await Recorded(moving, ident, {"connections": skip, "shift": skip}).run()
    found = await report(moving, ident)
    assert [each.step for each in found.blocked] == ["connections", "shift"]
    assert {span.step for span in found.spans if span.mark is StepMark.SKIPPED} == {"connections", "shift"}
    assert found.rto is None
    assert found.rpo is None, "nothing moved"
    assert found.lag == moving.database.lag
    reads_as("reports/drill", await page(moving, ident))
    reads_as("reports/drill.ru", await page(moving, ident, "ru"))


async def test_of_a_live_drill_the_way_there_counts_and_the_way_back_is_told(moving: Moving) -> None:
    database, traffic = FakeDatabase(), FakeTraffic()
    move = Move(Way("nyc2", "sfo3"), environment="staging")
    moving.department.pair = replace(moving.department.pair, staging=move)
    moving.department.staged = Estate(database, traffic, FakeConnections(), FakePools())
    moving.clock.ticks.append(database.tick)
    ident = await approved(moving, "drill --live staging")
    made = await Recorded(moving, ident).run()
    assert made.state is State.SUCCEEDED, made.result
    found = await report(moving, ident)
    assert found.rto is not None
    assert found.home is not None
    there = [span for span in found.spans if span.step.startswith("there-")]
    assert found.rto < sum((span.length for span in there), timedelta(seconds=20))
    assert found.home > timedelta(seconds=60), "two servers had to follow"
    assert "and back" in drill.named(found).plain()


async def test_one_that_was_given_up_has_no_rto(moving: Moving) -> None:
    quota(moving)
    ident = await approved(moving, "failover nyc2 to sfo3")
    made = await Recorded(moving, ident, {"capacity": (Choice.ABORT, MINUTES, nothing)}).run()
    assert made.state is State.FAILED
    found = await report(moving, ident)
    assert found.rto is None
    assert found.rpo is None
    assert "no RTO" in drill.verdict(found).plain()


async def test_what_is_not_verified_yet_has_no_rto(moving: Moving) -> None:
    """Promise 14: traffic has moved, and nobody knows yet whether anything answers there."""
    ident = await approved(moving, "failover nyc2 to sfo3")
    made = await Recorded(moving, ident).run()
    before = tuple(each for each in made.steps if each.name not in {"verify", "report"})
    verify = replace(next(each for each in made.steps if each.name == "verify"), mark=StepMark.RUNNING, value="")
    under_way = replace(made, state=State.RUNNING, ended_at=None, result=None, steps=(*before, verify))
    found = reported(under_way, None, moving.clock.now())
    assert found.rto is None
    assert "It is not over yet" in drill.verdict(found).plain()
    assert "not reached yet" in markdown(drill.whole(found), words(moving, "en"), "x.png")
    skipped = replace(verify, mark=StepMark.SKIPPED)
    assert reported(replace(under_way, steps=(*before, skipped)), None, moving.clock.now()).rto is not None


async def test_what_nobody_measured_is_no_figure(moving: Moving) -> None:
    """Promise 14: an unknown loss is not a small one."""
    moving.database.becomes(lag=None)
    made = await moving.department.proposed("anna", "failover nyc2 to sfo3")
    await moving.department.say("chen", f"approve {made.id} --override rpo the region burns")
    await Recorded(moving, made.id).run()
    found = await report(moving, made.id)
    assert found.rpo is None
    assert found.spare is None
    assert "not known" in drill.verdict(found).plain()
    assert any("not known" in line.plain() for line in drill.mending(found))
    assert "the region burns" in await page(moving, made.id)


async def test_asked_for_by_name_and_the_last_one(moving: Moving) -> None:
    say = moving.department.say
    assert "There was no failover yet: drill rehearses one." in await say("vera", "failover report", ok=False)
    assert "There was no drill yet" in await say("vera", "drill report", ok=False)
    assert await say("vera", "failover history") == await say("vera", "drill history")
    assert "There is no operation" in await say("vera", "drill report op-zzzz", ok=False)
    ident = await approved(moving, "drill")
    assert "has not begun" in await say("vera", f"drill report {ident}", ok=False)
    await Recorded(moving, ident).run()
    for text in (f"drill report {ident}", "drill report", "учения отчёт", f"failover report {ident}"):
        assert ident in await say("vera", text), "a read, for everyone"
    made = await moving.department.proposed("anna", "restart api")
    assert "neither" in await say("vera", f"drill report {made.id}", ok=False)


async def test_who_is_still_to_be_asked_is_not_told_to_be_configured(moving: Moving) -> None:
    """A drill that stands at an earlier step has asked nobody yet."""
    nobody = "Nobody was asked whether they would answer: set failover.drill.answer."
    ident = await approved(moving, "drill")
    await Recorded(moving, ident).run()
    assert nobody in await moving.department.say("vera", f"drill report {ident}")
    operation = await moving.store.read(lambda tx: tx.operation(ident))
    assert operation is not None
    asking = replace(operation.plan, steps=(*operation.plan.steps, drill_contact.planned(timedelta(minutes=5))))
    await moving.store.write(lambda tx: tx.save_operation(replace(operation, plan=asking)))
    assert nobody not in await moving.department.say("vera", f"drill report {ident}")


async def test_a_drill_is_still_no_read(moving: Moving) -> None:
    assert "You may not use drill" in await moving.department.say("vera", "drill", ok=False)


def test_a_page_is_markdown_whatever_outside_text_says() -> None:
    rude = "a|b\n# <img src=x> [x](javascript:1) `c` *d*"
    message = Message(
        verbatim(rude),
        blocks=(
            Table(
                (phrase("What"),),
                ((verbatim(rude),), (phrase("{c}", c=Code("a|`b")),)),
            ),
        ),
    )
    found = markdown(message, English())
    rows = [line for line in found.splitlines() if line.startswith("|")]
    assert len(rows) == 4, "one row is one line"
    assert "<img" not in found.replace("\\<img", "")
    assert "\\](java" in found, "no link"
    assert found.count("\n# ") == 0
