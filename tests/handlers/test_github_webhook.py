"""GitHub's recorded webhooks: releases, tags, images, workflows, deployments, gates; and what is merely accepted."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bot.domain.errors import ForgedError, MalformedError
from bot.domain.events import Heard
from bot.domain.releases import Fate, Ran, Release
from bot.domain.services import Catalogue, Environment, Service
from bot.domain.sightings import Finished, Gate, Sighting
from bot.ports.webhooks import Delivery
from handlers.webhooks import github
from handlers.webhooks.names import Names, versioned

FIXTURES = Path(__file__).parents[1] / "fixtures" / "github"
CASES = sorted(path.name for path in FIXTURES.iterdir())
NOW = datetime(2026, 11, 24, 0, 15, tzinfo=UTC)
SECRET = "test-github-secret"
FORM = "application/x-www-form-urlencoded"
DIGEST = "sha256:" + "0123456789abcdef" * 4
SHA = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
RUN = "https://github.com/octo-org/octo-repo/actions/runs/289782451"


def service(name: str, repo: str, *environments: Environment) -> Service:
    own = environments or (Environment("production", "nyc2", name, "deployment", name),)
    return Service(name, name, "deployment", name, ("nyc2",), own, repo)


SERVICES = Catalogue([
    service("hello", "Codertocat/Hello-World",
            Environment("staging", "nyc2", "staging", "deployment", "hello"),
            Environment("prod", "nyc2", "hello", "deployment", "hello", gate="production")),
    service("api", "dept/mono"),
    service("api-admin", "dept/mono"),
    service("octo", "octo-org/octo-repo"),
])  # fmt: skip
NAMES = Names(SERVICES)
NOBODY = Names(Catalogue(()))


def delivery(case: str) -> Delivery:
    headers = json.loads((FIXTURES / case / "headers.json").read_text())["headers"]
    return Delivery(
        {name.lower(): value for name, value in headers.items()}, (FIXTURES / case / "body.json").read_bytes(), NOW
    )


def recorded(case: str, **changes: object) -> Heard:
    """What the recorded body says with *changes* in its top level."""
    event = delivery(case).headers["x-github-event"]
    body = {**json.loads(delivery(case).body), **changes}
    return github.parse(Delivery({"x-github-event": event}, json.dumps(body).encode(), NOW), NAMES)


def github_body(event: str = "release", **changes: object) -> Delivery:
    data = json.loads(delivery("release-published").body) | changes
    return Delivery({"x-github-event": event}, json.dumps(data).encode(), NOW)


@pytest.mark.parametrize("case", CASES)
def test_every_recorded_request_is_authentic_and_read(case: str) -> None:
    source = github.source(SECRET, SERVICES)
    source.authenticate(delivery(case))
    source.parse(delivery(case))
    assert source.key(delivery(case)) == delivery(case).headers["x-github-delivery"]


@pytest.mark.parametrize("case", ["ping", "check-suite-completed", "deployment-review-requested", "package-published"])
def test_what_says_nothing_of_a_release_is_accepted(case: str) -> None:
    """The package is one of npm: no image."""
    assert github.parse(delivery(case), NAMES) == Heard()


@pytest.mark.parametrize("case", [case for case in CASES if not case.startswith("release-")])
def test_of_a_repository_nobody_listed_only_releases_count(case: str) -> None:
    assert github.parse(delivery(case), NOBODY) == Heard()


def test_unknown_events_are_accepted_even_without_a_repository() -> None:
    for event in ("star", "installation", "security_advisory", "release2"):
        assert github.parse(Delivery({"x-github-event": event}, b'{"zen": "x"}', NOW), NAMES) == Heard()


def test_another_secret_is_refused() -> None:
    with pytest.raises(ForgedError):
        github.source("another", SERVICES).authenticate(delivery("ping"))
    unsigned = Delivery({"x-github-event": "ping"}, delivery("ping").body, NOW)
    with pytest.raises(ForgedError):
        github.source(SECRET, SERVICES).authenticate(unsigned)


def test_a_form_encoded_body_is_read_as_well() -> None:
    """GitHub's other content type; the signature is over the form as it came."""
    plain = delivery("release-published")
    form = urlencode({"payload": plain.body.decode()}).encode()
    headers = {
        **plain.headers,
        "content-type": FORM,
        "x-hub-signature-256": "sha256=" + hmac.new(SECRET.encode(), form, sha256).hexdigest(),
    }
    source = github.source(SECRET, SERVICES)
    source.authenticate(Delivery(headers, form, NOW))
    assert source.parse(Delivery(headers, form, NOW)) == source.parse(plain)


