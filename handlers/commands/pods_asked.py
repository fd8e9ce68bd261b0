"""Diagnoses of several clusters at once: what one does not answer is said, and the others count."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TypeAlias

from bot.domain.errors import PermanentError, TemporaryError, UserError
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.services import Environment
from bot.ports.diagnoses import Diagnoses, Diagnosis

Heard: TypeAlias = list[tuple[Environment, Diagnosis | Phrase]]
"""A phrase says why nothing is known."""


async def diagnosed(diagnoses: Diagnoses, places: Iterable[Environment]) -> Heard:
    """Of each of *places*, in their order."""
    async with asyncio.TaskGroup() as group:
        tasks = [(place, group.create_task(_one(diagnoses, place))) for place in places]
    return [(place, task.result()) for place, task in tasks]


async def _one(diagnoses: Diagnoses, place: Environment) -> Diagnosis | Phrase:
    try:
        return await diagnoses.diagnosis(place)
    except UserError as error:
        return error.phrase
    except TemporaryError as error:
        why = error.said or phrase("{cluster} does not answer", cluster=Code(place.cluster))
        return phrase("{why}; nothing is known of its pods.", why=why)
    except PermanentError:
        return phrase(
            "{cluster} can't be asked: {mend} says why.", cluster=Code(place.cluster), mend=Code("pult check")
        )
