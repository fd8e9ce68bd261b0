"""The cloud account: databases, traffic, load balancers, node pools."""

import math
import random
from datetime import datetime, timedelta
from typing import Final

from bot.simulator.digitalocean import balancers, catalogue, errors
from bot.simulator.digitalocean.catalogue import ADDRESSES, BASTION, PRIMARY, RECORD, REGIONS, STAGING_RECORD, STANDBY
from bot.simulator.digitalocean.databases import CREATION, PROMOTION, Database, Replica, Rule, new_id
from bot.simulator.digitalocean.droplets import Droplets
from bot.simulator.digitalocean.errors import Json
from bot.simulator.digitalocean.nodes import KubernetesCluster, Pool
from bot.simulator.faults import PLACES
from bot.simulator.world import World

_AGE: Final = timedelta(days=300)
_BETWEEN: Final = timedelta(hours=2)
"""From the primary's creation to its replica's."""
_NULLS: Final = {"priority": None, "port": None, "weight": None, "flags": None, "tag": None}
_TTL: Final = 60
"""Simulated seconds that resolvers keep an answer."""


class Cloud:
    """State class of the surface. Promotions and node starts are settled whenever the state is looked at."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lag = 0.4
        self._seen_lag = 0.4
        now = world.clock.now()
        born = self.born = now - _AGE
        ttl = max(1, round(world.seconds(_TTL)))
        self.databases: dict[str, Database] = {}
        self.clusters: dict[str, KubernetesCluster] = {}
        self.records: dict[int, Json] = {
            RECORD: _record(RECORD, "A", "api", ADDRESSES[PRIMARY], ttl),
            43: _record(43, "CNAME", "www", "api.dept.example.", ttl),
            STAGING_RECORD: _record(STAGING_RECORD, "A", "api.staging", ADDRESSES[PRIMARY], ttl),
        }
        self.balancers = {f"lb-{slug}": balancers.seeded(slug, stamp(born)) for slug in REGIONS}
        self.calls: list[tuple[str, str]] = []
        """(method, path) of every authenticated request, oldest first."""
        self._places: dict[str, tuple[bool, datetime]] = dict.fromkeys(PLACES, (True, born))
        self._seed(born)
        self.droplets = Droplets(world, self.clusters, born)

    @property
    def dice(self) -> random.Random:
        return self._world.random

    def seconds(self, simulated: float) -> float:
        """Wall seconds of a simulated duration."""
        return self._world.seconds(simulated)

    def now(self) -> datetime:
        return self._world.clock.now()

    def down(self, region: str) -> bool:
        return bool(self._world.faults.active("region_down", region))

    def writable(self) -> set[str]:
        """Database nodes that accept the applications' writes at this instant.

        A primary (born or promoted) does, unless its region is down or it is fenced. Two names are a split brain.
        """
        self.settle()
        return {name for name, db in self.databases.items() if not self.down(db.region) and not self.fenced(name)}

    def machines(self, region: str) -> tuple[str, ...]:
        """Names of the machines that run in the region's node pools."""
        now, pools = (
            self.now(),
            [pool for each in self.clusters.values() if each.region == region for pool in each.pools],
        )
        return tuple(node.name for pool in pools for node in pool.nodes if node.state(now) == "running")

    def accepts(self, host: str) -> bool:
        """Whether applications that use the database at *host* can write there now."""
        server, takers = catalogue.server_at(host), self.writable()
        return any(db.name == server for db in self.databases.values() if db.id in takers)

    def fenced(self, database: str) -> bool:
        """Whether the firewall keeps the applications out: it has rules, and none of them is an application's.

        An EMPTY list of rules is the opposite of a fence: it opens the database to everybody.
        """
        rules = self.databases[database].rules
        return bool(rules) and not any(rule.kind == "k8s" and rule.value in self.clusters for rule in rules)

    def primaries(self) -> dict[str, str]:
        """Database id → region of every cluster that is a primary."""
        self.settle()
        return {name: db.region for name, db in self.databases.items()}

    @property
    def lag(self) -> float | None:
        """Replication lag in seconds: a slow wave around what was set, frozen while the primary's region is down.

        None where nothing replicates: nobody has a standby.
        """
        self.settle()
        now = self.now()
        led = [db.region for db in self.databases.values() if any(r.status(now) == "online" for r in db.replicas)]
        if not led:
            return None
        if not self.down(led[-1]):
            wave = 1 + 0.25 * math.sin(self.now().timestamp() / 30)
            self._seen_lag = round(self._lag * wave, 3)
        return self._seen_lag

    @lag.setter
    def lag(self, seconds: float) -> None:
        self._lag = seconds

    def traffic(self, record: int = RECORD) -> str:
        """The region that the record points to; empty when it points nowhere we know.

        Behind a global load balancer it is the most preferred of those that stand.
        """
        address = self.records[record]["data"] if record in self.records else ""
        spread = next((each for each in self.balancers.values() if each["ip"] == address), None)
        if spread is not None and spread["type"] == balancers.GLOBAL:
            targets = {self.balancers[one]["region"]["slug"] for one in spread["target_load_balancer_ids"]}
            return balancers.preferred(spread, {slug for slug in targets if not self.down(slug)})
        return next((slug for slug, known in ADDRESSES.items() if known == address), "")

    def seen(self) -> dict[str, tuple[bool, datetime]]:
        """What each place of the uptime check sees, and since when."""
        for place, (was, _) in tuple(self._places.items()):
            up = self.serving() and not self._world.faults.active("place_down", place)
            if up != was:
                self._places[place] = (up, self.now())
        return self._places

    def serving(self) -> bool:
        """Whether the region that gets the traffic stands."""
        return self.traffic() in REGIONS and not self.down(self.traffic())

    def database(self, name: str) -> Database:
        self.settle()
        found = self.databases.get(name)
        if found is None:
            raise errors.not_found()
        return found

    def guarded(self, server: str) -> Database | Replica:
        """The cluster or replica with this id: each has a firewall of its own."""
        self.settle()
        found = next((each for each in self._servers() if each.id == server), None)
        if found is None:
            raise errors.not_found()
        return found

    def promote(self, database: str, replica: str) -> None:
        """Accept a promotion; it is finished world.seconds(3) later. 422 unless the replica is online."""
        found, now = self.database(database).replica(replica), self.now()
        if found.status(now) != "online" or self.down(found.region):
            raise errors.unprocessable(f"replica {replica} is not online")
        found.promoted = now + timedelta(seconds=self._world.seconds(PROMOTION))

    def add_replica(self, database: str, name: str, region: str) -> Replica:
        """422 when the name is taken or the region unknown. It has no trusted sources yet, so it is open to all."""
        owner, now = self.database(database), self.now()
        taken = {each.name for each in self._servers()}
        if name in taken or region not in REGIONS:
            raise errors.unprocessable("name is already in use" if name in taken else "region is invalid")
        ready = now + timedelta(seconds=self._world.seconds(CREATION))
        replica = Replica(new_id(self._world.random), name, region, now, ready)
        owner.replicas.append(replica)
        return replica

    def settle(self) -> None:
        """Finish the promotions that are due; a dead region finishes nothing.

        The new primary keeps its id and its trusted sources; the old one stays, and knows nothing of it.
        """
        now = self.now()
        for database in tuple(self.databases.values()):
            for replica in tuple(database.replicas):
                if replica.promoted and now >= replica.promoted and not self.down(replica.region):
                    database.replicas.remove(replica)
                    made = Database(replica.id, replica.name, replica.region, replica.created, replica.rules)
                    self.databases[made.id] = made

    def _servers(self) -> list[Database | Replica]:
        return [*self.databases.values(), *(each for db in self.databases.values() for each in db.replicas)]

    def _trusted(self, created: datetime) -> list[Rule]:
        """The sources that every server of the department trusts."""
        sources = [("k8s", f"k8s-{slug}") for slug in REGIONS] + [("ip_addr", BASTION)]
        return [Rule(new_id(self._world.random), kind, value, created) for kind, value in sources]

    def _seed(self, born: datetime) -> None:
        name, copy = f"db-{PRIMARY}", f"db-{STANDBY}"
        primary, later = Database(name, name, PRIMARY, born, self._trusted(born)), born + _BETWEEN
        primary.replicas.append(Replica(copy, copy, STANDBY, later, later, self._trusted(later)))
        self.databases[primary.id] = primary
        for slug in REGIONS:
            pool = Pool(f"pool-{slug}", "pool-a", "s-4vcpu-8gb", prefix=f"{slug}-")
            pool.resize(3, born, 0, self._world.random)
            name = f"k8s-{slug}"
            self.clusters[name] = KubernetesCluster(name, slug, catalogue.ADDRESSES[slug], born, [pool])


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _record(number: int, kind: str, name: str, data: str, ttl: int) -> Json:
    return {"id": number, "type": kind, "name": name, "data": data, "ttl": ttl} | _NULLS