def test_a_published_release() -> None:
    """It is as old as GitHub says: an old one that is edited does not become the latest."""
    (told,) = github.parse(delivery("release-published"), NAMES).releases
    assert told == Release(
        "hello", "0.0.1", "published", datetime(2019, 5, 15, 15, 20, 53, tzinfo=UTC), prerelease=False,
        page="https://github.com/Codertocat/Hello-World/releases/tag/0.0.1",
    )  # fmt: skip
    (before,) = github.parse(delivery("release-prereleased"), NAMES).releases
    assert before.prerelease is True


def test_the_v_of_a_tag_is_not_part_of_the_version() -> None:
    body = github_body(release={"tag_name": "v1.8.0", "prerelease": True, "body": None, "html_url": None})
    assert github.parse(body, NAMES).releases == (
        Release("hello", "1.8.0", "published", NOW, notes="", page="", prerelease=True),
    )


def test_a_draft_is_no_release() -> None:
    assert github.parse(github_body(release={"tag_name": "v1.8.0", "draft": True}), NAMES) == Heard()


@pytest.mark.parametrize("action", ["created", "deleted", "unpublished", "", None])
def test_other_actions_say_nothing(action: str | None) -> None:
    assert github.parse(github_body(action=action), NAMES) == Heard()


@pytest.mark.parametrize(
    ("repo", "tag", "found"),
    [
        ("Codertocat/Hello-World", "v1.8.0", {"hello": "1.8.0"}),
        ("codertocat/hello-world", "1.8.0", {"hello": "1.8.0"}),
        ("dept/unlisted", "v1.8.0", {"unlisted": "1.8.0"}),
        ("dept/mono", "v2.0.0", {"api": "2.0.0", "api-admin": "2.0.0"}),
        ("dept/mono", "api-v2.0.0", {"api": "2.0.0"}),
        ("dept/mono", "api-admin/v2.0.0", {"api-admin": "2.0.0"}),
        ("dept/mono", "api-admin@2.0.0", {"api-admin": "2.0.0"}),
    ],
)
def test_whose_version_a_tag_is(repo: str, tag: str, found: dict[str, str]) -> None:
    assert dict(NAMES.versions(repo, tag)) == found


@pytest.mark.parametrize("tag", ["v1.8.0", "1.8", "api-v1.8.0", "api/1.8.0-rc.1", "2026.11.24", "1.8.0-2", "1.8+b.5"])
def test_a_tag_that_looks_like_a_version(tag: str) -> None:
    assert versioned(tag)


@pytest.mark.parametrize("tag", ["latest", "v1", "simple-tag", "nightly-20261124", "main", "", "v", "1.8.0 x"])
def test_a_tag_that_does_not(tag: str) -> None:
    assert not versioned(tag)


def test_a_tag_is_pushed() -> None:
    (told,) = recorded("push-tag", ref="refs/tags/v1.8.0").releases
    assert told == Release("hello", "1.8.0", "tagged", NOW, commit=SHA)
    for changes in (
        {}, {"ref": "refs/heads/v1.8.0"}, {"ref": "refs/tags/v1.8.0", "deleted": True, "head_commit": None},
    ):  # fmt: skip
        assert recorded("push-tag", **changes) == Heard(), changes


