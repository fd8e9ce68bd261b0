"""When not to ask."""

from datetime import UTC, datetime, timedelta

from bot.domain.breakers import HOLD, Breaker

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_what_answers_is_asked_each_time() -> None:
    breaker = Breaker()
    assert breaker.admits(NOW)
    breaker.succeeded()
    assert breaker.admits(NOW)
    assert breaker.admits(NOW)


def test_after_a_failure_nobody_asks_for_a_while() -> None:
    breaker = Breaker()
    breaker.failed(NOW)
    assert not breaker.admits(later(29.9))
    assert breaker.admits(later(30))


def test_one_tries_again_and_the_others_wait_for_it() -> None:
    breaker = Breaker()
    breaker.failed(NOW)
    assert breaker.admits(later(31))
    assert not breaker.admits(later(31))
    breaker.succeeded()
    assert breaker.admits(later(31))


def test_a_trial_that_nobody_reports_on_is_tried_again() -> None:
    breaker = Breaker()
    breaker.failed(NOW)
    assert breaker.admits(later(31))
    assert not breaker.admits(later(60))
    assert breaker.admits(later(31) + HOLD)


def test_it_waits_as_long_as_it_is_told_to() -> None:
    breaker = Breaker()
    breaker.failed(NOW, 120)
    assert not breaker.admits(later(119))
    assert breaker.admits(later(120))
    breaker.failed(NOW, 1)
    assert not breaker.admits(later(29))
