"""Telegram's rates as windows, and what urgent cards may use of them."""

import pytest

from bot.domain.cards import Priority
from bot.domain.errors import DeferredError, RateLimitedError
from bot.platforms.telegram.rates import BREATH, PUT_OFF, Budget, PerChat
from tests.platforms.telegram_setup import Clock, settings

GROUP, PERSON = -1001, 1001


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def budget(clock):
    return Budget(settings("http://127.0.0.1"), clock)


def refused(budget, chat, *, urgent=False):
    """Seconds to wait, None when it may go."""
    try:
        budget.take(chat, urgent=urgent)
    except RateLimitedError as error:
        return error.delay
    return None


def spend(budget, clock, count, *, urgent, chat=GROUP):
    for _ in range(count):
        while wait := refused(budget, chat, urgent=urgent):
            clock.forward(wait)


def test_three_at_once_in_a_chat_then_one_a_second(budget, clock):
    assert [refused(budget, PERSON) for _ in range(4)] == [None, None, None, 3.0]
    clock.forward(3)
    assert refused(budget, PERSON) is None


def test_a_slower_pace_by_configuration(clock):
    budget = Budget(settings("http://127.0.0.1", posts_per_second=0.5, posts_per_minute=2), clock)
    assert [refused(budget, PERSON) for _ in range(4)] == [None, None, None, 6.0]
    assert [refused(budget, GROUP, urgent=True) for _ in range(3)] == [None, None, 60.0]
    assert PerChat(settings("http://127.0.0.1", posts_per_second=0.5)).interval("telegram:1") == 2.0


def test_all_chats_share_thirty_a_second(budget, clock):
    assert [refused(budget, 1000 + n) for n in range(31)] == [None] * 30 + [1.0]


def test_twenty_pages_pass_within_twenty_seconds_and_the_next_waits(budget, clock):
    began = clock.now()
    spend(budget, clock, 20, urgent=True)
    assert (clock.now() - began).total_seconds() < 20
    assert refused(budget, GROUP, urgent=True) > 30


def test_a_third_of_the_minute_is_kept_for_pages(budget, clock):
    spend(budget, clock, 13, urgent=False)
    clock.forward(3)
    assert refused(budget, GROUP) == BREATH
    assert refused(budget, GROUP, urgent=True) is None


def yields(budget, priority, chat=GROUP):
    """What an edit is told: its error's type and seconds, or None."""
    try:
        budget.take_edit(chat, priority)
    except RateLimitedError as error:
        return type(error), error.delay
    return None


@pytest.mark.parametrize("priority", [Priority.PAGE, Priority.ANSWER])
def test_edits_yield_to_new_messages_without_holding_their_lane(budget, clock, priority):
    spend(budget, clock, 13, urgent=False)
    clock.forward(3)
    assert yields(budget, Priority.NORMAL) == (RateLimitedError, BREATH)
    assert [yields(budget, priority) for _ in range(3)] == [None, None, (DeferredError, PUT_OFF)]
    clock.forward(3)
    assert refused(budget, GROUP, urgent=True) is None


def test_a_storm_of_edits_leaves_room_for_new_cards(budget, clock):
    for _ in range(9):
        assert yields(budget, Priority.PAGE) is None
        clock.forward(1)
    assert yields(budget, Priority.PAGE) == (DeferredError, PUT_OFF)
    spend(budget, clock, 4, urgent=False)


def test_live_progress_is_one_edit_in_three_seconds_and_less_when_the_group_is_busy(budget, clock):
    assert yields(budget, Priority.OPERATION) is None
    clock.forward(1)
    assert yields(budget, Priority.OPERATION) == (DeferredError, 2.0)
    assert yields(budget, Priority.PAGE) is None
    clock.forward(2)
    assert yields(budget, Priority.OPERATION) is None
    spend(budget, clock, 9, urgent=False)
    clock.forward(5)
    assert yields(budget, Priority.OPERATION) == (DeferredError, PUT_OFF)
    assert refused(budget, GROUP) is None, "new cards still go"


def test_in_a_private_chat_nothing_yields(budget):
    assert [yields(budget, Priority.OPERATION, PERSON) for _ in range(4)] == [None] * 3 + [(RateLimitedError, 3.0)]


def test_private_chats_know_no_minute(budget, clock):
    began = clock.now()
    spend(budget, clock, 60, urgent=False, chat=PERSON)
    assert (clock.now() - began).total_seconds() <= 60


def test_a_clock_that_goes_back_stops_nobody(budget, clock):
    spend(budget, clock, 3, urgent=False)
    clock.forward(-3600)
    assert refused(budget, GROUP) is None