def test_a_tag_is_moved() -> None:
    (told,) = recorded("push-tag", ref="refs/tags/v1.8.0", forced=True).releases
    assert told.moved == SHA


def test_of_an_annotated_tag_the_commit_counts() -> None:
    """``after`` is the name of the tag object then."""
    (told,) = recorded("push-tag", ref="refs/tags/v1.8.0", after="f" * 40).releases
    assert told.commit == SHA


def image(name: str = "hello", tag: str = "v1.8.0", key: str = "package", **changes: object) -> Heard:
    package = {
        "name": name, "package_type": "CONTAINER", "owner": {"login": "Dept"},
        "package_version": {
            "version": DIGEST, "container_metadata": {"tag": {"name": tag, "digest": DIGEST}},
            "package_url": f"ghcr.io/dept/{name}:{tag}",
        },
    } | changes  # fmt: skip
    body = {"action": "published", key: package, "repository": {"full_name": "Codertocat/Hello-World"}}
    return github.parse(Delivery({"x-github-event": key}, json.dumps(body).encode(), NOW), NAMES)


@pytest.mark.parametrize("key", ["package", "registry_package"])
def test_an_image_is_published(key: str) -> None:
    (told,) = image(key=key).releases
    assert told == Release("hello", "1.8.0", "built", NOW, "ghcr.io/dept/hello", DIGEST)


def test_the_image_may_be_called_like_the_repository_and_its_address_be_left_out() -> None:
    version = {"version": DIGEST, "container_metadata": {"tag": {"name": "1.8.0"}}}
    (told,) = image("hello-world", package_version=version).releases
    assert (told.image, told.digest) == ("ghcr.io/dept/hello-world", DIGEST)


def test_images_that_are_no_version_of_the_service_say_nothing() -> None:
    """Else every multi-platform build, cache and side image would be a conflict."""
    assert image("hello-migrations") == Heard()
    assert image(tag="latest") == Heard()
    assert image(package_type="npm") == Heard()
    assert image(package_version={"version": DIGEST, "container_metadata": {"tag": {}}}) == Heard()
    assert image(package_version=None) == Heard()


def test_a_workflow_has_run() -> None:
    heard = github.parse(delivery("workflow-run-success"), NAMES)
    run = Ran("test.yml", 289782451, 1, "success", "3484a3fb816e0859fd6e1cea078d76385ff50625", RUN)
    assert heard == Heard(ran=(("octo", run),), finished=(Finished("octo", 289782451),))
    ((_, failed),) = github.parse(delivery("workflow-run-failure"), NAMES).ran
    assert failed.state == "failure"


@pytest.mark.parametrize(
    ("status", "conclusion", "state"),
    [
        ("completed", "neutral", "success"), ("completed", "skipped", "success"), ("completed", "timed_out", "failure"),
        ("completed", "cancelled", "failure"), ("in_progress", None, "running"), ("queued", None, "running"),
    ],
)  # fmt: skip
def test_how_a_workflow_fares(status: str, conclusion: str | None, state: str) -> None:
    run = json.loads(delivery("workflow-run-success").body)["workflow_run"]
    heard = recorded("workflow-run-success", workflow_run={**run, "status": status, "conclusion": conclusion})
    assert [ran.state for _, ran in heard.ran] == [state]
    assert bool(heard.finished) == (status == "completed")


def test_an_end_without_a_conclusion_says_nothing() -> None:
    run = json.loads(delivery("workflow-run-success").body)["workflow_run"]
    assert recorded("workflow-run-success", workflow_run={**run, "conclusion": None}) == Heard()


def test_a_deployment_is_known_by_its_gate() -> None:
    (seen,) = github.parse(delivery("deployment-status-success"), NAMES).sightings
    at = datetime(2019, 5, 15, 15, 20, 55, tzinfo=UTC)
    assert seen == Sighting("hello", "prod", Fate.GOOD, at, commits=("f95f852bd8fca8fcc58a9a2d6c842781e32a215e",))
    (begun,) = github.parse(delivery("deployment-created"), NAMES).sightings
    (failed,) = github.parse(delivery("deployment-status-failure"), NAMES).sightings
    assert (begun.fate, failed.fate) == (Fate.RUNNING, Fate.BAD)
    assert begun.at < seen.at


