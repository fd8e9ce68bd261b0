"""The whole way of a release with Argo CD: from its tag to verified production; and of a bad one, taken back."""

from __future__ import annotations

import pytest

from bot.simulator.kubernetes.kinds import APPLICATION
from tests.department import OPS, Department, Json
from tests.pult_fixtures import Make, fresh
from tests.pult_process import Pult
from tests.releasing import (
    ARGO,
    PRODUCTION,
    STAGING,
    announced,
    approved,
    by_hand,
    committed,
    github,
    notes,
    repository,
    rolled,
    runs,
    serves,
    told,
    trail,
)

__all__ = ["fresh"]
BAKE = "5s"


@pytest.mark.timeout(180)
async def test_from_a_tag_to_verified_production(make: Make, department: Department) -> None:
    pult = make(policy__promote={"approvals": 2, "require": ["ci", "trivy", "e2e"], "soak": "1s"})
    serves(pult, "api", STAGING, {**PRODUCTION, "gitops": ARGO, "verification": {"bake": BAKE}})
    await by_hand(department, "api", "1.7.2", namespace="staging")
    await rolled(department, "api", "1.7.2", namespace="staging")
    await pult.start()
    await announced(pult, department, "api", "1.7.2")
    await _built(pult, department)
    await _staged(pult)
    await department.slack_shows("api 1.8.0: in staging", OPS)
    await department.happens("release", service="api", version="1.8.0", status="ready", evidence=_found(e2e="passed"))
    await department.slack_shows("api 1.8.0: ready for production", OPS)
    commits = department.commits("dept/api")
    await department.slack("press", user="U0ANNA", channel=OPS, button="Promote")
    await department.slack_shows("api 1.8.0: waiting for approval (production)", OPS)
    await department.slack_shows("Promote api 1.8.0 to production: waiting", OPS)
    assert department.commits("dept/api") == commits, "nothing before it is approved"
    await department.slack("press", user="U0CHEN", channel=OPS, button="Approve")
    await department.slack_shows("1 of 2: chen", OPS)
    await department.telegram("press", user=1002, chat=1002, button="Одобрить")
    await department.telegram("press", user=1002, chat=1002, button="Подтвердить: Одобрить")
    await department.slack_shows("api 1.8.0: on its way (production)", OPS)
    await department.slack_shows("api 1.8.0: in production", OPS)
    await department.slack_shows("Promote api 1.8.0 to production: succeeded", OPS)
    await department.telegram_shows("Promote api 1.8.0 to production: succeeded", -1001000000002)
    assert department.commits("dept/api") == commits + 1
    assert (runs(department, "api"), committed(department, "api")) == ("1.8.0", "1.8.0")
    assert department.patches("api", "nyc2") == 2, "staging's: by hand, and by pult; production is Argo CD's"
    assert told(department, "api", "production") == ["in_progress", "success"]
    assert "In production since" in notes(department, "api", "1.8.0")
    assert ", then 1.8.0 (op-" in notes(department, "api", "1.7.2")
    assert "cursor pagination" in notes(department, "api", "1.8.0"), "what was there stays"
    await _on_record(pult)


