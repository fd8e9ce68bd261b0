"""A workload as posture and right-sizing look at it: its containers, and what stands around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.domain.sizing import Sized

NOTHING: Final = Sized()


@dataclass(frozen=True)
class Container:
    """``root``: whether it may run as root: None where neither the manifest nor anybody says. ``port``: its first."""

    name: str
    image: str
    size: Sized = NOTHING
    ready: bool = True
    live: bool = True
    root: bool | None = False
    privileged: bool = False
    writable: bool = False
    port: int | None = None


@dataclass(frozen=True)
class Budget:
    """A PodDisruptionBudget. ``least`` and ``most_missing`` as they are written: a number or per cent, or ""."""

    name: str
    least: str = ""
    most_missing: str = ""


@dataclass(frozen=True)
class Anatomy:
    """``budgets`` and ``policies`` select its pods; ``idle_budgets`` select no pod of the namespace at all.

    ``scaled_by``: the HorizontalPodAutoscaler, and ``owned`` the resources it measures against requests. ``per_node``:
    one pod on each node, whatever anybody says. ``secrets``: names of those that its pods read when they start.
    ``unknown``: what could not be read, in the API's words; nothing is said of it.
    """

    replicas: int
    labels: tuple[tuple[str, str], ...]
    containers: tuple[Container, ...]
    spread: bool = True
    budgets: tuple[Budget, ...] = ()
    idle_budgets: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    scaled_by: str = ""
    owned: frozenset[str] = frozenset()
    per_node: bool = False
    unknown: tuple[str, ...] = ()
    secrets: frozenset[str] = frozenset()
