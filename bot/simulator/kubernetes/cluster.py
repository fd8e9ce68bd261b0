"""One simulated cluster: its objects, what was asked of it, and what its controllers remember between ticks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.simulator.kubernetes.fields import Fields
from bot.simulator.kubernetes.kinds import EVENT
from bot.simulator.kubernetes.store import Store
from bot.simulator.kubernetes.wire import Json, annotations_of, meta, name_of, namespace_of, stamp
from bot.simulator.world import World

EVENTS_KEPT: Final = 300
"""Events kept; the real server forgets them after about an hour (contracts.md, section 8)."""
GONE_KEPT: Final = 200
"""Ended pods that are remembered."""


@dataclass(frozen=True)
class Call:
    """One request as RBAC sees it. *resource* includes the subresource: ``pods/eviction``."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Denial:
    """A missing permission; ``*`` in any place stands for all."""

    verb: str
    group: str
    resource: str
    namespace: str

    def covers(self, call: Call) -> bool:
        mine = (self.verb, self.group, self.resource, self.namespace)
        theirs = (call.verb, call.group, call.resource, call.namespace)
        return all(have in ("*", want) for have, want in zip(mine, theirs, strict=True))


@dataclass
class Notes:
    """What controllers keep in memory: exact times, since the objects carry whole seconds only."""

    since: dict[str, datetime] = field(default_factory=dict)
    """Key (uid, or uid and a word) → when it began."""
    stages: dict[str, str] = field(default_factory=dict)
    """Pod uid → the stage its status shows."""
    crashing: set[str] = field(default_factory=set)
    """Pod uids that crash again each time they are started."""
    databases: dict[str, str] = field(default_factory=dict)
    """Pod uid → host of the database that it was told of when it started."""
    gone: list[tuple[Json, datetime]] = field(default_factory=list)
    """Pods that ended, and when: what collects logs remembers them."""

    def began(self, key: str, now: datetime) -> datetime:
        """When *key* was first seen."""
        return self.since.setdefault(key, now)

    def bury(self, pod: Json, now: datetime) -> None:
        """Remember a pod that ended."""
        self.gone.append((pod, now))
        del self.gone[:-GONE_KEPT]

    def forget(self, uid: str) -> None:
        for key in [key for key in self.since if key.startswith(uid)]:
            del self.since[key]
        self.stages.pop(uid, None)
        self.databases.pop(uid, None)
        self.crashing.discard(uid)


class Cluster:
    """State of one cluster, named after its region. Tests read *calls* and set *denials* and *metrics_up*."""

    def __init__(self, name: str, world: World, runnable: Callable[[str], bool]) -> None:
        self.name = name
        self.world = world
        self.runnable = runnable
        """Whether an image can be pulled."""
        self.store = Store(world.random)
        self.notes = Notes()
        self.fields = Fields()
        self.calls: list[Call] = []
        self.denials: set[Denial] = set()
        self.metrics_up = True
        """False: metrics.k8s.io answers 503, as when metrics-server is down."""

    @property
    def down(self) -> bool:
        return bool(self.world.faults.active("region_down", self.name))

    def now(self) -> datetime:
        return self.world.clock.now()

    def passed(self, since: datetime, now: datetime, seconds: float) -> bool:
        """Whether *seconds* of simulated time went by since then."""
        return (now - since).total_seconds() >= self.world.seconds(seconds)

    def deny(self, verb: str, resource: str, *, group: str = "*", namespace: str = "*") -> None:
        """Take a permission away: requests get 403 and access reviews say no."""
        self.denials.add(Denial(verb, group, resource, namespace))

    def allowed(self, call: Call) -> bool:
        return not any(denial.covers(call) for denial in self.denials)

    def event(self, about: Json, reason: str, message: str, *, component: str, warning: bool = False) -> None:
        """Record a core/v1 Event; the same one again raises its count."""
        now = self.now()
        for old in self.store.all(EVENT, namespace_of(about)):
            if old["involvedObject"]["uid"] == meta(about)["uid"] and (old["reason"], old["message"]) == (
                reason,
                message,
            ):
                self.store.put(EVENT, old | {"count": old["count"] + 1, "lastTimestamp": stamp(now)})
                return
        self.store.create(
            EVENT, self._event(about, reason, message, component, "Warning" if warning else "Normal"), now
        )
        self._forget_events()

    def _event(self, about: Json, reason: str, message: str, component: str, level: str) -> Json:
        now, name = self.now(), name_of(about)
        place = {"namespace": namespace_of(about) or "default"}
        return {
            "metadata": place | {"name": f"{name}.{self.world.random.getrandbits(64):016x}"},
            "involvedObject": place
            | {
                "kind": about["kind"],
                "name": name,
                "uid": meta(about)["uid"],
                "apiVersion": about["apiVersion"],
                "resourceVersion": meta(about)["resourceVersion"],
            },
            "reason": reason,
            "message": message,
            "source": {"component": component},
            "firstTimestamp": stamp(now),
            "lastTimestamp": stamp(now),
            "count": 1,
            "type": level,
            "eventTime": None,
            "reportingComponent": component,
            "reportingInstance": "",
        }

    def _forget_events(self) -> None:
        events = self.store.all(EVENT)
        if len(events) > EVENTS_KEPT:
            oldest = min(events, key=lambda event: int(meta(event)["resourceVersion"]))
            self.store.remove(EVENT, namespace_of(oldest), name_of(oldest))


def annotate(obj: Json, **values: str) -> Json:
    """A copy of *obj* with annotations added. Underscore-free keys go through ``**{...}``."""
    return obj | {"metadata": meta(obj) | {"annotations": annotations_of(obj) | values}}
