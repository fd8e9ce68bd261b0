"""How the simulator is started, and where it sends its webhooks."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """The pult that gets the department's webhooks; the secrets must be those of its configuration."""

    url: str = ""
    """Without a slash at the end. Empty: nothing is sent."""
    alertmanager_token: str = "sim-alertmanager-token"  # noqa: S105 - published demo value
    release_secret: str = "sim-release-secret"  # noqa: S105 - published demo value
    github_secret: str = "sim-github-secret"  # noqa: S105 - published demo value


@dataclass(frozen=True)
class SimulatorSettings:
    host: str = "127.0.0.1"
    port: int = 9000
    """0: any free port; `Simulation.url` tells which."""
    seed: int = 1
    speed: float = 1.0
    """How many times faster than life rollouts, promotions and alert timers go."""
    target: Target = field(default_factory=Target)
