"""Two regions in memory: their database servers, their traffic, their settings, their machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.detection import Look, View
from bot.domain.errors import TemporaryError, UserError
from bot.domain.failover import Place, Sight, Way
from bot.domain.phrases import Quantity, phrase
from bot.ports.pools import Pool
from bot.ports.regions import Replication
from tests.handlers.fakes import NOON

PRIMARY, STANDBY, OLD = "primary", "standby", "old"


class FakeDatabase:
    """A server in each region. ``roles``: OLD was the primary until another one was promoted, and still takes writes
    where nothing fences it. ``deaf``: a fence is asked for and does not take hold; ``mute``: it can't be asked for.
    ``slow``: looks that a promotion takes. ``gone``: regions whose server is off, so that it takes no writes.
    """

    def __init__(self) -> None:
        self.roles = {"nyc2": PRIMARY, "sfo3": STANDBY}
        self.fenced: set[str] = set()
        self.gone: set[str] = set()
        self.lag: float | None = 0.4
        self.behind: int | None = None
        self.deaf = self.mute = self.away = self.unjoinable = False
        self.slow = 0
        self.reachable = True
        self.done: list[str] = []
        self._promoting = ""

    def becomes(self, **changes: object) -> None:
        """As the servers of the configured way stand."""
        for name, value in changes.items():
            if name == "fenced":
                (self.fenced.add if value else self.fenced.discard)("nyc2")
            elif name == "promoted":
                self.roles = {"nyc2": OLD, "sfo3": PRIMARY} if value else {"nyc2": PRIMARY, "sfo3": STANDBY}
            else:
                setattr(self, name, value)

    @property
    def writable(self) -> set[str]:
        """Two of them are a split brain."""
        return {each for each, role in self.roles.items() if role != STANDBY} - self.fenced - self.gone

    async def replication(self, way: Way) -> Replication:
        self._there()
        follows = self.roles[way.target] == STANDBY
        return Replication(
            f"db-{way.source}", f"db-{way.target}", self.lag if follows else None, promoted=not follows,
            fenced=way.source in self.fenced, behind=self.behind if follows else None,
            reachable=self.reachable and way.source not in self.gone,
        )  # fmt: skip

    async def fence(self, way: Way) -> None:
        self._there()
        if self.mute:
            raise TemporaryError(f"db-{way.source} does not answer")
        self.done.append("fence")
        if not self.deaf:
            self.fenced.add(way.source)
        self._checked()

    async def unfence(self, way: Way) -> None:
        self._there()
        if self.roles[way.target] == PRIMARY:
            raise UserError("{target} is the primary.", target=way.target)
        self.done.append("unfence")
        self.fenced.discard(way.source)
        self._checked()

    async def promote(self, way: Way) -> None:
        self._there()
        self.done.append("promote")
        self._promoting = way.target
        if not self.slow:
            self._promoted()

    async def rejoin(self, way: Way) -> None:
        self._there()
        if way.target not in self.fenced and way.target not in self.gone:
            raise UserError("{target} is not fenced.", target=way.target)
        self.done.append(f"rejoin {way.target}")
        if not self.unjoinable:
            self.roles[way.target] = STANDBY
            self.fenced.discard(way.target)
            self.gone.discard(way.target)
        self._checked()

    async def beats(self, region: str) -> bool:
        self._there()
        return region in self.writable

    async def address(self, region: str) -> str:
        return f"db-{region}.example:5432"

    def tick(self) -> None:
        """A promotion that was asked for is done after ``slow`` looks."""
        if self._promoting and self.slow:
            self.slow -= 1
            if not self.slow:
                self._promoted()

    def _promoted(self) -> None:
        other = next(each for each in self.roles if each != self._promoting)
        self.roles = {self._promoting: PRIMARY, other: OLD}
        self.fenced.discard(self._promoting)
        self._checked()

    def _there(self) -> None:
        if self.away:
            raise TemporaryError("DigitalOcean does not answer")

    def _checked(self) -> None:
        assert len(self.writable) < 2, f"both take writes after {self.done}"


class FakeTraffic:
    """``away``: nothing answers; ``failing``: it can be read, and not changed."""

    def __init__(self) -> None:
        self.to, self.away, self.failing, self.seconds = "nyc2", False, False, 60.0
        self.done: list[str] = []

    async def region(self) -> str:
        self._there()
        return self.to

    async def shift(self, region: str) -> float:
        self._there()
        if self.failing:
            raise TemporaryError("DNS answers 500")
        self.done.append(region)
        self.to = region
        return self.seconds

    async def ttl(self) -> float:
        self._there()
        return self.seconds

    def _there(self) -> None:
        if self.away:
            raise TemporaryError("DNS does not answer")


@dataclass
class FakeConnections:
    """Addresses by place. ``closed``: why nobody may write there."""

    held: dict[Place, str] = field(default_factory=dict)
    closed: str = ""
    done: list[tuple[str, str]] = field(default_factory=list)

    async def reads(self, place: Place) -> str:
        if place not in self.held:
            raise UserError("There is no Secret {name}.", name=place.secret)
        return self.held[place]

    async def switch(self, place: Place, address: str, operation: str) -> str:
        if self.closed:
            raise UserError("pult may not: {why}", why=self.closed)
        before = await self.reads(place)
        if before != address:
            self.done.append((place.secret or place.file, operation))
            self.held[place] = address
        return before

    async def allowed(self, place: Place) -> str:
        assert place in self.held
        return self.closed


@dataclass
class FakePools:
    """One pool in each region. Machines come one a tick, up to ``stuck`` of them."""

    found: dict[str, Pool] = field(
        default_factory=lambda: {each: Pool("pool-a", 3, 3, auto_scale=False, limit=6) for each in ("nyc2", "sfo3")}
    )
    stuck: int = 100
    done: list[int] = field(default_factory=list)

    async def pools(self, region: str) -> tuple[Pool, ...]:
        return (self.found[region],)

    async def resize(self, region: str, pool: str, count: int) -> None:
        assert self.found[region].name == pool
        self.done.append(count)
        self.found[region] = replace(self.found[region], count=count)

    def tick(self) -> None:
        for region, pool in self.found.items():
            self.found[region] = replace(pool, ready=min(pool.count, pool.ready + 1, self.stuck))


WHY = {
    Sight.UP: phrase("answers"),
    Sight.LOST: phrase("no answer in {seconds}", seconds=Quantity(5, "s", 0)),
    Sight.UNKNOWN: phrase("no data"),
}


@dataclass
class FakeWitnesses:
    sights: Mapping[str, Sight] = field(
        default_factory=lambda: {"prometheus": Sight.UP, "outside": Sight.UP, "kubernetes": Sight.UP}
    )

    at: datetime = NOON
    blind: bool = False

    async def look(self) -> Look:
        views = {name: View(sight, WHY[sight], self.at) for name, sight in self.sights.items()}
        return Look(self.at, views, self.blind)


UNWELL = phrase("answers 503")
