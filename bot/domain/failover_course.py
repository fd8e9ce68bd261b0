"""The course of one move, as it stands in its plan: all that the flow may read, so that no step asks settings."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.domain.codec import decode, encode, stored
from bot.domain.errors import UserError
from bot.domain.failover import Move, Place, Way
from bot.domain.phrases import Code
from bot.domain.services import Catalogue, Environment, GitOps, Service


class Kind(StrEnum):
    """What is done with it."""

    FAILOVER = "failover"
    FAILBACK = "failback"
    DRILL = "drill"
    """Every step looks, none changes anything."""
    LIVE = "live"
    """There and back, for real, with staging."""


@dataclass(frozen=True)
class Lot:
    """Pods that the target must have ready: ``need`` of them; ``known``: that is a number, and not only what is there.

    ``was``: how many were asked for when it was planned; ``scaler``, ``least``, ``most``: the autoscaler's name and
    bounds then, an empty name where nothing moves the number.
    """

    service: str
    environment: Environment
    need: int
    was: int
    scaler: str = ""
    least: int = 0
    most: int = 0
    known: bool = True

    @property
    def more(self) -> bool:
        """Whether it had less than it needs when it was planned, or nobody knew."""
        return self.need > self.was

    @property
    def capped(self) -> bool:
        """Whether its autoscaler would never allow what is needed."""
        return bool(self.scaler) and self.most < self.need


@dataclass(frozen=True)
class Machines:
    """Machines of a node pool that the target must have ready. ``was``: so many were there at planning, -1: unknown."""

    pool: str
    need: int
    was: int = -1


@dataclass(frozen=True)
class Switch:
    """One place that holds the database's address, and who has to be restarted to read it anew, in that order.

    ``parts``: the fields of its Place. ``was``: what stood there at planning, empty where that was not known.
    """

    parts: tuple[str, ...]
    was: str = ""
    readers: tuple[tuple[str, Environment], ...] = ()

    @property
    def place(self) -> Place:
        return Place(*self.parts)

    @property
    def named(self) -> str:
        """For people: the Secret or the file, and the key in it."""
        place = self.place
        return f"{place.secret or place.file}:{place.key}"


@dataclass(frozen=True)
class Course:
    """From ``source`` to ``target``. ``lag`` (seconds, None: unknown) and ``reachable``: as they were at planning.

    ``held``: the lag was more than ``rpo``, or unknown, so that somebody had to override it by name. ``lost_since``:
    when the region was lost, where that is known. ``services``: those that move. ``spare``: what the source was given
    for the failover that this is the way back of, and may lose again.
    """

    kind: Kind
    source: str
    target: str
    rpo: timedelta
    planned: datetime
    rto: timedelta = timedelta(minutes=15)
    lag: float | None = None
    reachable: bool = True
    held: bool = False
    lost_since: datetime | None = None
    lots: tuple[Lot, ...] = ()
    machines: tuple[Machines, ...] = ()
    links: tuple[Switch, ...] = ()
    probes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    spare: tuple[Lot, ...] = ()

    @property
    def way(self) -> Way:
        return Way(self.source, self.target)

    @property
    def acts(self) -> bool:
        """Whether it changes anything."""
        return self.kind is not Kind.DRILL


def written(course: Course) -> str:
    """*course* as text for a plan's params."""
    return json.dumps(encode(course), sort_keys=True, ensure_ascii=False)


def read(params: Mapping[str, str], name: str = "course") -> Course:
    """The course in a plan's *params*. Plans of before there were courses moved the database and the traffic alone."""
    if name in params:
        found: Course = decode(json.loads(params[name]))
        return found
    never = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    kind = Kind(params.get("kind", Kind.FAILOVER))
    return Course(kind, params["source"], params["target"], timedelta(seconds=float(params["rpo"])), never)


