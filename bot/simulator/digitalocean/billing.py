"""Balance and invoices: money is text here, and the running month is a preview."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from bot.simulator.digitalocean import errors
from bot.simulator.digitalocean.ask import Ask, Reply
from bot.simulator.digitalocean.catalogue import bill
from bot.simulator.digitalocean.errors import Json
from bot.simulator.digitalocean.state import stamp

CAP: Final = Decimal(672)
"""Hours: 28 days (digitalocean/openapi, sizes/models/size.yml: price_hourly is a 672nd of price_monthly)."""
_CENT: Final = Decimal("0.01")
_PREVIEW: Final = "preview"
_RUNNING: Final = "1afe95e6-0958-4eb0-8d9a-9c5060d3ef03"
"""Of the running month."""
_PAST: Final = (
    ("22737513-0ea7-4206-8ceb-98a575af7681", "12345678", Decimal("561.00"), 1),
    ("fdabb512-6faf-443c-ba2e-665452332a9e", "12345612", Decimal("548.40"), 2),
)


def balance(ask: Ask) -> Reply:
    now = ask.cloud.now()
    used = _running(now)
    body = {
        "month_to_date_balance": str(used),
        "account_balance": "0.00",
        "month_to_date_usage": str(used),
        "generated_at": stamp(now),
    }
    return Reply(body)


def invoices(ask: Ask) -> Reply:
    now = ask.cloud.now()
    past = [_invoice(uuid, number, amount, _month(now, back)) for uuid, number, amount, back in _PAST]
    preview = _invoice(_RUNNING, "34567890", _running(now), _month(now, 0))
    return Reply({"invoices": past, "invoice_preview": preview | {"updated_at": stamp(now)}}, listed="invoices")


def invoice(ask: Ask) -> Reply:
    """The items of one invoice; ``preview`` is the running month."""
    now, wanted = ask.cloud.now(), ask.names["id"]
    preview = wanted in {_PREVIEW, _RUNNING}
    if not preview and all(wanted != uuid for uuid, *_ in _PAST):
        raise errors.not_found()
    share, hours = (_share(now), _hours(now)) if preview else (Decimal(1), int(CAP))
    items = [
        {
            "product": product,
            "resource_id": resource,
            "resource_uuid": resource,
            "group_description": service,
            "description": resource,
            "amount": str((Decimal(dollars) * share).quantize(_CENT)),
            "duration": str(hours),
            "duration_unit": "Hours",
            "project_name": "dept",
            "category": "iaas",
        }
        for product, resource, service, dollars in bill()
    ]
    return Reply({"invoice_items": items}, listed="invoice_items")


def _share(now: datetime) -> Decimal:
    """Of a month's price: everything is billed by the hour, and no more than CAP of them in a month."""
    return min(Decimal(1), Decimal(_hours(now)) / CAP)


def _hours(now: datetime) -> int:
    return (now.day - 1) * 24 + now.hour + 1


def _running(now: datetime) -> Decimal:
    return sum((Decimal(dollars) * _share(now) for *_, dollars in bill()), Decimal(0)).quantize(_CENT)


def _month(now: datetime, back: int) -> str:
    months = now.year * 12 + now.month - 1 - back
    return f"{months // 12}-{months % 12 + 1:02d}"


def _invoice(uuid: str, number: str, amount: Decimal, period: str) -> Json:
    return {"invoice_uuid": uuid, "invoice_id": number, "amount": str(amount), "invoice_period": period}
