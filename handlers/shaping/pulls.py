"""A plan that ends in a pull request for people to review, and what both of its kinds have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.errors import UserError
from bot.domain.manifests_tree import Folder
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.plans import Plan, PlannedStep
from bot.domain.services import Environment, Service
from handlers.shaping.folders import Read, changed_files, lines_changed

FILE = "file "
"""Before the path of a file among a plan's params."""
PULL = frozenset({"--pull", "pull"})
"""How people ask for the pull request."""


@dataclass(frozen=True)
class Wanted:
    """``subject`` is the commit's and the pull request's title, ``body`` its text: English, as git is."""

    action: str
    title: Phrase
    subject: str
    body: str
    blast: tuple[Phrase, ...] = ()
    evidence: tuple[tuple[Phrase, Phrase], ...] = ()


def plan(service: Service, environment: Environment, was: Read, now: Folder, wanted: Wanted) -> Plan:
    """Approved is the very text that will be proposed. UserError: git says it all already."""
    files = changed_files(was.folder, now)
    if not files:
        raise UserError("Git says it already for {service} in {environment}: sync it.", service=service.name,
                        environment=environment.name)  # fmt: skip
    gitops = environment.gitops
    return Plan(
        action=wanted.action,
        title=wanted.title,
        service=service.name,
        environment=environment.name,
        steps=(PlannedStep("propose", phrase("Propose a pull request to {repo}; people merge it", repo=gitops.repo)),),
        params={
            "repo": gitops.repo, "branch": gitops.branch, "subject": wanted.subject, "body": wanted.body,
            **{f"{FILE}{path}": text for path, text in files.items()},
        },
        pins={path: was.shas[path] for path in files if path in was.shas},
        blast=wanted.blast,
        evidence=(*wanted.evidence, *_changes(was.folder, now)),
        lock=f"{service.name} in {environment.name}",
    )  # fmt: skip


def asked_to_pull(args: tuple[str, ...]) -> tuple[bool, tuple[str, ...]]:
    """Whether a pull request is asked for, and the other words."""
    rest = tuple(word for word in args if word.lower() not in PULL)
    return len(rest) < len(args), rest


def _changes(was: Folder, now: Folder) -> Iterator[tuple[Phrase, Phrase]]:
    for path in changed_files(was, now):
        plus, minus = lines_changed(was, now, path)
        label = phrase("{path}", path=Code(path))
        if path not in was.texts:
            yield label, counted("new, {n} line", "new, {n} lines", plus)
        else:
            yield label, phrase("+{plus} −{minus} lines", plus=plus, minus=minus)
