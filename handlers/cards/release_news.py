"""News of a release: a line under its card, for what an edit alone would let people miss."""

from __future__ import annotations

from bot.domain.messages import Aside, Button, Message, Style, Tone
from bot.domain.phrases import Code, phrase
from bot.domain.releases import Deployment, Fate


def draw(deployment: Deployment, *, production: bool) -> Message | None:
    """One line, or None for what deserves none: only production's good news do, and every bad news."""
    names = {
        "service": deployment.service,
        "version": deployment.version,
        "environment": deployment.environment,
    }
    match deployment.fate:
        case Fate.GOOD if production:
            said, tone = phrase("{service} {version} runs in {environment}", **names), Tone.OK
        case Fate.BAD:
            said, tone = phrase("{service} {version} is bad in {environment}", **names), Tone.CRITICAL
        case Fate.BACK:
            said, tone = phrase("{service} {version} was rolled back in {environment}", **names), Tone.WARNING
        case _:
            return None
    buttons: tuple[Button, ...] = ()
    if deployment.fate is Fate.BAD and not deployment.operation:
        buttons = (Button(phrase("Roll back"), f"rollback {deployment.service}", style=Style.DANGER),)
    about = (Aside(phrase("{id}", id=Code(deployment.operation))),) if deployment.operation else ()
    return Message(said, tone, about, buttons)
