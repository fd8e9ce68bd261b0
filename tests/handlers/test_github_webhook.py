"""GitHub's recorded webhooks, and the signed release webhook of any pipeline."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bot.domain.errors import ForgedError, MalformedError
from bot.domain.events import Heard
from bot.domain.releases import STAGES, Release
from bot.ports.webhooks import Delivery
from handlers.cards.release import draw
from handlers.webhooks import github, release
from tests.handlers.department import Check, read

FIXTURES = Path(__file__).parents[1] / "fixtures" / "github"
CASES = sorted(path.name for path in FIXTURES.iterdir())
RELEASES = [case for case in CASES if case.startswith("release-")]
NOW = datetime(2026, 11, 24, 0, 15, tzinfo=UTC)
SECRET = "test-github-secret"
FORM = "application/x-www-form-urlencoded"
DIGEST = "sha256:" + "0123456789abcdef" * 4


def delivery(case: str) -> Delivery:
    headers = json.loads((FIXTURES / case / "headers.json").read_text())["headers"]
    return Delivery(
        {name.lower(): value for name, value in headers.items()}, (FIXTURES / case / "body.json").read_bytes(), NOW
    )


def github_body(event: str = "release", **changes: object) -> Delivery:
    data = json.loads(delivery("release-published").body) | changes
    return Delivery({"x-github-event": event}, json.dumps(data).encode(), NOW)


@pytest.mark.parametrize("case", CASES)
def test_every_recorded_request_is_authentic_and_read(case: str) -> None:
    source = github.source(SECRET, {})
    source.authenticate(delivery(case))
    heard = source.parse(delivery(case))
    assert (heard.release is not None) == (case in RELEASES)
    assert heard.notifications == ()
    assert source.key(delivery(case)) == delivery(case).headers["x-github-delivery"]


@pytest.mark.parametrize("case", RELEASES)
def test_the_card_of_a_release(case: str, reads_as: Check) -> None:
    found = github.parse(delivery(case), {"Octocoders/Hello-World": "api", "Codertocat/Hello-World": "api"}).release
    assert found is not None
    reads_as(f"github/{case}", read(draw(found)))


def test_another_secret_is_refused() -> None:
    with pytest.raises(ForgedError):
        github.source("another", {}).authenticate(delivery("ping"))
    unsigned = Delivery({"x-github-event": "ping"}, delivery("ping").body, NOW)
    with pytest.raises(ForgedError):
        github.source(SECRET, {}).authenticate(unsigned)


def test_a_form_encoded_body_is_read_as_well() -> None:
    """GitHub's other content type; the signature is over the form as it came."""
    recorded = delivery("release-published")
    form = urlencode({"payload": recorded.body.decode()}).encode()
    headers = {
        **recorded.headers,
        "content-type": FORM,
        "x-hub-signature-256": "sha256=" + hmac.new(SECRET.encode(), form, sha256).hexdigest(),
    }
    source = github.source(SECRET, {})
    source.authenticate(Delivery(headers, form, NOW))
    assert source.parse(Delivery(headers, form, NOW)) == source.parse(recorded)


def test_a_repository_stands_for_its_service() -> None:
    named = github.parse(github_body(repository={"full_name": "dept/api-server"}), {"dept/api-server": "api"})
    unnamed = github.parse(github_body(repository={"full_name": "dept/api-server"}), {})
    assert named.release.service == "api"
    assert unnamed.release.service == "api-server"


def test_the_v_of_a_tag_is_not_part_of_the_version() -> None:
    body = github_body(release={"tag_name": "v1.8.0", "prerelease": True, "body": None, "html_url": None})
    assert github.parse(body, {}).release == Release(
        "Hello-World", "1.8.0", "released", NOW, notes="", url="", prerelease=True
    )


@pytest.mark.parametrize("action", ["created", "deleted", "unpublished", "", None])
def test_other_actions_say_nothing(action: str | None) -> None:
    assert github.parse(github_body(action=action), {}) == Heard()


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("X-GitHub-Event", Delivery({}, b"{}", NOW)),
        ("body", Delivery({"x-github-event": "release"}, b"x", NOW)),
        ("body", Delivery({"x-github-event": "ping"}, b"[]", NOW)),
        (
            "body",
            Delivery({"x-github-event": "ping", "content-type": FORM}, b"a=b", NOW),
        ),
        ("action", github_body(action=[])),
        ("action", github_body(action={"x": 1})),
        ("release", github_body(release=None)),
        ("release", github_body(release="x")),
        ("release.tag_name", github_body(release={"tag_name": None})),
        ("release.tag_name", github_body(release={"tag_name": ""})),
        ("release.body", github_body(release={"tag_name": "v1", "body": 5})),
        ("release.html_url", github_body(release={"tag_name": "v1", "html_url": []})),
        ("repository", github_body(repository=[])),
        ("repository.full_name", github_body(repository={})),
    ],
)
def test_a_malformed_body_of_github_says_where(place: str, wrong: Delivery) -> None:
    with pytest.raises(MalformedError) as raised:
        github.parse(wrong, {})
    assert str(raised.value).partition(":")[0] == place


