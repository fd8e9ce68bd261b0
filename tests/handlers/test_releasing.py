"""What webhooks leave behind: releases, where they are seen, gates, and the alerts of GitOps tools; on a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import handlers
from bot.adapters.sql import SqlStore, open_store
from bot.domain.alerts import Group
from bot.domain.cards import Place, Ref
from bot.domain.errors import TemporaryError
from bot.domain.events import Heard
from bot.domain.operations import Approval, Choice, Operation, State, Verdict
from bot.domain.phrases import English, phrase
from bot.domain.plans import Plan
from bot.domain.releases import Deployment, Fate, Ran, Release
from bot.domain.routes import Route
from bot.domain.sightings import Finished, Gate, Sighting, Trouble, gate_for, gates_name
from bot.domain.standing import Standing, standing
from bot.domain.targets import Hand, Target
from bot.engine.guard import Guarded
from bot.platforms.console.plain import plain
from bot.ports.forge import Commit, Comparison
from bot.ports.store import Tx
from handlers.alerting.rules import Rules
from handlers.cards.release import draw
from handlers.cards.release_changes import Changelogs
from handlers.cards.release_seen import Seen, load
from handlers.webhooks.gitops import DEGRADED, FAILED
from tests.handlers.department import PEOPLE, SERVICES
from tests.handlers.fakes import NOON, FakeClock, digest
from tests.migrated import sqlite_store

RULES = Rules((Route(("slack:C0OPS", "console:ops")),), PEOPLE, runbooks="https://runbooks.example")
MINUTE = timedelta(minutes=1)
SHA, OTHER = "a" * 40, "b" * 40
CARD = "release:api/1.8.0"


@dataclass
class Pult:
    """The intake's work on a store."""

    store: SqlStore
    now: datetime = NOON

    async def hears(self, **heard: object) -> bool:
        self.now += MINUTE
        told = Heard(**heard)  # type: ignore[arg-type]
        return await self.store.write(lambda tx: handlers.hearing(RULES, SERVICES)(tx, told, self.now))

    async def release(self, stage: str = "ready", version: str = "1.8.0", **more: object) -> bool:
        told = Release("api", version, stage, self.now, **more)  # type: ignore[arg-type]
        return await self.hears(releases=(told,))

    async def sees(
        self, fate: Fate = Fate.GOOD, environment: str = "production", late: float = 0, **more: object
    ) -> bool:
        at = self.now + MINUTE - timedelta(minutes=late)
        return await self.hears(sightings=(Sighting("api", environment, fate, at, **more),))  # type: ignore[arg-type]

    async def card(self, version: str = "1.8.0") -> Seen:
        seen = await self.store.read(lambda tx: load(tx, SERVICES, f"api/{version}"))
        assert seen is not None
        return seen

    async def stands(self, version: str = "1.8.0") -> Standing:
        seen = await self.card(version)
        return standing(seen.release, seen.stays)[0]

    async def shows(self, version: str = "1.8.0") -> str:
        return plain(draw(await self.card(version)), English())

    async def revisions(self, subject: str = CARD) -> int:
        cards = await self.store.read(lambda tx: tx.cards_of(subject))
        return sum(card.wanted for card in cards)

    async def news(self) -> list[str]:
        """Replies under release cards in the chat, the first first."""

        def found(tx: Tx) -> list[str]:
            cards = [card for card in tx.latest_cards("slack:C0OPS", 50) if card.subject.startswith("notice:")]
            return [tx.message(card.subject).title.plain() for card in reversed(cards)]  # type: ignore[union-attr]

        return await self.store.read(found)

    async def alerts(self) -> list[Group]:
        return list(await self.store.read(lambda tx: tx.open_groups()))


@pytest.fixture
async def pult(tmp_path: Path) -> AsyncIterator[Pult]:
    async with open_store(sqlite_store(tmp_path)) as store:
        yield Pult(store)


async def test_one_card_lives_from_the_tag_to_production(pult: Pult) -> None:
    assert await pult.release("tagged", commit=SHA)
    assert await pult.release("built", digest=digest("api", "1.8.0"), image="r/api")
    assert await pult.stands() is Standing.STAGE
    assert await pult.sees(environment="staging", commits=(SHA,))
    assert await pult.stands() is Standing.STAGED
    assert await pult.release("ready", evidence={"e2e": "passed"})
    assert await pult.stands() is Standing.READY
    assert await pult.sees(Fate.RUNNING, commits=(SHA,))
    assert await pult.stands() is Standing.MOVING
    assert await pult.sees(commits=(SHA,))
    assert await pult.stands() is Standing.LIVE
    assert await pult.news() == ["api 1.8.0 runs in production"]
    cards = await pult.store.read(lambda tx: tx.cards_of(CARD))
    assert sorted(card.place.destination for card in cards) == ["console:ops", "slack:C0OPS"]


