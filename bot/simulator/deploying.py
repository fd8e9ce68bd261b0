"""What the deploying workflow does at its end: the image of a version goes into a cluster."""

from typing import Final

from bot.simulator.github.state import Forge, Repository, Run
from bot.simulator.kubernetes import gitops, images
from bot.simulator.kubernetes.state import REGIONS, Clusters
from bot.simulator.world import World

_STAGING: Final = "staging"


def deploy_from_github(world: World) -> None:
    """Let the simulated workflows reach the simulated clusters."""
    assert isinstance(world.github, Forge)
    world.github.deploy = lambda repo, run: _deployed(world, repo, run)


def _deployed(world: World, repo: Repository, run: Run) -> bool:
    """Put the image that *run* names by digest, version or tag to where it deploys to; False: there is no such."""
    if run.workflow != "deploy.yml" or not run.environment or not isinstance(world.clusters, Clusters):
        return True
    version = _version(repo, run)
    if version not in images.VERSIONS.get(repo.name, ()):
        return False
    namespace = _STAGING if run.environment == _STAGING else "production"
    region = next((region for region in REGIONS if run.environment.endswith(region)), REGIONS[0])
    cluster = world.clusters.cluster(region)
    wanted = gitops.Wanted(run.sha, namespace, repo.name, images.image(repo.name, version))
    gitops.apply(cluster, wanted, "kubectl-set")  # as its last step does
    return True


def _version(repo: Repository, run: Run) -> str:
    if digest := run.inputs.get("digest"):
        return images.version_of(f"{images.REGISTRY}/{repo.name}@{digest}") or ""
    tags = (tag for tag, sha in reversed(repo.history.tags.items()) if sha == run.sha)
    return str(run.inputs.get("version") or next(tags, "")).removeprefix("v")
