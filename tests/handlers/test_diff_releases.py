"""``diff`` and ``releases``: what would change, what runs where since when, and the trail of one release."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.audit import verify
from bot.domain.evidence import Finding, scanned
from bot.domain.messages import StepMark
from bot.domain.operations import State, StepReport
from bot.domain.phrases import phrase
from bot.domain.releases import Deployment, Fate
from bot.domain.trail import exported
from bot.ports.forge import Commit, Comparison
from handlers.commands.releases_trail import read as read_trail
from tests.handlers.department import API, Check, Department, read
from tests.handlers.fakes import NOON, digest, image
from tests.handlers.fakes_releases import sha

SECRET = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
COMMITS = (
    Commit("a" * 40, "feat(items): cursor pagination (#41)\n\nlong", "anna", NOON),
    Commit("b" * 40, "fix(db): retry serialization failures once", "boris", NOON),
    Commit("c" * 40, "refactor!: drop the v0 price endpoint", "chen", NOON),
    Commit("d" * 40, "docs: runbook", "chen", NOON),
)


@pytest.fixture
async def told(department: Department) -> Department:
    """1.7.2 in production, 1.8.0 in staging since two hours."""
    await department.reported(
        "1.7.2", stage="released", commit=sha("1.7.2"), scan=scanned([Finding("critical", "CVE-1", "zlib", fixed=True)])
    )
    await department.reported("1.8.0", commit=sha("1.8.0"), scan=scanned([]))
    await department.reported("1.10.0-rc.1", prerelease=True)
    await department.reported("1.8.1", stage="failed")
    url = "https://github.com/dept/api/compare/1...2"
    department.forge.compared[sha("1.7.2"), sha("1.8.0")] = Comparison(COMMITS, ("db/migrations/1.sql",), url=url)
    for where, version, hours in (("staging", "1.8.0", 2), ("production", "1.7.2", 90)):
        since = NOON - timedelta(hours=hours)
        row = Deployment("api", where, version, digest("api", version), Fate.GOOD, since, since=since)
        await department.store.write(lambda tx, row=row: tx.save_deployment(row))
    return department


async def test_a_diff(told: Department, reads_as: Check) -> None:
    reads_as("commands/diff", await told.say("vera", "разница api"))
    assert await told.say("vera", "diff api") == await told.say("vera", "diff api v1.8.0 production")


async def test_a_diff_of_what_runs(told: Department) -> None:
    said = await told.say("vera", "diff api 1.8.0 staging")
    assert "api 1.8.0 runs in staging" in said
    assert "promote" not in said


async def test_a_diff_without_github_says_what_it_does_not_know(told: Department) -> None:
    told.without = frozenset({"forge"})
    said = await told.say("vera", "diff api")
    assert "Changes     unknown: the commits or GitHub are not known" in said
    assert "Migrations  unknown" in said


@pytest.mark.parametrize("version", ["1.90.0 to staging", "1.90.0;drop"])
async def test_a_version_that_would_make_another_command_gets_no_button(told: Department, version: str) -> None:
    await told.reported(version)
    for command in ("diff api", "releases api"):
        reply = await told.reply("vera", command)
        assert reply.ok
        assert version in read(reply.message)
        assert not any("promote" in button.command for button in reply.message.buttons)


async def test_a_step_back(told: Department) -> None:
    told.cluster.becomes(API, images=(image("api", "1.8.0"),))
    told.forge.compared[sha("1.8.0"), sha("1.7.2")] = Comparison((), behind=4)
    assert "a step back: what runs is newer" in await told.say("vera", "diff api 1.7.2")


async def test_a_long_changelog_is_attached_whole(told: Department) -> None:
    many = tuple(Commit(f"{at:012x}" + "0" * 28, f"feat: number {at}", "anna", NOON) for at in range(60))
    told.forge.compared[sha("1.7.2"), sha("1.8.0")] = Comparison(many, more=7, url="https://github.com/x")
    message = (await told.reply("vera", "diff api")).message
    assert message.whole.splitlines()[0] == "000000000000 anna: feat: number 0"
    assert message.whole.splitlines()[59:] == [
        "00000000003b anna: feat: number 59",
        "… and 7 more: https://github.com/x",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("diff", "diff <service>"),
        ("diff api 9.9.9", "has not heard of api 9.9.9"),
        ("diff api 1.8.0 moon", "has no environment moon"),
        ("diff web", "knows no version of web"),
    ],
)
async def test_what_has_no_diff(told: Department, words: str, said: str) -> None:
    assert said in await told.say("vera", words, ok=False)


async def test_releases_tell_where_and_since_when(told: Department, reads_as: Check) -> None:
    reads_as("commands/releases-known", await told.say("vera", "releases api"))


async def went(department: Department, fate: Fate, minutes: int) -> None:
    at = NOON - timedelta(minutes=minutes)
    row = Deployment("api", "production", "1.8.0", digest("api", "1.8.0"), fate, at, since=at)
    await department.store.write(lambda tx: tx.save_deployment(row))


@pytest.mark.parametrize("fate", [Fate.BAD, Fate.BACK])
async def test_what_was_taken_back_is_offered_nowhere(told: Department, fate: Fate) -> None:
    assert "promote api 1.8.0" in await told.say("vera", "releases api")
    await went(told, fate, 5)
    said = await told.say("vera", "releases api")
    assert "promote api 1.8.0" not in said
    assert {Fate.BAD: "bad (production)", Fate.BACK: "rolled back (production)"}[fate] in said
    assert "1.8.0" not in (await told.say("vera", "diff api")).splitlines()[0]
    assert "api in production: 1.7.2 → 1.8.0" in await told.say("vera", "diff api 1.8.0")


async def test_what_runs_in_production_is_not_offered(told: Department) -> None:
    told.cluster.becomes(API, images=(image("api", "1.8.0"),))
    assert "promote api 1.8.0" not in await told.say("vera", "releases api")


async def test_the_trail_of_a_release(told: Department, reads_as: Check) -> None:
    ident = await promoted(told)
    text = await told.say("vera", "releases api 1.8.0")
    made = await told.operation(ident)
    reads_as("commands/releases-trail", masked(text, ident, made.plan.hash, text))


def masked(text: str, ident: str, plan: str, of: str) -> str:
    """Without what follows from everything else."""
    head = of.rpartition(": ")[2].strip()
    return text.replace(ident, "op-0000").replace(plan[:8], "0" * 8).replace(head, "0" * 16)


async def test_the_trail_as_json(told: Department) -> None:
    ident = await promoted(told)
    made = await told.operation(ident)
    trail = await told.store.read(lambda tx: read_trail(tx, "api", "1.8.0"))
    found = json.loads(json.dumps(exported(trail)))
    (operation,) = found["operations"]
    assert operation["plan"]["hash"] == made.plan.hash
    assert operation["plan"]["evidence"][0] == {"what": "runs now", "said": f"1.7.2, {digest('api', '1.7.2')[:19]}"}
    assert [(given["person"], given["plan_hash"]) for given in operation["approvals"]] == [("boris", made.plan.hash)]
    assert operation["steps"][0]["said"] == "commit 1"
    assert operation["steps"][0]["title"].startswith("Commit sha256:")
    assert found["release"]["commit"] == sha("1.8.0")
    assert [row["environment"] for row in found["deployments"]] == ["staging", "production"]
    assert [entry["action"] for entry in found["audit"]] == ["promote", "approve"]
    verify(await told.store.read(lambda tx: tuple(tx.entries())), found["audit"][-1]["hash"])
    assert SECRET not in json.dumps(found)
    assert (await told.reply("vera", "releases api 1.8.0")).message.whole == json.dumps(
        exported(trail), ensure_ascii=False, indent=2
    ) + "\n"  # fmt: skip


async def test_a_release_nobody_heard_of_has_no_trail(told: Department) -> None:
    assert "has not heard of api 9.9.9" in await told.say("vera", "releases api 9.9.9", ok=False)


async def promoted(told: Department) -> str:
    """Proposed by anna, approved by boris, done; and a secret in what the pipeline told."""
    await told.reported("1.8.0", commit=sha("1.8.0"), evidence={"tests": f"passed with {SECRET}"})
    made = await told.proposed("anna", "promote api 1.8.0")
    told.clock.at += timedelta(minutes=3)
    await told.say("boris", f"approve {made.id}")
    now = told.clock.at
    approved = await told.operation(made.id)
    report = StepReport("apply", StepMark.DONE, phrase("commit {sha}", sha="1"), now, now + timedelta(seconds=2))
    ended = replace(
        approved.moved(State.RUNNING).moved(State.SUCCEEDED).reported(report), started_at=now,
        ended_at=now + timedelta(seconds=40), result=phrase("{service} is restarted and available.", service="api"),
    )  # fmt: skip
    await told.store.write(lambda tx: tx.save_operation(ended))
    return made.id


async def test_the_trail_from_the_command_line(told: Department, tmp_path: Path) -> None:
    ident = await promoted(told)
    config = tmp_path / "pult.toml"
    config.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/pult.db"\n[[routes]]\nto = ["console:ops"]\n')

    async def run(release: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "audit", "export", "--config", str(config), "--release", release,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    status, out, _ = await run("api/v1.8.0")
    assert status == 0
    assert json.loads(out)["operations"][0]["id"] == ident
    assert SECRET not in out
    status, out, err = await run("api/9.9.9")
    assert (status, out) == (1, "")
    assert "has not heard of api/9.9.9" in err
