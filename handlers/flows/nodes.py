"""Cordon, uncordon and drain: a node is closed to new pods, emptied, or opened again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.errors import DriftError, UserError
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.plans import Plan
from bot.ports.clock import Clock
from bot.ports.evictions import Evictions, Resident
from bot.ports.flows import Flow, Run, Say
from bot.ports.nodes import Node, Nodes
from handlers.flows.evicting import Evicting
from handlers.operating.closing import LAST, others_take

CLOSING = frozenset({"cordon", "drain"})
CLOSED, OPEN = "closed", "open"
"""What a plan's pin says of its node."""


@dataclass(frozen=True)
class Marking:
    """One node, closed or opened; the way back is to what it was."""

    nodes: Nodes

    async def found(self, plan: Plan) -> Node:
        """DriftError: it is gone, or another machine has its name."""
        return _named(plan, await self.nodes.nodes(plan.params["cluster"]))

    async def check(self, plan: Plan) -> None:
        """DriftError: it is gone, somebody closed or opened it, or by now no other node would take pods."""
        every = await self.nodes.nodes(plan.params["cluster"])
        node, name = _named(plan, every), Code(plan.params["node"])
        if node.closed is not _closed(plan):
            raise DriftError("{node} was closed or opened after this was planned.", node=name)
        known = LAST in {hold.name for hold in plan.holds}
        if plan.action in CLOSING and not known and not others_take(node, every):
            raise DriftError("By now no other node of {cluster} takes pods.", cluster=node.cluster)

    async def mark(self, plan: Plan, *, closed: bool) -> Phrase:
        """Looks first: what is so already is left alone."""
        await self.nodes.mark(await self.found(plan), closed=closed)
        return phrase("it takes no new pods") if closed else phrase("it takes pods again")

    async def back(self, run: Run) -> Phrase:
        """To what it was when it was planned on."""
        plan, was = run.plan, _closed(run.plan)
        node = Code(plan.params["node"])
        title = phrase("Close {node} again", node=node) if was else phrase("Open {node} again", node=node)
        await run.step("undo", lambda _: self.mark(plan, closed=was), title)
        return _now(plan, closed=was)


def marking(action: str, nodes: Nodes) -> Flow:
    """*action* is cordon or uncordon."""
    marked, closed = Marking(nodes), action == "cordon"

    async def run(running: Run) -> Phrase:
        await running.step(action, lambda _: marked.mark(running.plan, closed=closed))
        return _now(running.plan, closed=closed)

    return Flow(action, marked.check, run, marked.back)


@dataclass(frozen=True)
class _Drain:
    nodes: Nodes
    evictions: Evictions
    clock: Clock

    async def empty(self, plan: Plan, say: Say) -> Phrase:
        """Until only those are left that stay. UserError: it was opened, or there are pods that nobody makes anew."""
        node, known, before = await Marking(self.nodes).found(plan), set[str](), frozenset({"unlooked"})

        async def look() -> tuple[Resident, ...]:
            nonlocal before
            left = tuple(each for each in await self.nodes.residents(node) if not each.stays)
            now = frozenset(each.pod.uid for each in left)
            if now != before:
                await self._ours(plan, left)
                known.update(now)
                before = now
            return left

        total = int(plan.params["pods"])
        await Evicting(self.evictions, self.clock, look, total).all(say)
        return counted("{n} pod is gone from it", "{n} pods are gone from it", max(total, len(known)))

    async def _ours(self, plan: Plan, left: tuple[Resident, ...]) -> None:
        """Pods went or came: it must still be closed, and what nobody makes anew was not approved."""
        if not (await Marking(self.nodes).found(plan)).closed:
            raise UserError("{node} was opened meanwhile.", node=Code(plan.params["node"]))
        approved = set(plan.params["bare"].split())
        for each in left:
            if not each.owner and each.pod.uid not in approved:
                raise UserError(
                    "{pod} came meanwhile, and nobody makes it anew: delete it yourself.", pod=Code(each.pod.name)
                )


def drain(nodes: Nodes, evictions: Evictions, clock: Clock) -> Flow:
    """The way back opens the node; pods that have moved stay where they are."""
    marked, emptied = Marking(nodes), _Drain(nodes, evictions, clock)

    async def run(running: Run) -> Phrase:
        plan = running.plan
        await running.step("cordon", lambda _: marked.mark(plan, closed=True))
        await running.step("drain", lambda say: emptied.empty(plan, say))
        return phrase(
            "{node} of {cluster} is empty and takes no new pods.",
            node=Code(plan.params["node"]), cluster=plan.params["cluster"],
        )  # fmt: skip

    return Flow("drain", marked.check, run, marked.back)


def _named(plan: Plan, every: Iterable[Node]) -> Node:
    """DriftError: it is gone, or another machine has its name."""
    for node in every:
        if (node.name, node.uid) == (plan.params["node"], plan.pins["uid"]):
            return node
    raise DriftError("The node {node} that was planned on is gone.", node=Code(plan.params["node"]))


def _closed(plan: Plan) -> bool:
    return plan.pins["state"] == CLOSED


def _now(plan: Plan, *, closed: bool) -> Phrase:
    node, cluster = Code(plan.params["node"]), plan.params["cluster"]
    if closed:
        return phrase("{node} of {cluster} takes no new pods.", node=node, cluster=cluster)
    return phrase("{node} of {cluster} takes pods again.", node=node, cluster=cluster)
