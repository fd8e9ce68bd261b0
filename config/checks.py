"""What no section can see alone: names that must exist elsewhere, and things that must be unique or configured."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import timedelta

from bot.domain.policy import DEFAULTS
from config.destinations import check_destinations
from config.failover import FailoverSettings, MoveSettings
from config.policy import ConditionSettings
from config.problems import Problem, nearest, quoted, wrong
from config.rules import once
from config.services import EnvironmentSettings, ServiceSettings
from config.settings import Settings

FRESH = timedelta(seconds=30)
"""A witness's word must outlive a slow look or two, or no majority would ever hold: looks are ten seconds apart."""
_SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")  # Bot API, setWebhook: secret_token


def cross_check(settings: Settings) -> Iterator[Problem]:
    """Everything about *settings* that is well written but can't be."""
    yield from _routes(settings)
    yield from check_destinations(settings)
    yield from _people(settings)
    yield from _platforms(settings)
    yield from _policy(settings)
    yield from _freezes(settings)
    yield from _unique("pagers", "name", ((pager.name, pager.name) for pager in settings.pagers))
    yield from _unique("registries", "host", ((each.host, each.host.lower()) for each in settings.registries))
    yield from _unique("clusters", "name", ((cluster.name, cluster.name) for cluster in settings.clusters))
    yield from _unique("services", "name", ((service.name, service.name) for service in settings.services))
    for service in settings.services:
        yield from _service(settings, service)
    yield from _slos(settings)
    yield from _loki(settings)
    yield from _prices(settings)
    if settings.failover:
        yield from _failover(settings, settings.failover)


def _known(path: str, name: str, kind: str, names: Iterable[str]) -> Iterator[Problem]:
    names = tuple(names)
    if name not in names:
        allowed = f"{kind}: {', '.join(names)}" if names else f"{kind}, and there is none"
        yield wrong(path, quoted(name), allowed, nearest(name, names))


def _cluster(settings: Settings, path: str, name: str) -> Iterator[Problem]:
    return _known(path, name, "the name of one of [[clusters]]", (each.name for each in settings.clusters))


def _ours(settings: Settings, path: str, name: str) -> Iterator[Problem]:
    return _known(path, name, "the name of one of [[services]]", (each.name for each in settings.services))


def _unique(section: str, key: str, pairs: Iterable[tuple[str, Hashable]]) -> Iterator[Problem]:
    seen: dict[Hashable, str] = {}
    for name, value in pairs:
        if value in seen:
            yield Problem(f"{section}[{name}].{key}", f"found what {section}[{seen[value]}] has too; it must be unique")
        elif value not in (None, ""):
            seen[value] = name


def _routes(settings: Settings) -> Iterator[Problem]:
    last = len(settings.routes)
    for number, route in enumerate(settings.routes, 1):
        path = f"routes[#{number}]"
        for label, pattern in route.match.items():
            expression = pattern.removeprefix("!")
            if expression.startswith("~"):
                yield from _expression(f"{path}.match.{label}", expression[1:])
        if number == last and route.match:
            yield wrong(
                f"{path}.match", f"a match on {', '.join(route.match)}", "none in the last route, which takes the rest"
            )
        if number < last and not route.match and not route.goes_on:
            yield Problem(path, "found no match and no continue, so the routes after it are never reached")


def _expression(path: str, expression: str) -> Iterator[Problem]:
    try:
        re.compile(expression)
    except re.error as error:
        yield wrong(path, quoted(f"~{expression}"), f"a regular expression ({error})")


def _people(settings: Settings) -> Iterator[Problem]:
    people = settings.people
    yield from _unique("people", "name", ((person.name, person.name.casefold()) for person in people))
    for key in ("slack", "telegram", "github"):
        yield from _unique("people", key, ((person.name, getattr(person, key)) for person in people))
    tokens = ((person.name, person.token.get_secret_value() if person.token else "") for person in people)
    yield from _unique("people", "token", tokens)
    names = [person.name for person in people]
    for number, name in enumerate(settings.oncall.rotation, 1):
        yield from _known(f"oncall.rotation[#{number}]", name, "the name of one of [[people]]", names)


