"""What has to be written in git for another number of pods."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.errors import UserError
from bot.domain.manifests_replicas import with_replicas
from bot.domain.manifests_tree import Named
from bot.domain.phrases import Code
from bot.domain.services import TOOLS, Environment, Service
from bot.ports.forge import Forge
from handlers.shaping import folders


@dataclass(frozen=True)
class Written:
    """``text`` instead of ``before`` in the file at ``path``, which is ``sha`` now."""

    path: str
    text: str
    before: str
    sha: str

    def params(self, environment: Environment) -> dict[str, str]:
        """What a flow needs to write it and to have it applied."""
        gitops = environment.gitops
        return {
            "tool": gitops.tool, "application": gitops.application, "repo": gitops.repo, "branch": gitops.branch,
            "by": gitops.by, "path": self.path, "text": self.text, "before": self.before,
        }  # fmt: skip


async def written(forge: Forge | None, service: Service, environment: Environment, count: int) -> Written:
    """UserError: git says it already, or pult can't say it there; then what to do instead."""
    try:
        was = await folders.read(forge, environment)
        now = with_replicas(was.folder, Named(environment.kind, environment.workload), count)
    except UserError as error:
        gitops = environment.gitops
        raise UserError(
            "{service} in {environment} belongs to git, and {tool} may put the number back: change replicas in {repo}, "
            "beside {path}. pult can't: {why}",
            service=service.name, environment=environment.name, tool=TOOLS[gitops.tool], repo=gitops.repo or "–",
            path=Code(gitops.path or "–"), why=error.phrase,
        ) from error  # fmt: skip
    for path, text in folders.changed_files(was.folder, now).items():  # the number stands in one of them
        return Written(path, text, was.folder.texts[path], was.shas[path])
    raise UserError("Git says it already for {service} in {environment}: sync it.", service=service.name,
                    environment=environment.name)  # fmt: skip
