"""The GitOps port: Argo CD or Flux of each cluster, as the environment says."""

from __future__ import annotations

from collections.abc import Mapping

from bot.adapters.kubernetes.argocd_hand import ArgoCd
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.flux_hand import Flux
from bot.domain.errors import UserError
from bot.domain.phrases import Code
from bot.domain.services import Environment
from bot.ports.gitops import Applied


class KubernetesGitOps:
    """Both speak by custom resources, in the cluster where the workload runs."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self._tools: Mapping[str, Mapping[str, ArgoCd | Flux]] = {
            "argocd": {name: ArgoCd(api) for name, api in apis.items()},
            "flux": {name: Flux(api) for name, api in apis.items()},
        }

    async def state(self, environment: Environment) -> Applied:
        """What is applied now, whoever asked for it."""
        return await self._tool(environment).state(environment)

    async def ask(self, environment: Environment, revision: str, operation: str) -> None:
        """Have it look at git and apply *revision* (empty: what its branch holds)."""
        await self._tool(environment).ask(environment, revision, operation)

    async def progress(self, environment: Environment, revision: str, operation: str) -> Applied:
        """How far *operation*'s own request is; takes its next step where the tool wants one after the other."""
        return await self._tool(environment).progress(environment, revision, operation)

    def _tool(self, environment: Environment) -> ArgoCd | Flux:
        clusters = self._tools.get(environment.gitops.tool)
        if clusters is None:
            raise UserError("No GitOps tool brings git to {environment}.", environment=environment.name)
        found = clusters.get(environment.cluster)
        if found is None:
            raise UserError("No cluster {name} is configured.", name=Code(environment.cluster))
        return found
