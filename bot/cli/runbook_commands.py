"""What a person types for each step of a move where pult is not there: kubectl, doctl, psql, curl, git. Pure.

Facts: docs.digitalocean.com/reference/doctl (databases firewalls, databases replica promote, compute domain records,
kubernetes cluster node-pool), kubernetes.io (kubectl).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from shlex import quote
from urllib.parse import urlsplit

from bot.cli import runbook_database as database
from bot.cli.runbook_database import dsn, server_of
from bot.cli.runbook_typed import Place, Typed
from bot.domain.failover_course import Course, Lot, Switch
from bot.domain.phrases import phrase
from bot.domain.services import Environment
from config.failover import TrafficSettings

WRITES = "create temp table tried (at timestamptz default now()); insert into tried default values"
API = "https://api.digitalocean.com/v2"


def typed(step: str, course: Course, place: Place) -> Iterator[Typed]:
    """What the *step* of *course* takes by hand."""
    yield from STEPS[step](course, place)


def _freeze(course: Course, place: Place) -> Iterator[Typed]:
    yield Typed(phrase("Say in the department's chat that nobody promotes or merges anything until this is over."))
    yield from _held(course, place, flux="suspend", sync="null")


def _report(course: Course, place: Place) -> Iterator[Typed]:
    yield from _held(course, place, flux="resume", sync='{"selfHeal":true}')
    yield Typed(phrase(
        "Say that it is over. Note down when the region was lost, when each step ended, how far the standby was behind."
))  # fmt: skip


def _held(course: Course, place: Place, *, flux: str, sync: str) -> Iterator[Typed]:
    """What would put pods and settings back as git has them."""
    lines: list[str] = []
    for lot in course.lots:
        tool, name = lot.environment.gitops.tool, lot.environment.gitops.application or lot.service
        space, _, plain = name.rpartition("/")
        context = place.contexts[course.target]
        if tool == "flux":
            where = f"-n {space or 'flux-system'}"
            lines.append(f"flux --context {quote(context)} {flux} kustomization {quote(plain)} {where}")
        elif tool == "argocd":
            patch = '{"spec":{"syncPolicy":{"automated":' + sync + "}}}"
            lines.append(
                f"kubectl --context {quote(context)} -n {space or 'argocd'} patch application {quote(plain)} "
                f"--type merge -p {quote(patch)}"
            )
    if lines:
        said = phrase("Let GitOps rest: it would take the pods away again.") if flux == "suspend" else phrase(
            "Let GitOps work again, once git says what runs now."
        )  # fmt: skip
        yield Typed(said, tuple(dict.fromkeys(lines)))


def _capacity(course: Course, place: Place) -> Iterator[Typed]:
    context = place.contexts[course.target]
    for pool in course.machines:
        yield Typed(phrase("Machines of {pool}: {need} at least.", pool=pool.pool, need=pool.need), (
            "doctl kubernetes cluster list",
            f"doctl kubernetes cluster node-pool update CLUSTER {quote(pool.pool)} --count {pool.need}",
            f"kubectl --context {quote(context)} get nodes -w",
        ))  # fmt: skip
    for lot in course.lots:
        yield Typed(phrase("Pods of {service}: as many as the other region has or had.", service=lot.service), tuple(
            _pods(lot, course, place)
        ))  # fmt: skip


def _pods(lot: Lot, course: Course, place: Place) -> Iterator[str]:
    here, there = (_kubectl(place.contexts[each], lot.environment) for each in (course.target, course.source))
    name = _workload(lot.environment)
    if lot.known:
        yield f"N={lot.need}"
    else:
        yield f"N=$({there} get {name} -o jsonpath='{{.spec.replicas}}')"
    yield f'{here} scale {name} --replicas="$N"'
    yield f"{here} get hpa"
    yield f'{here} patch hpa {quote(lot.environment.workload)} -p \'{{"spec":{{"minReplicas":\'"$N"\'}}}}\''
    yield f"{here} rollout status {name} --timeout=10m"


def _spare(course: Course, place: Place) -> Iterator[Typed]:
    """Of the region that was left; how many it had stands on nobody's page but the one of its failover."""
    for lot in course.spare:
        here, name = _kubectl(place.contexts[course.source], lot.environment), _workload(lot.environment)
        said = phrase(
            "Pods of {service}: as many as before the failover, once resolvers have forgotten.", service=lot.service
        )
        yield Typed(said, (
            "N=",
            f'{here} patch hpa {quote(lot.environment.workload)} -p \'{{"spec":{{"minReplicas":\'"$N"\'}}}}\'',
            f'{here} scale {name} --replicas="$N"',
        ))  # fmt: skip