def excessive(lag: float | None, rpo: timedelta) -> bool:
    """Whether a failover at this *lag* (seconds) needs somebody's word; what nobody knows does (promise 14)."""
    return unknown(lag) or (lag or 0.0) > rpo.total_seconds()


def unknown(lag: float | None) -> bool:
    """Whether nobody can tell from *lag* how much would be lost."""
    return lag is None or math.isnan(lag)


def lost(promote: Mapping[str, Any], caught_up: Mapping[str, Any], fence: Mapping[str, Any]) -> float | None:
    """Seconds of writes that the standby lacked when it was promoted, by what these steps left; None: nobody knows.

    Before a dead primary's lag nobody knows more.
    """
    if promote.get("behind") == 0 or (caught_up and not caught_up.get("silent")):
        return 0.0
    found = promote.get("lag", fence.get("lag"))
    return found if isinstance(found, int | float) and not math.isnan(found) else None


def tolerable(course: Course, now: datetime, *, reachable: bool) -> float | None:
    """Seconds of lag that may be lost now, None: any. What was overridden is what was seen at planning.

    Where the source's server answered neither then nor now, a lag grows with the clock alone: nothing more is written
    there, so that the time since is no further loss.
    """
    rpo = course.rpo.total_seconds()
    if not course.held:
        return rpo
    if course.lag is None or unknown(course.lag):
        return None
    gone = not course.reachable and not reachable
    return max(rpo, course.lag + ((now - course.planned).total_seconds() if gone else 0.0))


def moves_in(service: Service, cluster: str, move: Move) -> Environment | None:
    """The environment of *service* in *cluster* that moves; None: it has none there.

    A service whose one file is applied in every cluster has the same workload in each. UserError: more than one would
    fit, and nobody said which.
    """
    fit = [each for each in service.environments if _named(each.name, move)]
    there = [each for each in fit if each.cluster == cluster]
    own = [each for each in there if each.namespace == service.namespace] or there
    if len(own) > 1:
        names = ", ".join(each.name for each in own)
        raise UserError(
            "{service} has several environments in {cluster} that could move: {names}. Name them in {key}.",
            service=service.name, cluster=cluster, names=names, key=Code("failover.environment"),
        )  # fmt: skip
    if own:
        return own[0]
    same = [each for each in fit if each.namespace == service.namespace]
    return replace(same[0], cluster=cluster, gitops=GitOps()) if same and cluster in service.clusters else None


def moving(services: Catalogue, move: Move) -> tuple[tuple[Service, Environment, Environment], ...]:
    """Every service that runs in both regions, with its environments in the source and in the target."""
    both = ((each, moves_in(each, move.way.source, move), moves_in(each, move.way.target, move)) for each in services)
    return tuple((service, source, target) for service, source, target in both if source and target)


def readers(place: Place, found: Iterable[tuple[Service, Environment]]) -> tuple[tuple[str, Environment], ...]:
    """Who reads *place*: what runs in the Secret's namespace, or comes from the repository of the file."""
    return tuple(
        (service.name, environment)
        for service, environment in found
        if (environment.namespace == place.namespace if place.secret else environment.gitops.repo == place.repo)
    )


def linked(place: Place, was: str, found: Iterable[tuple[Service, Environment]]) -> Switch:
    """*place* as a plan keeps it."""
    return Switch(astuple(place), was, readers(place, found))


def room_mark(environment: Environment) -> str:
    """Name of the mark that remembers how many pods a workload asked for when its cluster last answered."""
    return f"room:{environment.cluster}/{environment.namespace}/{environment.kind}/{environment.workload}"


def given_mark(environment: Environment) -> str:
    """Name of the mark that remembers what a workload asked for before a move gave it more."""
    return f"given:{environment.cluster}/{environment.namespace}/{environment.kind}/{environment.workload}"


def _named(name: str, move: Move) -> bool:
    return name.startswith(move.environment) if move.environment else not name.startswith("staging")


stored(Kind, Lot, Machines, Switch, Course)
