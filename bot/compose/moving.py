"""What a failover moves, opened from the settings: one estate for each move, production's and staging's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot.domain.errors import UserError
from bot.domain.failover import Move, Place, Room
from bot.domain.phrases import Code
from bot.ports.estate import Estate
from config.department import STAGING, department
from config.settings import Settings

if TYPE_CHECKING:
    from bot.adapters.digitalocean.client import Api
    from bot.adapters.kubernetes.cluster import KubernetesCluster
    from bot.ports.connections import Connections
    from bot.ports.forge import Forge
    from bot.ports.metrics import Metrics
    from bot.ports.pools import Pools
    from bot.ports.regions import Database, Traffic
    from bot.ports.store import Store
    from config.failover import DatabaseSettings, MoveSettings, TrafficSettings


PRODUCTION = "failover"
"""The section of what is moved when it burns."""
Check = tuple[str, Callable[[], Awaitable[str]], str]
"""One line of ``pult check``: what is looked at, how, and how to mend it. It changes nothing."""


@dataclass(frozen=True)
class Moving:
    """None: nothing of the kind is configured. ``checks``: of all that is moved. ``beating``: databases whose heartbeat
    pult keeps, and how.
    """

    production: Estate | None = None
    staging: Estate | None = None
    checks: tuple[Check, ...] = ()
    beating: tuple[tuple[str, Callable[[], Awaitable[None]]], ...] = ()


def open_moving(
    settings: Settings,
    metrics: Metrics | None,
    cluster: KubernetesCluster,
    forge: Forge | None,
    api: Api | None,
    store: Store,
) -> Moving:
    """Nothing connects here."""
    failover, pair = settings.failover, department(settings).failover
    if failover is None or pair is None or api is None:
        return Moving()
    opening = _Opening(settings, metrics, cluster, forge, api, store)
    production = opening.estate(PRODUCTION, failover, pair.move)
    staging = None
    if failover.drill.staging and pair.staging:
        staging = opening.estate("failover.drill.staging", failover.drill.staging, pair.staging)
    return Moving(production, staging, tuple(opening.checks), tuple(opening.beating))


class _Opening:
    """Imports each SDK only where its section is there."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics | None,
        cluster: KubernetesCluster,
        forge: Forge | None,
        api: Api,
        store: Store,
    ) -> None:
        self._store = store
        self._metrics, self._cluster, self._forge, self._api = metrics, cluster, forge, api
        self._regions = settings.regions
        known = settings.prices.clusters
        self._names = {name: each.digitalocean for name, each in known.items() if each.digitalocean}
        self.checks: list[Check] = []
        self.beating: list[tuple[str, Callable[[], Awaitable[None]]]] = []

    def estate(self, section: str, settings: MoveSettings, move: Move) -> Estate:
        """All that *move* has its hands on."""
        database = self._database(section, settings.database, move)
        traffic = self._traffic(section, settings.traffic)
        connections, pools = self._connections(), self._pools()
        for place in move.places:
            title, mend = f"{section}.connections {place.region}", f"see [[{section}.connections]], deploy/failover"
            self.checks.append((title, partial(_switchable, connections, place), mend))
        for room in (each for each in move.rooms if each.pool):
            title = f"{section}.capacity {room.service}"
            ends = (move.way.target, move.way.source)
            self.checks += [(title, partial(_roomy, pools, end, room), f"see [[{section}.capacity]]") for end in ends]
        return Estate(database, traffic, connections, pools)

    def _database(self, section: str, settings: DatabaseSettings, move: Move) -> Database:
        if settings.provider == "postgres":
            return self._self_run(section, settings)
        from bot.adapters.digitalocean.lineage import Family  # noqa: PLC0415 - after intake
        from bot.adapters.digitalocean.postgres import ManagedPostgres  # noqa: PLC0415
        from bot.engine.witnesses import measured  # noqa: PLC0415

        family = Family(settings.primary, settings.standby)
        made = ManagedPostgres(self._api, family, self._regions, measured(self._metrics, settings.lag))
        mend = f"see [{section}.database], and its servers' trusted sources in DigitalOcean"
        self.checks.append((f"{section}.database", partial(made.check, move.way), mend))
        return made

    def _self_run(self, section: str, settings: DatabaseSettings) -> Database:
        from bot.compose.servers import self_run  # noqa: PLC0415 - after intake

        made = self_run(settings, self._cluster.apis, self._api, self._store, "" if section == PRODUCTION else STAGING)
        for region in made.regions:
            self.checks.append((f"{section}.database {region}", partial(made.check, region), "see docs/postgres.md"))
        self.beating.append((f"{section}.database", made.run))
        return made

    def _traffic(self, section: str, settings: TrafficSettings) -> Traffic:
        from bot.adapters.digitalocean.balancer import GlobalBalancer  # noqa: PLC0415 - after intake
        from bot.adapters.digitalocean.dns import DnsTraffic  # noqa: PLC0415

        made: GlobalBalancer | DnsTraffic
        if settings.record is None:
            made = GlobalBalancer(self._api, settings.balancer, settings.addresses, self._regions)
        else:
            made = DnsTraffic(self._api, settings.domain, settings.record, settings.addresses)
        self.checks.append((f"{section}.traffic", made.check, f"see [{section}.traffic], [digitalocean]: token"))
        return made

    def _connections(self) -> Connections:
        from bot.adapters.kubernetes.secrets import KubernetesSecrets  # noqa: PLC0415 - after intake
        from bot.engine.connections import Places  # noqa: PLC0415

        return Places(KubernetesSecrets(self._cluster.apis), self._forge)

    def _pools(self) -> Pools:
        from bot.adapters.digitalocean.pools import DigitaloceanPools  # noqa: PLC0415 - after intake

        return DigitaloceanPools(self._api, self._regions, self._names)


async def _switchable(connections: Connections, place: Place) -> str:
    """UserError: pult may not, or can't, write there."""
    named = f"{place.secret or place.file} {place.key}"
    if why := await connections.allowed(place):
        raise UserError("{place} can't be switched: {why}", place=Code(named), why=why)
    return f"{named} holds {await connections.reads(place)} and can be switched"


async def _roomy(pools: Pools, region: str, room: Room) -> str:
    """UserError: there is no such pool, or it may not grow as far as a move needs."""
    found = next((each for each in await pools.pools(region) if each.name == room.pool), None)
    if found is None:
        raise UserError("{region} has no node pool {pool}.", region=region, pool=Code(room.pool))
    if found.limit is not None and found.limit < room.nodes:
        raise UserError(
            "{pool} in {region} may have {limit} machines at most, and a move needs {nodes}.",
            pool=Code(room.pool), region=region, limit=found.limit, nodes=room.nodes,
        )  # fmt: skip
    most = "nobody knows how many" if found.limit is None else found.limit
    return f"{room.pool} in {region} has {found.ready} machines ready, and may have {most}; scope kubernetes:update"
