"""The version that came shortly before an alert: when it is named, when its rollback is offered, and when not."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.alerts import Ack, Group
from bot.domain.cards import Place
from bot.domain.changes import Restarted, Rolled
from bot.domain.messages import Button, Message, Paragraph, Style
from bot.domain.operations import Operation, State
from bot.domain.phrases import phrase
from bot.domain.plans import Plan
from bot.domain.releases import Deployment, Fate
from bot.domain.services import Catalogue, Verification
from bot.platforms.telegram.render import render
from handlers.cards import alert as card
from tests.handlers import department as house
from tests.handlers.department import SERVICES, Department, alert
from tests.handlers.fakes import NOON, digest, image
from tests.platforms import slack_cards
from tests.platforms.test_telegram_fixtures import shown, words

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def ago(minutes: float) -> datetime:
    return NOON - minutes * MINUTE


async def came(
    department: Department, version: str, minutes: float, environment: str = "production", fate: Fate = Fate.GOOD,
    **more: str | datetime,
) -> None:  # fmt: skip
    """*version* came to run so many minutes ago, as something else than pult brought it."""
    values = {"at": ago(minutes), "since": ago(minutes), **more}
    there = Deployment("api", environment, version, digest("api", version), fate, **values)  # type: ignore[arg-type]
    await department.store.write(lambda tx: tx.save_deployment(there))


async def drawn(department: Department, group: Group, services: Catalogue = SERVICES) -> Message:
    """The card as the lane sends it."""
    seen = await department.store.read(lambda tx: card.seen(tx, services, group.id))
    assert seen is not None
    return await department.ports.surroundings.enrich(seen, card.draw(seen.group, seen.changes, seen.suspect))


def named(message: Message) -> str:
    """The version that the card suspects, or nothing."""
    said = [block.text.plain() for block in message.blocks if isinstance(block, Paragraph)]
    return next((text.split()[2].rstrip(",") for text in said if text.startswith("First suspect: ")), "")


def offered(message: Message) -> list[str]:
    return [button.command for button in message.buttons if button.command.startswith("rollback")]


async def fired(department: Department, **labels: str) -> Group:
    return await department.fires(alert(starts=ago(5), **labels), at=ago(4))


# --- who is suspected ---


async def test_a_version_that_somebody_else_brought_is_named_and_one_press_proposes_its_rollback(
    department: Department,
) -> None:
    await came(department, "1.8.0", 20)
    message = await drawn(department, await fired(department))
    assert named(message) == "1.8.0"
    assert "running since" in next(
        block.text.plain()
        for block in message.blocks
        if isinstance(block, Paragraph) and "suspect" in block.text.plain()
    )
    (button,) = (button for button in message.buttons if button.command == "rollback api")
    assert button == Button(phrase("Roll back {service}", service="api"), "rollback api", style=Style.DANGER)
    for locale in slack_cards.LOCALES:
        for chat in ("slack", "telegram"):
            text = slack_cards.page(message, locale) if chat == "slack" else shown(render(message, words(locale)))
            path = house.EXPECTED / "suspect" / f"alert.{chat}.{locale}.{'txt' if chat == 'slack' else 'html'}"
            if os.environ.get("WRITE_EXPECTED"):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("labels", "suspected"),
    [
        ({"severity": "critical"}, True),
        ({"severity": "warning", "alertname": "SloBurn", "slo": "availability"}, True),
        ({"severity": "warning"}, False),
        ({"severity": "info"}, False),
        ({"severity": "critical", "namespace": "staging"}, False),
        ({"severity": "critical", "namespace": "production"}, True),
        ({"severity": "critical", "service": "web"}, False),
        ({"severity": "critical", "service": "billing"}, False),
    ],
    ids=str,
)
async def test_pages_and_alerts_on_slos_of_production_ask_for_a_suspect(
    department: Department, labels: dict[str, str], suspected: bool
) -> None:
    await came(department, "1.8.0", 20)
    message = await drawn(department, await fired(department, **labels))
    assert (named(message), offered(message)) == (("1.8.0", ["rollback api"]) if suspected else ("", []))


@pytest.mark.parametrize(
    ("minutes", "bake", "suspected"),
    [(34, 0, True), (36, 0, False), (36, 10, False), (36, 60, True), (64, 60, True), (66, 60, False),
     (2, 0, True), (-1, 0, False)],
)  # fmt: skip
async def test_it_is_a_suspect_for_its_bake_time_and_at_least_half_an_hour(
    department: Department, minutes: float, bake: int, suspected: bool
) -> None:
    """The alert began five minutes ago; what comes while it is rolled out may break before it is said to be there."""
    api = SERVICES.named("api")
    production = replace(house.PRODUCTION, verification=Verification(bake * MINUTE))
    services = Catalogue([replace(api, environments=(house.STAGING, production))])
    await came(department, "1.8.0", minutes)
    assert bool(named(await drawn(department, await fired(department), services))) is suspected


async def test_a_version_that_came_after_the_alert_is_more_likely_its_cure(department: Department) -> None:
    group = await department.fires(alert(starts=ago(40)), at=ago(40))
    await came(department, "1.8.1", 10)
    assert named(await drawn(department, group)) == ""


async def test_staging_is_no_production(department: Department) -> None:
    await came(department, "1.8.0", 20, "staging")
    assert named(await drawn(department, await fired(department))) == ""


async def test_what_a_pipeline_calls_released_is_a_suspect_too(department: Department) -> None:
    department.clock.at = ago(12)
    await department.reported("1.8.0", stage="released")
    department.clock.at = NOON
    message = await drawn(department, await fired(department))
    assert (named(message), offered(message)) == ("1.8.0", ["rollback api"])


# --- when it is not for this card to offer a rollback ---


async def test_what_was_taken_back_is_neither_suspected_nor_offered(department: Department) -> None:
    """The row that came back has run before; going back from it would bring the bad one again."""
    await came(department, "1.8.0", 20, fate=Fate.BACK, at=ago(2))
    await came(department, "1.7.2", 2)
    message = await drawn(department, await fired(department))
    assert (named(message), offered(message)) == ("", [])


async def test_a_version_that_replaced_the_suspect_is_not_taken_back_for_it(department: Department) -> None:
    group = await department.fires(alert(starts=ago(15)), at=ago(15))
    await came(department, "1.8.0", 20)
    await came(department, "1.8.1", 3)
    message = await drawn(department, group)
    assert (named(message), offered(message)) == ("1.8.0", [])


@pytest.mark.parametrize(
    ("action", "state", "suspected", "offers"),
    [
        ("promote", State.RUNNING, "1.8.0", []),
        ("promote", State.PAUSED, "1.8.0", []),
        ("promote", State.SUCCEEDED, "1.8.0", ["rollback api"]),
        ("promote", State.UNDONE, "", []),
        ("rollback", State.SUCCEEDED, "", []),
    ],
)
async def test_an_operation_of_pult_that_is_under_way_proposes_by_itself(
    department: Department, action: str, state: State, suspected: str, offers: list[str]
) -> None:
    plan = Plan(action, phrase("{action}", action=action), "api", "production", (), params={"version": "1.8.0"})
    made = Operation("op-41c9", plan, "anna", state, ago(30), ago(0), Place("console:ops"), started_at=ago(20))
    await department.store.write(lambda tx: tx.save_operation(made))
    message = await drawn(department, await fired(department))
    assert (named(message), offered(message)) == (suspected, offers)


async def test_an_operation_in_staging_brought_nothing_to_production(department: Department) -> None:
    plan = Plan("promote", phrase("Promote"), "api", "staging", (), params={"version": "1.8.0"})
    made = Operation("op-41c9", plan, "anna", State.SUCCEEDED, ago(30), ago(0), Place("console:ops"), started_at=ago(9))
    await department.store.write(lambda tx: tx.save_operation(made))
    assert named(await drawn(department, await fired(department))) == ""


async def test_once_it_is_over_nothing_is_offered(department: Department) -> None:
    await came(department, "1.8.0", 20)
    group = await fired(department)
    ended = {key: replace(each, ends_at=NOON) for key, each in group.alerts.items()}
    over = replace(group, closed_at=NOON, alerts=ended)
    await department.store.write(lambda tx: tx.save_group(over))
    message = await drawn(department, over)
    assert (named(message), offered(message)) == ("", [])


async def test_whoever_holds_it_still_has_the_button(department: Department) -> None:
    await came(department, "1.8.0", 20)
    held = replace(await fired(department), ack=Ack("anna", NOON))
    await department.store.write(lambda tx: tx.save_group(held))
    assert offered(await drawn(department, held)) == ["rollback api"]


@pytest.mark.parametrize(("name", "offers"), [("сервис", False), ("a" * 55, True), ("a" * 56, False)])
async def test_a_button_holds_64_bytes_of_ascii(department: Department, name: str, offers: bool) -> None:
    services = Catalogue([replace(SERVICES.named("api"), name=name)])
    there = Deployment(name, "production", "1.8.0", "", Fate.GOOD, ago(20), since=ago(20))
    await department.store.write(lambda tx: tx.save_deployment(there))
    group = await fired(department, service=name)
    seen = await department.store.read(lambda tx: card.seen(tx, services, group.id))
    message = card.draw(seen.group, seen.changes, seen.suspect)
    assert (named(message), offered(message)) == ("1.8.0", [f"rollback {name}"] if offers else [])


# --- by what the cluster itself tells ---


async def test_what_nobody_told_pult_of_is_seen_in_the_cluster(department: Department) -> None:
    department.cluster.changed["nyc2"] = (Rolled(ago(20), "12", image("api", "1.9.0")), Restarted(ago(10)))
    await department.reported("1.9.0")
    message = await drawn(department, await fired(department))
    assert (named(message), offered(message)) == ("1.9.0", ["rollback api"])


@pytest.mark.parametrize(
    "facts",
    [
        (Rolled(ago(20), "12", image("api", "1.7.2"), back=True),),
        (Rolled(ago(20), "12"),),
        (Rolled(ago(80), "12", image("api", "1.9.0")),),
        (Rolled(ago(20), "12", image("api", "1.9.0")), Rolled(ago(6), "13", image("api", "1.7.2"), back=True)),
        (Restarted(ago(10)),),
    ],
    ids=["back", "settings", "long ago", "undone since", "restart"],
)
async def test_other_changes_of_the_cluster_are_no_version_to_suspect(department: Department, facts: tuple) -> None:
    department.cluster.changed["nyc2"] = facts
    message = await drawn(department, await fired(department))
    assert (named(message), offered(message)) == ("", [])


async def test_a_rollback_by_pult_is_not_suspected_by_what_the_cluster_tells(department: Department) -> None:
    plan = Plan("rollback", phrase("Roll back"), "api", "production", (), params={"version": "1.7.2"})
    made = Operation("op-41c9", plan, "anna", State.SUCCEEDED, ago(30), ago(0), Place("console:ops"), started_at=ago(9))
    await department.store.write(lambda tx: tx.save_operation(made))
    department.cluster.changed["nyc2"] = (Rolled(ago(8), "13", image("api", "1.7.2")),)
    assert offered(await drawn(department, await fired(department))) == []