def test_a_deployment_of_a_tag_names_the_version() -> None:
    told = {**json.loads(delivery("deployment-created").body)["deployment"], "ref": "v1.8.0"}
    (seen,) = recorded("deployment-created", deployment=told).sightings
    assert seen.version == "1.8.0"


def test_deployments_that_concern_nothing_of_ours_say_nothing() -> None:
    told = json.loads(delivery("deployment-created").body)["deployment"]
    for changes in ({"environment": "preview"}, {"task": "sweep"}):
        assert recorded("deployment-created", deployment={**told, **changes}) == Heard()
    assert github.parse(delivery("deployment-created"), NOBODY) == Heard()
    status = json.loads(delivery("deployment-status-success").body)["deployment_status"]
    assert recorded("deployment-status-success", deployment_status={**status, "state": "inactive"}) == Heard()


def test_a_run_waits_at_a_gate() -> None:
    sha = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"
    assert github.parse(delivery("deployment-protection-rule-requested"), NAMES).gates == (
        Gate("hello", "prod", "Codertocat/Hello-World", 7245634518, "production", sha, NOW),
    )
    (tagged,) = recorded("deployment-protection-rule-requested", ref="refs/tags/v1.8.0").gates
    assert tagged.version == "1.8.0"


@pytest.mark.parametrize(
    "url",
    [
        None, "", "https://evil.example/", "https://api.github.com/repos/evil/repo/actions/runs/1/deployment_protection_rule",
        "https://api.github.com/repos/Codertocat/Hello-World/actions/runs/x/deployment_protection_rule",
    ],
)  # fmt: skip
def test_a_gate_whose_callback_is_not_of_its_repository_is_none(url: str | None) -> None:
    assert recorded("deployment-protection-rule-requested", deployment_callback_url=url).gates == ()


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("X-GitHub-Event", Delivery({}, b"{}", NOW)),
        ("body", Delivery({"x-github-event": "release"}, b"x", NOW)),
        ("body", Delivery({"x-github-event": "ping"}, b"[]", NOW)),
        ("body", Delivery({"x-github-event": "ping", "content-type": FORM}, b"a=b", NOW)),
        ("action", github_body(action=[])),
        ("action", github_body(action={"x": 1})),
        ("release", github_body(release=None)),
        ("release", github_body(release="x")),
        ("release.tag_name", github_body(release={"tag_name": None})),
        ("release.tag_name", github_body(release={"tag_name": ""})),
        ("release.body", github_body(release={"tag_name": "v1", "body": 5})),
        ("release.html_url", github_body(release={"tag_name": "v1", "html_url": []})),
        ("release.published_at", github_body(release={"tag_name": "v1", "published_at": "soon"})),
        ("repository", github_body(repository=[])),
        ("repository.full_name", github_body(repository={})),
        ("ref", github_body("push", ref=7)),
        ("package", github_body("package", package=None)),
        ("workflow_run", github_body("workflow_run")),
        ("workflow_run.id", github_body("workflow_run", workflow_run={"id": "7"})),
        ("deployment_status", github_body("deployment_status")),
        ("deployment", github_body("deployment", deployment=3)),
        ("environment", github_body("deployment_protection_rule", deployment_callback_url=(
            "/repos/Codertocat/Hello-World/actions/runs/7/deployment_protection_rule"))),
    ],
)  # fmt: skip
def test_a_malformed_body_of_github_says_where(place: str, wrong: Delivery) -> None:
    with pytest.raises(MalformedError) as raised:
        github.parse(wrong, NAMES)
    assert str(raised.value).partition(":")[0] == place
