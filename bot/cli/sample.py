"""A ready configuration for the simulated department."""

from __future__ import annotations

from pathlib import Path

TEMPLATE = Path(__file__).with_name("sample.toml")


def sample(simulator: str, *, port: int, store: str, kubeconfig: str) -> str:
    """``pult.toml`` that points at the simulator at address *simulator*."""
    text = TEMPLATE.read_text()
    for mark, value in (("@SIM@", simulator), ("@PORT@", str(port)), ("@STORE@", store), ("@KUBECONFIG@", kubeconfig)):
        text = text.replace(mark, value)
    return text
