"""Telegram's rates as windows, and what urgent cards may use of them."""

import pytest

from bot.domain.errors import RateLimitedError
from bot.platforms.telegram.rates import BREATH, Budget, PerChat
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


def test_a_quarter_of_the_minute_is_kept_for_pages(budget, clock):
    spend(budget, clock, 15, urgent=False)
    clock.forward(3)
    assert refused(budget, GROUP) == BREATH
    assert refused(budget, GROUP, urgent=True) is None


def test_private_chats_know_no_minute(budget, clock):
    began = clock.now()
    spend(budget, clock, 60, urgent=False, chat=PERSON)
    assert (clock.now() - began).total_seconds() <= 60


def test_a_clock_that_goes_back_stops_nobody(budget, clock):
    spend(budget, clock, 3, urgent=False)
    clock.forward(-3600)
    assert refused(budget, GROUP) is None
