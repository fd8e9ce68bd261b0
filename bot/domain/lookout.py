"""What one watch has shown so far, in as little as judgement needs: a lookout keeps the ill, and when what died."""

from __future__ import annotations

from collections import deque
from collections.abc import Set
from datetime import datetime

from bot.domain import trouble
from bot.domain.sights import WELL, CertificateSight, JobSight, Kind, Owner, PodSight, RolloutSight, Sight
from bot.domain.trouble import Finding, Limits


class Lookout:
    """Objects of one place. Times are given, never read."""

    def __init__(self, kind: Kind, limits: Limits) -> None:
        self._kind, self._limits = kind, limits
        self._seen: dict[str, Sight] = {}
        self._ill: dict[str, PodSight] = {}
        self._died: dict[Owner, deque[datetime]] = {}
        self._still: dict[Owner, tuple[tuple[int, ...], datetime]] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def only(self, names: Set[str]) -> None:
        """A list was read to its end: what is not among *names* is gone."""
        for name in self._seen.keys() - names:
            self.gone(name)

    def seen(self, name: str, sight: Sight, now: datetime) -> None:
        """One object as it is now."""
        if isinstance(sight, PodSight):
            self._pod(name, sight, now)
        elif isinstance(sight, RolloutSight):
            self._rollout(sight, now)
        self._seen[name] = sight

    def gone(self, name: str) -> None:
        """One object that is no more. What died in it did die."""
        sight = self._seen.pop(name, None)
        self._ill.pop(name, None)
        if isinstance(sight, RolloutSight):
            self._still.pop(sight.owner, None)

    def judged(self, now: datetime) -> list[Finding]:
        """Every trouble now; of a workload that is not among them nothing is wrong."""
        limits = self._limits
        match self._kind:
            case Kind.POD:
                self._forget(now)
                return trouble.of_pods(self._ill.values(), self._died, limits, now)
            case Kind.JOB:
                return trouble.of_jobs((each for each in self._seen.values() if isinstance(each, JobSight)), now)
            case Kind.CERTIFICATE:
                sights = (each for each in self._seen.values() if isinstance(each, CertificateSight))
                return trouble.of_certificates(sights, limits, now)
            case Kind.DEPLOYMENT | Kind.STATEFULSET | Kind.DAEMONSET | Kind.ROLLOUT:
                since = {owner: at for owner, (_, at) in self._still.items()}
                workloads = (each for each in self._seen.values() if isinstance(each, RolloutSight))
                return trouble.of_rollouts(workloads, since, limits, now)

    def _pod(self, name: str, sight: PodSight, now: datetime) -> None:
        """Containers that died since the pod was seen last; of one that is new only its last death is known."""
        known = self._seen.get(name)
        same = known if isinstance(known, PodSight) and known.uid == sight.uid else None
        at = min(sight.ailment.ended or now, now)
        if same is not None:
            self._note(sight.owner, at, sight.restarts - same.restarts)
        elif sight.restarts and sight.ailment.ended:
            self._note(sight.owner, at, 1)
        if self._acute(sight, now):
            self._ill[name] = sight
        else:
            self._ill.pop(name, None)

    def _acute(self, sight: PodSight, now: datetime) -> bool:
        """Whether it can be trouble now: what died long ago, and runs, is as good as what never did."""
        ails = sight.ailment
        if ails is WELL:
            return False
        return bool(
            ails.pending or ails.image or ails.looping or (ails.ended and now - ails.ended < self._limits.within)
        )

    def _note(self, owner: Owner, at: datetime, times: int) -> None:
        if times > 0:
            room = self._limits.restarts
            self._died.setdefault(owner, deque(maxlen=room)).extend([at] * min(times, room))

    def _forget(self, now: datetime) -> None:
        """Let go of what no judgement asks for any more."""
        for name in [name for name, sight in self._ill.items() if not self._acute(sight, now)]:
            del self._ill[name]
        looping = {sight.owner for sight in self._ill.values() if sight.ailment.looping}
        old = (owner for owner, times in self._died.items() if now - max(times) >= self._limits.within)
        for owner in [owner for owner in old if owner not in looping]:
            del self._died[owner]

    def _rollout(self, sight: RolloutSight, now: datetime) -> None:
        known = self._still.get(sight.owner)
        if sight.under_way is None:
            self._still.pop(sight.owner, None)
        elif known is None or known[0] != sight.under_way:
            self._still[sight.owner] = (sight.under_way, now)
