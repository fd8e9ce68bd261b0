"""A ready configuration for the simulated department."""

from __future__ import annotations

from pathlib import Path

TEMPLATE = Path(__file__).with_name("sample.toml")


def sample(simulator: str, *, port: int, store: str, kubeconfig: str, bake: str = "0s") -> str:
    """``pult.toml`` that points at the simulator at address *simulator*. *bake*: how long a new api is watched."""
    text = TEMPLATE.read_text()
    told = {"SIM": simulator, "PORT": str(port), "STORE": store, "KUBECONFIG": kubeconfig, "BAKE": bake}
    for mark, value in told.items():
        text = text.replace(f"@{mark}@", value)
    return text
