"""Self-run database servers, and what can stop them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bot.adapters.clock import SystemClock
from bot.adapters.postgres_ha.database import SelfRunPostgres
from bot.adapters.postgres_ha.link import Server
from bot.adapters.postgres_ha.program import Program
from bot.ports.cluster import Workload
from bot.ports.store import Store
from config.failover import DatabaseSettings, ServerSettings

if TYPE_CHECKING:
    from bot.adapters.digitalocean.client import Api as CloudApi
    from bot.adapters.kubernetes.client import Api
    from bot.ports.machines import Machine


def self_run(
    settings: DatabaseSettings, apis: Mapping[str, Api], cloud: CloudApi, store: Store, name: str
) -> SelfRunPostgres:
    """The pair that *settings* name; connects at the first question. *name*: empty for production's."""
    servers = [Server(each.region, each.dsn.get_secret_value(), each.address) for each in settings.servers]
    machines = {each.region: tuple(_machines(each, apis, cloud)) for each in settings.servers}
    return SelfRunPostgres(servers, machines, store, SystemClock(), name)


def _machines(server: ServerSettings, apis: Mapping[str, Api], cloud: CloudApi) -> Iterator[Machine]:
    """In the order in which a fence tries them."""
    if server.workload:
        from bot.adapters.kubernetes.machines import WorkloadMachine  # noqa: PLC0415 - only where one is named

        kind, namespace, name = server.workload.split("/")
        yield WorkloadMachine(apis, Workload(server.region, namespace, kind, name))
    if server.droplet:
        from bot.adapters.digitalocean.droplets import Droplet  # noqa: PLC0415 - only where one is named

        yield Droplet(cloud, server.droplet)
    if server.command:
        yield Program(server.region, server.command)
