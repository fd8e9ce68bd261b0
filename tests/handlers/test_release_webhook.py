"""The signed release webhook of any pipeline: its words, its evidence in every form, its signature."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from bot.domain.errors import ForgedError, MalformedError
from bot.domain.evidence import KEPT, Result, Scan
from bot.domain.releases import STAGES, Fate, Release
from bot.domain.sightings import Sighting
from bot.ports.webhooks import Delivery
from handlers.webhooks import proofs, release
from tests.handlers.department import SERVICES

TRIVY = Path(__file__).parents[1] / "fixtures" / "trivy"
NOW = datetime(2026, 11, 24, 0, 15, tzinfo=UTC)
DIGEST = "sha256:" + "0123456789abcdef" * 4
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
    "migrations": True,
}


def told(**changes: object) -> Delivery:
    data = {name: value for name, value in {**FULL, **changes}.items() if value is not None}
    return Delivery({}, json.dumps(data).encode(), NOW)


def signed(body: bytes = told().body, stamp: int = int(NOW.timestamp()), secret: str = "s") -> Delivery:
    mark = hmac.new(secret.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
    return Delivery({"x-pult-timestamp": str(stamp), "x-pult-signature": f"sha256={mark}"}, body, NOW)


def read(**changes: object) -> Release:
    (found,) = release.parse(told(**changes), SERVICES).releases
    return found


def test_a_full_release_is_read() -> None:
    found = read()
    assert found == Release(
        "api", "1.8.0", "ready", NOW, FULL["image"], DIGEST, FULL["commit"], FULL["url"], "staging", FULL["notes"],
        evidence=FULL["evidence"], scan=Scan(0, 2), migrations=True,
    )  # fmt: skip
    assert found.prerelease is None, "a pipeline does not say"


def test_the_least_a_release_needs() -> None:
    assert read(**dict.fromkeys(FULL.keys() - {"service", "version", "status"})) == Release(
        "api", "1.8.0", "ready", NOW
    )


def test_it_is_true_when_it_was_signed() -> None:
    """Words that overtake one another on the way are put in order by that; nobody's clock puts them in the future."""
    for stamp, at in ((-200, NOW - timedelta(seconds=200)), (200, NOW)):
        (found,) = release.parse(signed(stamp=int(NOW.timestamp()) + stamp), SERVICES).releases
        assert found.at == at


@pytest.mark.parametrize("status", STAGES)
def test_every_status_of_ruling_5_is_taken(status: str) -> None:
    assert read(status=status).stage == status


@pytest.mark.parametrize(
    ("changes", "environment"),
    [
        ({"status": "staging"}, "staging"),
        ({"status": "staging", "environment": None}, "staging"),
        ({"status": "released", "environment": "production"}, "production"),
        ({"status": "released", "environment": None}, None),
        ({"status": "ready"}, None),
        ({"status": "staging", "environment": "elsewhere"}, None),
        ({"status": "staging", "service": "nobody"}, None),
    ],
)
def test_a_pipeline_that_deploys_says_where(changes: dict[str, object], environment: str | None) -> None:
    found = release.parse(told(**changes), SERVICES).sightings
    assert found == ((Sighting("api", environment, Fate.GOOD, NOW, "1.8.0"),) if environment else ())


def trivy(case: str) -> object:
    return json.loads((TRIVY / case / "body.json").read_text())


def test_trivys_whole_report() -> None:
    """One CVE counts once for each package, however many places it lies in; what has no fix is told apart."""
    found = read(evidence={"trivy": trivy("critical-and-high")})
    assert found.scan is not None
    assert (found.scan.critical, found.scan.high) == (2, 2)
    assert found.scan.fixable == 3
    assert [(each.id, each.package, each.fixed) for each in found.scan.findings] == [
        ("CVE-2019-10744", "lodash", True),
        ("CVE-2019-14697", "musl", True),
        ("CVE-2020-1967", "libssl1.1", True),
        ("CVE-2099-10001", "left-tool", False),
    ]
    assert found.scan.listed
    assert found.scan.unsupported
    said = "2 critical, 2 high, 3 of them with a fix; its operating system gets no fixes any more"
    assert found.evidence["trivy"] == said


@pytest.mark.parametrize("report", [trivy("clean"), {"SchemaVersion": 2}, {"Results": None}, {"Results": []}])
def test_a_clean_report(report: object) -> None:
    found = read(evidence={"trivy": report})
    assert found.scan == Scan(0, 0, 0)
    assert found.evidence["trivy"] == "none critical, none high"


@pytest.mark.parametrize("case", sorted(path.name for path in TRIVY.iterdir()))
def test_every_recorded_report_is_read(case: str) -> None:
    assert read(evidence={"trivy": trivy(case)}).scan is not None


def test_a_report_without_end_is_kept_within_bounds() -> None:
    many = [{"VulnerabilityID": f"CVE-{n}" * 50, "PkgName": "p" * 500, "Severity": "HIGH"} for n in range(KEPT * 2)]
    scan = read(evidence={"trivy": {"Results": [{"Vulnerabilities": many}]}}).scan
    assert scan is not None
    assert len(scan.findings) <= KEPT
    assert all(len(each.id) <= 80 for each in scan.findings)


