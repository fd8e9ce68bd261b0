"""``cordon <node>``, ``uncordon <node>``: no new pods come to it; they do again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bot.domain.errors import UserError
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Hold, Plan, PlannedStep
from bot.ports.commands import Call, Command, Proposal
from bot.ports.nodes import Node, Nodes
from handlers.commands.node_named import located
from handlers.operating.closing import LAST, others_take

CORDON = "cordon <node> [in <cluster>]"
UNCORDON = "uncordon <node> [in <cluster>]"


def cordon(nodes: Nodes, clusters: Collection[str]) -> Command:
    """What stands on it stays."""

    async def run(call: Call) -> Proposal:
        node, every = await located(nodes, clusters, call, CORDON)
        if node.closed:
            raise UserError("{node} of {cluster} is closed already.", node=Code(node.name), cluster=node.cluster)
        title = phrase("Close {node} of {cluster} to new pods", node=node.name, cluster=node.cluster)
        step = PlannedStep("cordon", phrase("Close {node}", node=Code(node.name)), phrase("open it again"))
        stay = phrase("The pods on it stay; new ones go to other nodes.")
        return Proposal(replace(about("cordon", node, title, (step,), stay), holds=holds(node, every)))

    return Command(
        ("cordon", "закрыть", "закрой"), CORDON, phrase("let no new pods come to a node"), run, "cordon",
        examples=("cordon pool-a-1",),
    )  # fmt: skip


def uncordon(nodes: Nodes, clusters: Collection[str]) -> Command:
    """Pods do not come back by themselves."""

    async def run(call: Call) -> Proposal:
        node, _ = await located(nodes, clusters, call, UNCORDON)
        if not node.closed:
            raise UserError("{node} of {cluster} is open already.", node=Code(node.name), cluster=node.cluster)
        title = phrase("Open {node} of {cluster} for pods", node=node.name, cluster=node.cluster)
        step = PlannedStep("uncordon", phrase("Open {node}", node=Code(node.name)), phrase("close it again"))
        blast = [phrase("New pods may come to it; none is moved.")]
        if not node.ready:
            blast.append(phrase("It is not ready now, so none comes before it is."))
        return Proposal(about("uncordon", node, title, (step,), *blast))

    return Command(
        ("uncordon", "открыть", "открой"), UNCORDON, phrase("let pods come to a node again"), run, "uncordon",
        examples=("uncordon pool-a-1",),
    )  # fmt: skip


def about(action: str, node: Node, title: Phrase, steps: tuple[PlannedStep, ...], *blast: Phrase) -> Plan:
    """A plan about one node, bound to that machine and to whether it is closed now. Its environment is the cluster."""
    return Plan(
        action=action,
        title=title,
        service="",
        environment=node.cluster,
        steps=steps,
        params={"cluster": node.cluster, "node": node.name},
        pins={"uid": node.uid, "state": "closed" if node.closed else "open"},
        blast=blast,
        lock=f"node {node.name} of {node.cluster}",
    )


def holds(node: Node, every: Collection[Node]) -> tuple[Hold, ...]:
    """No node would be left for new pods."""
    if others_take(node, every):
        return ()
    return (Hold(LAST, phrase("No other node of {cluster} takes pods", cluster=node.cluster)),)
