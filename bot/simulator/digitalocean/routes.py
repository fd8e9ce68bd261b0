"""The routes of the API, one plain function each."""

from typing import Final

from bot.simulator.digitalocean import balancers, billing, databases, errors, machines, shapes
from bot.simulator.digitalocean.ask import Ask, Reply, Route
from bot.simulator.digitalocean.catalogue import CHECK, DOMAIN, VOLUMES, sizes
from bot.simulator.digitalocean.droplets import LIMIT
from bot.simulator.digitalocean.errors import Json
from bot.simulator.digitalocean.nodes import PROVISIONING, KubernetesCluster, Pool
from bot.simulator.digitalocean.state import stamp


def _account(_: Ask) -> Reply:
    account = {
        "droplet_limit": LIMIT,
        "email": "ops@dept.example",
        "uuid": "b6fr89dbf6d9156cace5f3c78dc9851d957381ef",
        "email_verified": True,
        "status": "active",
        "status_message": "",
        "team": {"uuid": "5df3e3004a17e242b7c20ca6c9fc25b701a47ece", "name": "dept"},
    }
    return Reply({"account": account})


def _databases(ask: Ask) -> Reply:
    ask.cloud.settle()
    found = [shapes.database(each) for each in ask.cloud.databases.values()]
    return Reply({"databases": found}, listed="databases")


def _database(ask: Ask) -> Reply:
    return Reply({"database": shapes.database(ask.cloud.database(ask.names["id"]))})


def _replicas(ask: Ask) -> Reply:
    now, found = ask.cloud.now(), ask.cloud.database(ask.names["id"]).replicas
    return Reply({"replicas": [shapes.replica(each, now) for each in found]}, listed="replicas")


def _replica(ask: Ask) -> Reply:
    found = ask.cloud.database(ask.names["id"]).replica(ask.names["name"])
    return Reply({"replica": shapes.replica(found, ask.cloud.now())})


def _add_replica(ask: Ask) -> Reply:
    """``name`` and ``size`` are required; without a region it stands beside its primary."""
    ask.text("size")
    region = ask.body.get("region") or ask.cloud.database(ask.names["id"]).region
    made = ask.cloud.add_replica(ask.names["id"], ask.text("name"), region)
    return Reply({"replica": shapes.replica(made, ask.cloud.now())}, 201)


def _delete_replica(ask: Ask) -> Reply:
    owner = ask.cloud.database(ask.names["id"])
    owner.replicas.remove(owner.replica(ask.names["name"]))
    return Reply(None, 204)


def _promote(ask: Ask) -> Reply:
    ask.cloud.promote(ask.names["id"], ask.names["name"])
    return Reply(None, 204)


def _firewall(ask: Ask) -> Reply:
    found = ask.cloud.guarded(ask.names["id"])
    return Reply({"rules": [shapes.rule(found.id, each) for each in found.rules]})


def _set_firewall(ask: Ask) -> Reply:
    """Full replacement; 204. An empty list is accepted, and opens the database."""
    found = ask.cloud.guarded(ask.names["id"])
    found.rules = databases.rules_from(ask.body, ask.cloud.dice, ask.cloud.now())
    return Reply(None, 204)


def _domains(_: Ask) -> Reply:
    return Reply({"domains": [{"name": DOMAIN, "ttl": 1800, "zone_file": ""}]}, listed="domains")


def _domain(ask: Ask) -> None:
    if ask.names["domain"] != DOMAIN:
        raise errors.not_found()


def _records(ask: Ask) -> Reply:
    _domain(ask)
    found = list(ask.cloud.records.values())
    for key in ("type", "name"):
        if wanted := ask.query.get(key):
            # The real API filters by the full name, ``api.example.com``.
            found = [each for each in found if wanted in (each[key], f"{each[key]}.{DOMAIN}")]
    return Reply({"domain_records": found}, listed="domain_records")


def _record_of(ask: Ask) -> Json:
    _domain(ask)
    number = ask.names["record"]
    if not number.isdecimal() or int(number) not in ask.cloud.records:
        raise errors.not_found()
    return ask.cloud.records[int(number)]


def _record(ask: Ask) -> Reply:
    return Reply({"domain_record": _record_of(ask)})


def _patch_record(ask: Ask) -> Reply:
    """``type`` is required even when it does not change."""
    found, kind = _record_of(ask), ask.text("type")
    changes = {key: value for key, value in ask.body.items() if key in found and key != "id"}
    ask.cloud.records[found["id"]] = found | changes | {"type": kind}
    return Reply({"domain_record": ask.cloud.records[found["id"]]})


def _balancers(ask: Ask) -> Reply:
    return Reply({"load_balancers": list(ask.cloud.balancers.values())}, listed="load_balancers")


def _balancer_of(ask: Ask) -> Json:
    found = ask.cloud.balancers.get(ask.names["id"])
    if found is None:
        raise errors.not_found()
    return found


def _balancer(ask: Ask) -> Reply:
    return Reply({"load_balancer": _balancer_of(ask)})


def _replace_balancer(ask: Ask) -> Reply:
    made = balancers.replaced(_balancer_of(ask), ask.body)
    ask.cloud.balancers[made["id"]] = made
    return Reply({"load_balancer": made})