@pytest.mark.parametrize(
    ("value", "said", "result"),
    [
        ("412 passed", "412 passed", None),
        (True, "passed", Result(good=True)),
        (False, "failed", Result(good=False)),
        (97.5, "97.5", None),
        ({"passed": 412, "failed": 0}, "412 passed", Result(True, 412, 0)),
        ({"passed": 411, "failed": 1, "skipped": 2}, "1 failed, 411 passed, 2 skipped", Result(False, 411, 1, 2)),
        ({"failed": 0}, "none failed", Result(True, None, 0)),
        ({"passed": 3, "seconds": 40}, "3 passed", Result(None, 3)),
        ({"passed": 0, "failed": 0}, "0 passed", Result(None, 0, 0)),
    ],
)
def test_evidence_in_every_form(value: object, said: str, result: Result | None) -> None:
    found = read(evidence={"tests": value, "lint": None})
    assert found.evidence == {"tests": said}
    assert found.results == ({"tests": result} if result else {})


def test_counts_of_a_scan() -> None:
    assert read(evidence={"trivy": {"critical": 1, "high": 4}}).scan == Scan(1, 4)
    assert read(evidence={"trivy": {"critical": 1, "high": 4, "fixable": 2}}).scan == Scan(1, 4, 2)
    assert read(evidence={"trivy": "clean"}).scan is None
    assert read(evidence={"trivy": None}).scan is None


def test_a_text_without_end_is_cut() -> None:
    assert len(read(evidence={"tests": "x" * 100_000}).evidence["tests"]) == 500


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("body", Delivery({}, b"", NOW)),
        ("body", Delivery({}, b"3", NOW)),
        ("service", told(service=None)),
        ("service", told(service="")),
        ("service", told(service=5)),
        ("service", told(service="api/x")),
        ("version", told(version=None)),
        ("version", told(version=1.8)),
        ("version", told(version="v")),
        ("version", told(version="1" * 201)),
        ("service", told(service="   ")),
        ("status", told(status=None)),
        ("status", told(status="done")),
        ("status", told(status=["ready"])),
        ("digest", told(digest="0123")),
        ("digest", told(digest=DIGEST.upper())),
        ("digest", told(digest=DIGEST + "0")),
        ("digest", told(digest=DIGEST + "\n")),
        ("digest", told(digest=7)),
        ("evidence", told(evidence=["passed"])),
        ("evidence", told(evidence={str(n): "x" for n in range(proofs.KEPT + 1)})),
        ("evidence.tests", told(evidence={"tests": ["412"]})),
        ("evidence.tests", told(evidence={"tests": {}})),
        ("evidence.tests.passed", told(evidence={"tests": {"passed": "many"}})),
        ("evidence.trivy", told(evidence={"trivy": 3})),
        ("evidence.tests.passed", told(evidence={"tests": {"passed": -1, "failed": 0}})),
        ("evidence.trivy.critical", told(evidence={"trivy": {"critical": True}})),
        ("evidence.trivy.critical", told(evidence={"trivy": {}})),
        ("evidence.trivy.critical", told(evidence={"trivy": {"high": 2}})),
        ("evidence.trivy.high", told(evidence={"trivy": {"critical": 0, "high": -2}})),
        ("evidence.trivy.Results", told(evidence={"trivy": {"Results": {}}})),
        (
            "evidence.trivy.Results[0].Vulnerabilities",
            told(evidence={"trivy": {"Results": [{"Vulnerabilities": [1]}]}}),
        ),
        (
            "evidence.trivy.Results[0].Severity",
            told(evidence={"trivy": {"Results": [{"Vulnerabilities": [{"Severity": 1}]}]}}),
        ),
        (
            "evidence.trivy.Results[0].Severity",
            told(evidence={"trivy": {"Results": [{"Vulnerabilities": [{"VulnerabilityID": "CVE-1"}]}]}}),
        ),
        (
            "evidence.trivy.Results[0].Severity",
            told(evidence={"trivy": {"Results": [{"Vulnerabilities": [{"Severity": "GRAVE"}]}]}}),
        ),
        ("image", told(image={})),
        ("notes", told(notes=["x"])),
        ("migrations", told(migrations="yes")),
    ],
)
def test_a_malformed_release_says_where(place: str, wrong: Delivery) -> None:
    with pytest.raises(MalformedError) as raised:
        release.parse(wrong, SERVICES)
    assert str(raised.value).partition(":")[0] == place


def test_the_status_that_is_wanted_is_named() -> None:
    with pytest.raises(MalformedError, match="built, scanned, tested, staging, ready, released, failed"):
        read(status="done")


def test_a_signed_release_is_taken_within_five_minutes() -> None:
    source = release.source("s", SERVICES)
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
    key = release.source("s", SERVICES).key
    again = Delivery(signed().headers, signed().body, NOW + timedelta(seconds=9))
    assert key(signed()) == key(again)
    assert key(signed()) != key(signed(stamp=int(NOW.timestamp()) + 1))
    assert key(signed()) != key(signed(told(version="1.8.1").body))