async def test_what_says_nothing_new_changes_no_card(pult: Pult) -> None:
    """Promise 7's twin at the door: a repeat, or a late word that was known, is no edit."""
    await pult.release("ready", digest=digest("api", "1.8.0"), evidence={"tests": "passed"})
    await pult.sees(commits=(SHA,), version="1.8.0")
    before = await pult.revisions()
    assert not await pult.release("ready", digest=digest("api", "1.8.0"), evidence={"tests": "passed"})
    assert not await pult.release("built")
    assert not await pult.sees(commits=(SHA,), version="1.8.0")
    assert not await pult.sees(Fate.RUNNING, late=30, version="1.8.0")
    assert await pult.revisions() == before


async def test_a_second_digest_is_said_and_nothing_replaced(pult: Pult) -> None:
    await pult.release("ready", digest=digest("api", "1.8.0"))
    assert await pult.release("ready", digest=digest("api", "other"))
    seen = await pult.card()
    assert seen.release.digest == digest("api", "1.8.0")
    assert "Two digests were reported" in await pult.shows()
    assert "promote" not in str(draw(seen).buttons)


@pytest.mark.parametrize(
    "named",
    [
        {"version": "1.8.0"},
        {"commits": (SHA[:12],)},
        {"images": (f"r/api@{digest('api', '1.8.0')}",)},
        {"images": ("side/car:1", "r/api:1.8.0")},
        {"images": ("r/api:v1.8.0",)},
    ],
)
async def test_how_a_release_is_recognised(pult: Pult, named: dict[str, object]) -> None:
    await pult.release("ready", "1.7.2", digest=digest("api", "1.7.2"), image="r/api", commit=OTHER)
    await pult.release("ready", digest=digest("api", "1.8.0"), image="r/api", commit=SHA)
    assert await pult.sees(**named)
    assert await pult.stands() is Standing.LIVE
    assert await pult.stands("1.7.2") is Standing.READY


@pytest.mark.parametrize(
    "named", [{}, {"version": "9"}, {"commits": ("a",)}, {"images": ("evil/api:1.8.0", "r/api:1.8")}]
)
async def test_what_is_not_sure_is_not_claimed(pult: Pult, named: dict[str, object]) -> None:
    await pult.release("ready", digest=digest("api", "1.8.0"), image="r/api", commit=SHA)
    assert not await pult.sees(**named)
    assert await pult.stands() is Standing.READY


async def test_it_may_be_seen_before_it_is_told_of(pult: Pult) -> None:
    assert not await pult.sees(images=(f"r/api@{digest('api', '1.8.0')}",))
    assert await pult.release("ready", digest=digest("api", "1.8.0"))
    assert await pult.stands() is Standing.LIVE


async def test_while_pods_are_replaced_the_one_that_is_new_is_meant(pult: Pult) -> None:
    both = ("r/api:1.7.2", "r/api:1.8.0")
    for version in ("1.7.2", "1.8.0"):
        await pult.release("ready", version, image="r/api", digest=digest("api", version))
    assert not await pult.sees(images=both), "nobody can tell which"
    await pult.sees(version="1.7.2")
    before = await pult.revisions("release:api/1.7.2")
    assert await pult.sees(images=both)
    assert (await pult.stands(), await pult.stands("1.7.2")) == (Standing.LIVE, Standing.REPLACED)
    assert await pult.revisions("release:api/1.7.2") > before, "its card says so"
    assert "until 2026-03-01" in await pult.shows("1.7.2")


async def test_a_version_that_comes_back_rolls_the_other_back(pult: Pult) -> None:
    for version in ("1.7.2", "1.8.0"):
        await pult.release("ready", version)
        await pult.sees(version=version)
    assert await pult.sees(version="1.7.2")
    assert (await pult.stands("1.7.2"), await pult.stands()) == (Standing.LIVE, Standing.BACK)
    assert "api 1.8.0 was rolled back in production" in await pult.news()