def _make_balancer(ask: Ask) -> Reply:
    made = balancers.made(databases.new_id(ask.cloud.dice), ask.body, stamp(ask.cloud.now()))
    ask.cloud.balancers[made["id"]] = made
    return Reply({"load_balancer": made}, 202)


def _cluster_of(ask: Ask) -> KubernetesCluster:
    found = ask.cloud.clusters.get(ask.names["id"])
    if found is None:
        raise errors.not_found()
    return found


def _pool_of(ask: Ask) -> Pool:
    found = next((pool for pool in _cluster_of(ask).pools if pool.id == ask.names["pool"]), None)
    if found is None:
        raise errors.not_found()
    return found


def _clusters(ask: Ask) -> Reply:
    cloud, now = ask.cloud, ask.cloud.now()
    found = [shapes.cluster(each, now, down=cloud.down(each.region)) for each in cloud.clusters.values()]
    return Reply({"kubernetes_clusters": found}, listed="kubernetes_clusters")


def _cluster(ask: Ask) -> Reply:
    found = _cluster_of(ask)
    shape = shapes.cluster(found, ask.cloud.now(), down=ask.cloud.down(found.region))
    return Reply({"kubernetes_cluster": shape})


def _pools(ask: Ask) -> Reply:
    now = ask.cloud.now()
    return Reply({"node_pools": [shapes.pool(each, now) for each in _cluster_of(ask).pools]}, listed="node_pools")


def _pool(ask: Ask) -> Reply:
    return Reply({"node_pool": shapes.pool(_pool_of(ask), ask.cloud.now())})


def _resize_pool(ask: Ask) -> Reply:
    """202: accepted; name and count are both required. One that scales itself keeps between its two numbers."""
    found, name, count = _pool_of(ask), ask.text("name"), ask.body.get("count")
    if not isinstance(count, int) or count < 1:
        raise errors.unprocessable("count is required and must be at least 1")
    if count - len(found.nodes) > ask.cloud.droplets.left():
        raise errors.unprocessable("droplet limit exceeded")
    found.name = name
    found.scaled(ask.body)
    wanted = max(len(found.nodes), found.min_nodes) if found.auto_scale else count
    found.resize(wanted, ask.cloud.now(), ask.cloud.seconds(PROVISIONING), ask.cloud.dice)
    return Reply({"node_pool": shapes.pool(found, ask.cloud.now())}, 202)


def _sizes(_: Ask) -> Reply:
    return Reply({"sizes": sizes()}, listed="sizes")


def _volumes(ask: Ask) -> Reply:
    return Reply({"volumes": [shapes.volume(each, ask.cloud.born) for each in VOLUMES]}, listed="volumes")


def _checks(_: Ask) -> Reply:
    return Reply({"checks": [shapes.check()]}, listed="checks")


def _known_check(ask: Ask) -> None:
    if ask.names["id"] != CHECK:
        raise errors.not_found()


def _check(ask: Ask) -> Reply:
    _known_check(ask)
    return Reply({"check": shapes.check()})


def _check_state(ask: Ask) -> Reply:
    _known_check(ask)
    return Reply(shapes.check_state(ask.cloud.seen()))


ROUTES: Final[tuple[tuple[str, str, Route], ...]] = (
    ("GET", "/account", _account),
    ("GET", "/databases", _databases),
    ("GET", "/databases/{id}", _database),
    ("GET", "/databases/{id}/replicas", _replicas),
    ("POST", "/databases/{id}/replicas", _add_replica),
    ("GET", "/databases/{id}/replicas/{name}", _replica),
    ("DELETE", "/databases/{id}/replicas/{name}", _delete_replica),
    ("PUT", "/databases/{id}/replicas/{name}/promote", _promote),
    ("GET", "/databases/{id}/firewall", _firewall),
    ("PUT", "/databases/{id}/firewall", _set_firewall),
    ("GET", "/domains", _domains),
    ("GET", "/domains/{domain}/records", _records),
    ("GET", "/domains/{domain}/records/{record}", _record),
    ("PATCH", "/domains/{domain}/records/{record}", _patch_record),
    ("GET", "/load_balancers", _balancers),
    ("POST", "/load_balancers", _make_balancer),
    ("GET", "/load_balancers/{id}", _balancer),
    ("PUT", "/load_balancers/{id}", _replace_balancer),
    ("GET", "/kubernetes/clusters", _clusters),
    ("GET", "/kubernetes/clusters/{id}", _cluster),
    ("GET", "/kubernetes/clusters/{id}/node_pools", _pools),
    ("GET", "/kubernetes/clusters/{id}/node_pools/{pool}", _pool),
    ("PUT", "/kubernetes/clusters/{id}/node_pools/{pool}", _resize_pool),
    ("GET", "/droplets", machines.droplets),
    ("GET", "/droplets/{id}", machines.droplet),
    ("POST", "/droplets/{id}/actions", machines.act),
    ("GET", "/actions/{id}", machines.action),
    ("GET", "/sizes", _sizes),
    ("GET", "/volumes", _volumes),
    ("GET", "/customers/my/balance", billing.balance),
    ("GET", "/customers/my/invoices", billing.invoices),
    ("GET", "/customers/my/invoices/{id}", billing.invoice),
    ("GET", "/uptime/checks", _checks),
    ("GET", "/uptime/checks/{id}", _check),
    ("GET", "/uptime/checks/{id}/state", _check_state),
)
