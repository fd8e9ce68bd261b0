"""What the scheduler says of a pod that no node takes, in words. Plain text in, phrases out; pure.

Its reasons: kubernetes/kubernetes pkg/scheduler/framework/plugins/*, each "N reason", joined as FitError.Error in
pkg/scheduler/framework/types.go does. One node may count under several of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.domain.phrases import Code, Phrase, counted, in_line, phrase, verbatim

_HEAD = re.compile(r"(\d+)/(\d+) nodes are available: ?")
_TAIL = re.compile(r"\.? *preemption: ")
_PART = re.compile(r"(?:(\d+) )?(?:[Nn]ode\(s\) )?(.+)", re.DOTALL)
_APART = re.compile(r", (?=\d+ )|, (?!that the pod)(?=pod has|persistentvolumeclaim)")
"""Between two reasons; an older one has a comma of its own: "had taint {a: b}, that the pod didn't tolerate"."""
_TAINT = re.compile(r"had (?:untolerated )?taint(?:\(s\)|s)? ?(?:\{([^}]*)\})?")
_INSUFFICIENT = re.compile(r"Insufficient (\S+)")


@dataclass(frozen=True)
class Reason:
    """``nodes``: how many it rules out; 0 where it is about the pod and so about every node."""

    nodes: int
    text: str


@dataclass(frozen=True)
class Unplaced:
    """``nodes``: how many the scheduler looked at."""

    nodes: int
    reasons: tuple[Reason, ...]


def read(message: str) -> Unplaced | None:
    """None: it is no sentence of the scheduler's about nodes."""
    head = _HEAD.match(message)
    if head is None:
        return None
    told = _TAIL.split(message[head.end() :], maxsplit=1)[0].strip().removesuffix(".")
    parts = (_PART.fullmatch(part.strip()) for part in _APART.split(told))
    return Unplaced(int(head[2]), tuple(Reason(int(part[1] or 0), part[2]) for part in parts if part))


def words(message: str) -> Phrase:
    """*message* as people say it; what is not known to this table stays as it is."""
    found = read(message)
    if found is None or not found.reasons:
        return phrase("can't be scheduled: {why}", why=message)
    ordered = sorted(found.reasons, key=lambda reason: -(reason.nodes or found.nodes))
    why = in_line(map(_reason, ordered), "; ")
    return counted(
        "can't be scheduled: {why} (of {n} node)", "can't be scheduled: {why} (of {n} nodes)", found.nodes, why=why
    )


def _reason(reason: Reason) -> Phrase:
    n = reason.nodes
    if lacking := _INSUFFICIENT.fullmatch(reason.text):
        return _lacking(lacking[1], n)
    if taint := _TAINT.match(reason.text):
        return _tainted((taint[1] or "").strip().removesuffix(":"), n)
    said = next((words for words in _known(reason.text, n)), None)
    return said or (phrase("{n}: {why}", n=n, why=reason.text) if n else verbatim(reason.text))


def _lacking(resource: str, n: int) -> Phrase:
    match resource:
        case "cpu":
            return counted("{n} node has too little CPU free", "{n} nodes have too little CPU free", n)
        case "memory":
            return counted("{n} node has too little memory free", "{n} nodes have too little memory free", n)
        case _:
            return counted(
                "{n} node has too little {resource} free", "{n} nodes have too little {resource} free", n,
                resource=Code(resource),
            )  # fmt: skip


def _tainted(taint: str, n: int) -> Phrase:
    if not taint:
        return counted("{n} node has a taint that it doesn't tolerate",
                       "{n} nodes have taints that it doesn't tolerate", n)  # fmt: skip
    return counted(
        "{n} node has the taint {taint}, which it doesn't tolerate",
        "{n} nodes have the taint {taint}, which it doesn't tolerate", n, taint=Code(taint),
    )  # fmt: skip


def _known(text: str, n: int) -> Iterator[Phrase]:
    """By what the reason begins with, or holds; the first that fits counts."""
    for marks, said in _table(n):
        if _holds(text, marks):
            yield said


def _table(n: int) -> Iterable[tuple[tuple[str, ...], Phrase]]:
    yield ("were unschedulable", "was unschedulable"), counted("{n} node is cordoned", "{n} nodes are cordoned", n)
    yield ("node affinity/selector", "match node selector", "match Pod's node affinity"), counted(
        "{n} node does not match its node selector or affinity",
        "{n} nodes do not match its node selector or affinity", n,
    )  # fmt: skip
    yield ("anti-affinity",), counted("anti-affinity keeps it away from {n} node",
                                      "anti-affinity keeps it away from {n} nodes", n)  # fmt: skip
    yield ("pod affinity",), counted("{n} node runs none of the pods that it wants to be near to",
                                     "{n} nodes run none of the pods that it wants to be near to", n)  # fmt: skip
    yield ("missing required label",), counted(
        "{n} node lacks the label that its topology spread goes by",
        "{n} nodes lack the label that its topology spread goes by", n,
    )  # fmt: skip
    yield ("topology spread",), counted("its topology spread rules out {n} node",
                                        "its topology spread rules out {n} nodes", n)  # fmt: skip
    yield (
        ("volume node affinity", "no available volume zone"),
        counted("its volume is in another zone than {n} node", "its volume is in another zone than {n} nodes", n),
    )
    yield ("unbound immediate PersistentVolumeClaims",), phrase("its volume claim is bound to no volume")
    yield ("persistentvolumeclaim ",), phrase("a volume claim of its is missing")
    yield (
        ("persistent volumes to bind", "enough free storage"),
        counted("{n} node can reach no volume for its claim", "{n} nodes can reach no volume for its claim", n),
    )
    yield ("max volume count",), counted("{n} node can't attach more volumes", "{n} nodes can't attach more volumes", n)
    yield ("free ports",), counted("the host port it wants is taken on {n} node",
                                   "the host port it wants is taken on {n} nodes", n)  # fmt: skip
    yield ("Too many pods",), counted("{n} node runs as many pods as it may",
                                      "{n} nodes run as many pods as they may", n)  # fmt: skip


def _holds(text: str, marks: Iterable[str]) -> bool:
    return any(mark in text for mark in marks)
