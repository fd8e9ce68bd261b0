"""A workload's diagnosis in words: those that are alike in one line, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bot.domain.phrases import Code, Phrase, Strong, counted, in_line, phrase
from bot.ports.diagnoses import Cohort, Diagnosis, Health, Version

STATES: Mapping[Health, Phrase] = {
    Health.BROKEN: phrase("failing"), Health.PENDING: phrase("pending"), Health.UNREADY: phrase("not ready"),
    Health.STARTING: phrase("starting"), Health.SHAKEN: phrase("ready again"), Health.LEAVING: phrase("terminating"),
    Health.READY: phrase("ready"), Health.ENDED: phrase("finished"),
}  # fmt: skip
WELL = frozenset({Health.READY, Health.ENDED, Health.LEAVING})
"""Nothing is said of these."""
TAGGED = 40
"""Characters of a version; a digest is cut to what people compare."""


def lines(diagnosis: Diagnosis) -> Iterator[Phrase]:
    """What is wrong: the rollout, the pods, what holds them from outside."""
    if stuck := diagnosis.rollout.stuck:
        yield phrase("the rollout is stuck: {why}", why=stuck)
    for cohort in diagnosis.cohorts:
        if cohort.health not in WELL and (cohort.trouble or cohort.details):
            yield line(cohort)
    yield from diagnosis.around


def line(cohort: Cohort) -> Phrase:
    """Those of one cohort, and why they are not well."""
    said = phrase("{who}: {trouble}", who=who(cohort), trouble=Strong(cohort.trouble or STATES[cohort.health]))
    return in_line((said, *cohort.details), "; ")


def who(cohort: Cohort) -> Phrase:
    """Its only pod by name, or how many there are and one of them."""
    others = len(cohort.names) - 1
    if not others:
        return phrase("{name}", name=Code(cohort.names[0]))
    return counted("{name} and {n} other", "{name} and {n} others", others, name=Code(cohort.names[0]))


def versions(found: Iterable[Version]) -> Iterator[Phrase]:
    """Which version each pod has, while a rollout is under way."""
    for each in found:
        said = phrase("{ready} of {n} ready", ready=each.ready, n=each.total)
        name = Code(", ".join(map(tag, each.images)))
        match each.new:
            case True:
                yield phrase("new version {version}: {said}", version=name, said=said)
            case False:
                yield phrase("old version {version}: {said}", version=name, said=said)
            case None:
                yield phrase("version {version}: {said}", version=name, said=said)


def tag(image: str) -> str:
    """What tells an image from an older one: its tag, or the beginning of its digest."""
    name, _, digest = image.partition("@")
    label = name.rpartition("/")[2].partition(":")[2]
    return label[:TAGGED] or digest.removeprefix("sha256:")[:12] or image.rpartition("/")[2]
