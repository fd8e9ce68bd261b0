"""What holds for every history of notifications, in whatever order and however often they arrive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts import Alert, Group, Status, fold
from tests.domain.builders import MINUTE, NOON, SECOND, alert, folded, opened, told

GAP = timedelta(minutes=10)


@dataclass(frozen=True)
class History:
    """Incidents of some fingerprints in time order; ``last`` is what each of them came to."""

    words: tuple[Alert, ...]
    last: dict[str, Alert]


@st.composite
def histories(draw: st.DrawFn) -> History:
    words: list[Alert] = []
    last: dict[str, Alert] = {}
    for name in ("a", "b", "c")[: draw(st.integers(1, 3))]:
        for incident in range(count := draw(st.integers(1, 3))):
            starts = NOON + incident * MINUTE
            words.append(alert(name, starts))
            if incident < count - 1 or draw(st.booleans()):
                words.append(alert(name, starts, starts + 30 * SECOND))
        last[name] = words[-1]
    return History(tuple(words), last)


@st.composite
def arrivals(draw: st.DrawFn, gaps: st.SearchStrategy[timedelta]) -> tuple[History, list[tuple[datetime, Alert]]]:
    """A history, and its words as they arrive: all of them, in any order, some more than once."""
    history = draw(histories())
    again = draw(st.lists(st.sampled_from(history.words), max_size=6))
    now, heard = NOON + 3 * MINUTE, []
    for word in draw(st.permutations([*history.words, *again])):
        heard.append((now, word))
        now += draw(gaps)
    return history, heard


@given(arrivals(st.just(SECOND)))
def test_order_and_repeats_do_not_matter_while_the_group_is_open(made) -> None:
    history, heard = made
    group = folded(*((now, told(word)) for now, word in heard), group=opened(alert("anchor")))
    assert group.id == "g0"
    assert dict(group.alerts) == {**history.last, "anchor": alert("anchor")}


@given(arrivals(st.sampled_from([timedelta(), SECOND, MINUTE, GAP])))
def test_a_firing_alert_is_never_lost(made) -> None:
    history, heard = made
    group = folded(*((now, told(word)) for now, word in heard))
    fires = {name for name, word in history.last.items() if word.firing}
    shown = {word.fingerprint for word in group.firing} if group else set()
    assert fires <= shown


@given(histories(), st.lists(st.integers(0, 40), max_size=8))
def test_repeats_in_order_do_not_matter(history: History, repeats: list[int]) -> None:
    group: Group | None = None
    for at, word in enumerate(history.words):
        now = NOON + at * SECOND
        group = fold(group, told(word), now, f"g{at}")
        for _ in range(repeats.count(at)):
            assert fold(group, told(word), now, "again") is group


@given(arrivals(st.just(SECOND)))
def test_a_group_is_closed_exactly_when_nothing_fires(made) -> None:
    group: Group | None = None
    for at, (now, word) in enumerate(made[1]):
        before, group = group, fold(group, told(word), now, f"g{at}")
        if group is None:
            continue
        assert (group.status is Status.RESOLVED) == (group.closed_at is not None)
        if before and before.closed_at and group is not before:
            assert (group.previous, group.episode) == (before.id, before.episode + 1)
        elif before:
            assert group.id == before.id


@given(histories())
def test_one_notification_of_everything_is_the_same_as_one_each(history: History) -> None:
    last = told(alert("anchor"), *history.last.values())
    group = fold(None, last, NOON, "g")
    assert dict(group.alerts) == {**history.last, "anchor": alert("anchor")}
    assert fold(group, last, NOON + GAP, "new") is group
