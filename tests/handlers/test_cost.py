"""``cost``, the nightly look and the digest's line: what people read, with everything known and with gaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.domain.costs import Account, Day, Kind, Line, Peak, Place, Pool, Spend
from bot.domain.errors import TemporaryError, UserError
from bot.domain.messages import Graph, Message, Table, Tone
from bot.domain.phrases import English, phrase
from bot.domain.routes import Route
from bot.platforms.console.plain import plain
from handlers.alerting.rules import Rules
from handlers.cards import cost as card
from handlers.schedules import costs as schedule
from tests.handlers.department import PEOPLE, Check, Department, read
from tests.handlers.fakes import NOON, FakeCosts

D = Decimal
DAY = timedelta(days=1)
MIDNIGHT = NOON.replace(hour=0)
API, WEB, THERE = (
    Place("nyc2", "production", "api"), Place("nyc2", "production", "web"), Place("sfo3", "production", "web"),
)  # fmt: skip
POOL = Pool("dept-nyc2", "k8s-nyc2", "nyc2", "pool-a", "s-4vcpu-8gb", 5, 4.0, 8.0, D(48))


def lines(api: str = "4", share: str = "1") -> tuple[Line, ...]:
    """A day: api wastes a quarter, web has nothing to spare, a database, a third of the machines idle."""
    part = D(share)
    return (
        Line(Kind.COMPUTE, API, "nyc2", part * D(api) * 3 / 4, part * D(api) / 4, True, "api", "production"),
        Line(Kind.COMPUTE, WEB, "nyc2", part, service="web", environment="production-nyc2"),
        Line(Kind.COMPUTE, THERE, "sfo3", part / 2, service="web", environment="production-sfo3"),
        Line(Kind.COMPUTE, Place("nyc2", "kube-system", "coredns"), "nyc2", part / 8),
        Line(Kind.DATABASE, Place("nyc2"), "nyc2", part * 2, measured=False, service="api", environment="production"),
        Line(Kind.IDLE, Place("nyc2"), "nyc2", part * 3),
    )  # fmt: skip


def spent(count: int = 30, *, gaps: tuple[int, ...] = (), api: Callable[[int], str] = lambda _: "4") -> Spend:
    """So many days up to yesterday, which is February's last."""
    days = tuple(
        Day(MIDNIGHT - DAY * (count - at), lines(api(at)), frozenset({"sfo3"}) if at in gaps else frozenset())
        for at in range(count)
    )
    account = Account(D("141.20"), D(0), NOON, (("2026-02", D("342.11")), ("2026-01", D("330.02"))))
    return Spend(
        days, Day(MIDNIGHT, lines(share="0.5")), account=account, pools={"nyc2": (POOL,)}, busiest={"nyc2": 0.3},
        peaks={WEB: Peak(0.95, 2), API: Peak(0.9, 4)}, sources={"nyc2": "DigitalOcean", "sfo3": "OpenCost"},
    )  # fmt: skip


async def test_everything(department: Department, reads_as: Check) -> None:
    department.costs.found = spent()
    reads_as("commands/cost", await department.say("vera", "cost"))


async def test_one_service(department: Department, reads_as: Check) -> None:
    department.costs.found = replace(
        spent(12, gaps=(3, 4)), unknown=(phrase("Volume scratch has no known price."),), account=None
    )
    reads_as("commands/cost_api", await department.say("vera", "стоимость api по окружению"))


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("cost", ["api", "no service", "web", "together"]),
        ("cost by namespace", ["no namespace", "production", "kube-system", "together"]),
        ("cost by environment", ["production", "no environment", "production-nyc2", "production-sfo3", "together"]),
        ("cost by region", ["nyc2", "sfo3", "together"]),
        ("стоимость по регионам", ["nyc2", "sfo3", "together"]),
        ("cost web by region 7d", ["nyc2", "sfo3", "together"]),
        ("cost api", ["production"]),
    ],
)  # fmt: skip
async def test_taken_apart(department: Department, typed: str, names: list[str]) -> None:
    department.costs.found = spent()
    reply = await department.reply("vera", typed)
    (table,) = (block for block in reply.message.blocks if isinstance(block, Table))
    assert sorted(row[0].plain() for row in table.rows) == sorted(names)


