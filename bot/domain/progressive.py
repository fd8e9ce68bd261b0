"""Progressive delivery: how far a new version is let in, step by step, beside the stable one."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.phrases import Phrase, Quantity, phrase


@dataclass(frozen=True)
class Progressive:
    """Where an Argo Rollout stands. ``step`` of its ``steps`` are done; ``weight`` is the new version's share in %.

    ``under_way``: the new version is not the stable one yet. ``waits``: why it stands still until a person moves it;
    a pause that ends by itself is none. ``aborted``: the stable version serves, though the template still asks for
    the new one.
    """

    step: int
    steps: int
    weight: int
    under_way: bool
    aborted: bool = False
    waits: Phrase | None = None

    @property
    def doing(self) -> Phrase:
        """How far it is, for a live card."""
        share = Quantity(self.weight, "%", 0)
        return phrase("step {step} of {steps}, new version at {share}", step=self.step, steps=self.steps, share=share)
