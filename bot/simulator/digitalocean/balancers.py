"""Load balancers: an update is a full replacement, what is left out goes back to its default."""

import copy
from typing import Final

from bot.simulator.digitalocean import errors
from bot.simulator.digitalocean.catalogue import ADDRESSES, GLOBAL_ADDRESS, REGIONS, region
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
    "network_stack": "IPV4",
    "domains": [],
    "glb_settings": {},
    "target_load_balancer_ids": [],
    "disable_lets_encrypt_dns_records": False,
    "http_idle_timeout_seconds": 60,
    "firewall": {"deny": [], "allow": []},
}
"""Defaults of load_balancer_base.yml."""
GLOBAL: Final = "GLOBAL"


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


def made(ident: str, body: Json, created: str) -> Json:
    """A new global load balancer; the department's regional ones are there from the start. 422 as ``replaced``."""
    if body.get("type") != GLOBAL or not body.get("name"):
        raise errors.unprocessable("only GLOBAL load balancers with a name are made here")
    _check(body)
    given = {"id": ident, "ip": GLOBAL_ADDRESS, "ipv6": "", "status": "active", "created_at": created}
    return _full(body) | given


def replaced(before: Json, body: Json) -> Json:
    """The load balancer after a PUT. 422: no forwarding rules, unknown region, or both tag and droplet_ids."""
    _check(body | {"type": before["type"]})
    kept = ("id", "ip", "ipv6", "status", "created_at", "type")
    named = {"name": before["name"]} | body
    return _full(named) | {key: before[key] for key in kept}


def preferred(found: Json, standing: set[str]) -> str:
    """The region among *standing* that a global load balancer sends requests to; empty without any."""
    priorities = found["glb_settings"].get("region_priorities") or {}
    return min(sorted(standing), key=lambda slug: priorities.get(slug, len(REGIONS)), default="")


def _check(body: Json) -> None:
    if not body.get("forwarding_rules"):
        raise errors.unprocessable("forwarding_rules must be provided")
    spread = body["type"] == GLOBAL
    # A list of the slugs, since the region may be the object of an answer, sent back as it came.
    if not spread and body.get("region") not in list(REGIONS):
        raise errors.unprocessable("region is required and must be a slug")
    if spread and set(body) & {"droplet_ids", "tag", "region"}:
        raise errors.unprocessable("a global load balancer has no region and no droplets of its own")
    if body.get("tag") and body.get("droplet_ids"):
        raise errors.unprocessable("droplet_ids and tag are mutually exclusive")


def _full(body: Json) -> Json:
    known = {key: value for key, value in body.items() if key in _DEFAULTS or key in ("name", "forwarding_rules")}
    place = {"region": region(body["region"])} if body.get("region") else {}
    return copy.deepcopy(_DEFAULTS) | known | place
