"""Runs the jobs of one workflow here, in order: their own ``run:`` as written, other people's actions by stand-ins."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rehearsing.expressions import evaluate, filled

SHELL = ("bash", "-e")
"""What a step without ``shell:`` runs under on Linux."""
LIMIT = 300.0
"""Seconds for one step here."""
OWN = "$/"
"""Begins the name of an action that lies beside the workflow, in the same commit."""
ALWAYS = ("always()", "failure()", "cancelled()", "success()")
Action = Callable[["Step"], Mapping[str, str]]


class StepError(Exception):
    """A stand-in says that its action would have failed."""


@dataclass
class Job:
    """How one went."""

    name: str
    result: str = "skipped"
    outputs: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    stopped_at: str = ""
    said: str = ""


@dataclass(frozen=True)
class Step:
    """One action about to be stood in for: its ``with``, where it runs, and what the job has in its environment."""

    job: str
    inputs: Mapping[str, str]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """Where the steps of one job run, and with what in their environment."""

    job: str
    folder: Path
    environment: Mapping[str, str]


@dataclass
class Rehearsal:
    """One run of one workflow: what the runner would know, and where it works. ``root``: the workflow's repository."""

    folder: Path
    root: Path
    contexts: Mapping[str, Any]
    environment: Mapping[str, str]
    actions: Mapping[str, Action]
    after: Callable[[Job], None] = lambda _: None
    """What people do once a job is over."""
    jobs: dict[str, Job] = field(default_factory=dict)

    def run(self, workflow: Mapping[str, Any]) -> dict[str, Job]:
        """Every job, as soon as those that it needs are over; here that is the order in which they are written."""
        for ident, found in workflow["jobs"].items():
            self.jobs[ident] = job = Job(found.get("name", ident))
            known = self._known(found)
            if _goes_on(found.get("if"), known):
                begun = time.monotonic()
                self._job(ident, found, job, known)
                job.seconds = time.monotonic() - begun
                self.after(job)
        return self.jobs

    def _known(self, job: Mapping[str, Any]) -> dict[str, Any]:
        needs = job.get("needs") or []
        needed = {name: self.jobs[name] for name in ([needs] if isinstance(needs, str) else needs)}
        results = {each.result for each in needed.values()}
        return {
            **self.contexts,
            "needs": {name: {"result": each.result, "outputs": each.outputs} for name, each in needed.items()},
            "steps": {},
            "always": lambda: True,
            "success": lambda: results <= {"success"},
            "failure": lambda: "failure" in results,
        }

    def _job(self, ident: str, job: Mapping[str, Any], made: Job, known: dict[str, Any]) -> None:
        folder = self.folder / ident
        folder.mkdir(parents=True)
        own = {name: filled(value, known) for name, value in (job.get("env") or {}).items()}
        place = Place(ident, folder, {**self.environment, **own, "GITHUB_WORKSPACE": str(folder)})
        made.result = "success"
        known["success"], known["failure"] = (lambda: made.result == "success"), (lambda: made.result == "failure")
        for step in job["steps"]:
            if not _goes_on(step.get("if"), known):
                continue
            failed, said = self._step(step, place, known)
            made.said = said.strip() or made.said
            if failed and not step.get("continue-on-error"):
                made.result = "failure"
                made.stopped_at = made.stopped_at or step.get("name") or step["uses"].partition("@")[0]
        made.outputs = {name: filled(value, known) for name, value in (job.get("outputs") or {}).items()}

    def _step(self, step: Mapping[str, Any], place: Place, known: dict[str, Any]) -> tuple[bool, str]:
        """Whether it failed, and what it said; its outputs are known to those after it."""
        output = place.folder.with_suffix(".output")
        output.write_text("")
        summary = place.folder.with_suffix(".summary")
        own = {name: filled(value, known) for name, value in (step.get("env") or {}).items()}
        told = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        environment = {**place.environment, **own, **told}
        if step.get("uses", "").startswith(OWN):
            failed, said = self._composite(self.root / step["uses"].removeprefix(OWN), place.folder, environment)
            outputs: Mapping[str, str] = {}
        elif "uses" in step:
            inputs = {name: filled(value, known) for name, value in (step.get("with") or {}).items()}
            failed, outputs, said = self._stood_in(step["uses"], Step(place.job, inputs, place.folder, environment))
        else:
            failed, said = _ran(step["run"], place.folder, environment)
            outputs = dict(line.split("=", 1) for line in output.read_text().splitlines() if "=" in line)
        if "id" in step:
            known["steps"][step["id"]] = {"outputs": outputs, "outcome": "failure" if failed else "success"}
        return failed, said

    def _composite(self, action: Path, folder: Path, environment: Mapping[str, str]) -> tuple[bool, str]:
        """An action of the workflow's own repository, its scripts as they are written."""
        said = ""
        for step in yaml.safe_load((action / "action.yml").read_text())["runs"]["steps"]:
            failed, said = _ran(step["run"], folder, {**environment, "GITHUB_ACTION_PATH": str(action)})
            if failed:
                return True, said
        return False, said

    def _stood_in(self, uses: str, step: Step) -> tuple[bool, Mapping[str, str], str]:
        name = uses.partition("@")[0]
        if name not in self.actions:
            raise LookupError(f"nothing stands in for {name}: rehearsing/standins.py")
        try:
            return False, self.actions[name](step), ""
        except StepError as error:
            return True, {}, str(error)


def _goes_on(condition: Any, known: Mapping[str, Any]) -> bool:  # noqa: ANN401 - YAML
    """A condition that asks for no state itself is met only while all goes well."""
    text = str(condition).removeprefix("${{").removesuffix("}}") if condition is not None else "success()"
    if not any(word in text for word in ALWAYS):
        text = f"success() && ({text})"
    return bool(evaluate(text, known))


def _ran(script: str, folder: Path, environment: Mapping[str, str]) -> tuple[bool, str]:
    """Whether it failed, and the last that it said."""
    path = os.pathsep.join([environment["STANDINS"], str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(  # noqa: S603 - the workflow's own text
        [*SHELL, "-c", script], cwd=folder, env={**environment, "PATH": path}, timeout=LIMIT, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return done.returncode != 0, done.stdout
