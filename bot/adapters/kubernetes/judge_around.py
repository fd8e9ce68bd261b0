"""What holds a workload from outside: budgets that let nothing go, autoscalers at their end. Plain JSON; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from bot.domain.phrases import Code, Phrase, phrase

Object: TypeAlias = dict[str, Any]
BY_DESIGN: Final = "ScalingDisabled"
"""ScalingActive is False for this reason where somebody scaled to nothing: no trouble."""


def budgets(found: Iterable[Object], cordoned: Sequence[str]) -> Iterator[Phrase]:
    """Budgets of the workload that allow no eviction now. Figures of another generation say nothing (contracts, 8)."""
    every = list(found)
    for each in every:
        status, meta = each.get("status") or {}, each["metadata"]
        if status.get("observedGeneration") != meta.get("generation") or status.get("disruptionsAllowed") != 0:
            continue
        short = int(status.get("currentHealthy") or 0) < int(status.get("expectedPods") or 0)
        if cordoned or not short:  # while pods are not well it lets none go as it should: no news
            yield _blocking(meta["name"], status, cordoned)
    if len(every) > 1:
        names = Code(", ".join(sorted(each["metadata"]["name"] for each in every)))
        yield phrase("several budgets select its pods ({names}): none of them can be evicted", names=names)


def _blocking(name: str, status: Object, cordoned: Sequence[str]) -> Phrase:
    healthy, wanted, expected = (
        int(status.get(key) or 0) for key in ("currentHealthy", "desiredHealthy", "expectedPods")
    )
    if wanted >= expected > 0:
        said = phrase("budget {name} never lets a pod go: it wants {wanted} of {expected} healthy",
                      name=Code(name), wanted=wanted, expected=expected)  # fmt: skip
    elif expected == 0:
        said = phrase("budget {name} selects no pod that a controller made", name=Code(name))
    else:
        said = phrase("budget {name} lets no pod go now: {healthy} are healthy, it wants {wanted}",
                      name=Code(name), healthy=healthy, wanted=wanted)  # fmt: skip
    if cordoned:
        return phrase("{said}; so {nodes} can't be drained", said=said, nodes=Code(", ".join(cordoned[:3])))
    return said


def autoscaler(scaler: Object) -> Iterator[Phrase]:
    """With ScalingActive False its numbers mean nothing (contracts, 8)."""
    name, spec, status = Code(scaler["metadata"]["name"]), scaler["spec"], scaler.get("status") or {}
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    active, able = conditions.get("ScalingActive") or {}, conditions.get("AbleToScale") or {}
    if active.get("status") == "False":
        if active.get("reason") != BY_DESIGN:
            yield phrase("autoscaler {name} does not work: {why}", name=name, why=_why(active))
        return
    if able.get("status") == "False":
        yield phrase("autoscaler {name} can't scale: {why}", name=name, why=_why(able))
    limited = conditions.get("ScalingLimited") or {}
    most, now = spec.get("maxReplicas"), status.get("currentReplicas")
    if limited.get("status") == "True" and limited.get("reason") == "TooManyReplicas":
        yield phrase("autoscaler {name} is at its ceiling of {most} and would add more", name=name, most=int(most))
    elif now is not None and now == most and spec.get("minReplicas") != most:
        yield phrase("autoscaler {name} is at its ceiling of {most}", name=name, most=int(most))


def _why(condition: Object) -> str:
    return str(condition.get("message") or condition.get("reason") or "")[:200]
