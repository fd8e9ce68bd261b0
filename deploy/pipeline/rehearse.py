#!/usr/bin/env python3
"""Plays the ten steps on this machine: pipeline.yml as it is written, called as docs/pipelines.md says, against
``pult simulate`` and ``pult run``. Exit 0 when every play ended where it must.

    make rehearse                                  all of them
    python deploy/pipeline/rehearse.py good scan   some
"""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from rehearsing.department import BEFORE, FILES, GITHUB_TOKEN, IMAGE, ROOT, Department, call, department, digest, until
from rehearsing.runner import Job, Rehearsal
from rehearsing.standins import actions, programs

WORKFLOW: Final = ROOT / ".github/workflows/pipeline.yml"
PAGE: Final = ROOT / "docs/pipelines.md"
ASKS: Final = "8 promote"
GOOD: Final = '{ bake = "5s" }'
STRICT: Final = '{ bake = "50s", burn = 1.0, on_bad = "rollback" }'
JUNIT: Final = '<testsuites><testsuite tests="412" failures="{0}" errors="0" skipped="3"/></testsuites>'
SECRETS: Final = ("REGISTRY_USER", "REGISTRY_TOKEN")
APPROVERS: Final = ("anna", "boris")
"""Pult proposes, and pult is nobody: two people agree."""


@dataclass(frozen=True)
class Play:
    """One release of api, and where it must end: the job that fails (empty: none)."""

    name: str
    title: str
    ends_at: str = ""
    version: str = "1.8.0"
    fixable: bool = False
    e2e: str = "true"
    verification: str = GOOD
    approved: bool = True
    stage: str = "failed"
    """Where pult has the version at the end, when it failed somewhere."""


PLAYS: Final = (
    Play("good", "a good release"),
    Play("scan", "a scan finds what has a fix", "scan", fixable=True),
    Play("e2e", "the E2E fails on staging", "e2e", e2e="false"),
    Play("refused", "people say no", "verify", approved=False, stage="ready"),
    Play("verification", "the version is bad in production", "verify", version="1.8.1", verification=STRICT),
)


@dataclass(frozen=True)
class Played:
    """How it went: the jobs, what runs afterwards, and what pult says of the version."""

    play: Play
    jobs: Mapping[str, Job]
    staging: str
    production: str
    trail: str
    """Of the version, as pult tells it."""

    @property
    def stage(self) -> str:
        """Where the version stands by pult's word."""
        found = re.search(r"^Stage +(\w+)", self.trail, re.MULTILINE)
        return found.group(1) if found else ""

    @property
    def right(self) -> bool:
        """Whether it ended where it must, everything after that was left out, and production runs the right version."""
        names = list(self.jobs)
        stop = names.index(self.play.ends_at) if self.play.ends_at else len(names)
        wanted = dict.fromkeys(names[:stop], "success") | dict.fromkeys(names[stop:], "skipped")
        if self.play.ends_at:
            wanted |= {self.play.ends_at: "failure"}
        wanted |= {"notify": "success"}
        version, stage = (BEFORE, self.play.stage) if self.play.ends_at else (self.play.version, "released")
        return (self.production, self.stage) == (version, stage) and {
            name: job.result for name, job in self.jobs.items()
        } == wanted


def main(names: list[str]) -> int:
    """0 when all ended where they must."""
    plays = [play for play in PLAYS if play.name in names or not names]
    right = True
    for play in plays:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="pult-rehearsal-") as folder:
            played = rehearse(play, Path(folder))
        sys.stdout.write(table(played, time.monotonic() - begun) + "\n")
        right = right and played.right
    return 0 if right and plays else 1


def rehearse(play: Play, folder: Path) -> Played:
    """One play, in *folder*, with a department of its own."""
    workflow = yaml.safe_load(WORKFLOW.read_text())
    with department(folder, play.verification) as found:
        sources = _sources(folder / "api", play)
        programs(folder / "programs")
        runner = _runner(play, folder, found, workflow, sources)
        _begins(found)
        jobs = runner.run(workflow)
        wanted = BEFORE if play.ends_at else play.version
        try:
            until(f"production does not run {wanted}", lambda: found.runs("production") == wanted)
            trail = until("its operation does not end", lambda: _ended(found, play.version))
        except TimeoutError as late:
            trail = str(late)  # the table then says at which step it went another way
        return Played(play, jobs, found.runs("staging"), found.runs("production"), trail)


def _ended(found: Department, version: str) -> str:
    """The trail of the version, as pult tells it; empty while an operation of it is under way."""
    trail = str(found.ask("vera", f"releases api {version}")["text"])
    return "" if ": running" in trail else trail