async def test_a_bad_one_says_so_and_offers_to_go_back(pult: Pult) -> None:
    await pult.release("ready", digest=digest("api", "1.8.0"))
    await pult.sees(Fate.RUNNING, version="1.8.0")
    await pult.sees(Fate.BAD, version="1.8.0")
    assert await pult.news() == ["api 1.8.0 is bad in production"]
    buttons = [button.command for button in draw(await pult.card()).buttons]
    assert buttons == ["rollback api", "diff api", "releases api"]
    await pult.sees(version="1.8.0")
    assert await pult.stands() is Standing.LIVE


async def test_a_bad_one_whose_promotion_is_not_over_offers_that_one_s_own_way_back(pult: Pult) -> None:
    """A rollback would wait behind it."""
    await pult.release("ready", digest=digest("api", "1.8.0"))
    row = Deployment("api", "production", "1.8.0", digest("api", "1.8.0"), Fate.BAD, NOON, "op-41c9", since=NOON)
    paused = replace(planned("1.8.0", "x"), state=State.PAUSED, choices=(Choice.UNDO,))

    def write(tx: Tx) -> None:
        tx.save_operation(paused)
        tx.save_deployment(row)

    await pult.store.write(write)
    assert draw(await pult.card()).buttons[0].command == "resume op-41c9 undo"
    await pult.store.write(lambda tx: tx.save_operation(paused.moved(State.FAILED)))
    assert draw(await pult.card()).buttons[0].command == "rollback api"


async def test_what_came_up_and_is_ill_later_was_not_put_in_badly(pult: Pult) -> None:
    """Its alert says that it is ill; the release is the one that ran well all along."""
    await pult.release("ready")
    await pult.sees(version="1.8.0")
    assert not await pult.sees(Fate.BAD, version="1.8.0")
    assert await pult.stands() is Standing.LIVE


async def test_staging_is_no_news(pult: Pult) -> None:
    await pult.release("built")
    await pult.sees(environment="staging", version="1.8.0")
    assert await pult.news() == []


def operation(person: str = "boris") -> Operation:
    plan = Plan("promote", phrase("x"), "api", "production", ())
    approval = Approval("op-41c9", person, Verdict.APPROVE, plan.hash, "slack", NOON)
    return Operation("op-41c9", plan, "anna", State.SUCCEEDED, NOON, NOON, Place("slack:C0OPS"), (approval,))


def own(fate: Fate = Fate.GOOD, **more: object) -> Deployment:
    row = Deployment("api", "production", "1.8.0", digest("api", "1.8.0"), fate, NOON, "op-41c9", OTHER, NOON)
    return replace(row, **more)  # type: ignore[arg-type]


async def test_of_pults_own_operation_pult_knows_better(pult: Pult) -> None:
    """Argo CD, Flux and GitHub echo what pult itself did: no second row, no second news."""
    await pult.release("ready", digest=digest("api", "1.8.0"), commit=SHA)
    await pult.store.write(lambda tx: (tx.save_operation(operation()), tx.save_deployment(own())))
    assert not await pult.sees(commits=(OTHER,))
    assert not await pult.sees(version="1.8.0")
    assert len(await pult.store.read(lambda tx: tx.deployments("api"))) == 1
    assert "op-41c9, approved by boris" in await pult.shows()
    await pult.store.write(lambda tx: tx.save_deployment(own(Fate.BACK)))
    assert await pult.sees(version="1.8.0"), "somebody else put it back"


async def test_what_never_got_there_hides_nothing(pult: Pult) -> None:
    await pult.release("ready")
    await pult.sees(version="1.8.0")
    await pult.store.write(lambda tx: tx.save_deployment(own(Fate.ENDED, at=pult.now + MINUTE)))
    assert await pult.stands() is Standing.LIVE


def ran(state: str = "success", workflow: str = "ci", ident: int = 7) -> Ran:
    return Ran(workflow, ident, 1, state, SHA)


async def test_workflows_are_evidence_of_their_commit(pult: Pult) -> None:
    assert not await pult.hears(ran=(("api", ran("running")),)), "no release of that commit yet"
    await pult.release("tagged", commit=SHA)
    assert [run.state for run in (await pult.card()).release.runs] == ["running"]
    assert await pult.hears(ran=(("api", ran()),))
    assert not await pult.hears(ran=(("api", ran("running")),)), "late"
    assert await pult.hears(ran=(("api", ran("failure", "scan", 8)),))
    shown = await pult.shows()
    assert "ci" in shown
    assert [(run.workflow, run.state) for run in (await pult.card()).release.runs] == [
        ("ci", "success"),
        ("scan", "failure"),
    ]
    assert not await pult.hears(ran=(("api", replace(ran(), sha=OTHER, id=9)),))


