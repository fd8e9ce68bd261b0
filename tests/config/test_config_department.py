"""Settings as domain objects."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from bot.domain.errors import UserError
from bot.domain.oncall import Quiet, Rotation
from bot.domain.policy import DEFAULTS
from bot.domain.routes import Matcher
from bot.domain.services import GitOps
from config.department import Department, department
from config.loader import parse

TEXT = """
[slack]
bot_token = "xoxb-1"
app_token = "xapp-1"
[github]
token = "gh"
[[people]]
name = "anna"
slack = "U0ANNA"
telegram = 1001
github = "anna"
token = "token-anna"
roles = ["sre"]
locale = "ru"
timezone = "Europe/Moscow"
[[people]]
name = "vera"
[[routes]]
match = { severity = "critical" }
to = ["slack:C0INC"]
page = true
continue = true
timezone = "UTC"
[[routes]]
to = ["slack:C0OPS"]
[policy.restart]
approvals = 2
[policy.promote]
expires = "1h"
environments = ["production"]
[policy.failover]
roles = ["lead"]
four_eyes = false
break_glass = "boss"
[[clusters]]
name = "nyc2"
region = "nyc2"
[[clusters]]
name = "sfo3"
region = "sfo3"
[[services]]
name = "api"
namespace = "production"
clusters = ["nyc2", "sfo3"]
repo = "dept/api"
gitops = { tool = "argocd", path = "production.yaml" }
[[services.environments]]
name = "staging"
cluster = "nyc2"
namespace = "staging"
workload = "statefulset/api-staging"
gitops = { tool = "flux", application = "apps", repo = "dept/deploy", path = "staging.yaml", branch = "trunk" }
[[services.environments]]
name = "production"
cluster = "nyc2"
namespace = "production"
[[services]]
name = "bots"
namespace = "bots"
clusters = ["nyc2", "sfo3"]
[[services]]
name = "web"
namespace = "web"
clusters = ["nyc2"]
workload = "daemonset/front"
[[services]]
name = "worker"
namespace = "work"
clusters = ["nyc2", "sfo3"]
repo = "dept/worker"
gitops = { tool = "argocd", path = "worker.yaml" }
"""


@pytest.fixture
def dept() -> Department:
    return department(parse(TEXT, Path("pult.toml"), {}))


def test_people(dept: Department) -> None:
    anna = dept.people.named("anna")
    assert anna is not None
    assert dept.people.find("slack", "U0ANNA") is dept.people.find("telegram", "1001") is anna
    assert dept.people.bearer("token-anna") is anna
    assert "token-anna" not in repr(anna)
    assert (anna.locale, anna.zone, anna.roles) == ("ru", "Europe/Moscow", {"sre"})
    vera = dept.people.named("vera")
    assert vera is not None
    assert (vera.token_hash, vera.telegram, vera.locale, vera.roles) == ("", "", "", frozenset())
    assert dept.people.bearer("") is None
    assert dept.people.find("telegram", "") is None


def test_routes(dept: Department) -> None:
    first, last = dept.routes
    assert first.match == (Matcher("severity", "critical"),)
    assert (first.to, first.page, first.goes_on, first.zone) == (("slack:C0INC",), True, True, "UTC")
    assert (last.match, last.page, last.goes_on) == ((), False, False)


def test_policy_keeps_the_defaults_of_what_it_leaves_out(dept: Department) -> None:
    assert dept.policy.rule("ack") == DEFAULTS["ack"]
    assert dept.policy.rule("restart").approvals == 2
    assert dept.policy.rule("restart").roles == {"sre"}
    promote = dept.policy.rule("promote")
    assert (promote.approvals, promote.four_eyes, promote.expires) == (1, True, timedelta(hours=1))
    assert promote.environments == {"production"}
    failover = dept.policy.rule("failover")
    assert (failover.roles, failover.four_eyes, failover.break_glass) == ({"lead"}, False, "boss")


def test_environments(dept: Department) -> None:
    api = dept.services.named("API")
    staging, production = api.environments
    assert (staging.kind, staging.workload, staging.namespace) == ("statefulset", "api-staging", "staging")
    assert staging.gitops == GitOps("flux", "apps", "dept/deploy", "staging.yaml", "trunk")
    assert (production.kind, production.workload) == ("deployment", "api")
    assert production.gitops == GitOps("argocd", "api", "dept/api", "production.yaml", "main")
    assert api.last is production
    assert api.environment("staging") is staging


def test_environments_by_default(dept: Department) -> None:
    def stops(name: str) -> list[tuple[str, str, str]]:
        return [(stop.name, stop.cluster, stop.namespace) for stop in dept.services.named(name).environments]

    assert stops("web") == [("production", "nyc2", "web")]
    assert stops("bots") == [("production-nyc2", "nyc2", "bots"), ("production-sfo3", "sfo3", "bots")]
    assert stops("worker") == [("production", "nyc2", "work")]
    web = dept.services.named("web")
    assert (web.kind, web.workload, web.last.gitops.tool) == ("daemonset", "front", "none")


def test_unknown_names_are_answered_with_known_ones(dept: Department) -> None:
    with pytest.raises(UserError, match=r"There is no service apii. Did you mean api\?"):
        dept.services.named("apii")
    with pytest.raises(UserError, match=r"There is no service zzz. Known are: api, bots, web, worker."):
        dept.services.named("zzz")
    with pytest.raises(UserError, match=r"api has no environment prod. It has: staging, production."):
        dept.services.named("api").environment("prod")


SLOS = """
[prometheus]
url = "http://prometheus:9090"
[digitalocean]
token = "do"
[[slos]]
service = "api"
name = "availability"
kind = "availability"
objective = 99.95
window = "7d"
total = "sum(increase(a[$window]))"
bad = "sum(increase(b[$window]))"
min_requests = 10
[[slos]]
service = "api"
name = "latency"
kind = "latency"
objective = 99
bucket = "seconds_bucket{job='api'}"
threshold = 1.0
[[slos]]
service = "api"
name = "backlog"
kind = "freshness"
objective = 100
bad = "max(age)"
threshold = 300
[failover]
from = "nyc2"
to = "sfo3"
database = { primary = "db-nyc2", standby = "db-sfo3" }
traffic = { domain = "dept.example", record = 42, addresses = { nyc2 = "203.0.113.10", sfo3 = "198.51.100.10" } }
witnesses = [
    { name = "one", query = "up" }, { name = "two", url = "https://x" }, { name = "three", cluster = "nyc2" },
]
"""


def test_slos() -> None:
    availability, latency, backlog = department(parse(TEXT + SLOS, Path("pult.toml"), {})).slos
    assert (availability.objective, availability.window, availability.min_requests) == (0.9995, timedelta(days=7), 10)
    assert availability.queries(timedelta(hours=1))[0] == "sum(increase(a[3600s]))"
    assert latency.total == "sum(increase(seconds_bucket{job='api',le=\"+Inf\"}[$window]))"
    assert latency.quantile.startswith("histogram_quantile(0.99")
    assert (backlog.kind, backlog.bad, backlog.threshold, backlog.objective) == ("freshness", "max(age)", 300, 1.0)


def test_a_missing_bound_never_reads_as_no_bad_requests() -> None:
    _, latency, _ = department(parse(TEXT + SLOS, Path("pult.toml"), {})).slos
    assert 'le=~"1([.]0)?"' in latency.bad
    assert "or 0 * sum(increase(" in latency.bad


def test_failover(dept: Department) -> None:
    assert dept.failover is None
    pair = department(parse(TEXT + SLOS, Path("pult.toml"), {})).failover
    assert pair is not None
    assert (pair.source, pair.target, pair.rpo) == ("nyc2", "sfo3", timedelta(seconds=60))
    assert [(w.name, w.query, w.url, w.cluster) for w in pair.witnesses] == [
        ("one", "up", "", ""),
        ("two", "", "https://x", ""),
        ("three", "", "", "nyc2"),
    ]


def test_turns_are_handed_over_at_the_departments_time() -> None:
    text = (
        TEXT
        + '[chat]\ntimezone = "Asia/Yekaterinburg"\n[oncall]\nrotation = ["vera", "anna"]\nhandover = "Fri 18:30"\n'
    )
    found = department(parse(text, Path("pult.toml"), {})).rotation
    assert found == Rotation(("vera", "anna"), 4, time(18, 30), "Asia/Yekaterinburg")
    assert department(parse(TEXT, Path("pult.toml"), {})).rotation is None


def test_quiet_hours_are_in_the_persons_zone_else_the_chats() -> None:
    text = TEXT.replace('name = "vera"', 'name = "vera"\nquiet = "23:00-07:30"')
    text = (
        text.replace('locale = "ru"', 'locale = "ru"\nquiet = "00:00-06:00"')
        + '[chat]\ntimezone = "Asia/Yekaterinburg"\n'
    )
    found = {person.name: person.quiet for person in department(parse(text, Path("pult.toml"), {})).people}
    assert found == {
        "anna": Quiet(time(0), time(6), "Europe/Moscow"),
        "vera": Quiet(time(23), time(7, 30), "Asia/Yekaterinburg"),
    }


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("oncall.ics", "/etc/pult/oncall.ics"),
        ("/srv/oncall.ics", "/srv/oncall.ics"),
        ("https://calendar.dept.example/s3cret/basic.ics", "https://calendar.dept.example/s3cret/basic.ics"),
        ("webcal://calendar.dept.example/basic.ics", "webcal://calendar.dept.example/basic.ics"),
    ],
)
def test_a_calendar_is_a_file_beside_the_configuration_or_an_address(written: str, read: str) -> None:
    settings = parse(f"{TEXT}[oncall]\nical = '{written}'\n", Path("/etc/pult/pult.toml"), {})
    assert settings.oncall.ical is not None
    assert settings.oncall.ical.get_secret_value() == read
    assert "s3cret" not in repr(settings)


def test_a_calendars_address_may_stand_elsewhere() -> None:
    environ = {"ICAL": "https://calendar.dept.example/s3cret"}
    settings = parse(TEXT + '[oncall]\nical = { env = "ICAL" }\n', Path("pult.toml"), environ)
    assert settings.oncall.ical is not None
    assert settings.oncall.ical.get_secret_value() == environ["ICAL"]
