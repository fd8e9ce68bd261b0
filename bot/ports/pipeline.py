"""The forge's pipelines: what they found, what waits for a word, and what they are to be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Check:
    """One check of a commit. ``state``: success, failure or pending; what was skipped or neutral is a success."""

    name: str
    state: str
    url: str = ""


class Pipeline(Protocol):
    """UserError: no such thing, or the token may not do it. TemporaryError: no answer, or told to wait."""

    async def checks(self, repo: str, sha: str) -> tuple[Check, ...]:
        """Every check and status of the commit, the latest of each name; empty when nothing ever checked it.

        Jobs that wait at a gate are none of them.
        """
        ...

    async def answer_gate(self, repo: str, run: int, environment: str, *, approve: bool, comment: str) -> None:
        """Answer the deployment protection rule that holds workflow *run* before *environment*; again is harmless."""
        ...

    async def waiting(self, repo: str, run: int) -> tuple[str, ...]:
        """Environments that workflow *run* waits for."""
        ...

    async def dispatch(self, repo: str, workflow: str, ref: str, inputs: dict[str, str]) -> int:
        """Start a workflow; the run's id. One that was started is found by the input ``operation`` in its title."""
        ...

    async def run_state(self, repo: str, run: int) -> str:
        """success, failure, waiting or pending."""
        ...

    async def deploy_begun(self, repo: str, sha: str, environment: str, operation: str) -> int:
        """A deployment record of the commit, the one that *operation* made already if it did; its id."""
        ...

    async def deploy_status(self, repo: str, deployment: int, state: str, description: str, url: str) -> None:
        """``state``: in_progress, success, failure, inactive. *description* is cut at 140 characters."""
        ...

    async def annotate(self, repo: str, version: str, text: str) -> None:
        """Keep *text* as pult's own part of the release's notes, replacing what it wrote there before."""
        ...
