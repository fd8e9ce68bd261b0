"""Reading an Argo Rollout: is it done, is it stuck, at which step does it stand. Plain JSON in, facts out; pure.

Rules: argo-rollouts utils/rollout/rolloututil.go (GetRolloutPhase), utils/replicaset/canary.go (GetCurrentSetWeight).
"""

from __future__ import annotations

from typing import Any

from bot.domain.phrases import Phrase, phrase, verbatim
from bot.domain.progressive import Progressive

Object = dict[str, Any]
GENERATION = "rollout.argoproj.io/workload-generation"
"""Annotation: generation of the Deployment that a workloadRef names, as the controller last noted it."""


def observed(obj: Object) -> bool:
    """Whether the status speaks of what is asked for now."""
    meta, status = obj["metadata"], obj.get("status") or {}
    seen, noted = str(status.get("observedGeneration") or ""), (meta.get("annotations") or {}).get(GENERATION)
    if not seen:
        return False
    if seen.isdecimal() and int(seen) < meta.get("generation", 0):  # a hash before v0.10
        return False
    if noted is not None and status.get("workloadObservedGeneration", noted) != noted:
        return False
    return not _resuming(status)


def done(obj: Object) -> bool:
    """All the way to the new version, and healthy."""
    return (obj.get("status") or {}).get("phase") == "Healthy"


def stuck(obj: Object) -> Phrase | None:
    """Why it will not get there by itself: aborted, out of time, or a spec that can't be."""
    status = obj.get("status") or {}
    if status.get("phase") != "Degraded":
        return None
    return verbatim(status.get("message") or "Degraded")


def progressive(obj: Object) -> Progressive:
    """At which step it stands."""
    spec, status = obj["spec"], obj.get("status") or {}
    steps = _steps(spec)
    under_way = under_way_in(obj)
    step = min(int(status.get("currentStepIndex") or 0), len(steps)) if under_way else len(steps)
    return Progressive(
        step=step,
        steps=len(steps),
        weight=_weight(status, steps, step) if under_way else 100,
        under_way=under_way,
        aborted=status.get("abort") is True,
        waits=_waits(spec, status, steps, step),
    )


def under_way_in(obj: Object) -> bool:
    """Whether another version than the stable one is asked for."""
    status = obj.get("status") or {}
    return bool(status.get("currentPodHash") != status.get("stableRS"))


def _steps(spec: Object) -> list[Object]:
    return ((spec.get("strategy") or {}).get("canary") or {}).get("steps") or []


def _resuming(status: Object) -> bool:
    """A person took the pause away, and the controller has not noticed yet."""
    return bool(status.get("controllerPause")) and not status.get("pauseConditions")


def _weight(status: Object, steps: list[Object], step: int) -> int:
    if status.get("abort") is True:
        return 0
    if step >= len(steps):
        return 100 if steps else 0
    return next((each["setWeight"] for each in reversed(steps[: step + 1]) if "setWeight" in each), 0)


def _waits(spec: Object, status: Object, steps: list[Object], step: int) -> Phrase | None:
    if spec.get("paused") is True:
        return phrase("it was paused by hand")
    for condition in status.get("pauseConditions") or ():
        match condition.get("reason"):
            case "CanaryPauseStep" if step < len(steps) and not (steps[step].get("pause") or {}).get("duration"):
                return phrase("it waits at step {step} of {steps} to be promoted", step=step + 1, steps=len(steps))
            case "BlueGreenPause" if not _promotes_itself(spec):
                return phrase("the new version waits to be promoted")
            case "InconclusiveAnalysisRun" | "InconclusiveExperiment":
                return phrase("its analysis can't tell good from bad: a person has to")
            case _:  # a pause that ends by itself
                continue
    return None


def _promotes_itself(spec: Object) -> bool:
    strategy = (spec.get("strategy") or {}).get("blueGreen") or {}
    return strategy.get("autoPromotionEnabled") is not False and bool(strategy.get("autoPromotionSeconds"))
