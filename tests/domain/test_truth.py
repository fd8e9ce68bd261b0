"""Reconciling, case by case: what counts as known, what is done at once, what needs a second look."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts import Alert, Group, Happening, Notification, Silenced, alias, fold
from bot.domain.silences import Silence, equals
from bot.domain.testimony import Believed, BelievedGroup
from bot.domain.testimony import Testimony as Told  # pytest takes a class called Test… for tests
from bot.domain.truth import Findings, Suspects, compare
from tests.domain.builders import MINUTE, NOON, SECOND, alert

LABELS = {"alertname": "HighErrors"}
HOUR = timedelta(hours=1)
NOW = NOON + HOUR
WATCHDOG = alert("w", alertname="Watchdog", severity="none")
UP = NOON - HOUR


def group(*alerts: Alert, ident: str = "a-1", key: str = "{}:{}", **changes: object) -> Group:
    """An open group of what pult was told at noon."""
    told = Notification("alertmanager", key, "pult", LABELS, alerts, "http://am-0.example")
    made = fold(None, told, NOON, ident)
    assert made is not None
    return replace(made, **changes)


def believed(*alerts: Alert | Believed, receiver: str = "pult", labels: dict[str, str] | None = None) -> BelievedGroup:
    held = tuple(each if isinstance(each, Believed) else Believed(each) for each in alerts)
    return BelievedGroup(receiver, LABELS if labels is None else labels, held)


WATCH = believed(WATCHDOG, receiver="watchdog", labels={})


def member(*groups: BelievedGroup, up: datetime | None = UP, silences: tuple[Silence, ...] = ()) -> Told:
    """A member that hears from Prometheus."""
    return Told("http://am-0", up, (WATCH, *groups), silences)


def deaf(*groups: BelievedGroup, up: datetime | None = UP) -> Told:
    """A member without a Watchdog."""
    return Told("http://am-1", up, groups, ())


def look(
    groups: list[Group],
    *told: Told,
    before: Suspects | None = None,
    now: datetime = NOW,
    watchdog_at: datetime | None = NOW,
    receivers: frozenset[str] = frozenset({"pult"}),
) -> Findings:
    return compare(groups, told, before or Suspects(), receivers, watchdog_at, now)


def twice(groups: list[Group], *told: Told, now: datetime = NOW, **more: object) -> Findings:
    """The second of two rounds that see the same."""
    first = look(groups, *told, now=now - MINUTE, **more)
    assert (first.ghosts, first.missing) == ((), ())
    return look(groups, *told, before=first.suspects, now=now, **more)


def names(told: tuple[Notification, ...]) -> set[str]:
    return {each.fingerprint for one in told for each in one.alerts}


# Ghosts.


def test_what_no_member_holds_in_two_rounds_is_resolved() -> None:
    shown = group(alert("a"), alert("b"))
    found = twice([shown], member(believed(alert("b"))), member(believed(alert("b"))))
    (told,) = found.ghosts
    assert (told.source, told.key, told.receiver, told.labels) == ("alertmanager", shown.key, "pult", LABELS)
    assert [(each.fingerprint, each.ends_at) for each in told.alerts] == [("a", NOW)]
    after = fold(shown, told, NOW, "new")
    assert [each.fingerprint for each in after.firing] == ["b"]
    assert found.suspects == Suspects(urls=("http://am-0.example",))


def test_the_last_ghost_closes_its_group_and_a_repeat_does_nothing() -> None:
    shown = group(alert("a"))
    (told,) = twice([shown], member()).ghosts
    closed = fold(shown, told, NOW, "new")
    assert closed.closed_at == NOW
    assert fold(closed, told, NOW + MINUTE, "new") is closed
    assert twice([closed], member()).ghosts == ()


def test_one_round_is_not_enough() -> None:
    shown = group(alert("a"))
    first = look([shown], member())
    assert first.ghosts == ()
    assert first.suspects.ghosts == (("a-1", "a"),)
    between = look([shown], member(believed(alert("a"))), before=first.suspects)
    assert between.suspects.ghosts == ()
    assert look([shown], member(), before=between.suspects).ghosts == ()


def test_presence_with_any_member_counts_also_with_one_that_has_just_started() -> None:
    shown = group(alert("a"))
    assert twice([shown], member(), deaf(believed(alert("a")), up=NOW)).ghosts == ()
    assert twice([shown], member(), deaf(believed(alert("a"), receiver="other"))).ghosts == ()
    assert twice([shown], member(believed(Believed(alert("a"), ("s1",))))).ghosts == (), "silenced is not over"


@pytest.mark.parametrize(
    "told",
    [
        pytest.param((), id="nobody answers"),
        pytest.param((member(up=NOW - timedelta(minutes=4)),), id="it has just started"),
        pytest.param((member(up=None),), id="it does not say since when it is up"),
        pytest.param((deaf(),), id="it holds no Watchdog"),
        pytest.param((deaf(believed(alert("x"))), member(up=NOW)), id="one is deaf, the other new"),
    ],
)
def test_whose_word_on_absence_does_not_count(told: tuple[Told, ...]) -> None:
    assert twice([group(alert("a"))], *told).ghosts == ()


def test_a_round_without_answers_begins_the_count_anew() -> None:
    shown = group(alert("a"))
    first = look([shown], member())
    silent = look([shown], before=first.suspects)
    assert silent == Findings(suspects=Suspects())
    assert look([shown], member(), before=silent.suspects).ghosts == ()


def test_a_member_that_cannot_be_believed_does_not_stop_the_others() -> None:
    assert names(twice([group(alert("a"))], member(), deaf(), member(up=NOW)).ghosts) == {"a"}


@pytest.mark.parametrize("heard", [None, NOW - HOUR - 2 * MINUTE])
def test_without_a_watchdog_an_empty_list_counts_only_where_all_are_empty(heard: datetime | None) -> None:
    shown = group(alert("a"))
    assert names(twice([shown], deaf(), watchdog_at=heard).ghosts) == {"a"}
    assert names(twice([shown], deaf(), deaf(), watchdog_at=heard).ghosts) == {"a"}
    full = believed(alert("other"), labels={})
    assert twice([shown], deaf(), deaf(full, up=NOW), watchdog_at=heard).ghosts == ()
    assert names(twice([shown], deaf(), deaf(full), watchdog_at=heard).ghosts) == {"a"}


def test_groups_of_other_sources_and_of_other_alertmanagers_are_left_alone() -> None:
    grafana = group(alert("g"), ident="a-2", key="g", source="grafana")
    here = group(alert("h"), ident="a-3", key="h")
    elsewhere = group(alert("a"), ident="a-4", key="e", url="http://am.elsewhere.example")
    raised = group(alert("r"), ident="a-5", key="r", url="")
    found = twice([grafana, here, elsewhere, raised], member(believed(alert("h"))))
    assert names(found.ghosts) == {"r"}
    assert found.suspects.urls == ("http://am-0.example",)
    moved = twice([elsewhere], member(believed(alert("a"))))
    assert moved.suspects.urls == ("http://am.elsewhere.example",)


def test_the_watchdog_and_the_canary_are_nobodys_ghosts() -> None:
    canary = group(alert("c", alertname="PultCanary"), WATCHDOG)
    assert twice([canary], member()).ghosts == ()


# Missing ones.


def test_what_a_member_holds_in_two_rounds_and_nobody_was_told_is_raised() -> None:
    found = twice([], member(believed(alert("a"), alert("b"))), member(believed(alert("a"))))
    (told,) = found.missing
    assert names(found.missing) == {"a", "b"}
    assert told.key == alias("alertmanager", "pult", LABELS)
    assert (told.source, told.receiver, told.labels, told.truncated) == ("alertmanager", "pult", LABELS, 0)
    raised = fold(None, told, NOW, "new")
    assert raised.status == "firing"
    assert twice([raised], member(believed(alert("a"), alert("b")))).missing == ()


def test_one_that_its_group_lacks_joins_the_group() -> None:
    shown = group(alert("a"), ident="a-9", key="{}/{x}:{}")
    (told,) = twice([shown], member(believed(alert("a"), alert("b")))).missing
    assert (told.key, names((told,))) == ("{}/{x}:{}", {"b"})
    after = fold(shown, told, NOW, "new")
    assert {each.fingerprint for each in after.firing} == {"a", "b"}
    assert after.id == shown.id


def test_one_that_fires_again_continues_the_group_that_closed() -> None:
    closed = fold(group(alert("a")), Notification("alertmanager", "{}:{}", "pult", LABELS, (alert("a", ends=NOW),)),
                  NOW - 2 * MINUTE, "-")  # fmt: skip
    still = twice([closed], member(believed(alert("a"))))
    (told,) = still.missing
    assert told.key == closed.key
    assert fold(closed, told, NOW, "new") is closed, "the late word of a member: it has just been resolved"
    again = fold(closed, told, NOW + 10 * MINUTE, "new")
    assert (again.episode, again.previous) == (2, "a-1")


def test_an_open_group_comes_before_one_that_closed_later() -> None:
    closed = group(alert("x"), ident="a-1", key="k1", closed_at=NOW, opened_at=NOW)
    shown = group(alert("y"), ident="a-2", key="k2")
    (told,) = twice([closed, shown], member(believed(alert("x"), alert("y"), alert("z")))).missing
    assert told.key == "k2"


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(believed(alert("a", starts=NOW - timedelta(seconds=119))), id="young"),
        pytest.param(believed(alert("a"), receiver="email"), id="for a receiver that pult never heard of"),
        pytest.param(believed(Believed(alert("a"), ("s1",))), id="silenced"),
        pytest.param(believed(Believed(alert("a"), (), ("fp",))), id="inhibited"),
        pytest.param(believed(Believed(alert("a"), (), (), ("nights",))), id="muted by the time of day"),
        pytest.param(believed(alert("a", alertname="Watchdog")), id="the Watchdog"),
        pytest.param(believed(alert("a", alertname="PultCanary")), id="the canary"),
        pytest.param(believed(), id="nothing"),
    ],
)
def test_what_is_not_raised(held: BelievedGroup) -> None:
    assert twice([], member(held)).missing == ()


def test_one_members_word_that_it_is_suppressed_is_enough() -> None:
    told = deaf(believed(alert("a"))), member(believed(Believed(alert("a"), ("s1",))))
    assert twice([], *told).missing == ()


def test_two_minutes_are_old_enough() -> None:
    held = member(believed(alert("a", starts=NOW - 3 * MINUTE)))
    assert names(twice([], held).missing) == {"a"}


def test_a_round_is_not_enough_to_raise() -> None:
    first = look([], member(believed(alert("a"))))
    assert first.suspects.missing == (("pult", "a"),)
    gone = look([], member(), before=first.suspects)
    assert look([], member(believed(alert("a"))), before=gone.suspects).missing == ()


def test_any_members_word_is_enough_to_raise() -> None:
    assert names(twice([], member(), deaf(believed(alert("a")), up=NOW)).missing) == {"a"}


def test_each_receiver_is_told_of_its_own() -> None:
    both = (believed(alert("a")), believed(alert("a"), receiver="pult-b"))
    found = twice([group(alert("a"))], member(*both), receivers=frozenset({"pult", "pult-b"}))
    (told,) = found.missing
    assert (told.receiver, told.key) == ("pult-b", alias("alertmanager", "pult-b", LABELS))


def test_a_group_that_an_earlier_version_stored_is_recognised_by_its_labels() -> None:
    shown = group(alert("a"), receiver="")
    assert twice([shown], member(believed(alert("a")))).missing == ()
    (told,) = twice([shown], member(believed(alert("a"), alert("b")))).missing
    assert told.key == shown.key


def test_an_alert_of_a_group_that_was_cut_differently_is_not_raised_twice() -> None:
    """Somebody has changed group_by: until Alertmanager tells anew the old card shows it."""
    assert twice([group(alert("a"))], member(believed(alert("a"), labels={"service": "api"}))).missing == ()


def test_aliases_are_told_apart() -> None:
    said = [("am", "r", {"a": "b"}), ("am", "r", {"a": "b", "c": ""}), ("am", "r2", {"a": "b"}), ("am", "r", {})]
    assert len({alias(*each) for each in said}) == len(said)
    assert alias("am", "r", {"x": "1", "y": "2"}) == alias("am", "r", {"y": "2", "x": "1"})


# Silences.


def silence(ident: str = "s1", until: timedelta = HOUR, **changes: object) -> Silence:
    made = Silence(ident, equals(LABELS), "anna", "deploying", NOON, NOW + until)
    return replace(made, **changes)


def muted(name: str, *ids: str) -> Believed:
    return Believed(alert(name), ids)


def test_a_group_is_silenced_when_every_firing_alert_is() -> None:
    shown = group(alert("a"), alert("b"), alert("over", ends=NOON))
    half = member(believed(muted("a", "s1"), alert("b")), silences=(silence(),))
    assert look([shown], half).silenced == {}
    whole = member(believed(muted("a", "s1"), muted("b", "s1")), silences=(silence(),))
    assert look([shown], whole).silenced == {"a-1": silence()}


def test_of_several_silences_the_one_that_ends_last_is_told() -> None:
    longer = silence("s0", 2 * HOUR)
    held = believed(muted("a", "s1", "s0"), muted("b", "s1"))
    found = look([group(alert("a"), alert("b"))], member(held, silences=(silence(), longer)))
    assert found.silenced == {"a-1": longer}


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(silence(until=-SECOND), id="over"),
        pytest.param(silence(until=timedelta()), id="just over"),
        pytest.param(silence(starts_at=NOW + MINUTE), id="yet to come"),
        pytest.param(silence("another"), id="unknown"),
    ],
)
def test_a_silence_that_is_not_in_force_does_not_count(told: Silence) -> None:
    held = believed(muted("a", "s1"))
    assert look([group(alert("a"))], member(held, silences=(told,))).silenced == {}
    under = group(alert("a"), silenced=Silenced(silence(), NOON))
    assert look([under], member(held, silences=(told,))).unsilenced == ("a-1",)


def test_a_silence_that_one_member_knows_to_be_over_is_over() -> None:
    behind = member(believed(muted("a", "s1")), silences=(silence(),))
    ahead = member(believed(alert("a")), silences=(silence(until=-MINUTE),))
    for told in ((behind, ahead), (ahead, behind)):
        assert look([group(alert("a"))], *told).silenced == {}


def test_a_silence_that_only_one_member_knows_yet_counts() -> None:
    told = (member(believed(muted("a", "s1")), silences=(silence(),)), member(believed(alert("a"))))
    assert look([group(alert("a"))], *told).silenced == {"a-1": silence()}


def test_what_is_known_is_not_told_again_and_what_changed_is() -> None:
    told = member(believed(muted("a", "s1")), silences=(silence(),))
    known = group(alert("a"), silenced=Silenced(silence(until=HOUR + timedelta(milliseconds=3)), NOON))
    assert look([known], told).silenced == {}
    assert look([known], told).unsilenced == ()
    another = silence("s2", HOUR)
    assert look([known], member(believed(muted("a", "s2")), silences=(another,))).silenced == {"a-1": another}
    extended = silence(until=3 * HOUR)
    assert look([known], member(believed(muted("a", "s1")), silences=(extended,))).silenced == {"a-1": extended}


def test_a_group_that_is_no_longer_silenced_is_said_so() -> None:
    under = group(alert("a"), silenced=Silenced(silence(), NOON))
    assert look([under], member(believed(alert("a")))).unsilenced == ("a-1",)
    assert look([under]).unsilenced == (), "nobody answers"
    assert look([under], member()).unsilenced == (), "nobody holds the alert: it is a ghost, not loud"


def test_a_silence_made_or_ended_a_moment_ago_has_to_come_round() -> None:
    made = group(alert("a"), silenced=Silenced(silence(), NOW - 59 * SECOND))
    assert look([made], member(believed(alert("a")))).unsilenced == ()
    ended = group(alert("a"), history=(Happening(NOW - 59 * SECOND, "unsilenced", "anna"),))
    behind = member(believed(muted("a", "s1")), silences=(silence(),))
    assert look([ended], behind).silenced == {}
    assert look([ended], behind, now=NOW + SECOND).silenced == {"a-1": silence()}


def test_a_ghost_does_not_keep_its_group_loud() -> None:
    shown = group(alert("a"), alert("ghost"))
    told = member(believed(muted("a", "s1")), silences=(silence(),))
    assert twice([shown], told).silenced == {"a-1": silence()}


# Groups that were cut off.


def cut(known: int, hidden: int, **changes: object) -> Group:
    return group(*[alert(f"fp{n}") for n in range(known)], truncated=hidden, **changes)


def holding(count: int, *more: Believed) -> BelievedGroup:
    return believed(*[alert(f"fp{n}") for n in range(count)], *more)


def test_a_group_that_was_cut_off_is_completed_at_once() -> None:
    shown = cut(10, 290)
    found = look([shown], member(holding(300)))
    (told,) = found.completed
    assert told.whole
    after = fold(shown, told, NOW, "new")
    assert (len(after.firing), after.truncated, after.id) == (300, 0, shown.id)
    assert found.missing == ()
    assert found.suspects.missing == ()
    assert look([after], member(holding(300))).completed == ()


def test_it_is_not_completed_from_a_member_that_knows_too_little() -> None:
    assert look([cut(10, 290)], deaf(holding(20))).completed == ()
    assert look([cut(10, 290)], member(holding(20), up=NOW)).completed == ()
    both = look([cut(10, 290)], member(holding(290)), deaf(holding(295), up=NOW))
    assert len(both.completed[0].alerts) == 295


def test_what_is_suppressed_does_not_complete_it() -> None:
    (told,) = look([cut(1, 2)], member(holding(2, muted("quiet", "s1")), silences=(silence(),))).completed
    assert names((told,)) == {"fp0", "fp1"}


def test_a_closed_group_is_not_completed() -> None:
    assert look([cut(1, 2, closed_at=NOW)], member(holding(3))).completed == ()


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 6), st.lists(st.booleans(), max_size=6))
def test_completing_and_repeats_never_flap(known: int, hidden: int, over: int, order: list[bool]) -> None:
    """However many of those that were cut off are over by then, and in whatever order the two come."""
    over = min(over, hidden)
    webhook = Notification("alertmanager", "{}:{}", "pult", LABELS, tuple(alert(f"fp{n}") for n in range(known)),
                           "http://am-0.example", hidden)  # fmt: skip
    shown = fold(None, webhook, NOON, "a-1")
    (told,) = look([shown], member(holding(known + hidden - over))).completed
    complete = fold(shown, told, NOW, "new")
    for repeat in order:
        assert fold(complete, webhook if repeat else told, NOW + MINUTE, "new") is complete
    assert look([complete], member(holding(known + hidden - over))).completed == ()


# Whatever they say.

_fingerprints = st.sampled_from(["a", "b", "c", "d"])
_silenced = st.lists(st.sampled_from(["s1", "s2"]), max_size=2, unique=True).map(tuple)
_held = st.builds(lambda name, ids: Believed(alert(name), ids), _fingerprints, _silenced)
_members = st.builds(
    Told,
    st.sampled_from(["am-0", "am-1"]),
    st.none() | st.sampled_from([NOW, UP]),
    st.lists(st.lists(_held, max_size=4).map(lambda held: believed(*held)) | st.just(WATCH), max_size=3).map(tuple),
    st.lists(st.builds(silence, st.sampled_from(["s1", "s2"]), st.sampled_from([HOUR, -HOUR])), max_size=2).map(tuple),
)


@given(st.lists(_members, max_size=3), st.lists(_fingerprints, max_size=4, unique=True), st.booleans())
def test_two_rounds_of_the_same_words_lead_to_what_the_members_believe_and_stay_there(
    told: list[Told], shown: list[str], watched: bool
) -> None:
    heard = NOW if watched else None
    groups = [group(*map(alert, shown))] if shown else []
    suspects = Suspects()
    for number in range(4):
        found = look(groups, *told, before=suspects, now=NOW, watchdog_at=heard)
        changes = (*found.ghosts, *found.missing, *found.completed)
        assert number == 1 or not changes, "only the second round acts"
        for word in changes:
            known = next((each for each in groups if each.key == word.key), None)
            groups = [each for each in groups if each is not known] + [fold(known, word, NOW, f"new {word.key}")]
        suspects = found.suspects
    held = {each.alert.fingerprint for one in told for each in one.held()} - {"w"}
    loud = held - {each.alert.fingerprint for one in told for each in one.held() if each.suppressed}
    fires = {each.fingerprint for one in groups for each in one.firing}
    assert loud <= fires <= held | set(shown)
    assert (held & set(shown)) <= fires
