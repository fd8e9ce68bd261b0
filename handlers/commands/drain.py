"""``drain <node>``: closed to new pods, and emptied of those it has, as their disruption budgets allow."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from bot.domain.errors import PultError
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.plans import Hold, Plan, PlannedStep
from bot.ports.commands import Call, Command, Proposal
from bot.ports.evictions import Evictions, Resident
from bot.ports.nodes import Node, Nodes
from handlers.commands.cordon import about, holds
from handlers.commands.node_named import located
from handlers.commands.rehearsed import rehearsal

USAGE = "drain <node> [in <cluster>]"
BARE = "bare"
"""Name of the hold, by which it is overridden."""
NAMED = 8
"""Pods that a line names."""
AT_ONCE = 8


@dataclass(frozen=True)
class _Asked:
    """``going`` are to be evicted. ``alone``: no other pod of their controller serves."""

    node: Node
    every: tuple[Node, ...]
    going: tuple[Resident, ...]
    staying: tuple[Resident, ...]
    alone: tuple[Resident, ...]

    @property
    def bare(self) -> tuple[Resident, ...]:
        """Nobody makes them anew."""
        return tuple(each for each in self.going if not each.owner)


def duty(nodes: Nodes, evictions: Evictions, clusters: Collection[str]) -> Command:
    """Every eviction is rehearsed first, so that the card says what would stop it."""

    async def run(call: Call) -> Proposal:
        node, every = await located(nodes, clusters, call, USAGE)
        residents = sorted(await nodes.residents(node), key=lambda each: (each.pod.namespace, each.pod.name))
        going = tuple(each for each in residents if not each.stays)
        alone = await _alone(evictions, going)
        asked = _Asked(node, every, going, tuple(each for each in residents if each.stays), alone)
        return Proposal(_plan(asked, await rehearsal(evictions, [each.pod for each in going])))

    return Command(
        ("drain", "осушить", "осуши"), USAGE, phrase("empty a node of its pods, as their disruption budgets allow"),
        run, "drain", examples=("drain pool-a-1",),
    )  # fmt: skip


async def _alone(evictions: Evictions, going: Sequence[Resident]) -> tuple[Resident, ...]:
    """Those that serve and are the only ones to; of what can't be asked nothing is said."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(pod: Resident) -> bool:
        async with gate:
            try:
                return (await evictions.kin(pod.pod)).serving == 1
            except PultError:
                return False

    serving = [each for each in going if each.ready and each.owner]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(each)) for each in serving]
    return tuple(each for each, task in zip(serving, tasks, strict=True) if task.result())


def _plan(asked: _Asked, rehearsed: tuple[tuple[Phrase, Phrase], ...]) -> Plan:
    """One drain in a cluster at a time: two would take each other's pods for well. Opening a node waits for none."""
    node, count = asked.node, len(asked.going)
    close = phrase("Close {node}", node=Code(node.name))
    closed = phrase("It is closed already: leave it so")
    evict = counted(
        "Evict {n} pod, and wait until another serves in its place",
        "Evict {n} pods; of each controller the next only once the one before is replaced and serves", count,
    )  # fmt: skip
    steps = (
        PlannedStep("cordon", closed if node.closed else close, None if node.closed else phrase("open it again")),
        PlannedStep("drain", evict),
    )
    title = phrase("Drain {node} of {cluster}", node=node.name, cluster=node.cluster)
    plan = about("drain", node, title, steps, *_blast(asked))
    return replace(
        plan,
        params={**plan.params, "pods": str(count), "bare": " ".join(each.pod.uid for each in asked.bare)},
        evidence=(*_namespaces(asked), *rehearsed) if count else (),
        holds=(*holds(node, asked.every), *_unmanaged(asked)),
        lock=f"a drain in {node.cluster}",
    )


def _namespaces(asked: _Asked) -> Iterable[tuple[Phrase, Phrase]]:
    """What stands there, by namespace."""
    for space in dict.fromkeys(each.pod.namespace for each in asked.going):
        mine = [each for each in asked.going if each.pod.namespace == space]
        yield phrase("{namespace}", namespace=space), phrase("{pods} ({n})", n=len(mine), pods=_names(mine))


def _blast(asked: _Asked) -> Iterable[Phrase]:
    if not asked.going:
        yield phrase("There is no pod on it that can move.")
    if asked.alone:
        yield phrase("Nobody serves until they are ready elsewhere, for each is the only one of its kind: {pods}",
                     pods=_names(asked.alone))  # fmt: skip
    if scratch := [each for each in asked.going if each.scratch]:
        yield phrase("What they keep in emptyDir is lost: {pods}", pods=_names(scratch))
    if asked.staying:
        yield counted(
            "{n} pod stays: a DaemonSet, or the node itself, keeps it there.",
            "{n} pods stay: a DaemonSet, or the node itself, keeps them there.", len(asked.staying),
        )  # fmt: skip
    if not asked.node.ready:
        yield phrase("The node is not ready: what it runs may not end before it is, or is removed.")
    if asked.node.closed:
        yield phrase("It was closed before, so no way back opens it.")
    else:
        yield phrase("The way back opens the node; pods that have moved stay where they are.")


def _unmanaged(asked: _Asked) -> tuple[Hold, ...]:
    if not asked.bare:
        return ()
    return (Hold(BARE, phrase("Nobody makes these pods anew once they are gone: {pods}", pods=_names(asked.bare))),)


def _names(pods: Sequence[Resident]) -> Phrase:
    named = Code(", ".join(each.pod.name for each in pods[:NAMED]))
    if len(pods) <= NAMED:
        return phrase("{pods}", pods=named)
    return counted("{pods} and {n} more", "{pods} and {n} more", len(pods) - NAMED, pods=named)
