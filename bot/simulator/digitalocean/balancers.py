"""Load balancers: an update is a full replacement, what is left out goes back to its default."""

import copy
from typing import Final

from bot.simulator.digitalocean import errors
from bot.simulator.digitalocean.catalogue import ADDRESSES, REGIONS, region
from bot.simulator.digitalocean.errors import Json

_DEFAULTS: Final[Json] = {
    "project_id": "9cc10173-e9ea-4176-9dbc-a4cee4c4ff30",
    "size_unit": 1,
    "size": "lb-small",
    "type": "REGIONAL",
    "network": "EXTERNAL",
    "algorithm": "round_robin",
    "health_check": {
        "protocol": "http",
        "port": 80,
        "path": "/",
        "check_interval_seconds": 10,
        "response_timeout_seconds": 5,
        "healthy_threshold": 5,
        "unhealthy_threshold": 3,
    },
    "sticky_sessions": {"type": "none"},
    "tag": "",
    "droplet_ids": [],
    "redirect_http_to_https": False,
    "enable_proxy_protocol": False,
    "enable_backend_keepalive": False,
    "vpc_uuid": "",
    "disable_lets_encrypt_dns_records": False,
    "http_idle_timeout_seconds": 60,
    "firewall": {"deny": [], "allow": []},
}
"""Defaults of load_balancer_base.yml."""


def seeded(slug: str, created: str) -> Json:
    rule = {
        "entry_protocol": "https",
        "entry_port": 443,
        "target_protocol": "http",
        "target_port": 8080,
        "certificate_id": "892071a0-bb95-49bc-8021-3afd67a210bf",
        "tls_passthrough": False,
    }
    number = 3_164_440 + 10 * list(REGIONS).index(slug)
    body = {
        "name": f"lb-{slug}",
        "region": slug,
        "forwarding_rules": [rule],
        "health_check": {**_DEFAULTS["health_check"], "port": 8080, "path": "/healthz"},
        "droplet_ids": [number + 1, number + 2, number + 3],
        "enable_backend_keepalive": True,
    }
    return _full(body) | {
        "id": f"lb-{slug}",
        "ip": ADDRESSES[slug],
        "ipv6": "",
        "status": "active",
        "created_at": created,
    }


def replaced(before: Json, body: Json) -> Json:
    """The load balancer after a PUT. 422: no forwarding rules, unknown region, or both tag and droplet_ids."""
    if not body.get("forwarding_rules"):
        raise errors.unprocessable("forwarding_rules must be provided")
    # A list of the slugs, since the region may be the object of an answer, sent back as it came.
    if body.get("region") not in list(REGIONS):
        raise errors.unprocessable("region is required and must be a slug")
    if body.get("tag") and body.get("droplet_ids"):
        raise errors.unprocessable("droplet_ids and tag are mutually exclusive")
    kept = ("id", "ip", "ipv6", "status", "created_at")
    named = {"name": before["name"]} | body
    return _full(named) | {key: before[key] for key in kept}


def _full(body: Json) -> Json:
    known = {key: value for key, value in body.items() if key in _DEFAULTS or key in ("name", "forwarding_rules")}
    return copy.deepcopy(_DEFAULTS) | known | {"region": region(body["region"])}