async def test_the_picture_stacks_services(department: Department) -> None:
    department.costs.found = spent(gaps=(5,))
    reply = await department.reply("vera", "cost")
    (graph,) = (block for block in reply.message.blocks if isinstance(block, Graph))
    assert graph.stacked
    assert [curve.name.plain() for curve in graph.curves] == ["api", "web", "the rest", "idle"]
    api = graph.curves[0].points
    assert (len(api), api[0]) == (30, (MIDNIGHT - 30 * DAY, 6.0))
    assert api[5][1] != api[5][1]  # a gap


async def test_days_that_are_not_known_are_left_out_and_said(department: Department) -> None:
    department.costs.found = spent(gaps=(1, 2))
    shown = await department.say("vera", "cost")
    assert "28 whole days (UTC)" in shown
    assert "2 days in between are not known, and not in it." in shown


async def test_nothing_known_is_not_nothing(department: Department) -> None:
    department.costs.found = spent(3, gaps=(0, 1, 2))
    reply = await department.reply("vera", "cost")
    shown = read(reply.message)
    assert "All costs: what it costs is not known" in shown
    assert "This month                  unknown" in shown
    assert "$0" not in shown
    assert reply.message.tone is Tone.WARNING


async def test_what_is_missing_makes_it_at_least(department: Department) -> None:
    department.costs.found = replace(spent(), unknown=(phrase("Volume scratch has no known price."),))
    shown = await department.say("vera", "cost")
    assert "All costs: at least $319 in" in shown
    assert "Not in these figures, so the true sum is higher:" in shown


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("cost apii", "There is no service apii. Did you mean api?"),
        ("cost by weather", "weather is nothing to take costs apart by. There are: service, namespace, environment"),
        ("cost by", "There are: service, namespace, environment, region."),
        ("cost api 90d", "Costs are known by the day, for a month back: between 1d and 30d."),
        ("cost api 1h", "Costs are known by the day, for a month back: between 1d and 30d."),
    ],
)  # fmt: skip
async def test_what_cant_be_answered(department: Department, typed: str, said: str) -> None:
    department.costs.found = spent()
    assert said in await department.say("vera", typed, ok=False)


async def test_nobody_knows(department: Department) -> None:
    department.costs.found = TemporaryError("away")
    assert "Nothing that knows costs answers now" in await department.say("vera", "cost", ok=False)
    department.costs.found = UserError("Nothing tells what is used.")
    assert "Nothing tells what is used." in await department.say("vera", "cost", ok=False)


async def test_buttons_do_what_pult_can_do(department: Department) -> None:
    """A pool is not pult's to change: its command is for a shell."""
    department.costs.found = replace(spent(), peaks={API: Peak(0.1, 8)})
    reply = await department.reply("vera", "cost")
    assert [button.command for button in reply.message.buttons] == ["scale api 2"]
    assert "doctl kubernetes cluster node-pool update dept-nyc2 pool-a --count 2" in read(reply.message)


# The nightly look.


def rules() -> Rules:
    return Rules((Route(("slack:C0INC",)), Route(("slack:C0OPS", "console:ops"))), PEOPLE)


async def notices(department: Department) -> list[tuple[str, Message]]:
    def found(tx):
        cards = tx.latest_cards("slack:C0OPS", 100)
        return [(card.subject, tx.message(card.subject)) for card in cards if card.subject.startswith("notice:cost")]

    return await department.store.read(found)


async def looked(department: Department) -> None:
    await schedule.anomalies(department.store, department.clock, rules(), department.costs).run()


def shifted(spend: Spend, days: int) -> Spend:
    return replace(
        spend, days=tuple(replace(day, at=day.at + DAY * days) for day in spend.days),
        today=replace(spend.today, at=spend.today.at + DAY * days),
    )  # fmt: skip


def leaps(last: int, cost: str = "40") -> Callable[[int], str]:
    return lambda at: cost if at >= last else "4"


