"""What a notification does to a group: the cases one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alerts import (
    RE_FIRE_AFTER,
    REMEMBERED,
    SAME_START,
    SEVERITIES,
    Ack,
    Alert,
    Silenced,
    Status,
    fold,
)
from bot.domain.silences import Silence, equals
from tests.domain.builders import MINUTE, NOON, SECOND, alert, folded, opened, told

FIRED = opened(alert("a"), alert("b"))
RESOLVED_A = alert("a", ends=NOON + MINUTE)
RESOLVED_B = alert("b", ends=NOON + MINUTE)


def closed():
    """A group that fired at noon and whose resolve was received two minutes later."""
    group = fold(opened(alert("a")), told(RESOLVED_A), NOON + 2 * MINUTE, "-")
    assert group is not None
    return group


def test_the_first_firing_opens_a_group() -> None:
    assert FIRED.id == "g0"
    assert FIRED.status is Status.FIRING
    assert FIRED.opened_at == NOON
    assert FIRED.closed_at is None
    assert FIRED.episode == 1
    assert FIRED.previous == ""
    assert {each.fingerprint for each in FIRED.firing} == {"a", "b"}


def test_a_resolve_of_what_nobody_showed_shows_nothing() -> None:
    assert fold(None, told(RESOLVED_A), NOON, "new") is None


@pytest.mark.parametrize(
    "word",
    [
        pytest.param(told(alert("a"), alert("b")), id="the same again"),
        pytest.param(told(alert("b"), alert("a")), id="in another order"),
        pytest.param(told(alert("a")), id="one of them again"),
        pytest.param(told(alert("a"), alert("b"), url="http://am-1.example"), id="from a second Alertmanager"),
        pytest.param(told(replace(alert("a"), url="http://prom-1.example/graph")), id="from a second Prometheus"),
        pytest.param(told(alert("a", starts=NOON - MINUTE)), id="an older incident, still firing"),
        pytest.param(told(alert("a", starts=NOON - MINUTE, ends=NOON)), id="an older incident, resolved late"),
    ],
)
def test_no_news_is_the_same_object(word) -> None:
    assert fold(FIRED, word, NOON + 5 * MINUTE, "new") is FIRED


def test_changed_words_are_news() -> None:
    worse = replace(alert("a"), annotations={"summary": "a burns brighter"})
    group = fold(FIRED, told(worse), NOON + MINUTE, "new")
    assert group is not FIRED
    assert group.id == FIRED.id
    assert group.alerts["a"].annotations["summary"] == "a burns brighter"
    assert group.alerts["b"] == FIRED.alerts["b"]


def test_a_partial_resolve_keeps_the_group_open() -> None:
    group = fold(FIRED, told(RESOLVED_A, alert("b")), NOON + MINUTE, "new")
    assert group.status is Status.FIRING
    assert group.closed_at is None
    assert [each.fingerprint for each in group.firing] == ["b"]
    assert group.alerts["a"].ends_at == NOON + MINUTE


def test_the_last_resolve_closes_it() -> None:
    group = folded((NOON + MINUTE, told(RESOLVED_A)), (NOON + 2 * MINUTE, told(RESOLVED_B)), group=FIRED)
    assert group.id == "g0"
    assert group.status is Status.RESOLVED
    assert group.closed_at == NOON + 2 * MINUTE


def test_an_alert_missing_from_a_notification_is_not_resolved() -> None:
    group = fold(FIRED, told(RESOLVED_A), NOON + MINUTE, "new")
    assert [each.fingerprint for each in group.firing] == ["b"]


def test_an_alert_that_joins_is_news() -> None:
    group = fold(FIRED, told(alert("a"), alert("c")), NOON + MINUTE, "new")
    assert {each.fingerprint for each in group.firing} == {"a", "b", "c"}


def test_a_resolve_of_the_present_incident_counts_also_when_it_is_repeated() -> None:
    group = closed()
    assert fold(group, told(RESOLVED_A), NOON + 9 * MINUTE, "new") is group


@pytest.mark.parametrize("late", [SECOND, RE_FIRE_AFTER - SECOND])
def test_a_firing_that_comes_after_its_resolve_is_the_late_word_of_a_second_alertmanager(late: timedelta) -> None:
    group = closed()
    assert fold(group, told(alert("a")), group.closed_at + late, "new") is group


def test_the_same_in_a_group_that_is_open() -> None:
    group = fold(FIRED, told(RESOLVED_A), NOON + MINUTE, "new")
    assert fold(group, told(alert("a")), NOON + MINUTE + RE_FIRE_AFTER - SECOND, "new") is group
    again = fold(group, told(alert("a")), NOON + MINUTE + RE_FIRE_AFTER, "new")
    assert {each.fingerprint for each in again.firing} == {"a", "b"}


def test_a_late_repeat_of_the_resolve_does_not_put_off_a_re_fire() -> None:
    group = fold(closed(), told(RESOLVED_A), NOON + 6 * MINUTE, "new")
    again = fold(group, told(alert("a")), NOON + 7 * MINUTE, "new")
    assert again.status is Status.FIRING


def test_the_old_start_long_after_the_resolve_is_a_new_episode() -> None:
    group = closed()
    again = fold(group, told(alert("a")), group.closed_at + RE_FIRE_AFTER, "new")
    assert (again.id, again.previous, again.episode) == ("new", "g0", 2)
    assert again.status is Status.FIRING
    assert again.closed_at is None


def test_a_new_start_is_a_new_episode_at_once() -> None:
    group = closed()
    again = fold(group, told(alert("a", starts=NOON + 3 * MINUTE)), group.closed_at + SECOND, "new")
    assert (again.id, again.previous, again.episode) == ("new", "g0", 2)
    assert again.opened_at == group.closed_at + SECOND
    assert again.since == NOON + 3 * MINUTE


def test_a_new_episode_starts_without_the_old_ones_ack_silence_and_resolved_alerts() -> None:
    muted = Silence("s1", equals({"alertname": "HighErrors"}), "anna", "", NOON, NOON + MINUTE)
    held = replace(FIRED, ack=Ack("anna", NOON), silenced=Silenced(muted, NOON))
    group = folded(
        (NOON + MINUTE, told(RESOLVED_A, RESOLVED_B)),
        (NOON + 3 * MINUTE, told(alert("a", starts=NOON + 2 * MINUTE), RESOLVED_B)),
        group=held,
    )
    assert group.episode == 2
    assert group.ack is None
    assert group.silenced is None
    assert set(group.alerts) == {"a"}


def test_episodes_count_on() -> None:
    group = folded(*(
        (NOON + at * MINUTE, told(alert("a", starts=NOON + (at - at % 2) * MINUTE,
                                        ends=NOON + at * MINUTE if at % 2 else None)))
        for at in range(6)
    ))  # fmt: skip
    assert (group.id, group.previous, group.episode) == ("g5", "g3", 3)


def test_a_resolved_alert_of_the_first_word_can_fire_again() -> None:
    group = opened(alert("a"), alert("b", ends=NOON))
    again = fold(group, told(alert("b")), NOON + RE_FIRE_AFTER, "new")
    assert {each.fingerprint for each in again.firing} == {"a", "b"}


def test_a_resolved_alert_of_a_new_episode_can_fire_again() -> None:
    second = fold(closed(), told(alert("a", starts=NOON + 3 * MINUTE), alert("b", ends=NOON)), NOON + 4 * MINUTE, "g1")
    again = fold(second, told(alert("b")), NOON + 4 * MINUTE + RE_FIRE_AFTER, "new")
    assert {each.fingerprint for each in again.firing} == {"a", "b"}


def test_a_resolve_with_a_newer_start_closes_the_newer_incident() -> None:
    both_later = told(alert("a", starts=NOON + MINUTE, ends=NOON + 2 * MINUTE))
    group = fold(opened(alert("a")), both_later, NOON + 2 * MINUTE, "new")
    assert group.status is Status.RESOLVED
    assert fold(group, told(alert("a", starts=NOON + MINUTE)), NOON + 3 * MINUTE, "new") is group


def test_what_the_sender_cut_off_is_counted() -> None:
    group = fold(None, told(alert("a"), truncated=6), NOON, "g")
    assert group.truncated == 6
    assert fold(group, told(alert("a"), truncated=6), NOON + MINUTE, "g") is group
    assert fold(group, told(alert("a"), truncated=2), NOON + MINUTE, "g").truncated == 2
    assert fold(group, told(alert("a")), NOON + MINUTE, "g").truncated == 0


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("critical", "critical"),
        ("CRITICAL", "critical"),
        ("page", "critical"),
        ("error", "critical"),
        ("warning", "warning"),
        ("info", "info"),
        ("none", "none"),
        ("P1", "warning"),
        ("", "warning"),
    ],
)
def test_every_severity_is_one_of_four(word: str, level: str) -> None:
    assert opened(alert("a", severity=word)).severity == level


def test_a_missing_severity_counts_as_a_warning() -> None:
    assert opened(Alert("a", {"alertname": "X"}, {}, NOON)).severity == "warning"


def test_the_group_is_as_severe_as_its_worst_alert_that_fires() -> None:
    group = opened(alert("a", severity="info"), alert("b", severity="critical"), alert("c", severity="warning"))
    assert group.severity == "critical"
    calmer = fold(group, told(alert("b", severity="critical", ends=NOON)), NOON, "-")
    assert calmer.severity == "warning"
    over = folded((NOON, told(alert("a", ends=NOON), alert("c", ends=NOON))), group=calmer)
    assert over.severity == "critical", "once resolved, the worst there was"
    assert SEVERITIES[0] == "critical"


def test_what_the_alerts_share_is_the_groups() -> None:
    group = opened(alert("a", region="nyc2", pod="x"), alert("b", region="nyc2", pod="y"))
    assert group.common("region") == "nyc2"
    assert group.common("pod") == ""
    assert group.common("absent") == ""
    assert group.name == "HighErrors"
    assert group.service == "api"


def test_job_stands_for_a_missing_service_and_alert_for_a_missing_name() -> None:
    group = opened(Alert("a", {"job": "node"}, {}, NOON))
    assert (group.name, group.service) == ("alert", "node")


def test_since_is_the_earliest_that_still_fires() -> None:
    group = opened(alert("a"), alert("b", starts=NOON + MINUTE))
    assert group.since == NOON
    assert fold(group, told(RESOLVED_A), NOON + 2 * MINUTE, "-").since == NOON + MINUTE


def test_a_start_that_is_told_more_coarsely_is_the_same_start() -> None:
    """The API says .123 where the webhook said .123456: neither a newer incident nor an older one."""
    fine = NOON + timedelta(microseconds=123_456)
    coarse = NOON + timedelta(milliseconds=123)
    for first, second in ((fine, coarse), (coarse, fine)):
        group = opened(alert("a", starts=first))
        assert fold(group, told(alert("a", starts=second)), NOON + MINUTE, "new") is group
        over = fold(group, told(alert("a", starts=second, ends=NOON + MINUTE)), NOON + MINUTE, "new")
        assert over.closed_at == NOON + MINUTE
        assert fold(over, told(alert("a", starts=first)), NOON + 2 * MINUTE, "new") is over
    later = fold(opened(alert("a")), told(alert("a", starts=NOON + SAME_START)), NOON + MINUTE, "new")
    assert later.alerts["a"].starts_at == NOON + SAME_START


def test_a_completed_group_says_when_more_than_ever_is_cut_off() -> None:
    group = fold(None, told(alert("a"), truncated=3), NOON, "g")
    whole = fold(group, replace(told(alert("a"), alert("b")), whole=True), NOON + MINUTE, "g")
    assert (whole.truncated, whole.gone) == (0, 2)
    assert fold(whole, told(alert("a"), truncated=3), NOON + 2 * MINUTE, "g") is whole
    assert fold(whole, told(alert("a"), truncated=5), NOON + 2 * MINUTE, "g").truncated == 2
    fewer = fold(whole, told(alert("a"), alert("b"), alert("c")), NOON + 2 * MINUTE, "g")
    assert (fewer.truncated, fewer.gone) == (0, 2)


def test_history_keeps_how_it_began_and_the_latest() -> None:
    group = opened(alert("a"))
    for number in range(200):
        group = group.logged(NOON + number * SECOND, "grew", "anna", str(number))
    assert len(group.history) == REMEMBERED
    assert [each.detail for each in group.history[:2]] == ["0", str(200 - REMEMBERED + 1)]
    assert group.history[-1].detail == "199"
    assert list(group.history) == sorted(group.history, key=lambda each: each.at)


# --- two Prometheus that saw it begin at different times ---

EARLIER = NOON - 30 * SECOND


def test_the_end_of_an_incident_that_began_earlier_for_another_prometheus_is_its_end() -> None:
    """Alertmanager merges both and keeps the earlier start, which it may learn after it has told the later one."""
    group = fold(opened(alert("a")), told(alert("a", starts=EARLIER, ends=NOON + MINUTE)), NOON + MINUTE, "new")
    assert group.closed_at == NOON + MINUTE
    again = fold(group, told(alert("a")), NOON + 2 * MINUTE, "new")
    assert again is group, "a late word of the second Alertmanager is no new incident"


def test_the_end_of_an_older_incident_does_not_end_the_one_that_fires() -> None:
    group = opened(alert("a"))
    assert fold(group, told(alert("a", starts=NOON - MINUTE, ends=NOON - SECOND)), NOON + MINUTE, "new") is group


def test_a_group_lasts_from_its_first_alert_and_never_less_than_nothing() -> None:
    """The sender's clock may be ahead of ours."""
    assert FIRED.lasted(FIRED.since + MINUTE) == MINUTE
    assert FIRED.lasted(FIRED.since - MINUTE) == 0 * MINUTE


@pytest.mark.parametrize(("ended", "lasted"), [(5, 5), (120, 120), (-3, 120), (500, 120)])
def test_a_resolve_that_is_heard_late_ends_when_its_sender_says(ended: int, lasted: int) -> None:
    ends = FIRED.since + ended * MINUTE
    over = replace(FIRED, alerts={name: replace(one, ends_at=ends) for name, one in FIRED.alerts.items()})
    assert over.lasted(over.since + 120 * MINUTE) == lasted * MINUTE
