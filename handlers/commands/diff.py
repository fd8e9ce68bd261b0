"""``diff <service> [version] [environment]``: what a version would change there, and what runs everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.changelog import SHOWN, Changelog, blocks, changelog
from bot.domain.commandline import plain
from bot.domain.errors import UserError
from bot.domain.messages import Aside, Block, Button, Facts, Lines, Paragraph, Style, Tone, pressable
from bot.domain.phrases import Code, Link, Phrase, phrase, verbatim
from bot.domain.releases import Release
from bot.domain.services import Environment, Service
from bot.ports.commands import Call, Command, Reply
from bot.ports.forge import Comparison
from bot.ports.store import Tx
from handlers.commands import promote_targets as targeting
from handlers.commands.evidence_case import Case, Sources
from handlers.commands.evidence_forge import compared, migrates, moving, summary
from handlers.commands.evidence_trivy import trivy
from handlers.commands.releases import Runs, runs
from handlers.commands.releases_known import LOOKED_AT, newest, taken_back
from handlers.commands.replies import argument, said

USAGE = "diff <service> [version] [environment]"
FILES = 5


@dataclass(frozen=True)
class _Asked:
    environment: Environment
    version: str


def duty(sources: Sources) -> Command:
    """Against the newest version that may be promoted, where none is named. Whole changelog attached."""

    async def run(call: Call) -> Reply:
        service = sources.services.named(argument(call, 0, USAGE))
        asked = _asked(call, service)
        wanted = await sources.store.read(lambda tx: _wanted(tx, service, asked.version))
        running = await runs(sources, service)
        here = next(each for each in running if each.environment == asked.environment)
        case = _case(sources, service, here, wanted, call)
        return _reply(case, running, here, await compared(sources, case))

    example = sources.services.example
    return Command(
        ("diff", "разница"), USAGE, phrase("what a version would change, commit by commit"), run,
        examples=(f"diff {example}", f"diff {example} 1.8.0 production"),
    )  # fmt: skip


def _asked(call: Call, service: Service) -> _Asked:
    environment, version = service.last, ""
    names = {each.name for each in service.environments}
    for word in call.args[1:]:
        if word in names or version:
            environment = service.environment(word)
        else:
            version = word.removeprefix("v")
    return _Asked(environment, version)


def _wanted(tx: Tx, service: Service, version: str) -> Release:
    found = tx.release(service.name, version) if version else _best(tx, service)
    if found is None and version:
        raise UserError(
            "pult has not heard of {service} {version}. {releases} lists what it knows.",
            service=service.name, version=Code(version[:40]), releases=Code(f"releases {service.name}"),
        )  # fmt: skip
    if found is None:
        raise UserError("pult knows no version of {service} that may be promoted.", service=service.name)
    return found


def _best(tx: Tx, service: Service) -> Release | None:
    """The newest version that was not taken back; where all were, the newest."""
    known, back = tx.releases(service.name, LOOKED_AT), taken_back(tx, service.name, service.last.name)
    return newest(each for each in known if each.digest not in back) or newest(known)


def _case(sources: Sources, service: Service, here: Runs, wanted: Release, call: Call) -> Case:
    return Case(
        service, here.environment, targeting.before(service, here.environment), wanted, here.release, wanted.commit,
        sources.policy.rule("promote"), call.now,
    )  # fmt: skip


def _reply(case: Case, running: tuple[Runs, ...], here: Runs, found: Comparison | None) -> Reply:
    wanted, environment = case.release, case.environment
    same = bool(here.digest) and here.digest == wanted.digest
    title = phrase(
        "{service} in {environment}: {running} → {version}",
        service=case.service.name, environment=environment.name, running=here.called, version=wanted.version,
    )  # fmt: skip
    if same:
        title = phrase(
            "{service} {version} runs in {environment}",
            service=case.service.name, version=wanted.version, environment=environment.name,
        )  # fmt: skip
    made = changelog(found.commits) if found else None
    shown = tuple(_blocks(case, running, found, made))
    return said(
        title, *shown, tone=Tone.OK if same else Tone.INFO, buttons=() if same else tuple(_buttons(case)),
        whole=_whole(found) if found and len(found.commits) > SHOWN else "",
    )  # fmt: skip


def _blocks(case: Case, running: tuple[Runs, ...], found: Comparison | None, made: Changelog | None) -> Iterable[Block]:
    yield Facts(tuple(_facts(case, running, found, made)))
    if found and made:
        yield from blocks(made, found.url.partition("/compare/")[0] if "/compare/" in found.url else "")
        files = moving(found)
        if files:
            yield Paragraph(phrase("Files that change data:"))
            yield Lines(
                tuple(phrase("{file}", file=Code(path[-120:])) for path in files[:FILES]), max(0, len(files) - FILES)
            )
        if found.url:
            yield Aside(phrase("{link}", link=Link(phrase("All of it on GitHub"), found.url)))


def _facts(
    case: Case, running: tuple[Runs, ...], found: Comparison | None, made: Changelog | None
) -> Iterable[tuple[Phrase, Phrase]]:
    for place in running:
        same = bool(place.digest) and place.digest == case.release.digest
        yield (
            verbatim(place.environment.name),
            phrase("{version}, the same", version=place.called) if same else place.called,
        )
    if found is None or made is None:
        yield phrase("Changes"), phrase("unknown: the commits or GitHub are not known")
    elif not found.commits and found.behind:
        yield phrase("Changes"), phrase("a step back: what runs is newer")
    else:
        yield phrase("Changes"), summary(made, len(found.commits) + found.more)
    for proof in trivy(case):
        yield proof.row
    told = {True: phrase("changes data"), False: phrase("none"), None: phrase("unknown")}
    yield phrase("Migrations"), told[migrates(case, found)]


def _whole(found: Comparison) -> str:
    """Every commit, one line each, oldest first."""
    lines = (f"{commit.sha[:12]} {commit.author}: {commit.message.partition(chr(10))[0]}" for commit in found.commits)
    more = f"… and {found.more} more: {found.url}\n" if found.more else ""
    return "\n".join(lines) + "\n" + more


def _buttons(case: Case) -> Iterable[Button]:
    command = f"promote {case.service.name} {case.release.version} to {case.environment.name}"
    if case.release.digest and pressable(command) and plain(case.release.version):
        yield Button(phrase("Promote {version}", version=case.release.version), command, style=Style.PRIMARY)
    yield Button(phrase("Releases"), f"releases {case.service.name}")
