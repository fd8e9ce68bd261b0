"""Where a group goes."""

from __future__ import annotations

import pytest

from bot.domain.people import Directory
from bot.domain.routes import Matcher, Route, Target, expanded, private_chats, targets
from tests.domain.builders import ANNA, BORIS, MINUTE, NOON, alert, fold_word, opened

INC, OPS, TEL = "slack:C0INC", "slack:C0OPS", "telegram:-100/17"


@pytest.mark.parametrize(
    ("pattern", "value", "accepts"),
    [
        ("api", "api", True),
        ("api", "api-1", False),
        ("api", "Api", False),
        ("a.i", "api", False),
        ("~api.*", "api-gateway", True),
        ("~api.*", "my-api", False),
        ("~api", "api-1", False),
        ("~api|web", "web", True),
        ("~api|web", "web-1", False),
        ("~", "", True),
        ("~.+", "", False),
        ("!api", "api", False),
        ("!api", "web", True),
        ("!api", "", True),
        ("!~api.*", "api-1", False),
        ("!~api.*", "web", True),
        ("!", "", False),
        ("!", "api", True),
        ("", "", True),
        ("", "api", False),
    ],
)
def test_matchers(pattern: str, value: str, accepts: bool) -> None:
    assert Matcher("service", pattern).accepts({"service": value}) is accepts


@pytest.mark.parametrize(("pattern", "accepts"), [("api", False), ("", True), ("!api", True), ("~.*", True)])
def test_a_missing_label_is_an_empty_one(pattern: str, accepts: bool) -> None:
    assert Matcher("service", pattern).accepts({}) is accepts


def where(group, *routes: Route) -> list[tuple[str, bool]]:
    return [(target.destination, target.page) for target in targets(group, routes)]


def only(label: str, pattern: str, *to: str, page: bool = False, goes_on: bool = False) -> Route:
    return Route(to, (Matcher(label, pattern),), page, goes_on)


LAST = Route((OPS,))


def test_the_first_match_wins() -> None:
    group = opened(alert("a"))
    assert where(group, only("service", "web", TEL), only("service", "api", INC), LAST) == [(INC, False)]


def test_a_route_that_goes_on_adds() -> None:
    group = opened(alert("a"))
    assert where(group, only("service", "api", INC, goes_on=True), LAST) == [(INC, False), (OPS, False)]


def test_every_matcher_of_a_route_has_to_hold_for_one_alert() -> None:
    both = Route((INC,), (Matcher("service", "api"), Matcher("region", "sfo3")))
    split = opened(alert("a", service="api", region="nyc2"), alert("b", service="web", region="sfo3"))
    assert where(split, both, LAST) == [(OPS, False)]
    assert where(opened(alert("a", region="sfo3")), both, LAST) == [(INC, False)]


def test_any_alert_that_fires_is_enough() -> None:
    group = opened(alert("a", service="web"), alert("b", service="api"))
    assert where(group, only("service", "api", INC), LAST) == [(INC, False)]
    calmer = fold_word(group, alert("b", service="api", ends=NOON), now=NOON + MINUTE)
    assert where(calmer, only("service", "api", INC), LAST) == [(OPS, False)], "resolved alerts do not route"


def test_a_resolved_group_routes_by_all_its_alerts() -> None:
    group = fold_word(opened(alert("a")), alert("a", ends=NOON), now=NOON + MINUTE)
    assert where(group, only("service", "api", INC), LAST) == [(INC, False)]


def test_a_page_wins_and_each_destination_comes_once() -> None:
    routes = (
        only("service", "api", INC, OPS, goes_on=True),
        only("severity", "critical", INC, page=True, goes_on=True),
        only("service", "api", INC, goes_on=True),
        LAST,
    )
    assert where(opened(alert("a")), *routes) == [(INC, True), (OPS, False)]


def test_a_destination_speaks_the_language_of_its_route() -> None:
    route = Route((TEL,), locale="ru", zone="Europe/Moscow")
    assert targets(opened(alert("a")), [route]) == (Target(TEL, page=False, locale="ru", zone="Europe/Moscow"),)


@pytest.mark.parametrize(
    ("label", "pattern", "accepts"),
    [
        ("page", "critical", True),
        ("page", "page", True),
        ("page", "warning", False),
        ("page", "!critical", False),
        ("page", "!page", False),
        ("page", "!warning", True),
        ("P1", "P1", True),
        ("P1", "warning", True),
        ("P1", "~P[12]", True),
        ("P3", "!~P[12]", True),
        ("P1", "!~P[12]", False),
        ("Critical", "critical", True),
        ("critical", "critical", True),
        ("", "warning", True),
        ("", "", True),
    ],
)
def test_severity_matches_the_label_as_told_and_the_level_it_counts_as(label: str, pattern: str, accepts: bool) -> None:
    found = where(opened(alert("a", severity=label)), only("severity", pattern, INC), LAST)
    assert found == ([(INC, False)] if accepts else [(OPS, False)])


PEOPLE = Directory([ANNA, BORIS])


def test_a_person_is_reached_in_private_chats() -> None:
    assert private_chats("person:anna", PEOPLE) == ("slack:U0ANNA", "telegram:1001")
    assert private_chats("person:nobody", PEOPLE) == ()
    assert private_chats(TEL, PEOPLE) == (TEL,)


def test_routes_are_expanded_without_doubles() -> None:
    routes = expanded([Route(("person:anna", "slack:U0ANNA", INC), page=True)], PEOPLE)
    assert routes == (Route(("slack:U0ANNA", "telegram:1001", INC), page=True),)
