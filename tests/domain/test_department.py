"""People, services, releases and witnesses: small rules with large consequences."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from bot.domain.errors import UserError
from bot.domain.failover import Sight, lost
from bot.domain.people import Directory
from bot.domain.services import Catalogue, Environment, Service
from tests.domain.builders import ANNA, BORIS, CHEN, VERA

UP, LOST, UNKNOWN = Sight.UP, Sight.LOST, Sight.UNKNOWN


@pytest.mark.parametrize(
    ("sights", "verdict"),
    [
        ([], False),
        ([LOST], False),
        ([LOST, LOST], False),
        ([LOST, LOST, LOST], True),
        ([LOST, LOST, UP], True),
        ([LOST, LOST, UNKNOWN], True),
        ([LOST, UP, UNKNOWN], False),
        ([LOST, UNKNOWN, UNKNOWN], False),
        ([UNKNOWN, UNKNOWN, UNKNOWN], False),
        ([LOST, LOST, UP, UP], False),
        ([LOST, LOST, LOST, UP], True),
        ([LOST, LOST, UNKNOWN, UNKNOWN], False),
        ([LOST, LOST, LOST, UP, UP], True),
        ([LOST, LOST, UP, UP, UNKNOWN], False),
    ],
)
def test_a_strict_majority_of_all_witnesses_and_three_at_least(sights: list[Sight], verdict: bool) -> None:
    assert lost(sights) is verdict


STAGING = Environment("staging", "nyc2", "staging", "deployment", "api")
PRODUCTION = Environment("production", "nyc2", "production", "deployment", "api")
STANDBY = Environment("production", "sfo3", "production", "deployment", "api")
API = Service("api", "production", "deployment", "api", ("nyc2", "sfo3"), (STAGING, STANDBY, PRODUCTION))
WEB = replace(API, name="web", environments=(STAGING,))


def test_what_a_service_means_by_itself() -> None:
    assert API.last == PRODUCTION
    assert API.primary == PRODUCTION
    assert API.production == (STANDBY, PRODUCTION)
    assert WEB.primary == WEB.last == STAGING
    assert WEB.production == (STAGING,)
    assert API.environment("staging") == STAGING
    with pytest.raises(UserError, match="It has: staging, production"):
        API.environment("moon")


def test_an_environment_by_its_cluster() -> None:
    """Whoever moved regions thinks in regions."""
    assert API.environment("sfo3") is STANDBY
    assert API.environment("NYC2") is PRODUCTION  # staging stands there, too, and nobody means it by that
    assert API.environment("Staging") is STAGING
    assert WEB.environment("nyc2") is STAGING
    blue = replace(PRODUCTION, name="production-blue")
    with pytest.raises(UserError, match=r"api has several environments in nyc2: production, production-blue\."):
        replace(API, environments=(STAGING, PRODUCTION, blue)).environment("nyc2")


def test_services_by_name() -> None:
    services = Catalogue([API, WEB])
    assert services.names == ("api", "web")
    assert services.named("API") is services.find("api") is API
    assert services.find("ap") is None
    with pytest.raises(UserError, match="Did you mean api"):
        services.named("apii")
    with pytest.raises(UserError, match="Known are: api, web"):
        services.named("xyzzy")


def test_the_nearest_names_are_offered_three_at_most() -> None:
    names = ("checkout", "checkout-worker", "checkout-mail", "checkout-cron", "search")
    services = Catalogue([replace(API, name=name) for name in names])
    with pytest.raises(UserError, match=r"Did you mean checkout, checkout-\w+, checkout-\w+\?"):
        services.named("check")
    with pytest.raises(UserError, match=r"Did you mean search\?"):
        services.named("serach")
    with pytest.raises(UserError, match="Known are"):
        services.named("c")


def holder(token: str) -> Directory:
    return Directory([replace(ANNA, token_hash=sha256(token.encode()).hexdigest()), BORIS, CHEN, VERA])


def test_a_token_belongs_to_one_person() -> None:
    people = holder("token-anna")
    assert people.bearer("token-anna").name == "anna"
    for wrong in ("", "token-boris", "token-anna ", "TOKEN-ANNA", "ф"):
        assert people.bearer(wrong) is None


def test_people_by_role() -> None:
    people = holder("x")
    assert [person.name for person in people.holding({"sre"})] == ["anna", "boris", "chen"]
    assert [person.name for person in people.holding({"lead", "nobody"})] == ["chen"]
    assert people.holding(()) == ()
    assert people.named("chen") is CHEN
    assert people.named("mallory") is None
    assert [person.name for person in people] == ["anna", "boris", "chen", "vera"]
