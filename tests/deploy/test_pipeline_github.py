"""The programs of the pipeline that speak with GitHub, and the workflows made of them; GitHub is the simulator's."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from bot.simulator.kubernetes.images import digest
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings
from tests.deploy.pipeline import ROOT, program, ran

NEW = "sha256:" + "b" * 64
API, FILE = "registry.example/dept/api", "deploy/production/kustomization.yaml"
STAGING = "deploy/staging/kustomization.yaml"


@dataclass
class GitHub:
    """The simulator's, and what a runner would have in its environment."""

    url: str
    session: aiohttp.ClientSession

    async def ran(self, name: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        told = {"GITHUB_API_URL": f"{self.url}/github", "GITHUB_TOKEN": "ghs_sim", **environment}
        return await asyncio.to_thread(ran, name, *arguments, **told)

    async def call(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": "Bearer ghs_sim"}
        url = f"{self.url}/github/repos/dept/api{path}"
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def deployment(self, environment: str, *states: str, payload: object) -> None:
        """A record as pult keeps it (or, with another *payload*, somebody else)."""
        body = {"ref": "v1.8.0", "environment": environment, "payload": payload, "required_contexts": []}
        ident = (await self.call("POST", "/deployments", body | {"auto_merge": False}))["id"]
        for state in states:
            await self.call("POST", f"/deployments/{ident}/statuses", {"state": state, "description": f"it is {state}"})


@pytest.fixture
async def github() -> AsyncIterator[GitHub]:
    async with simulator(SimulatorSettings(port=0)) as running, aiohttp.ClientSession() as session:
        yield GitHub(running.url, session)


async def test_a_digest_is_committed_once_and_reverted(github: GitHub, tmp_path: Path) -> None:
    output, wanted = tmp_path / "output", digest("api", "1.8.0")
    words = ("dept/api", FILE, "--image", API)
    there = ("set", *words, "--digest", wanted, "--message", "deploy: api 1.8.0 to production")
    done = await github.ran("digest.py", *there, GITHUB_OUTPUT=str(output))
    assert done.returncode == 0, done.stderr
    first = (await github.call("GET", "/commits?per_page=1"))[0]
    assert first["commit"]["message"] == "deploy: api 1.8.0 to production"
    assert output.read_text() == f"digest={wanted}\ncommit={first['sha']}\n"
    again = await github.ran("digest.py", *there)
    assert "already" in again.stdout
    assert (await github.call("GET", "/commits?per_page=1"))[0]["sha"] == first["sha"]
    done = await github.ran("digest.py", "back", *words, "--message", "revert: api")
    assert digest("api", "1.7.2") in done.stdout, done.stderr
    done = await github.ran("digest.py", "back", *words, "--message", "revert: the revert")
    assert wanted in done.stdout, "the one before the present one"


async def test_what_cannot_be_committed_is_said(github: GitHub) -> None:
    words = ("--image", "registry.example/dept/other", "--digest", NEW, "--message", "m")
    done = await github.ran("digest.py", "set", "dept/api", FILE, *words)
    assert (done.returncode, "names registry.example/dept/other 0 times" in done.stderr) == (1, True)
    done = await github.ran("digest.py", "set", "dept/api", "missing.yaml", *words)
    assert (done.returncode, "404" in done.stderr) == (1, True)
    done = await github.ran("digest.py", "set", "dept/api", FILE, *words, GITHUB_TOKEN="wrong")
    assert (done.returncode, "401" in done.stderr) == (1, True)
    done = await github.ran("digest.py", "set", "dept/api", FILE, "--image", API, "--digest", "1.8.0", "--message", "m")
    assert (done.returncode, "64 hexadecimal" in done.stderr) == (2, True)
    done = await github.ran("digest.py", "back", "dept/api", FILE, "--image", API, "--message", "m")
    assert (done.returncode, "no other digest stood" in done.stderr) == (1, True)


# --- pult's verdict ---

PULT = {"operation": "op-1"}


@pytest.mark.parametrize(
    ("records", "status", "verdict"),
    [
        ((), 3, "unpromoted"),
        ((("production", ("in_progress",), PULT),), 3, "unpromoted"),
        ((("production", ("queued",), PULT),), 3, "unpromoted"),
        ((("production", ("queued", "in_progress", "success"), PULT),), 0, "verified"),
        ((("production", ("queued", "in_progress", "success", "inactive"), PULT),), 1, "bad"),
        ((("production", ("queued", "inactive"), PULT), ("production", ("success",), PULT)), 0, "verified"),
        ((("production", ("in_progress", "success"), PULT),), 0, "verified"),
        ((("production", ("in_progress", "success"), {}),), 3, "unpromoted"),  # a job's own record, not pult's
        ((("production-sfo3", ("success",), PULT),), 3, "unpromoted"),
        ((("production-sfo3", ("failure",), PULT),), 1, "bad"),
        ((("production", ("in_progress", "failure", "inactive"), PULT),), 1, "bad"),
        ((("production", ("failure",), PULT), ("production", ("success",), PULT)), 0, "verified"),
        ((("production", ("success",), json.dumps(PULT)),), 0, "verified"),
    ],
)
async def test_pults_verdict_is_read_from_its_own_records(
    github: GitHub, tmp_path: Path, records: tuple[tuple[str, tuple[str, ...], object], ...], status: int, verdict: str
) -> None:
    for environment, states, payload in records:
        await github.deployment(environment, *states, payload=payload)
    commit = (await github.call("GET", "/git/ref/tags/v1.8.0"))["object"]["sha"]
    output = tmp_path / "output"
    words = ("dept/api", commit, "production", "--patience", "0.02", "--pause", "0.2")
    done = await github.ran("follow.py", *words, GITHUB_OUTPUT=str(output))
    assert (done.returncode, output.read_text()) == (status, f"verdict={verdict}\n"), done.stdout + done.stderr


async def test_a_no_ends_the_waiting_at_once_and_says_nothing_against_the_version(github: GitHub) -> None:
    await github.deployment("production", "queued", "inactive", payload=PULT)
    commit = (await github.call("GET", "/git/ref/tags/v1.8.0"))["object"]["sha"]
    begun = time.monotonic()
    done = await github.ran("follow.py", "dept/api", commit, "production", "--patience", "10", "--pause", "60")
    assert (done.returncode, done.stdout) == (3, "unpromoted: it is inactive\n")
    assert time.monotonic() - begun < 60, "not one pause"


async def test_a_github_that_is_away_is_no_verdict(github: GitHub) -> None:
    words = ("dept/api", "0" * 40, "production", "--patience", "0.02", "--pause", "0.2")
    done = await github.ran("follow.py", *words, GITHUB_API_URL="http://127.0.0.1:9")
    assert done.returncode == 3
    assert "refused" in done.stdout


# --- the workflows made of them ---


async def workflow(github: GitHub, folder: Path, name: str, **inputs: str) -> Any:
    """The only job of a workflow, run as it is written with *inputs*."""
    written = yaml.safe_load((ROOT / ".github/workflows" / name).read_text())
    declared = written[True]["workflow_call"]["inputs"]
    missing = {each for each, told in declared.items() if told.get("required")} - inputs.keys()
    assert not missing
    contexts = {
        "inputs": {each: told.get("default", "") for each, told in declared.items()} | inputs,
        "github": {"repository": "dept/api", "token": "ghs_sim"},
        "secrets": {"DEPLOY_TOKEN": "ghs_sim"},
        "vars": {},
    }
    standins, runner = program("rehearsing.standins"), program("rehearsing.runner")
    standins.programs(folder / "programs")
    environment = {"GITHUB_API_URL": f"{github.url}/github", "STANDINS": str(folder / "programs")}
    actions = standins.actions(folder / "artifacts", folder, fixable=False)
    rehearsal = runner.Rehearsal(folder / "jobs", ROOT, contexts, environment, actions)
    (job,) = (await asyncio.to_thread(rehearsal.run, written)).values()
    return job


async def committed(github: GitHub, file: str = FILE) -> tuple[str, str]:
    """The message of the newest commit, and the digest that *file* names."""
    newest = (await github.call("GET", "/commits?per_page=1"))[0]
    text = base64.b64decode((await github.call("GET", f"/contents/{file}"))["content"]).decode()
    return newest["commit"]["message"], program("digest").digest_in(text, API)


async def test_the_pipeline_as_pults_hand_commits_the_digest_that_it_is_told(github: GitHub, tmp_path: Path) -> None:
    where = {"service": "api", "environment": "production", "image": API, "file": FILE, "operation": "op-7"}
    job = await workflow(github, tmp_path / "there", "deploy.yml", **where, digest=NEW, version="1.8.0")
    assert job.result == "success", job.said
    assert await committed(github) == ("deploy: api 1.8.0 to production (op-7)", NEW)
    job = await workflow(github, tmp_path / "back", "deploy.yml", **where, digest=digest("api", "1.7.2"))
    assert await committed(github) == (
        f"deploy: api {digest('api', '1.7.2')} to production (op-7)",
        digest("api", "1.7.2"),
    )
    job = await workflow(github, tmp_path / "bad", "deploy.yml", **where, digest="$(touch bad)")
    assert (job.result, "64 hexadecimal" in job.said) == ("failure", True)


async def test_a_rollback_by_hand_commits_what_was_there_before_in_each_region(github: GitHub, tmp_path: Path) -> None:
    before = {file: (await committed(github, file))[1] for file in (FILE, STAGING)}
    for file in before:
        words = ("set", "dept/api", file, "--image", API, "--digest", NEW, "--message", "deploy")
        assert (await github.ran("digest.py", *words)).returncode == 0
    where = {"service": "api", "environment": "production", "image": API}
    reason = 'it burns; "$(reboot)"'
    job = await workflow(github, tmp_path / "both", "rollback.yml", **where, files=" ".join(before), reason=reason)
    assert job.result == "success", job.said
    for file, earlier in before.items():
        assert await committed(github, file) == (f"revert: api in production: {reason}", earlier)
    job = await workflow(github, tmp_path / "none", "rollback.yml", **where, files="no/file.yaml", reason=reason)
    assert job.result == "failure"
