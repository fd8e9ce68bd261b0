"""``freeze`` and ``unfreeze``: set, told, shown, ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.freezes import Once, Window
from handlers.operating import freezing
from tests.handlers.department import Check, Department, read
from tests.handlers.fakes import NOON
from tests.handlers.test_approvals import notices

HOUR = timedelta(hours=1)


@pytest.fixture
def chats(department: Department) -> Department:
    department.approvals_in = ("slack:C0OPS",)
    return department


async def texts(department: Department) -> list[str]:
    """What the approvals chat reads about freezes now, in the order it came."""

    def found(tx: object) -> list[str]:
        cards = [card.subject for card in tx.latest_cards("slack:C0OPS", 50)]  # type: ignore[attr-defined]
        return [read(tx.message(each)) for each in reversed(cards) if "freeze" in each]  # type: ignore[attr-defined]

    return await department.store.read(found)


async def test_a_freeze_is_told_audited_and_shown(chats: Department, reads_as: Check) -> None:
    said = await chats.say("anna", "freeze api 2h the database is being moved")
    assert "api is frozen until 2026-03-01 14:00:00 UTC by anna: the database is being moved" in said
    [told] = await texts(chats)
    reads_as("commands/frozen", told)
    assert await chats.audit() == [("anna", "freeze", "api", "frozen")]
    assert "Frozen" in await chats.say("vera", "status")
    assert "api is frozen until" in await chats.say("vera", "status api")
    assert "Frozen" not in await chats.say("vera", "status web")
    assert set(await notices(chats, "notice:freeze")) == {"slack:C0OPS"}


async def test_it_ends_by_itself_and_says_so_once(chats: Department) -> None:
    await chats.say("anna", "freeze api 2h moving")
    timer = await chats.store.read(lambda tx: tx.timer(freezing.KIND, "api"))
    assert timer == NOON + 2 * HOUR
    await chats.store.write(lambda tx: freezing.over(tx, "api", NOON + 2 * HOUR))
    await chats.store.write(lambda tx: freezing.over(tx, "api", NOON + 2 * HOUR))
    card, news = await texts(chats)
    assert "api is no longer frozen" in card
    assert "frozen by anna: moving" in card
    assert "api is no longer frozen" in news
    assert "Frozen" not in await chats.say("vera", "status")


async def test_it_is_over_on_the_second_whatever_the_timer_does(chats: Department) -> None:
    await chats.say("anna", "freeze api 2h moving")
    chats.clock.at += 2 * HOUR
    await chats.reported()
    assert (await chats.proposed("anna", "promote api 1.8.0")).plan.holds == ()


async def test_unfreeze(chats: Department) -> None:
    await chats.say("anna", "заморозить api 2h moving")
    assert "Promotions may go on: api" in await chats.say("boris", "разморозить")
    assert await chats.audit() == [("anna", "freeze", "api", "frozen"), ("boris", "unfreeze", "api", "ended")]
    assert "boris ended it" in (await texts(chats))[-1]
    assert await chats.store.read(lambda tx: tx.timers(freezing.KIND)) == ()
    assert "Nobody froze that" in await chats.say("boris", "unfreeze", ok=False)


async def test_of_several_one_is_named_or_all(chats: Department) -> None:
    await chats.say("anna", "freeze api 2h moving")
    await chats.say("anna", "freeze web 3h moving too")
    assert "Frozen are api, web" in await chats.say("boris", "unfreeze", ok=False)
    assert "go on: api" in await chats.say("boris", "unfreeze api")
    assert "Nobody froze that" in await chats.say("boris", "unfreeze api", ok=False)
    await chats.say("anna", "freeze all 1h everything")
    assert "api is frozen together with everything" in await chats.say("boris", "unfreeze api", ok=False)
    assert "go on: all, web" in await chats.say("boris", "unfreeze all")


async def test_freezing_everything_holds_every_service(chats: Department) -> None:
    assert "Everything is frozen until" in await chats.say("anna", "freeze всё 3d holidays")
    await chats.reported()
    assert [hold.name for hold in (await chats.proposed("anna", "promote api 1.8.0")).plan.holds] == ["freeze"]
    shown = await chats.say("vera", "status")
    assert shown.count("Everything is frozen until") == 1


async def test_a_second_freeze_takes_the_place_of_the_first(chats: Department) -> None:
    await chats.say("anna", "freeze api 2h moving")
    chats.clock.at += HOUR
    await chats.say("boris", "freeze api 4h it takes longer")
    card, second = await texts(chats)
    assert "another freeze took its place" in card
    assert "by boris: it takes longer" in second
    await chats.store.write(lambda tx: freezing.lift(tx, "api", "anna", chats.clock.at))
    assert len(await texts(chats)) == 3, "one reply, under the one that stood"


async def test_the_calendar_is_not_ended_by_command(chats: Department) -> None:
    chats.freezes = (Window(Once(NOON - HOUR, NOON + HOUR), "the holidays"),)
    assert "--override freeze" in await chats.say("anna", "unfreeze", ok=False)
    assert "Everything is frozen until 2026-03-01 13:00:00 UTC by the calendar: the holidays" in await chats.say(
        "vera", "status"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("freeze", "freeze <service or all> <duration> <why>"),
        ("freeze api", "freeze <service or all> <duration> <why>"),
        ("freeze api 2h", "freeze <service or all> <duration> <why>"),
        ("freeze api soon why", "freeze <service or all> <duration> <why>"),
        ("freeze api 0h why", "freeze <service or all> <duration> <why>"),
        ("freeze api 100d why", "at most"),
        ("freeze apj 2h why", "Did you mean api"),
        ("unfreeze apj", "Did you mean api"),
    ],
)
async def test_how_it_is_written(chats: Department, words: str, said: str) -> None:
    assert said in await chats.say("anna", words, ok=False)
    assert await texts(chats) == []


@pytest.mark.parametrize("words", ["freeze api 2h why", "unfreeze"])
async def test_a_viewer_freezes_nothing(chats: Department, words: str) -> None:
    assert "it takes the role sre" in await chats.say("vera", words, ok=False)
    assert await chats.store.read(freezing.kept) == ()