def _connections(course: Course, place: Place) -> Iterator[Typed]:
    servers = place.move.database
    if servers.provider == "digitalocean":
        yield Typed(
            phrase("The new primary's address:"), (
            "NEW=$(doctl databases connection DATABASE --format Host,Port --no-header | awk '{print $1\":\"$2}')",
        ))  # fmt: skip
    else:
        server = server_of(servers, course.target)
        address = server.address or "HOST:PORT"
        yield Typed(phrase("The new primary's address:"), (f"NEW={quote(address)}",))
    for link in course.links:
        yield from _link(link, course, place)


def _link(link: Switch, course: Course, place: Place) -> Iterator[Typed]:
    where, context = link.place, place.contexts[course.target]
    restarts = tuple(line for _, each in link.readers for line in _restarted(context, each))
    if where.secret:
        kubectl = f"kubectl --context {quote(context)} -n {quote(where.namespace)}"
        template = quote("{{index .data " + json.dumps(where.key) + "}}")
        patch = '{"stringData":{' + json.dumps(where.key) + ':"\'"$VALUE"\'"}}'
        said = phrase("{name}: put the address into what stands there, and leave the rest of it.", name=link.named)
        yield Typed(said, (
            f"{kubectl} get secret {quote(where.secret)} -o go-template={template} | base64 -d",
            "VALUE=",
            f"{kubectl} patch secret {quote(where.secret)} -p '{patch}'",
            *restarts,
        ))  # fmt: skip
        return
    yield Typed(phrase("{name}: write the address at {key}, and push it.", name=link.named, key=where.key), (
        f"git clone --depth 1 -b {quote(where.branch)} git@github.com:{quote(where.repo)}.git address && cd address",
        f'"${{EDITOR:-vi}}" {quote(where.file)}',
        f"git commit -am 'failover to {course.target}' && git push origin {quote(where.branch)}",
        *restarts,
    ))  # fmt: skip


def _shift(course: Course, place: Place) -> Iterator[Typed]:
    traffic = place.move.traffic
    if traffic.record and traffic.domain:
        address = quote(traffic.addresses[course.target])
        said = phrase("Resolvers may keep the old answer for as long as the record's TTL says.")
        yield Typed(said, (
            f"doctl compute domain records update {quote(traffic.domain)} --record-id {traffic.record} "
                f"--record-data {address}",
            f"doctl compute domain records list {quote(traffic.domain)}",
        ))  # fmt: skip
        return
    yield Typed(
        phrase("What a change leaves out is reset, so all of it is sent back."), _balanced(traffic, course, place)
    )


def _balanced(traffic: TrafficSettings, course: Course, place: Place) -> tuple[str, ...]:
    slugs = json.dumps({place.slugs[course.target]: 1, place.slugs[course.source]: 2})
    url = f"{API}/load_balancers/{traffic.balancer}"
    bearer = '-H "Authorization: Bearer $DIGITALOCEAN_TOKEN"'
    change = (
        f".load_balancer | .glb_settings.region_priorities = {slugs}"
        " | del(.id, .ip, .ipv6, .status, .created_at, .region)"
    )
    return (
        f"curl -sf {bearer} {quote(url)} | jq {quote(change)} > balancer.json",
        f"curl -sf -X PUT {bearer} -H 'Content-Type: application/json' -d @balancer.json {quote(url)}",
    )


def _verify(course: Course, place: Place) -> Iterator[Typed]:
    if place.move.database.provider == "postgres":
        said = phrase("The database takes writes.")
        yield Typed(said, (f"psql {dsn(course.target)} -c {quote(WRITES)}",))
    for host in dict.fromkeys(urlsplit(url).hostname or "" for url in course.probes):
        yield Typed(phrase("The name leads to the other region."), (f"dig +short {quote(host)}",))
    for url in course.probes:
        yield Typed(
            phrase("It answers from outside."), (f"curl -fsS -o /dev/null -w '%{{http_code}}\\n' {quote(url)}",)
        )
    lines = tuple(
        f"{_kubectl(place.contexts[course.target], lot.environment)} rollout status {_workload(lot.environment)}"
        for lot in course.lots
    )
    yield Typed(phrase("Every service runs there, and its error rate is as usual."), lines)


def _restarted(context: str, environment: Environment) -> tuple[str, str]:
    kubectl, name = _kubectl(context, environment), _workload(environment)
    return f"{kubectl} rollout restart {name}", f"{kubectl} rollout status {name} --timeout=10m"


def _kubectl(context: str, environment: Environment) -> str:
    return f"kubectl --context {quote(context)} -n {quote(environment.namespace)}"


def _workload(environment: Environment) -> str:
    return quote(f"{environment.kind}/{environment.workload}")


STEPS: Mapping[str, Callable[[Course, Place], Iterator[Typed]]] = {
    "freeze": _freeze, "lag": database.lag, "capacity": _capacity, "fence": database.fence, "promote": database.promote,
    "connections": _connections, "shift": _shift, "verify": _verify, "report": _report, "rejoin": database.rejoin,
    "rejoin-other": database.rejoin_other, "spare": _spare, "caught-up": database.caught_up,
}  # fmt: skip
