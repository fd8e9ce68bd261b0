"""``pods <service>``: its pods in every cluster, in words a person understands, those that are alike counted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import TypeAlias

from bot.domain.messages import Aside, Block, Button, Lines, Paragraph, Preformatted, Table, Tone
from bot.domain.phrases import Code, Phrase, counted, in_line, phrase, verbatim
from bot.domain.services import Catalogue, Environment
from bot.ports.cluster import Pod
from bot.ports.commands import Call, Command, Reply
from bot.ports.diagnoses import Cohort, Diagnoses, Diagnosis, Health
from bot.ports.jobs import Jobs
from handlers.commands import pods_jobs
from handlers.commands.logs_asked import asked, button
from handlers.commands.pods_asked import Heard, diagnosed
from handlers.commands.pods_deaths import Deaths, Epitaph
from handlers.commands.pods_words import STATES, lines, versions
from handlers.commands.replies import said

USAGE = "pods <service> [environment]"
SINGLY = 8
"""Pods of one cluster that each have a row; more are counted together."""
ROWS, TROUBLES = 10, 6
"""Rows and lines of one cluster; the file has all."""
NOTHING = (Epitaph(), ())
LISTED = 500
"""Pods of one cluster in the file, the worst first; the rest are ready, as a rule. Cleaning a text takes its time."""


def duty(diagnoses: Diagnoses, jobs: Jobs, deaths: Deaths, services: Catalogue) -> Command:
    """All clusters are asked at once; one that is out of reach says so while the others answer."""

    async def run(call: Call) -> Reply:
        want = asked(call, services, USAGE, takes=("env", "pod"))
        name = want.env or want.pod
        named = tuple(each for each in want.service.environments if each.name == name)
        places = named or ((want.service.environment(name),) if name else want.service.production)
        heard = await diagnosed(diagnoses, places)
        async with asyncio.TaskGroup() as group:
            batch = group.create_task(
                pods_jobs.told(jobs, want.service, [place for place, found in heard if isinstance(found, Diagnosis)])
            )
            ends = {
                place: group.create_task(deaths.of(place, found, call.now))
                for place, found in heard
                if not isinstance(found, Phrase)
            }
        more = {place: (task.result(), batch.result().get(place, ())) for place, task in ends.items()}
        return _answer(want.service.name, heard, more, name)

    example = services.example
    return Command(("pods", "поды"), USAGE, phrase("its pods, and what ails them"), run, examples=(f"pods {example}",))


More: TypeAlias = tuple[Epitaph, tuple[Phrase, ...]]
"""Of one place: what is known of a death, and a line for each job."""


def _answer(service: str, heard: Heard, more: dict[Environment, More], env: str) -> Reply:
    known = [found for _, found in heard if isinstance(found, Diagnosis)]
    pods = [pod for found in known for pod in found.pods]
    ready, total = sum(pod.ready for pod in pods), len(pods)
    blocks = [block for place, found in heard for block in _blocks(place, found, more.get(place, NOTHING))]
    well = 0 < ready == total and len(known) == len(heard) and not any(map(_troubled, known))
    away = ", ".join(dict.fromkeys(place.cluster for place, found in heard if isinstance(found, Phrase)))
    title = phrase("{service}: {ready} of {total} pods ready", service=service, ready=ready, total=total)
    if not known:
        title = phrase("The pods of {service} could not be read", service=service)
    elif away:  # else a phone shows that all is well while half of it is not known
        title = phrase("{said}; {clusters} unknown", said=title, clusters=away)
    reply = said(
        title,
        *blocks,
        tone=Tone.OK if well else Tone.WARNING,
        buttons=tuple(_buttons(service, env)),
        whole="\n".join(_listed(heard)),
    )
    return Reply(reply.message, ok=bool(known))


def _troubled(found: Diagnosis) -> bool:
    return any(each.health < Health.LEAVING for each in found.cohorts) or found.rollout.stuck is not None


def _buttons(service: str, env: str) -> Iterator[Button]:
    where = f" --env {env}" if env else ""
    yield from button(phrase("Refresh"), f"pods {service}{where}")
    yield from button(phrase("Events"), f"events {service}{where}")
    yield from button(phrase("Logs"), f"logs {service}{where}")


def _blocks(place: Environment, found: Diagnosis | Phrase, more: More) -> Iterator[Block]:
    if isinstance(found, Phrase):
        yield Paragraph(found)
        return
    where = phrase("{environment} in {cluster}", environment=place.name, cluster=place.cluster)
    end, batch = more
    ready, wanted = sum(pod.ready for pod in found.pods), found.rollout.desired
    yield Paragraph(phrase("{where}: {ready} of {n} ready", where=where, ready=ready, n=wanted))
    if told := [*versions(found.versions), *lines(found), *filter(None, [end.memory])]:
        yield Lines(tuple(told[:TROUBLES]), max(0, len(told) - TROUBLES))
    if end.lines:
        yield Paragraph(phrase("The last lines of {pod} before its container ended:", pod=Code(end.pod)))
        yield Preformatted("\n".join(line.text for line in end.lines))
    if found.pods:
        yield _table(found)
    if len(found.pods) > SINGLY:
        yield Lines((), len(found.pods))  # so the file is attached
    if batch:
        yield Lines(batch)
    if found.unread:
        yield Aside(in_line(found.unread, " "))


def _table(found: Diagnosis) -> Table:
    header = (phrase("Pod"), phrase("State"), phrase("Restarts"), phrase("Node"))
    if len(found.pods) <= SINGLY:
        by_name = {name: cohort for cohort in found.cohorts for name in cohort.names}
        return Table(header, tuple(_row(pod, by_name.get(pod.name)) for pod in found.pods))
    return Table(header, tuple(map(_counted, found.cohorts[:ROWS])))


def _row(pod: Pod, cohort: Cohort | None) -> tuple[Phrase, ...]:
    state = STATES[cohort.health] if cohort else verbatim(pod.phase)
    return (verbatim(pod.name), state, phrase("{n}", n=pod.restarts), verbatim(pod.node or "–"))


def _counted(cohort: Cohort) -> tuple[Phrase, ...]:
    nodes = len(cohort.nodes)
    where = counted("{n} node", "{n} nodes", nodes) if nodes > 1 else verbatim("".join(cohort.nodes) or "–")
    who = counted("{n} pod", "{n} pods", len(cohort.names))
    return (who, STATES[cohort.health], phrase("{n}", n=cohort.restarts), where)


def _listed(heard: Heard) -> Iterator[str]:
    """Every pod, a line each: the worst first."""
    for place, found in heard:
        if isinstance(found, Phrase):
            yield f"{place.cluster}\t{found.plain()}"
            continue
        yield from islice(_rows(place, found), LISTED)
        if len(found.pods) > LISTED:
            yield f"{place.cluster}\t… {len(found.pods) - LISTED} more"


def _rows(place: Environment, found: Diagnosis) -> Iterator[str]:
    pods = {pod.name: pod for pod in found.pods}
    for cohort in found.cohorts:
        why, state = cohort.trouble.plain() if cohort.trouble else "", cohort.health.name.lower()
        for pod in (pods[name] for name in cohort.names if name in pods):
            yield "\t".join((place.cluster, pod.name, state, str(pod.restarts), pod.node or "-", why)).rstrip()