def _platforms(settings: Settings) -> Iterator[Problem]:
    if settings.console.open and not _loopback(settings.server.host):
        allowed = f"false while server.host is {quoted(settings.server.host)}: only a loopback address may be open"
        yield wrong("console.open", "true", allowed)
    slack, telegram = settings.slack, settings.telegram
    if slack and not (slack.app_token or slack.signing_secret):
        yield wrong("slack", "no way to receive", "app_token (Socket Mode), signing_secret (HTTP) or both")
    if not telegram or telegram.mode != "webhook":
        return
    secret = telegram.webhook_secret.get_secret_value() if telegram.webhook_secret else ""
    if not _SECRET_TOKEN.fullmatch(secret):
        found = "text that does not fit" if secret else "nothing"
        yield wrong("telegram.webhook_secret", found, "1 to 256 of A-Z a-z 0-9 _ - in webhook mode")
    if not settings.server.public_url.startswith("https://"):
        allowed = "an https:// address while telegram.mode is webhook"
        yield wrong("server.public_url", quoted(settings.server.public_url), allowed)


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _policy(settings: Settings) -> Iterator[Problem]:
    environments = sorted({environment.name for service in settings.services for environment in service.environments})
    for action, rule in settings.policy.items():
        path = f"policy.{action}"
        if action not in DEFAULTS:
            yield wrong(path, "an unknown action", ", ".join(DEFAULTS), nearest(action, DEFAULTS))
        if rule.floor is not None and action != "promote":
            yield wrong(f"{path}.floor", f"{rule.floor:g}", "none here: only promotions are held, never a way back")
        named = [(f"{path}.environments", rule.environments)]
        for number, more in enumerate(rule.more, 1):
            part = f"{path}.more[#{number}].when"
            named.append((f"{part}.environments", more.when.environments))
            yield from _judged(action, part, more.when)
        for where, names in named:
            for name in sorted(names if environments else ()):
                yield from _known(where, name, "an environment of a service", environments)


def _judged(action: str, path: str, when: ConditionSettings) -> Iterator[Problem]:
    """Conditions on what is looked up for the plans of releases only."""
    if action not in {"promote", "rollback"}:
        for key in ("budget_below", "migrations"):
            if getattr(when, key) is not None:
                yield wrong(f"{path}.{key}", "a condition on the release", "none here: only for promote and rollback")


def _freezes(settings: Settings) -> Iterator[Problem]:
    zone = settings.chat.timezone
    for number, freeze in enumerate(settings.freezes, 1):
        for name in sorted(freeze.services):
            yield from _ours(settings, f"freezes[#{number}].services", name)
        if freeze.begins and freeze.ends and once(freeze.begins, freeze.ends, zone).empty:
            yield wrong(f"freezes[#{number}].to", quoted(str(freeze.ends)), "a time after from")


def _service(settings: Settings, service: ServiceSettings) -> Iterator[Problem]:
    path = f"services[{service.name}]"
    for number, name in enumerate(service.clusters, 1):
        yield from _cluster(settings, f"{path}.clusters[#{number}]", name)
    environments = service.environments
    yield from _unique(f"{path}.environments", "name", ((stop.name, stop.name) for stop in environments))
    for stop in environments:
        stop_path = f"{path}.environments[{stop.name}]"
        yield from _cluster(settings, f"{stop_path}.cluster", stop.cluster)
        if stop.on_ready == "propose" and not settings.webhooks.release:
            yield wrong(f"{stop_path}.on_ready", '"propose"', 'it with [webhooks.release], by which "ready" is said')
    yield from _order(path, environments)
    owners = [(stop.name, stop.gitops or service.gitops) for stop in environments]
    yield from _files(path, service)
    for name, owner in owners or [("", service.gitops)]:
        if owner and owner.tool != "none":
            owner_path = f"{path}.environments[{name}].gitops" if name else f"{path}.gitops"
            if not (owner.repo or service.repo):
                yield wrong(
                    f"{owner_path}.repo", "nothing", "the repository of the file, here or as the service's repo"
                )
            if not settings.github:
                yield wrong(f"{owner_path}.tool", quoted(owner.tool), '"none" without section [github]')


def _order(path: str, environments: Sequence[EnvironmentSettings]) -> Iterator[Problem]:
    """What an environment comes after stands before it, so that no way to it goes in a circle."""
    for number, stop in enumerate(environments):
        earlier = [each.name for each in environments[:number]]
        if stop.after:
            stop_path = f"{path}.environments[{stop.name}].after"
            yield from _known(stop_path, stop.after, "the name of an environment above it", earlier)


