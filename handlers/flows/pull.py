"""Right-sizing and posture: propose the pull request that was approved. People review and merge it; pult does not."""

from __future__ import annotations

from bot.domain.errors import DriftError, github
from bot.domain.phrases import Code, Link, Phrase, phrase
from bot.domain.plans import Plan
from bot.ports.flows import Did, Flow, Run, Say
from bot.ports.forge import Forge
from handlers.shaping.pulls import FILE


def flow(action: str, forge: Forge | None) -> Flow:
    """Nothing is undone: whoever does not want a pull request closes it."""

    async def check(plan: Plan) -> None:
        known = github(forge)
        for path, sha in plan.pins.items():
            if (await known.read(plan.params["repo"], path, plan.params["branch"])).sha != sha:
                raise DriftError("{path} was changed after this was planned.", path=Code(path))

    async def run(running: Run) -> Phrase:
        plan, known = running.plan, github(forge)

        async def propose(_: Say) -> Did:
            given = plan.params
            files = {name.removeprefix(FILE): text for name, text in given.items() if name.startswith(FILE)}
            body = f"{given['body']}\n\npult operation {running.operation}"
            pull = await known.propose(
                given["repo"], given["branch"], f"pult/{running.operation}", files, given["subject"], body,
                pins=plan.pins,
            )  # fmt: skip
            link = Link(f"{given['repo']}#{pull.number}", pull.url)
            return Did(phrase("{pull} is open", pull=link), f"{pull.number} {pull.url}")

        number, _, url = (await running.step("propose", propose)).partition(" ")
        link = Link(f"{plan.params['repo']}#{number}", url)
        return phrase("{pull} waits for a review. Nothing changes before it is merged.", pull=link)

    return Flow(action, check, run)
