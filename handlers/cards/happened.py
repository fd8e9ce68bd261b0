"""What a cluster told, in words that a tired person understands."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.changes import (
    ClusterChange,
    Loss,
    Lost,
    NodeState,
    NodeTurned,
    Restarted,
    Rolled,
    Scaled,
    Synced,
    SyncState,
)
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.services import TOOLS

KUBECTL = "kubectl"
DIGITS = 7
"""Of a digest that no release is known by: as many as tell it from others."""


def said(fact: ClusterChange, versions: Mapping[str, str]) -> Phrase:
    """*fact* without its time. *versions*: those of releases, by the digests of their images."""
    match fact:
        case Rolled():
            return _rolled(fact, versions)
        case Restarted():
            return _restarted(fact)
        case Scaled():
            return _scaled(fact)
        case NodeTurned():
            return _node(fact)
        case Lost():
            return _lost(fact)
        case Synced():
            return _synced(fact)


def _rolled(fact: Rolled, versions: Mapping[str, str]) -> Phrase:
    told = version(fact.image, versions)
    if fact.back and told:
        return phrase("rolled back to image {version} (revision {number})", version=told, number=fact.revision)
    if fact.back:
        return phrase("rolled back (revision {number})", number=fact.revision)
    if told:
        return phrase("rolled out revision {number} (image {version})", number=fact.revision, version=told)
    return phrase("rolled out revision {number} (same image, other settings)", number=fact.revision)


def version(image: str, versions: Mapping[str, str]) -> str:
    """The release's version, else the tag, else the beginning of the digest."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return versions.get(digest) or tag or digest.partition(":")[2][:DIGITS]


def _restarted(fact: Restarted) -> Phrase:
    if fact.operation:
        return phrase("restarted by pult ({id})", id=Code(fact.operation))
    if fact.by.startswith(KUBECTL):
        return phrase("restarted with kubectl")
    return phrase("restarted by {client}", client=fact.by) if fact.by else phrase("restarted")


def _scaled(fact: Scaled) -> Phrase:
    if fact.before is None and fact.autoscaler:
        return phrase("the autoscaler scaled it to {after}", after=fact.after)
    if fact.before is None:
        return phrase("scaled to {after}", after=fact.after)
    if fact.autoscaler:
        return phrase("the autoscaler scaled it from {before} to {after}", before=fact.before, after=fact.after)
    return phrase("scaled from {before} to {after}", before=fact.before, after=fact.after)


def _node(fact: NodeTurned) -> Phrase:
    match fact.state:
        case NodeState.NOT_READY:
            return phrase("node {node} is not ready", node=fact.node)
        case NodeState.READY:
            return phrase("node {node} is ready", node=fact.node)
        case NodeState.CORDONED:
            return phrase("node {node} was cordoned: it takes no new pods", node=fact.node)
        case NodeState.UNCORDONED:
            return phrase("node {node} takes pods again", node=fact.node)
        case NodeState.REBOOTED:
            return phrase("node {node} was rebooted", node=fact.node)
        case NodeState.DISK:
            return phrase("node {node} is short of disk", node=fact.node)
        case NodeState.MEMORY:
            return phrase("node {node} is short of memory", node=fact.node)


def _lost(fact: Lost) -> Phrase:
    alone = fact.count == 1
    match fact.how:
        case Loss.EVICTED if alone:
            return phrase("pod {pod} was evicted", pod=fact.pod)
        case Loss.EVICTED:
            return counted("{n} pod was evicted", "{n} pods were evicted", fact.count)
        case Loss.PREEMPTED if alone:
            return phrase("pod {pod} had to make room for a more important one", pod=fact.pod)
        case Loss.PREEMPTED:
            return counted(
                "{n} pod had to make room for more important ones", "{n} pods had to make room for more important ones",
                fact.count,
            )  # fmt: skip
        case Loss.MEMORY if alone:
            return phrase("pod {pod} was killed for using more memory than its limit", pod=fact.pod)
        case Loss.MEMORY:
            return counted(
                "{n} pod was killed for using more memory than its limit",
                "{n} pods were killed for using more memory than their limit", fact.count,
            )  # fmt: skip


def _synced(fact: Synced) -> Phrase:
    tool, revision = TOOLS.get(fact.tool, fact.tool), fact.revision or "–"
    match fact.state:
        case SyncState.RUNNING:
            return phrase("{tool} is syncing {revision}", tool=tool, revision=revision)
        case SyncState.FAILED:
            return phrase("{tool} could not sync {revision}", tool=tool, revision=revision)
        case SyncState.DONE if fact.back:
            return phrase("{tool} went back to {revision}", tool=tool, revision=revision)
        case SyncState.DONE if fact.by:
            return phrase("{tool} synced {revision} for {person}", tool=tool, revision=revision, person=fact.by)
        case SyncState.DONE:
            return phrase("{tool} synced {revision}", tool=tool, revision=revision)
