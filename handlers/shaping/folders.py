"""The deployment files of an environment, as git holds them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bot.domain.errors import UserError
from bot.domain.manifests_tree import Folder, named_files
from bot.domain.services import Environment
from bot.ports.forge import Forge

MOST: Final = 20
"""Files that a kustomization names and that are looked at; one with more is put together from parts."""


@dataclass(frozen=True)
class Read:
    """What was read, and the sha of each file."""

    folder: Folder
    shas: Mapping[str, str]


def unknown(forge: Forge | None, environment: Environment) -> UserError | None:
    """Why nothing can be read or proposed, as far as the configuration tells; None: it can be tried."""
    if forge is None:
        return UserError("No GitHub is configured.")
    if not (environment.gitops.repo and environment.gitops.path):
        return UserError(
            "pult knows no deployment file for {environment}: name it by gitops.repo and gitops.path.",
            environment=environment.name,
        )
    return None


async def read(forge: Forge | None, environment: Environment) -> Read:
    """UserError: no forge, or no file is configured or there."""
    gitops = environment.gitops
    if why := unknown(forge, environment):
        raise why
    assert forge is not None
    main = await forge.read(gitops.repo, gitops.path, gitops.branch)
    texts, shas = {gitops.path: main.text}, {gitops.path: main.sha}
    for path in named_files(gitops.path, main.text)[:MOST]:
        try:
            file = await forge.read(gitops.repo, path, gitops.branch)
        except UserError:  # it is not there: what applies the kustomization says so louder than pult could
            continue
        texts[path], shas[path] = file.text, file.sha
    return Read(Folder(gitops.path, texts), shas)


def changed_files(was: Folder, now: Folder) -> dict[str, str]:
    """Paths and texts of those that are new or differ."""
    return {path: text for path, text in sorted(now.texts.items()) if was.texts.get(path) != text}


def diff(was: Folder, now: Folder) -> str:
    """All changes as a unified diff."""
    return "".join(line for path in changed_files(was, now) for line in _diff(was, now, path))


def lines_changed(was: Folder, now: Folder, path: str) -> tuple[int, int]:
    """How many lines of one file come and go."""
    marks = [line[0] for line in _diff(was, now, path) if not line.startswith(("+++", "---"))]
    return marks.count("+"), marks.count("-")


def _diff(was: Folder, now: Folder, path: str) -> Iterator[str]:
    before = was.texts.get(path, "").splitlines(keepends=True)
    after = now.texts[path].splitlines(keepends=True)
    source = f"a/{path}" if path in was.texts else "/dev/null"
    for line in difflib.unified_diff(before, after, source, f"b/{path}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
