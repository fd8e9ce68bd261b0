"""The checks between sections: each example breaks exactly one rule of a configuration that is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.errors import NotReadyError
from config.loader import parse

RIGHT = """
[slack]
bot_token = "xoxb-1"
app_token = "xapp-1"
[digitalocean]
token = "do"
[github]
token = "gh"
[prometheus]
url = "http://prometheus:9090"
[[people]]
name = "anna"
slack = "U0ANNA"
telegram = 1001
github = "anna"
token = "one"
[[people]]
name = "boris"
slack = "U0BORIS"
telegram = 1002
token = "two"
[[routes]]
match = { severity = "!~crit.*" }
to = ["slack:C0INC", "console:ops"]
[[routes]]
to = ["person:anna"]
[oncall]
rotation = ["anna", "boris"]
levels = [["person:boris"]]
[policy.promote]
environments = ["staging"]
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
[[services.environments]]
name = "staging"
cluster = "nyc2"
namespace = "staging"
gitops = { tool = "argocd", path = "staging.yaml" }
[[services.environments]]
name = "production"
cluster = "nyc2"
namespace = "production"
gitops = { tool = "flux", path = "production.yaml" }
[[slos]]
service = "api"
name = "availability"
kind = "availability"
objective = 99.9
total = "sum(increase(a[$window]))"
bad = "sum(increase(b[$window]))"
[failover]
from = "nyc2"
to = "sfo3"
database = { primary = "db-nyc2", standby = "db-sfo3" }
traffic = { domain = "dept.example", record = 42, addresses = { nyc2 = "203.0.113.10", sfo3 = "198.51.100.10" } }
witnesses = [
    { name = "one", query = "up" }, { name = "two", url = "https://x" }, { name = "three", cluster = "nyc2" },
]
"""

WEBHOOK = '[telegram]\nbot_token = "t"\nmode = "webhook"\n'
PAGER = '[[pagers]]\nname = "duty"\nurl = "https://x/KEY"\nsecret = "s"\n'
BREAKS = {
    "last route matches": (
        'to = ["person:anna"]',
        'match = { a = "b" }\nto = ["person:anna"]',
        "routes[#2].match: found a match on a, allowed is none in the last route",
    ),
    "unreachable route": ('match = { severity = "!~crit.*" }', "", "routes[#1]: found no match and no continue"),
    "bad expression": (
        '"!~crit.*"',
        '"!~crit(.*"',
        'routes[#1].match.severity: found "~crit(.*", allowed is a regular expression',
    ),
    "unknown platform": ('"console:ops"', '"consol:ops"', 'routes[#1].to[#2]: found "consol:ops"'),
    "no platform": ('"console:ops"', '"ops"', 'routes[#1].to[#2]: found "ops", allowed is slack:C…'),
    "channel by name": ('"slack:C0INC"', '"slack:#incidents"', 'routes[#1].to[#1]: found "slack:#incidents"'),
    "bad topic": ('"console:ops"', '"telegram:-100/x"', 'routes[#1].to[#2]: found "telegram:-100/x"'),
    "telegram missing": ('"console:ops"', '"telegram:-100/17"', "it together with section [telegram]"),
    "unknown person": ('"person:anna"', '"person:ana"', "anna, boris; did you mean anna?"),
    "unknown level": ('"person:boris"', '"person:eva"', 'oncall.levels[#1][#1]: found "person:eva"'),
    "unknown approvals": ("[oncall]", '[chat]\napprovals = ["slack:x"]\n[oncall]', "chat.approvals[#1]"),
    "unknown in rotation": ('["anna", "boris"]', '["anna", "borys"]', 'oncall.rotation[#2]: found "borys"'),
    "no pagers": ('"console:ops"', '"webhook:duty"', 'found "webhook:duty", allowed is it together with [[pagers]]'),
    "unknown pager": (
        'levels = [["person:boris"]]',
        'levels = [["webhook:dutty"]]\n' + PAGER,
        'found "webhook:dutty", allowed is the name of one of [[pagers]]: duty; did you mean duty?',
    ),
    "two pagers of one name": (
        "[oncall]",
        PAGER + PAGER + "[oncall]",
        "pagers[duty].name: found what pagers[duty] has",
    ),
    "pager that can't press": (
        "[oncall]",
        PAGER + '[chat]\napprovals = ["webhook:duty"]\n[oncall]',
        "nobody can press a button at a paging provider",
    ),
    "pager without address": (
        "[oncall]",
        PAGER.replace("https://x/KEY", "s3cret") + "[oncall]",
        "pagers[duty].url: found text that does not fit",
    ),
    "quiet all day": ('token = "two"', 'token = "two"\nquiet = "08:00-08:00"', "people[boris].quiet: found"),
    "quiet in words": (
        'token = "two"',
        'token = "two"\nquiet = "at night"',
        'allowed is two times of day: "22:00-08:00"',
    ),
    "quiet at no time": ('token = "two"', 'token = "two"\nquiet = "22:00-24:00"', "people[boris].quiet: found"),
    "calendar by another way": (
        'rotation = ["anna", "boris"]',
        'ical = "ftp://x/s3cret"',
        "oncall.ical: found text that does not fit (not shown",
    ),
    "calendar without host": (
        'rotation = ["anna", "boris"]',
        'ical = "https:///x"',
        "allowed is a whole https:// address",
    ),
    "calendar with brackets": (
        'rotation = ["anna", "boris"]',
        'ical = "https://[x"',
        "allowed is a whole https:// address",
    ),
    "empty calendar": ('rotation = ["anna", "boris"]', 'ical = ""', "allowed is the path of a file, or an https://"),
    "two sources of on-call": ("[oncall]", '[oncall]\nical = "oncall.ics"', "allowed is either rotation or ical"),
    "same name": ('name = "boris"', 'name = "Anna"', "people[Anna].name: found what people[anna] has too"),
    "same slack": ('"U0BORIS"', '"U0ANNA"', "people[boris].slack: found what people[anna] has too"),
    "same telegram": ("1002", "1001", "people[boris].telegram: found what people[anna] has too"),
    "same token": ('token = "two"', 'token = "one"', "people[boris].token: found what people[anna] has too"),
    "open to the world": (
        "[slack]",
        '[server]\nhost = "0.0.0.0"\n[console]\nopen = true\n[slack]',
        "console.open: found true",
    ),
    "slack can't receive": ('app_token = "xapp-1"', "", "slack: found no way to receive"),
    "webhook without secret": (
        "[github]",
        WEBHOOK + '[server]\npublic_url = "https://x"\n[github]',
        "telegram.webhook_secret: found nothing",
    ),
    "webhook without address": ("[github]", WEBHOOK + 'webhook_secret = "s"\n[github]', 'server.public_url: found ""'),
    "unknown action": ("[policy.promote]", "[policy.promot]", "policy.promot: found an unknown action"),
    "unknown environment": ('environments = ["staging"]', 'environments = ["stagin"]', "did you mean staging?"),
    "same cluster": (
        'name = "sfo3"\nregion',
        'name = "nyc2"\nregion',
        "clusters[nyc2].name: found what clusters[nyc2] has too",
    ),
    "unknown cluster": (
        'clusters = ["nyc2", "sfo3"]',
        'clusters = ["nyc2", "sfo"]',
        'services[api].clusters[#2]: found "sfo"',
    ),
    "unknown cluster of a stop": (
        'cluster = "nyc2"\nnamespace = "staging"',
        'cluster = "ny"\nnamespace = "staging"',
        'services[api].environments[staging].cluster: found "ny"',
    ),
    "same environment": (
        'name = "production"',
        'name = "staging"',
        "services[api].environments[staging].name: found what",
    ),
    "after itself": (
        'name = "staging"\ncluster',
        'name = "staging"\nafter = "production"\ncluster',
        'services[api].environments[staging].after: found "production"',
    ),
    "nobody to say ready": (
        'name = "production"\ncluster',
        'name = "production"\non_ready = "propose"\ncluster',
        'environments[production].on_ready: found "propose", allowed is it with [webhooks.release]',
    ),
    "same file": (
        '"production.yaml"',
        '"staging.yaml"',
        "services[api].environments[production].gitops.path: found the file of environment staging",
    ),
    "gitops without file": (', path = "staging.yaml"', "", "allowed is path, the file that names the image"),
    "gitops without repo": ('repo = "dept/api"', "", "services[api].environments[staging].gitops.repo: found nothing"),
    "gitops without github": ('[github]\ntoken = "gh"', "", '"none" without section [github]'),
    "unknown service": ('service = "api"', 'service = "apy"', 'slos[availability].service: found "apy"'),
    "no window": ("sum(increase(b[$window]))", "sum(increase(b[5m]))", "slos[availability]: found the keys"),
    "no bad": ('bad = "sum(increase(b[$window]))"', "", "allowed is total and bad, or recording for kind availability"),
    "one loki for two clusters": (
        "[prometheus]",
        '[loki]\nurl = "http://loki"\n[prometheus]',
        "allowed is a selector with $cluster or $region",
    ),
    "slo without prometheus": ('[prometheus]\nurl = "http://prometheus:9090"', "", "slos: found 1 of them"),
    "failover from nowhere": ('from = "nyc2"', 'from = "nyc1"', 'failover.from: found "nyc1"'),
    "witnesses that are stale at once": (
        'to = "sfo3"',
        'to = "sfo3"\nfresh = "20s"',
        "failover.fresh: found 20s, allowed is 30s or more",
    ),
    "failover to itself": ('to = "sfo3"', 'to = "nyc2"', 'failover.to: found "nyc2", allowed is another cluster'),
    "no address": (', sfo3 = "198.51.100.10"', "", "failover.traffic.addresses: found none for sfo3"),
    "no digitalocean": ('[digitalocean]\ntoken = "do"', "", "it together with section [digitalocean]"),
    "two witnesses": (
        ', { name = "three", cluster = "nyc2" }',
        "",
        "failover.witnesses: found a list of 2, allowed is a list of at least 3",
    ),
    "one witness twice": ('name = "two"', 'name = "one"', "failover.witnesses[one].name: found what"),
    "witness without view": (', url = "https://x"', "", "exactly one of query, url, cluster"),
    "two identities": ('token = "gh"', 'token = "gh"\napp_id = 1', "either token, or app_id together with private_key"),
}


def test_the_right_one_is_right() -> None:
    assert parse(RIGHT, Path("pult.toml"), {}).failover is not None


@pytest.mark.parametrize("case", BREAKS)
def test_one_break_is_found(case: str) -> None:
    old, new, told = BREAKS[case]
    assert old in RIGHT
    with pytest.raises(NotReadyError) as error:
        parse(RIGHT.replace(old, new, 1), Path("pult.toml"), {})
    assert told in str(error.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_an_open_console_is_fine_on_loopback(host: str) -> None:
    text = f"[server]\nhost = '{host}'\n[console]\nopen = true\n[[routes]]\nto = ['console:ops']"
    assert parse(text, Path("pult.toml"), {}).console.open
