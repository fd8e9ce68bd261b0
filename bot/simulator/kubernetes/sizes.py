"""How many pods may be missing or extra: IntOrString arithmetic."""

import math

from bot.simulator.kubernetes.wire import Json, spec_of


def resolve(value: int | str | None, total: int, *, up: bool) -> int:
    """An IntOrString: ``25%`` of *total*, rounded up for a surge and down for unavailability."""
    if value is None:
        value = "25%"
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        return int(value)
    share = total * int(value[:-1]) / 100
    return math.ceil(share) if up else math.floor(share)


def limits(deployment: Json) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in pods; never both zero."""
    rolling = (spec_of(deployment).get("strategy") or {}).get("rollingUpdate") or {}
    wanted = spec_of(deployment).get("replicas")
    total = 1 if wanted is None else int(wanted)
    surge = resolve(rolling.get("maxSurge"), total, up=True)
    missing = resolve(rolling.get("maxUnavailable"), total, up=False)
    return surge, missing if surge or missing else 1
