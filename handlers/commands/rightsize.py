"""``rightsize <service> [in <environment>] [--pull]``: what it should ask for; and a pull request that says so."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.errors import UserError
from bot.domain.manifests_tree import Named
from bot.domain.messages import Block, Button, Lines, Preformatted, Style, Tone, pressable
from bot.domain.money import shown
from bot.domain.phrases import phrase
from bot.domain.plans import Plan
from bot.domain.rightsizing import Report, applied, patch
from bot.domain.services import Catalogue, Environment, Service
from bot.ports.commands import Call, Command, Proposal, Reply
from bot.ports.forge import Forge
from handlers.cards import sizing
from handlers.commands.replies import argument, chosen_environment, said
from handlers.shaping import folders
from handlers.shaping.pulls import Wanted, asked_to_pull, plan
from handlers.shaping.sizes import Sizer

USAGE = "rightsize <service> [in <environment>] [--pull]"


def duty(sizer: Sizer, services: Catalogue, forge: Forge | None) -> Command:
    """Looking needs no role; the desk asks for it where a pull request is wanted."""

    async def run(call: Call) -> Reply | Proposal:
        pulled, _ = asked_to_pull(call.args)
        service = services.named(argument(call, 0, USAGE))
        environment, _ = chosen_environment(call, service, "in")
        report = await sizer.report(environment)
        if pulled:
            return Proposal(await _plan(service, environment, report, forge))
        return _answer(service, environment, report, await _preview(environment, report, forge))

    example = services.example
    return Command(
        ("rightsize", "размер"), USAGE,
        phrase("what its requests and limits should be, what that saves, and a pull request for it"), run, "rightsize",
        examples=(f"rightsize {example}", f"rightsize {example} --pull"), reads=services.names,
    )  # fmt: skip


async def _plan(service: Service, environment: Environment, report: Report, forge: Forge | None) -> Plan:
    if not report.changes:
        raise UserError("There is nothing to change: {look} says why.", look=f"rightsize {service.name}")
    was = await folders.read(forge, environment)
    now = applied(was.folder, report.advices, Named(environment.kind, environment.workload))
    changes = [each for each in report.advices if each.changes]
    evidence = [(phrase("{container}", container=each.container), sizing.change(each)) for each in changes]
    evidence += [(phrase("Saves"), sizing.saving(report))]
    evidence += [
        (phrase("Risk of {container}", container=each.container), sizing.risk(each))
        for each in changes if each.memory is not None
    ]  # fmt: skip
    wanted = Wanted(
        "rightsize",
        phrase("Right-size {service} in {environment}", service=service.name, environment=environment.name),
        f"perf({service.name}): requests and limits in {environment.name} by what it used",
        _body(report), (sizing.pods(report),), tuple(evidence),
    )  # fmt: skip
    return plan(service, environment, was, now, wanted)


def _body(report: Report) -> str:
    lines = [f"- `{each.container}`: {sizing.change(each).plain()}" for each in report.advices if each.changes]
    if report.saving is not None:
        lines.append(f"- Saves about {_money(report)} a month with {report.anatomy.replicas} pods.")
    return "\n".join(("From 14 days of use, over all pods:", "", *lines))


def _money(report: Report) -> str:
    assert report.saving is not None
    return phrase("{amount}", amount=shown(report.saving)).plain()


@dataclass(frozen=True)
class Preview:
    """The very change; ``able``: pult can propose it."""

    blocks: tuple[Block, ...] = ()
    able: bool = False


async def _preview(environment: Environment, report: Report, forge: Forge | None) -> Preview:
    """As a diff of what git holds; where pult can't change that, why, and the patch to carry there by hand."""
    if not report.changes:
        return Preview()
    named = Named(environment.kind, environment.workload)
    try:
        was = await folders.read(forge, environment)
        text = folders.diff(was.folder, applied(was.folder, report.advices, named))
    except UserError as error:
        return Preview((Lines((error.phrase,)), Preformatted(patch(report.advices, named))))
    return Preview((Preformatted(text),), able=True) if text else Preview()


def _answer(service: Service, environment: Environment, report: Report, preview: Preview) -> Reply:
    blocks = (*sizing.blocks(report), *preview.blocks)
    title = phrase("Size of {service} in {environment}", service=service.name, environment=environment.name)
    command = f"rightsize {service.name} in {environment.name} --pull"
    button = Button(phrase("Propose a pull request"), command, style=Style.PRIMARY)
    able = preview.able and pressable(command)
    tone = Tone.INFO if report.changes or any(each.pods for each in report.advices) else Tone.WARNING
    return said(title, *blocks, tone=tone, buttons=(button,) if able else ())