def table(played: Played, seconds: float) -> str:
    """For a terminal."""
    lines = [f"\n{played.play.title} (api {played.play.version})"]
    for job in played.jobs.values():
        where = f"  at: {job.stopped_at}" if job.stopped_at else ""
        took = f"{job.seconds:5.1f} s" if job.result != "skipped" else "       "
        lines.append(f"  {job.name:<11} {job.result:<8} {took}{where}")
        if job.result == "failure":
            lines += [f"{'':25}{line[:110]}" for line in job.said.splitlines()[-3:]]
    lines.append(f"  staging runs {played.staging}, production {played.production}; pult says {played.stage}")
    lines.append(f"  {'as' if played.right else 'NOT as'} it must be; {seconds:.0f} s")
    return "\n".join(lines)


def caller() -> dict[str, Any]:
    """How a service calls the pipeline: the first example of the page."""
    block = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None, f"{PAGE} has no example"
    job: dict[str, Any] = yaml.safe_load(block.group(1))["jobs"]["pipeline"]
    return job


def _sources(folder: Path, play: Play) -> Path:
    """The service's repository at its tag: what is built, and the commands that the caller names."""
    (folder / "reports").mkdir(parents=True)
    (folder / "image").write_text(f"api:{play.version}")
    (folder / "junit.xml").write_text(JUNIT.format(0))
    targets = {"test": "cp junit.xml reports/junit.xml", "e2e": f'test -n "$$STAGING_URL" && {play.e2e}'}
    (folder / "Makefile").write_text("".join(f"{name}:\n\t@{command}\n" for name, command in targets.items()))
    git = "git init -q . && git add . && git -c user.name=r -c user.email=r@dept.example"
    _shell(f"{git} commit -qm 'feat: api'", folder)
    notes = f"v{play.version}\n\nWhat is new"
    _shell(f"git -c user.name=r -c user.email=r@dept.example tag -a v{play.version} -m '{notes}'", folder)
    return folder


def _shell(command: str, folder: Path) -> None:
    """Set something up. CalledProcessError: it failed."""
    subprocess.run(["bash", "-ec", command], cwd=folder, check=True)  # noqa: S603, S607 - written above


def _runner(play: Play, folder: Path, found: Department, workflow: Mapping[str, Any], sources: Path) -> Rehearsal:
    declared = workflow[True]["workflow_call"]["inputs"]  # YAML reads "on" as true
    inputs = {name: each.get("default", "") for name, each in declared.items()}
    inputs |= caller()["with"] | {
        "image": IMAGE,
        "publish": True,
        "staging-file": FILES.format("staging"),
        "patience": 3,
        "pause": 0.5,
    }
    github = {
        "repository": "dept/api",
        "ref": f"refs/tags/v{play.version}",
        "ref_name": f"v{play.version}",
        "ref_type": "tag",
        "sha": found.commit_of(play.version),
        "run_id": "42",
        "server_url": "https://github.com",
        "api_url": f"{found.simulator}/github",
        "token": GITHUB_TOKEN,
    }
    secrets = dict.fromkeys(SECRETS, "rehearsal") | {
        "DEPLOY_TOKEN": GITHUB_TOKEN,
        "PULT_RELEASE_SECRET": "sim-release-secret",
    }
    contexts = {
        "inputs": inputs,
        "github": {**github, "event": {}},
        "secrets": secrets,
        "vars": {"PULT_URL": found.pult, "STAGING_URL": found.staging},
    }
    environment = {f"GITHUB_{name.upper()}": value for name, value in github.items() if name != "token"}
    environment |= {"CI": "true", "HOME": str(folder), "STANDINS": str(folder / "programs")}
    (folder / "artifacts").mkdir()
    stood_in = actions(folder / "artifacts", sources, fixable=play.fixable)
    return Rehearsal(folder / "jobs", ROOT, contexts, environment, stood_in, lambda job: _people(job, found, play))


def _begins(found: Department) -> None:
    """BEFORE is in staging too, so that each play has a way to go."""
    url = f"{found.simulator}/github/repos/dept/api/contents/{FILES.format('staging')}"
    have = call("GET", url, token=GITHUB_TOKEN)
    text = re.sub(r"sha256:[0-9a-f]{64}", digest(BEFORE), base64.b64decode(have["content"]).decode())
    body = {"message": "deploy: back", "sha": have["sha"], "content": base64.b64encode(text.encode()).decode()}
    call("PUT", url, body, token=GITHUB_TOKEN)
    found.comes_to("staging", BEFORE)


def _people(job: Job, found: Department, play: Play) -> None:
    """What people do with what pult proposes once the pipeline has called the version ready."""
    if job.name != ASKS or job.result != "success":
        return
    ident = until("pult proposes nothing", lambda: re.search(r"op-\w+", str(found.ask("boris", "ops")["text"])))[0]
    for person in APPROVERS if play.approved else APPROVERS[:1]:
        said = found.ask(person, f"{'approve' if play.approved else 'reject'} {ident}")
        if not said["ok"]:
            raise RuntimeError(said["text"])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
