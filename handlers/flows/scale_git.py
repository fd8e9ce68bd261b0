"""The number of pods where git owns it: written there, applied by its tool, and put back the same way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.domain.errors import DriftError, UserError, github
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.domain.revisions import short
from bot.domain.services import GitOps
from bot.ports.clock import Clock
from bot.ports.flows import Did, Run, Say
from bot.ports.forge import File, Forge
from bot.ports.gitops import GitOps as Tool
from handlers.flows.git import Message, Rewrite, write
from handlers.flows.sync import environment, follow


@dataclass(frozen=True)
class InGit:
    """``forge``: None where none is configured."""

    forge: Forge | None
    tool: Tool
    clock: Clock

    async def check(self, plan: Plan) -> None:
        """DriftError: the file is no longer as it was planned on."""
        if (await self._read(plan)).sha != plan.pins["file"]:
            raise DriftError("{path} was changed after this was planned.", path=Code(plan.params["path"]))

    async def forth(self, run: Run) -> None:
        """The number is written, and applied."""
        await run.step("write", lambda _: self.put(run))
        await run.step("sync", lambda say: self.sync(run.plan, run.operation, say))

    async def back(self, run: Run) -> None:
        """What stood there before is written again, and applied."""
        await run.step("undo-write", lambda _: self.put_back(run), phrase("Write what stood there before"))
        token, title = f"{run.operation}-undo", phrase("Have it applied")
        await run.step("undo-sync", lambda say: self.sync(run.plan, token, say), title)

    async def put(self, run: Run) -> Did:
        """The approved text, once."""
        plan = run.plan
        file = await self._read(plan)
        if file.text == plan.params["text"]:
            return Did(phrase("it was committed already"))
        if file.sha != plan.pins["file"]:
            raise DriftError("{path} was changed after this was planned.", path=Code(plan.params["path"]))
        title = f"scale: {plan.service} in {plan.environment} to {plan.params['count']}"
        return await self._write(run, file, plan.params["text"], Message(title, "", f"pult/{run.operation}"))

    async def put_back(self, run: Run) -> Did:
        """The text of before. UserError: somebody has changed the file since."""
        plan = run.plan
        file = await self._read(plan)
        if file.text == plan.params["before"]:
            return Did(phrase("it is as it was"))
        if file.text != plan.params["text"]:
            raise UserError(
                "{path} was changed after this operation: put the number back there.", path=Code(plan.params["path"])
            )
        title = f"revert: {plan.service} in {plan.environment} to {plan.pins['count']}"
        return await self._write(run, file, plan.params["before"], Message(title, "", f"pult/{run.operation}-undo"))

    async def sync(self, plan: Plan, token: str, say: Say) -> Phrase:
        """Have what the branch holds applied: ours, and what came after it. UserError: it is not, and why."""
        where = environment(plan)
        await self.tool.ask(where, "", token)
        found = await follow(self.tool, self.clock, where, "", token, say)
        return phrase("in step with git at {revision}", revision=Code(short(found.revision)))

    async def _read(self, plan: Plan) -> File:
        return await github(self.forge).read(plan.params["repo"], plan.params["path"], plan.params["branch"])

    async def _write(self, run: Run, file: File, text: str, message: Message) -> Did:
        given = run.plan.params
        gitops = GitOps(given["tool"], given["application"], given["repo"], given["path"], given["branch"])
        told = replace(message, body=f"pult operation {run.operation}")
        return await write(github(self.forge), gitops, Rewrite(file, text), told, by_pull=given["by"] != "commit")


def in_git(plan: Plan) -> bool:
    """Whether *plan* changes the number in git."""
    return "path" in plan.params