async def test_a_run_that_waits_is_remembered_until_it_is_over(pult: Pult) -> None:
    await pult.release("ready", commit=SHA)
    gate = Gate("api", "production", "dept/api", 7245634518, "prod", SHA, NOON)
    before = await pult.revisions()
    assert await pult.hears(gates=(gate,))
    assert await pult.hears(gates=(gate,))
    assert await pult.revisions() > before
    seen = await pult.card()
    assert seen.gates == (gate,)
    assert "waits for a word before production" in await pult.shows()
    known = await pult.store.read(lambda tx: tx.mark(gates_name("api", "production")))
    assert known == (gate,)
    assert gate_for(known, seen.release) == gate
    assert gate_for(known, replace(seen.release, commit=OTHER)) is None
    assert await pult.hears(finished=(Finished("api", gate.run),))
    assert (await pult.card()).gates == ()


async def test_few_gates_are_kept(pult: Pult) -> None:
    for run in range(20):
        await pult.hears(gates=(Gate("api", "production", "dept/api", run, "prod", SHA, NOON),))
    known = await pult.store.read(lambda tx: tx.mark(gates_name("api", "production")))
    assert [gate.run for gate in known] == list(range(10, 20))


def trouble(alert: str = FAILED, minutes: float = 0, *, fires: bool = True, severity: str = "warning") -> Trouble:
    labels = {"alertname": alert, "severity": severity, "service": "api", "application": "api", "tool": "argocd",
              "environment": "production"}  # fmt: skip
    return Trouble(
        f"gitops argocd argocd api {alert}", "gitops argocd argocd api", alert, fires, NOON + minutes * MINUTE,
        tuple(labels.items()), "spec.selector: <b>immutable</b>", "https://argocd.example/api",
    )  # fmt: skip


async def test_trouble_is_an_alert_until_the_next_good_word(pult: Pult) -> None:
    assert await pult.hears(troubles=(trouble(),))
    (group,) = await pult.alerts()
    assert (group.name, group.severity, group.service) == (FAILED, "warning", "api")
    (alert,) = group.alerts.values()
    assert alert.annotations["runbook_url"] == "https://runbooks.example/GitopsSyncFailed.md"
    assert not await pult.hears(troubles=(trouble(),)), "it fires already"
    assert await pult.hears(troubles=(trouble(minutes=1, fires=False),))
    assert await pult.alerts() == []


async def test_each_respect_has_its_own_alert(pult: Pult) -> None:
    await pult.hears(troubles=(trouble(), trouble(DEGRADED, severity="critical")))
    await pult.hears(troubles=(trouble(minutes=1, fires=False),))
    assert [(group.name, group.severity) for group in await pult.alerts()] == [(DEGRADED, "critical")]


async def test_a_late_word_on_an_object_changes_nothing(pult: Pult) -> None:
    await pult.hears(troubles=(trouble(minutes=5, fires=False),))
    assert not await pult.hears(troubles=(trouble(minutes=4),))
    assert await pult.alerts() == []
    assert await pult.hears(troubles=(trouble(minutes=6),))


async def test_news_stand_under_the_card(pult: Pult) -> None:
    await pult.release("ready")

    def posted(tx: Tx) -> None:
        (card,) = [each for each in tx.cards_of(CARD) if each.place.platform == "slack"]
        tx.shown(card, Ref("C0OPS", "1.1"), pult.now)

    await pult.store.write(posted)
    await pult.sees(version="1.8.0")
    due = await pult.store.read(lambda tx: [card for card in tx.latest_cards("slack:C0OPS", 9) if card.parent])
    assert [(card.parent, card.parent_ref and card.parent_ref.message) for card in due] == [(CARD, "1.1")]