async def test_an_unusual_day_is_told_once(department: Department, reads_as: Check) -> None:
    department.costs.found = spent()
    await looked(department)  # the first start is no occasion
    department.clock.at += DAY
    department.costs.found = shifted(spent(api=leaps(29)), 1)
    for _ in range(3):
        await looked(department)
    ((_, message),) = await notices(department)
    reads_as("commands/cost_anomaly", plain(message, English()))
    for day in (2, 3):  # it stays: no news
        department.clock.at += DAY
        department.costs.found = shifted(spent(api=leaps(30 - day)), day)
        await looked(department)
    assert len(await notices(department)) == 1
    department.clock.at += DAY  # it is over
    department.costs.found = shifted(spent(api=lambda at: "40" if 26 <= at < 29 else "4"), 4)
    await looked(department)
    department.clock.at += DAY  # and comes again
    department.costs.found = shifted(spent(api=lambda at: "40" if at == 29 or 25 <= at < 28 else "4"), 5)
    await looked(department)
    assert len(await notices(department)) == 2


async def test_a_usual_day_is_no_news(department: Department) -> None:
    department.costs.found = spent()
    await looked(department)
    department.clock.at += DAY
    department.costs.found = shifted(spent(), 1)
    await looked(department)
    assert await notices(department) == []


async def test_a_day_that_is_not_known_yet_is_waited_for(department: Department) -> None:
    """Early in the day a gap may still close; sources that are away are asked again."""
    department.costs.found = spent()
    await looked(department)
    department.clock.at = MIDNIGHT + DAY + timedelta(hours=1)
    unknown = shifted(spent(gaps=(29,), api=leaps(29)), 1)
    for found in (TemporaryError("away"), UserError("no"), replace(unknown, days=unknown.days[:-1]), unknown):
        department.costs.found = found
        await looked(department)
    assert await notices(department) == []
    department.costs.found = shifted(spent(api=leaps(29)), 1)
    await looked(department)
    assert len(await notices(department)) == 1


async def test_the_whole_is_told_where_no_service_explains_it(department: Department) -> None:
    department.costs.found = spent()
    await looked(department)
    department.clock.at += DAY
    dear = shifted(spent(), 1)
    idle = replace(dear.days[-1].lines[-1], used=D(50))
    last = replace(dear.days[-1], lines=(*dear.days[-1].lines[:-1], idle))
    department.costs.found = replace(dear, days=(*dear.days[:-1], last))
    await looked(department)
    ((_, message),) = await notices(department)
    assert "Everything together: $57.62, usually $10.62 a day" in plain(message, English())


# The weekly digest.


def said(spend: Spend | Exception) -> FakeCosts:
    found = FakeCosts()
    found.found = spend
    return found


async def line(spend: Spend | Exception) -> str:
    return plain(Message(phrase("The week"), Tone.INFO, await schedule.weekly(said(spend))), English())


async def test_the_weeks_line() -> None:
    text = await line(spent(api=lambda at: "6" if at >= 23 else "4"))
    assert "Cost of the last 7 known days: $88.38, of it waste $10.50 and idle $21.00; the week before $74.38" in text
    unknown = await line(replace(spent(3), unknown=(phrase("Volume scratch has no known price."),)))
    assert "Cost of the last 3 known days: $31.88" in unknown
    assert "the week before" not in unknown
    assert "1 thing that costs money is not in it: see cost." in unknown


async def test_a_week_that_is_not_known() -> None:
    assert "Cost of the week: not known." in await line(TemporaryError("away"))
    assert "Cost of the week: not known." in await line(spent(2, gaps=(0, 1)))
    assert await schedule.weekly(said(UserError("not configured"))) == ()


def test_a_picture_needs_two_days() -> None:
    assert card.picture(spent(1).days, "USD") is None


async def test_a_service_of_which_nothing_was_found(department: Department) -> None:
    """Not running, or not priced: neither is a price of zero."""
    department.costs.found = replace(spent(), days=tuple(replace(day, lines=day.lines[:1]) for day in spent().days))
    shown = await department.say("vera", "cost web")
    assert "web: what it costs is not known" in shown
    assert "Nothing of it was found running, and nothing of it has a price." in shown
    assert "$" not in shown
