"""DigitalOcean's JSON for what the account holds (digitalocean/openapi, reduced to the fields clients read)."""

from collections.abc import Mapping
from datetime import datetime

from bot.simulator.digitalocean.catalogue import CHECK, Volume, host_of, region
from bot.simulator.digitalocean.databases import Database, Replica, Rule
from bot.simulator.digitalocean.errors import Json
from bot.simulator.digitalocean.nodes import KubernetesCluster, Pool
from bot.simulator.digitalocean.state import stamp
from bot.simulator.faults import PLACES

_NETWORK = "9423cbad-9211-442f-820b-ef6915e99b5f"


def connection(host: str) -> Json:
    """Holds a password, as the real answer does: never to be shown or logged."""
    return {
        "uri": f"postgresql://doadmin:simulated-password@{host}:25060/defaultdb?sslmode=require",
        "database": "defaultdb",
        "host": host,
        "port": 25060,
        "user": "doadmin",
        "password": "simulated-password",
        "ssl": True,
    }


def database(found: Database) -> Json:
    host = host_of(found.name)
    return {
        "id": found.id,
        "name": found.name,
        "engine": "pg",
        "version": "16",
        "semantic_version": "16.4",
        "num_nodes": 1,
        "size": "db-s-2vcpu-4gb",
        "region": found.region,
        "status": "online",
        "connection": connection(host),
        "private_connection": connection(f"private-{host}"),
        "users": [{"name": "doadmin", "role": "primary", "password": "simulated-password"}],
        "db_names": ["defaultdb"],
        "maintenance_window": {"day": "sunday", "hour": "04:00:00", "pending": False, "description": []},
        "tags": ["dept"],
        "rules": [rule(found.id, each) for each in found.rules],
        "created_at": stamp(found.created),
        "private_network_uuid": _NETWORK,
        "storage_size_mib": 61440,
    }


def replica(found: Replica, now: datetime) -> Json:
    host = host_of(found.name)
    return {
        "id": found.id,
        "name": found.name,
        "connection": connection(host),
        "private_connection": connection(f"private-{host}"),
        "region": found.region,
        "size": "db-s-2vcpu-4gb",
        "status": found.status(now),
        "tags": ["dept"],
        "created_at": stamp(found.created),
        "private_network_uuid": _NETWORK,
        "storage_size_mib": 61440,
    }


def rule(database_id: str, found: Rule) -> Json:
    return {
        "uuid": found.id,
        "cluster_uuid": database_id,
        "type": found.kind,
        "value": found.value,
        "description": found.description,
        "created_at": stamp(found.created),
    }


def cluster(found: KubernetesCluster, now: datetime, *, down: bool) -> Json:
    return {
        "id": found.id,
        "name": f"dept-{found.region}",
        "region": found.region,
        "version": "1.33.1-do.3",
        "cluster_subnet": "10.244.0.0/16",
        "service_subnet": "10.245.0.0/16",
        "vpc_uuid": _NETWORK,
        "ipv4": found.address,
        "endpoint": f"https://{found.id}.dept.example",
        "tags": ["k8s"],
        "node_pools": [pool(each, now) for each in found.pools],
        "maintenance_policy": {"start_time": "00:00", "duration": "4h0m0s", "day": "any"},
        "auto_upgrade": False,
        "status": {"state": "degraded" if down else "running"},
        "created_at": stamp(found.created),
        "updated_at": stamp(found.created),
        "surge_upgrade": True,
        "registry_enabled": False,
        "ha": False,
    }


def volume(found: Volume, created: datetime) -> Json:
    return {
        "id": found.id,
        "name": found.name,
        "description": "",
        "size_gigabytes": found.gigabytes,
        "region": region(found.region),
        "droplet_ids": [],
        "tags": ["k8s"],
        "filesystem_type": "ext4",
        "filesystem_label": "",
        "created_at": stamp(created),
    }


def pool(found: Pool, now: datetime) -> Json:
    nodes = [
        {
            "id": node.id,
            "name": node.name,
            "status": {"state": node.state(now)},
            "droplet_id": node.droplet,
            "created_at": stamp(node.created),
            "updated_at": stamp(node.created),
        }
        for node in found.nodes
    ]
    return {
        "id": found.id,
        "name": found.name,
        "size": found.size,
        "count": len(nodes),
        "tags": ["k8s", "k8s:worker"],
        "labels": None,
        "taints": [],
        "auto_scale": found.auto_scale,
        "min_nodes": found.min_nodes,
        "max_nodes": found.max_nodes,
        "nodes": nodes,
    }


def check() -> Json:
    target = "https://api.dept.example/healthz"
    return {
        "id": CHECK,
        "name": "api",
        "type": "https",
        "target": target,
        "regions": list(PLACES),
        "enabled": True,
    }


def check_state(seen: Mapping[str, tuple[bool, datetime]]) -> Json:
    """*seen*: by place, whether it reaches the address, and since when."""
    regions = {
        place: {
            "status": "UP" if up else "DOWN",
            "status_changed_at": stamp(since),
            "thirty_day_uptime_percentage": 99.95,
        }
        for place, (up, since) in seen.items()
    }
    outage = {
        "region": "us_east",
        "started_at": "2026-09-17T18:04:55Z",
        "ended_at": "2026-09-17T18:06:55Z",
        "duration_seconds": 120,
    }
    return {"state": {"regions": regions, "previous_outage": outage}}
