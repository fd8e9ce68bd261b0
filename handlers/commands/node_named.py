"""The node that a person named, wherever it stands."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Collection, Sequence

from bot.domain.errors import PultError, UserError
from bot.domain.phrases import Code
from bot.ports.commands import Call
from bot.ports.nodes import Node, Nodes
from handlers.commands.replies import argument, misuse

IN = ("in", "в")


async def located(nodes: Nodes, clusters: Collection[str], call: Call, usage: str) -> tuple[Node, tuple[Node, ...]]:
    """The node, and all of its cluster. UserError: there is none of the name, or several, or a cluster is away."""
    name, asked = argument(call, 0, usage), _clusters(clusters, call.args[1:], usage)
    async with asyncio.TaskGroup() as group:
        tasks = {cluster: group.create_task(_seen(nodes, cluster)) for cluster in asked}
    told = {cluster: task.result() for cluster, task in tasks.items()}
    seen = {cluster: found for cluster, found in told.items() if not isinstance(found, PultError)}
    found = [(each, every) for every in seen.values() for each in every if each.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(
            "Several clusters have a node {name}: {clusters}. Write it like this: {usage}",
            name=Code(name[:80]), clusters=", ".join(each.cluster for each, _ in found), usage=Code(usage),
        )  # fmt: skip
    raise _missing(name, told, [each.name for every in seen.values() for each in every])


async def _seen(nodes: Nodes, cluster: str) -> tuple[Node, ...] | PultError:
    """An error stands for a cluster that can't be asked: the others still answer."""
    try:
        return await nodes.nodes(cluster)
    except PultError as error:
        return error


def _clusters(known: Collection[str], rest: Sequence[str], usage: str) -> Collection[str]:
    if not rest:
        return known
    if len(rest) != 2 or rest[0] not in IN:
        raise misuse(usage)
    if rest[1] not in known:
        raise UserError("No cluster {name} is configured.", name=Code(rest[1][:60]))
    return (rest[1],)


def _missing(name: str, told: dict[str, tuple[Node, ...] | PultError], names: list[str]) -> UserError:
    refused = next((each for each in told.values() if isinstance(each, UserError)), None)
    if refused is not None:
        return refused
    away = ", ".join(cluster for cluster, found in told.items() if isinstance(found, PultError))
    if away:
        return UserError("{away} can't be asked now, and no other cluster has a node {name}.", away=away,
                         name=Code(name[:80]))  # fmt: skip
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or sorted(names)[:10]
    return UserError("There is no node {name}. There are: {names}.", name=Code(name[:80]), names=", ".join(near))
