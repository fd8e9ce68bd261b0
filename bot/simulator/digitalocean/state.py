"""The cloud account: databases, traffic, load balancers, node pools."""

import math
import random
from datetime import datetime, timedelta
from typing import Final

from bot.simulator.digitalocean import balancers, catalogue, errors
from bot.simulator.digitalocean.catalogue import ADDRESSES, BASTION, PRIMARY, RECORD, REGIONS, STANDBY
from bot.simulator.digitalocean.databases import CREATION, PROMOTION, Database, Replica, Rule, new_id
from bot.simulator.digitalocean.errors import Json
from bot.simulator.digitalocean.nodes import KubernetesCluster, Pool
from bot.simulator.world import World

_AGE: Final = timedelta(days=300)
_NULLS: Final = {"priority": None, "port": None, "weight": None, "flags": None, "tag": None}


class Cloud:
    """State class of the surface. Promotions and node starts are settled whenever the state is looked at."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lag = 0.4
        self._seen_lag = 0.4
        now = world.clock.now()
        born = self.born = now - _AGE
        self.databases: dict[str, Database] = {}
        self.clusters: dict[str, KubernetesCluster] = {}
        self.records: dict[int, Json] = {
            RECORD: _record(RECORD, "A", "api", ADDRESSES[PRIMARY]),
            43: _record(43, "CNAME", "www", "api.dept.example."),
        }
        self.balancers = {f"lb-{slug}": balancers.seeded(slug, stamp(born)) for slug in REGIONS}
        self.calls: list[tuple[str, str]] = []
        """(method, path) of every authenticated request, oldest first."""
        self._seed(born)

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
    def lag(self) -> float:
        """Replication lag in seconds: a slow wave around what was set, frozen while the primary's region is down."""
        if not self.down(PRIMARY):
            wave = 1 + 0.25 * math.sin(self.now().timestamp() / 30)
            self._seen_lag = round(self._lag * wave, 3)
        return self._seen_lag

    @lag.setter
    def lag(self, seconds: float) -> None:
        self._lag = seconds

    def traffic(self) -> str:
        """The region that record 42 points to; empty when it points nowhere we know."""
        address = self.records[RECORD]["data"] if RECORD in self.records else ""
        return next((slug for slug, known in ADDRESSES.items() if known == address), "")

    def serving(self) -> bool:
        """Whether the region that gets the traffic stands."""
        return self.traffic() in REGIONS and not self.down(self.traffic())

    def database(self, name: str) -> Database:
        self.settle()
        found = self.databases.get(name)
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
        """422 when the name is taken or the region unknown."""
        owner, now = self.database(database), self.now()
        taken = name in self.databases or any(replica.name == name for replica in owner.replicas)
        if taken or region not in REGIONS:
            raise errors.unprocessable("name is already in use" if taken else "region is invalid")
        replica = Replica(name, region, now, now + timedelta(seconds=self._world.seconds(CREATION)))
        owner.replicas.append(replica)
        return replica

    def settle(self) -> None:
        """Finish the promotions that are due; a dead region finishes nothing."""
        now = self.now()
        for database in tuple(self.databases.values()):
            for replica in tuple(database.replicas):
                if replica.promoted and now >= replica.promoted and not self.down(replica.region):
                    database.replicas.remove(replica)
                    self.databases[replica.name] = self._primary(replica.name, replica.region, replica.promoted)

    def _primary(self, name: str, region: str, created: datetime) -> Database:
        """A primary with the trusted sources every database of the department starts with."""
        sources = [("k8s", f"k8s-{slug}") for slug in REGIONS] + [("ip_addr", BASTION)]
        rules = [Rule(new_id(self._world.random), kind, value, created) for kind, value in sources]
        return Database(name, region, created, rules)

    def _seed(self, born: datetime) -> None:
        primary = self._primary(f"db-{PRIMARY}", PRIMARY, born)
        primary.replicas.append(Replica(f"db-{STANDBY}", STANDBY, born, born))
        self.databases[primary.id] = primary
        for slug in REGIONS:
            pool = Pool(f"pool-{slug}", "pool-a", "s-4vcpu-8gb", prefix=f"{slug}-")
            pool.resize(3, born, 0, self._world.random)
            name = f"k8s-{slug}"
            self.clusters[name] = KubernetesCluster(name, slug, catalogue.ADDRESSES[slug], born, [pool])


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _record(number: int, kind: str, name: str, data: str) -> Json:
    return {"id": number, "type": kind, "name": name, "data": data, "ttl": 60} | _NULLS
