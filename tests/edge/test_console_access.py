"""Session cookies: bound to a person and their token, and to time."""

from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bot.domain.people import Directory, Person
from bot.edge.console_access import COOKIE, LIFETIME, Access
from tests.edge.console_rig import PEOPLE, SteadyClock, digest


def access(clock: SteadyClock, people: tuple[Person, ...] = PEOPLE) -> Access:
    return Access(Directory(people), clock, opened=False, public_url="")


def session(clock: SteadyClock, person: Person) -> str:
    response = web.Response()
    access(clock).begin(response, person, secure=False)
    return response.cookies[COOKIE].value


def who(door: Access, cookie: str) -> str | None:
    person = door.person(make_mocked_request("GET", "/api/me", headers={"Cookie": f"{COOKIE}={cookie}"}))
    return person and person.name


def test_a_session_outlives_the_process() -> None:
    clock = SteadyClock()
    assert who(access(clock), session(clock, PEOPLE[0])) == "anna"


def test_a_session_ends_by_itself() -> None:
    clock = SteadyClock()
    cookie = session(clock, PEOPLE[0])
    clock.at += LIFETIME - timedelta(seconds=1)
    assert who(access(clock), cookie) == "anna"
    clock.at += timedelta(seconds=2)
    assert who(access(clock), cookie) is None


def test_a_session_from_the_future_is_none() -> None:
    clock = SteadyClock()
    cookie = session(SteadyClock(clock.at + timedelta(hours=1)), PEOPLE[0])
    assert who(access(clock), cookie) is None


def test_a_new_token_or_leaving_ends_all_sessions() -> None:
    clock = SteadyClock()
    cookie = session(clock, PEOPLE[0])
    assert who(access(clock, (Person("anna", token_hash=digest("another")),)), cookie) is None
    assert who(access(clock, (Person("anna"),)), cookie) is None
    assert who(access(clock, PEOPLE[1:]), cookie) is None


def test_a_session_cant_be_turned_into_another_persons() -> None:
    clock = SteadyClock()
    _, issued, mac = session(clock, PEOPLE[0]).split(".")
    boris = session(clock, PEOPLE[1]).split(".")[0]
    assert who(access(clock), f"{boris}.{issued}.{mac}") is None


@pytest.mark.parametrize("at", [0, 1, 2])
def test_any_changed_part_ends_it(at: int) -> None:
    clock = SteadyClock()
    parts = session(clock, PEOPLE[0]).split(".")
    parts[at] = ("1" if parts[at][0] != "1" else "2") + parts[at][1:]
    assert who(access(clock), ".".join(parts)) is None


def test_names_of_any_alphabet_have_sessions() -> None:
    clock = SteadyClock()
    person = Person("Анна К.", token_hash=digest("token"))
    response = web.Response()
    door = access(clock, (person,))
    door.begin(response, person, secure=True)
    assert who(door, response.cookies[COOKIE].value) == "Анна К."