def _files(path: str, service: ServiceSettings) -> Iterator[Problem]:
    """One file may serve several clusters, never staging and production at once."""
    owners: dict[tuple[str | None, str, str], EnvironmentSettings] = {}
    for stop in service.environments:
        owner = stop.gitops or service.gitops
        if owner and owner.path:
            other = owners.setdefault((owner.repo or service.repo, owner.path, owner.branch), stop)
            if other.namespace != stop.namespace:
                found = f"the file of environment {other.name}, which is another namespace"
                yield wrong(f"{path}.environments[{stop.name}].gitops.path", found, "a file of its own")


def _slos(settings: Settings) -> Iterator[Problem]:
    titles = ((f"{slo.service}/{slo.name}", (slo.service, slo.name)) for slo in settings.slos)
    yield from _unique("slos", "name", titles)
    for slo in settings.slos:
        yield from _ours(settings, f"slos[{slo.name}].service", slo.service)
    if settings.slos and not settings.prometheus:
        yield wrong("slos", f"{len(settings.slos)} of them", "none without section [prometheus]")


def _loki(settings: Settings) -> Iterator[Problem]:
    """One Loki for several clusters must tell them apart, or each would answer with the lines of all."""
    selector = settings.loki.selector if settings.loki else "$cluster"
    if len(settings.clusters) > 1 and "$cluster" not in selector and "$region" not in selector:
        allowed = (
            'a selector with $cluster or $region, such as {cluster="$cluster", …}, since there are several clusters'
        )
        yield wrong("loki.selector", quoted(selector), allowed)


def _prices(settings: Settings) -> Iterator[Problem]:
    for name in settings.prices.clusters:
        yield from _cluster(settings, f"prices.clusters.{name}", name)
    for thing, name in settings.prices.owners.items():
        yield from _ours(settings, f"prices.owners.{thing}", name)
    for name in (settings.opencost.clusters if settings.opencost else {}).values():
        yield from _cluster(settings, "opencost.clusters", name)


def _failover(settings: Settings, failover: FailoverSettings) -> Iterator[Problem]:
    yield from _move(settings, "failover", failover)
    if failover.drill.staging:
        yield from _move(settings, "failover.drill.staging", failover.drill.staging)
    yield from _unique("failover.witnesses", "name", ((witness.name, witness.name) for witness in failover.witnesses))
    if failover.fresh < FRESH:
        yield wrong(
            "failover.fresh", f"{failover.fresh.total_seconds():g}s", "30s or more: looks are ten seconds apart"
        )
    for witness in failover.witnesses:
        path = f"failover.witnesses[{witness.name}]"
        if witness.cluster:
            yield from _cluster(settings, f"{path}.cluster", witness.cluster)
        if witness.query and not settings.prometheus:
            yield wrong(f"{path}.query", "PromQL", "url or cluster without section [prometheus]")
        if witness.uptime and not settings.digitalocean:
            yield wrong(f"{path}.uptime", quoted(witness.uptime), "it together with section [digitalocean]")


def _move(settings: Settings, path: str, move: MoveSettings) -> Iterator[Problem]:
    for key, name in (("from", move.source), ("to", move.target)):
        yield from _cluster(settings, f"{path}.{key}", name)
    if move.source == move.target:
        yield wrong(f"{path}.to", quoted(move.target), "another cluster than failover.from")
    both = {move.source, move.target}
    missing = both - move.traffic.addresses.keys()
    if missing:
        yield wrong(f"{path}.traffic.addresses", f"none for {', '.join(sorted(missing))}", "one for both clusters")
    if not settings.digitalocean:
        yield wrong(path, "provider digitalocean", "it together with section [digitalocean]")
    if move.database.servers and {each.region for each in move.database.servers} != both:
        regions = ", ".join(each.region for each in move.database.servers)
        yield wrong(f"{path}.database.servers", regions, f"one in each of {', '.join(sorted(both))}")
    yield from _moved(settings, path, move)


def _moved(settings: Settings, path: str, move: MoveSettings) -> Iterator[Problem]:
    both = sorted({move.source, move.target})
    for number, place in enumerate(move.connections, 1):
        yield from _known(
            f"{path}.connections[#{number}].region", place.region, "one of the two clusters", sorted(both)
        )
        if place.file and not settings.github:
            yield wrong(f"{path}.connections[#{number}].file", quoted(place.file), "it together with section [github]")
    services = [service.name for service in settings.services]
    for number, room in enumerate(move.capacity, 1):
        yield from _known(f"{path}.capacity[#{number}].service", room.service, "one of [[services]]", services)