FULL = {
    "service": "api",
    "version": "v1.8.0",
    "status": "ready",
    "environment": "staging",
    "image": "registry.example/dept/api",
    "digest": DIGEST,
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "url": "https://ci.example/dept/api/42",
    "evidence": {"tests": "412 passed", "trivy": "0 critical, 2 high", "e2e": "passed"},
    "notes": "### Features\n- cursor pagination\n- token=hunter2 is not shown",
}


def told(**changes: object) -> Delivery:
    data = {name: value for name, value in {**FULL, **changes}.items() if value is not None}
    return Delivery({}, json.dumps(data).encode(), NOW)


def signed(body: bytes = told().body, stamp: int = int(NOW.timestamp()), secret: str = "s") -> Delivery:
    mark = hmac.new(secret.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
    return Delivery({"x-pult-timestamp": str(stamp), "x-pult-signature": f"sha256={mark}"}, body, NOW)


def test_a_full_release_is_read() -> None:
    found = release.parse(told()).release
    assert found == Release(
        "api", "1.8.0", "ready", NOW, FULL["image"], DIGEST, FULL["commit"], FULL["url"], "staging", FULL["notes"],
        evidence=FULL["evidence"],
    )  # fmt: skip
    assert found.prerelease is None, "a pipeline does not say"


def test_the_least_a_release_needs() -> None:
    least = told(**dict.fromkeys(FULL.keys() - {"service", "version", "status"}))
    assert release.parse(least).release == Release("api", "1.8.0", "ready", NOW)


@pytest.mark.parametrize("status", ["built", "scanned", "tested", "staging", "ready", "failed", "released"])
def test_every_status_of_ruling_5_has_a_card(status: str, reads_as: Check) -> None:
    assert status in STAGES
    found = release.parse(told(status=status)).release
    assert found is not None
    reads_as(f"release/{status}", read(draw(found)))


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("body", Delivery({}, b"", NOW)),
        ("body", Delivery({}, b"3", NOW)),
        ("service", told(service=None)),
        ("service", told(service="")),
        ("service", told(service=5)),
        ("version", told(version=None)),
        ("version", told(version=1.8)),
        ("status", told(status=None)),
        ("status", told(status="done")),
        ("status", told(status=["ready"])),
        ("digest", told(digest="0123")),
        ("digest", told(digest=DIGEST.upper())),
        ("digest", told(digest=DIGEST + "0")),
        ("digest", told(digest=DIGEST + "\n")),
        ("digest", told(digest=7)),
        ("evidence", told(evidence=["passed"])),
        ("evidence.tests", told(evidence={"tests": 412})),
        ("image", told(image={})),
        ("notes", told(notes=["x"])),
    ],
)
def test_a_malformed_release_says_where(place: str, wrong: Delivery) -> None:
    with pytest.raises(MalformedError) as raised:
        release.parse(wrong)
    assert str(raised.value).partition(":")[0] == place


def test_the_status_that_is_wanted_is_named() -> None:
    with pytest.raises(MalformedError, match="built, scanned, tested, staging, ready, released, failed"):
        release.parse(told(status="done"))


def test_a_signed_release_is_taken_within_five_minutes() -> None:
    source = release.source("s")
    for late in (-300, 0, 300):
        source.authenticate(signed(stamp=int(NOW.timestamp()) + late))
    for late in (-301, 301):
        with pytest.raises(ForgedError):
            source.authenticate(signed(stamp=int(NOW.timestamp()) + late))
    with pytest.raises(ForgedError):
        source.authenticate(signed(secret="another"))
    with pytest.raises(ForgedError):
        source.authenticate(told())


def test_the_same_signed_request_is_the_same_delivery() -> None:
    """Ruling 30: the key is timestamp and body."""
    key = release.source("s").key
    again = Delivery(signed().headers, signed().body, NOW + timedelta(seconds=9))
    assert key(signed()) == key(again)
    assert key(signed()) != key(signed(stamp=int(NOW.timestamp()) + 1))
    assert key(signed()) != key(signed(told(version="1.8.1").body))