@pytest.mark.timeout(180)
async def test_a_bad_release_is_seen_proposed_to_be_undone_and_reverted_by_one_press(
    make: Make, department: Department
) -> None:
    """1.8.1 fails 8 % of requests: every pod is ready, and users are not well. Argo CD syncs by itself, and heals."""
    pult, store = make(), department.cluster("nyc2").store
    application = store.get(APPLICATION, "argocd", "api")
    automated = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
    store.put(APPLICATION, {**application, "spec": {**application["spec"], **automated}})
    serves(pult, "api", {**PRODUCTION, "gitops": ARGO, "verification": {"bake": "50s", "burn": 1.0}})
    await pult.start()
    await announced(pult, department, "api", "1.7.2", "1.8.1")
    commits = department.commits("dept/api")
    ident = await approved(pult, "promote api 1.8.1", "boris")
    await department.slack_shows("api 1.8.1: bad (production)", OPS)
    card = await pult.becomes(ident, "paused")
    assert "api 1.8.1 is bad in production: availability burns" in card
    assert (runs(department, "api"), department.commits("dept/api")) == ("1.8.1", commits + 1)
    said = await pult.ask("boris", "rollback api", locale="en")
    assert f"resume {ident} undo" in said["text"], "a rollback of its own would wait behind it"
    await department.slack("press", user="U0BORIS", channel=OPS, button="Undo")
    card = await pult.becomes(ident, "undone")
    await department.slack_shows("api 1.8.1: rolled back (production)", OPS)
    assert (runs(department, "api"), committed(department, "api")) == ("1.7.2", "1.7.2")
    assert department.commits("dept/api") == commits + 2
    assert told(department, "api", "production") == ["in_progress", "failure", "inactive"]
    application = store.get(APPLICATION, "argocd", "api")
    assert application["status"]["sync"]["revision"] == repository(department, "api").history.branches["main"]
    assert f", rolled back ({ident})" in notes(department, "api", "1.8.1")
    (row,) = (await trail(pult, "api/1.8.1"))["deployments"]
    assert row["fate"] == "back"


async def _built(pult: Pult, department: Department) -> None:
    """What GitHub and the pipeline tell, each shown before the next is told."""
    sha = repository(department, "api").history.tags["v1.8.0"]
    await github(pult, department, "push", "push-tag", ref="refs/tags/v1.8.0", after=sha, head_commit={"id": sha})
    await department.slack_shows("api 1.8.0: tagged", OPS)
    await department.happens("release", service="api", version="1.8.0", status="built", evidence={})
    await department.slack_shows("api 1.8.0: built", OPS)
    await department.happens("release", service="api", version="1.8.0", status="scanned", evidence=_found())
    await department.slack_shows("api 1.8.0: scanned", OPS)
    run = {"head_sha": sha, "name": "ci"}
    await github(pult, department, "workflow_run", "workflow-run-success", workflow_run=run)
    tests = _found(tests="412 passed")
    await department.happens("release", service="api", version="1.8.0", status="tested", evidence=tests)
    await department.slack_shows("api 1.8.0: tested", OPS)
    messages = [each for each in await department.slack_messages(OPS, "api 1.8.0: tagged") if not each["thread_ts"]]
    assert len(messages) == 1, "one card for all of it"
    assert [each for each in messages[0]["revisions"] if "api 1.8.0: tested" in each["text"]]


async def _staged(pult: Pult) -> None:
    """To staging, where nobody asked for end-to-end tests yet."""
    ident = await pult.proposed("anna", "promote api 1.8.0 to staging")
    held = await pult.ask("boris", f"approve {ident}", locale="en")
    assert "is held by e2e" in held["text"], held
    assert (await pult.ask("boris", f"approve {ident} --override e2e they run in staging"))["ok"]
    assert (await pult.ask("chen", f"approve {ident}"))["ok"]
    await pult.becomes(ident, "succeeded")


async def _on_record(pult: Pult) -> None:
    """Who approved what on which evidence."""
    found = await trail(pult, "api/1.8.0")
    (promoted,) = (each for each in found["operations"] if each["plan"]["environment"] == "production")
    assert {(each["person"], each["platform"]) for each in promoted["approvals"]} == {
        ("chen", "slack"), ("boris", "telegram"),
    }  # fmt: skip
    evidence = {row["what"]: row["said"] for row in promoted["plan"]["evidence"]}
    assert evidence.keys() >= {"CI", "Tests", "Trivy", "End-to-end tests", "Soak", "Changes"}, evidence
    assert promoted["plan"]["holds"] == []
    status, _, err = await pult.run("audit", "verify")
    assert status == 0, err


def _found(**more: str) -> Json:
    return {"trivy": "0 critical, 2 high", **more}
