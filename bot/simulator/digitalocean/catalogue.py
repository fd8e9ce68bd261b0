"""What does not change while the simulator runs: names, addresses, sizes, prices."""

from dataclasses import dataclass
from typing import Final

from bot.simulator.digitalocean.errors import Json

PRIMARY: Final = "nyc2"
STANDBY: Final = "sfo3"
REGIONS: Final = {PRIMARY: "New York 2", STANDBY: "San Francisco 3"}
DOMAIN: Final = "dept.example"
RECORD: Final = 42
"""The A record ``api`` that steers the traffic."""
STAGING_RECORD: Final = 44
"""The A record ``api.staging``, which steers staging's."""
ADDRESSES: Final = {PRIMARY: "203.0.113.10", STANDBY: "198.51.100.10"}
"""Load balancer address of each region."""
CHECK: Final = "check-api"
"""Uptime check of https://api.dept.example."""
GLOBAL_ADDRESS: Final = "203.0.113.200"
"""Of the global load balancer, once somebody makes one."""
BASTION: Final = "192.0.2.10"

_SIZES: Final = (
    ("s-1vcpu-2gb", 2048, 1, 50, 12.0),
    ("s-2vcpu-4gb", 4096, 2, 80, 24.0),
    ("s-4vcpu-8gb", 8192, 4, 160, 48.0),
    ("g-2vcpu-8gb", 8192, 2, 25, 63.0),
    ("g-4vcpu-16gb", 16_384, 4, 50, 126.0),
)


@dataclass(frozen=True)
class Volume:
    """Block storage of a persistent volume claim."""

    id: str
    name: str
    region: str
    gigabytes: int


VOLUMES: Final = (
    Volume("volume-nyc2", "pvc-prometheus", PRIMARY, 100),
    Volume("volume-new", "pvc-scratch", STANDBY, 20),
)
"""The second was made today: no bill has it, so that nobody knows its price."""


def host_of(server: str) -> str:
    """Where a database server is reached from outside its network."""
    return f"{server}.db.dept.example"


def server_at(host: str) -> str:
    """The database server that *host* leads to, from inside its network or from outside."""
    return host.removeprefix("private-").removesuffix(".db.dept.example")


def sizes() -> list[Json]:
    return [
        {
            "slug": slug,
            "memory": memory,
            "vcpus": vcpus,
            "disk": disk,
            "transfer": float(vcpus + 1),
            "price_monthly": price,
            "price_hourly": round(price / 672, 5),
            "regions": list(REGIONS),
            "available": True,
            "description": "General Purpose" if slug.startswith("g") else "Basic",
            "disk_info": [{"type": "local", "size": {"amount": disk, "unit": "gib"}}],
        }
        for slug, memory, vcpus, disk, price in _SIZES
    ]


def region(slug: str) -> Json:
    return {
        "name": REGIONS[slug],
        "slug": slug,
        "sizes": [size[0] for size in _SIZES],
        "features": ["private_networking", "backups", "ipv6", "metadata", "install_agent"],
        "available": True,
    }


def bill() -> list[tuple[str, str, str, str]]:
    """(product, resource, service, dollars a month): what the running invoice is made of."""
    return [
        ("Kubernetes Clusters", "pool-a-nyc2", "platform", "144.00"),
        ("Kubernetes Clusters", "pool-a-sfo3", "platform", "144.00"),
        ("Managed Databases", "db-nyc2", "api", "122.00"),
        ("Managed Databases", "db-sfo3", "api", "122.00"),
        ("Load Balancers", "lb-nyc2", "api", "12.00"),
        ("Load Balancers", "lb-sfo3", "api", "12.00"),
        ("Volumes", "volume-nyc2", "platform", "10.00"),
        ("Spaces", "assets", "web", "5.00"),
    ]
