"""Everything that is done with a store, once at least: what builds of this revision ask of it (tests/recording.py)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.adapters.sql.transaction import SqlTx
from bot.domain.cards import Priority, Ref
from bot.domain.leases import Replica
from bot.domain.messages import Message
from bot.domain.oncall import Shift
from bot.domain.phrases import phrase
from bot.domain.storms import Storm
from tests.contracts import samples
from tests.contracts.samples import INC, MINUTE, NOON, OPS, SECOND, wish

FEW = 100
"""Rows that are forgotten at once."""


def played(tx: SqlTx) -> None:
    for scene in (_facts, _cards, _work, _timetable, _storms, _past, _deployments, _leases, _forgotten):
        scene(tx)
    tx.beat()


def _facts(tx: SqlTx) -> None:
    assert tx.put_event(samples.event("e1", "k"))
    assert not tx.put_event(samples.event("e2", "k"))
    for group in (samples.group(), samples.group("a-2", "am:2"), replace(samples.group(), closed_at=NOON + MINUTE)):
        tx.save_group(group)
    assert tx.latest_group("am:{}") == tx.group("a-7k2f")
    assert (len(tx.open_groups()), len(tx.recent_groups(9))) == (1, 2)
    tx.save_release(samples.release())
    assert tx.release("api", "1.8.0")
    assert (len(tx.releases()), len(tx.releases("api"))) == (1, 1)


def _cards(tx: SqlTx) -> None:
    tx.show(wish(), NOON)
    tx.show(wish(urgency=Priority.PAGE), NOON + SECOND)
    tx.show(replace(wish("reply:1", parent="alert:a-7k2f"), not_before=NOON + MINUTE), NOON)
    card = tx.due(OPS, NOON)
    assert card
    assert (tx.busy(), len(tx.unposted(OPS)), len(tx.late_pages(NOON + MINUTE))) == ({OPS}, 2, 1)
    assert tx.next_try(OPS) == NOON + MINUTE
    assert tx.backlog()[OPS][0] == 2
    tx.postpone(card, NOON + SECOND, "slow")
    tx.shown(card, Ref("C0OPS", "1.2"), NOON + SECOND)
    tx.bump("alert:a-7k2f", NOON + MINUTE)
    tx.lose(card)
    tx.bury(card, "gone")
    assert (len(tx.cards_of("alert:a-7k2f")), len(tx.latest_cards(OPS, 9))) == (1, 2)
    for title in ("Hello", "Hello again"):
        tx.put_message("reply:1", Message(phrase(title)))
    assert tx.message("reply:1")


def _work(tx: SqlTx) -> None:
    assert tx.put_request(samples.request(), "dead")
    assert tx.asked_of("slack:Ev1") == "dead"
    assert len(tx.take_over("alive")) == 1
    assert tx.answered("slack:Ev1", NOON)
    operation = samples.operation()
    for each in (operation, samples.approved("boris", operation)):
        tx.save_operation(each)
    assert tx.operation(operation.id)
    assert (len(tx.live_operations()), len(tx.recent_operations(9))) == (1, 1)
    tx.append(samples.deed())
    tx.append(samples.deed("op-2"))
    assert (len(tuple(tx.entries())), len(tx.latest_entries("ANNA", 9))) == (2, 2)


def _timetable(tx: SqlTx) -> None:
    for after in (MINUTE, SECOND):
        tx.set_timer("ack", "a-7k2f", NOON + after)
    assert tx.timer("ack", "a-7k2f") == NOON + SECOND
    assert (len(tx.ripe_timers(NOON + MINUTE, 9)), len(tx.timers("ack"))) == (1, 1)
    tx.drop_timer("ack", "a-7k2f")
    for value in ("a", "b"):
        tx.put_mark("head", value)
    assert tx.mark("head") == "b"
    tx.add_override(Shift("anna", NOON, NOON + MINUTE, "boris"))
    assert len(tx.overrides(NOON, NOON + SECOND)) == 1


def _storms(tx: SqlTx) -> None:
    storm = Storm("st-1", OPS, NOON, NOON)
    tx.save_storm(storm)
    assert (tx.storm("st-1"), tx.open_storm(OPS)) == (storm, storm)
    for group in (samples.group(), replace(samples.group(), ack=None)):
        tx.gather("st-1", group)
    assert len(tx.gathered("st-1")) == 1
    tx.save_storm(replace(storm, closed_at=NOON + MINUTE))


def _past(tx: SqlTx) -> None:
    tx.show(wish("alert:a-2"), NOON + SECOND)
    assert tx.new_alerts(OPS, NOON, 9) == 1
    assert len(tx.past_groups(["higherrors"], NOON - MINUTE, 9)) == 2
    assert tx.records(NOON - MINUTE, NOON + MINUTE)[0].groups == 2


def _deployments(tx: SqlTx) -> None:
    for at in (NOON, NOON + MINUTE):
        tx.save_deployment(samples.deployment(at=at))
    assert len(tx.deployments("api")) == len(tx.deployments("api", "production")) == 1
    assert len(tx.deployments_of("api", "1.8.0")) == 1


def _leases(tx: SqlTx) -> None:
    long = timedelta(hours=1)
    assert tx.enlist(Replica("b1", "pult-0"), long)
    assert not tx.enlist(Replica("b1", "pult-0", trouble={OPS: "429"}), long)
    lease = tx.take("duties", "b1", long)
    assert tx.holds(lease)
    tx.renew("b1", long)
    assert (len(tx.replicas()), len(tx.tenures())) == (1, 1)
    tx.give_up("duties", "b1")
    assert tx.take("duties", "b1", long).epoch == 2
    tx.resign("b1")


def _forgotten(tx: SqlTx) -> None:
    tx.show(wish("notice:1", INC), NOON)
    assert tx.forget(NOON + timedelta(days=1), FEW).rows > 0