class Compared:
    """A forge that knows one comparison. ``away``: it does not answer."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.away = False

    async def compare(self, repo: str, base: str, head: str) -> Comparison:
        self.asked.append((repo, base, head))
        if self.away:
            raise TemporaryError("GitHub does not answer")
        commits = (
            Commit("1" * 40, "feat: pages (#7)", "anna", NOON),
            Commit("2" * 40, "fix!: <b>no</b> leak", "anna", NOON),
        )
        return Comparison(commits, url="https://github.com/dept/api/compare/x...y")


async def enriched(pult: Pult, forge: Compared, changelogs: Changelogs | None = None) -> str:
    made = changelogs or Changelogs(Guarded(FakeClock()), forge, SERVICES)  # type: ignore[arg-type]
    seen = await pult.card()
    return plain(await made.enrich(seen, draw(seen)), English())


async def test_without_notes_the_commits_say_what_changes(pult: Pult) -> None:
    """Against what production has, or had before it; asked once, since two commits never differ otherwise."""
    forge = Compared()
    changelogs = Changelogs(Guarded(FakeClock()), forge, SERVICES)  # type: ignore[arg-type]
    await pult.release("ready", "1.7.2", commit=OTHER)
    await pult.sees(version="1.7.2")
    await pult.release("ready", commit=SHA)
    before = await enriched(pult, forge, changelogs)
    assert "Breaking changes" in before
    assert "<b>no</b> leak (2222222" in before
    await pult.sees(version="1.8.0")
    assert "pages (#7 (https://github.com/dept/api/issues/7))" in await enriched(pult, forge, changelogs)
    assert forge.asked == [("dept/api", OTHER, SHA)]


async def test_a_card_goes_without_a_changelog(pult: Pult) -> None:
    forge = Compared()
    await pult.release("ready", commit=SHA)
    assert "Breaking" not in await enriched(pult, forge), "nothing to compare with"
    await pult.release("ready", "1.7.2", commit=OTHER)
    await pult.sees(version="1.7.2")
    forge.away = True
    assert "Breaking" not in await enriched(pult, forge)
    forge.away = False
    await pult.release("ready", notes="- what matters")
    assert "Breaking" not in await enriched(pult, forge)


def planned(version: str, previous: str) -> Operation:
    target = Target(SERVICES.named("api").last, Hand.PATCH, f"r/api@{digest('api', version)}", previous, "t")
    plan = Plan("promote", phrase("x"), "api", "production", (),
                {"version": version, "digest": digest("api", version)}, targets=(target,))  # fmt: skip
    until = NOON + timedelta(hours=1)
    return Operation("op-41c9", plan, "anna", State.WAITING, NOON, until, Place("slack:C0OPS"))


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ({"stage": "tagged", "commit": OTHER, "moved": OTHER}, "The tag of 1.8.0 was moved to bbbbbbbbbbbb"),
        ({"stage": "failed"}, "The pipeline of 1.8.0 failed"),
    ],
)
async def test_a_plan_is_void_when_nobody_would_plan_it_any_more(pult: Pult, word: dict[str, str], why: str) -> None:
    await pult.release("ready", digest=digest("api", "1.8.0"), commit=SHA)
    waiting = planned("1.8.0", f"r/api@{digest('api', '1.7.2')}")
    await pult.store.write(lambda tx: tx.save_operation(waiting))
    await pult.release(version="1.9.0", **word)
    assert [each.id for each in await pult.store.read(lambda tx: tx.live_operations())] == [waiting.id]
    await pult.release(**word)
    ended = await pult.store.read(lambda tx: tx.operation(waiting.id))
    assert ended is not None
    assert ended.state is State.CANCELLED
    assert ended.result is not None
    assert why in ended.result.plain()


async def test_a_plan_is_void_when_another_digest_is_reported_or_another_hand_was_first(pult: Pult) -> None:
    async def state() -> State:
        found = await pult.store.read(lambda tx: tx.operation("op-41c9"))
        assert found is not None
        return found.state

    await pult.release("ready", digest=digest("api", "1.8.0"))
    await pult.release("ready", "1.9.0", digest=digest("api", "1.9.0"))
    waiting = planned("1.8.0", f"r/api@{digest('api', '1.7.2')}")
    await pult.store.write(lambda tx: tx.save_operation(waiting))
    await pult.release("ready", digest=digest("api", "1.8.0"))
    assert await state() is State.WAITING
    await pult.release("ready", digest=digest("api", "other"))
    assert await state() is State.CANCELLED
    await pult.store.write(lambda tx: tx.save_operation(waiting))
    await pult.sees(Fate.RUNNING, version="1.9.0")
    assert await state() is State.WAITING, "it is not there yet"
    await pult.sees(version="1.9.0")
    assert await state() is State.CANCELLED
